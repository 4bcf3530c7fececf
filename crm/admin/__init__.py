"""CRM records and attribute mappings in the admin.

records.py    list, search                          record_form.py  one record
attributes.py further attributes in a form          importing.py    upload, preview, confirm
exporting.py  the file that an import reads back    progress.py     a page that shows how far it is
mappings.py   the set of mappings                   sets.py         earlier sets of them
tokens.py     tokens of the sync API
"""

from crm.admin.mappings import AttributeMappingAdmin
from crm.admin.records import CrmRecordAdmin
from crm.admin.tokens import ApiTokenAdmin

__all__ = ["ApiTokenAdmin", "AttributeMappingAdmin", "CrmRecordAdmin"]
