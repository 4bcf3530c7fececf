"""CRM records and attribute mappings in the admin.

records.py    list, search, export, one record      importing.py   upload, preview, confirm
mappings.py   the set of mappings, its history      history.py     earlier sets, to restore
"""

from crm.admin.mappings import AttributeMappingAdmin
from crm.admin.records import CrmRecordAdmin

__all__ = ["AttributeMappingAdmin", "CrmRecordAdmin"]
