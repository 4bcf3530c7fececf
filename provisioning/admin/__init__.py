"""Guest creations in the admin: to be reviewed, never written.

creations.py   the list           filters.py     its tabs and filters
detail.py      one creation       evidence.py    what that page shows, read from log, CRM, seals
reviewing.py   the bulk review    badges.py      states as labelled badges
finding.py     search             preview.py     what the attribute mappings would send
compliance.py  notices, legal holds, deletions   person.py   receipt, export, erasure
"""

from crm.admin.mappings import show_preview_with
from provisioning.admin import compliance
from provisioning.admin.creations import GuestCreationAdmin
from provisioning.admin.preview import mapping_preview

show_preview_with(view=mapping_preview)

__all__ = ["GuestCreationAdmin", "compliance"]
