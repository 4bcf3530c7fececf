"""The staff's pages: guest creations to be reviewed, never written, and the rights of persons.

creations.py   the list of creations   filters.py   its tabs and filters      search.py  its search
detail.py      one creation            evidence.py  what that page shows, from log, CRM and seals
reviewing.py   reviews                 badges.py    states as labelled badges
people/        one person: consent, creations, receipts; withdraw, hold, export, erase
notices.py     privacy notices         holds.py     legal holds
deletions.py   guests to delete on the platform too
preview.py     what the attribute mappings would send, shown inside the CRM's pages
"""

from crm import targets
from crm.admin.mappings import show_preview_with
from crm.admin.sets import show_sample_with
from provisioning import mappings
from provisioning.admin import creations, deletions, holds, notices
from provisioning.admin.preview import mapping_preview, sample

show_preview_with(view=mapping_preview)
show_sample_with(sample=sample)
targets.refuse_with(refusal=mappings.refusal)

__all__ = ["creations", "deletions", "holds", "notices"]
