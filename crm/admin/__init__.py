"""CRM records and attribute mappings in the admin.

records.py    list, search, one record              importing.py   upload, preview, confirm
exporting.py  the file that an import reads back
mappings.py   the set of mappings, earlier sets     tokens.py      tokens of the sync API
"""

from crm.admin.mappings import AttributeMappingAdmin
from crm.admin.records import CrmRecordAdmin
from crm.admin.tokens import ApiTokenAdmin

__all__ = ["ApiTokenAdmin", "AttributeMappingAdmin", "CrmRecordAdmin"]
