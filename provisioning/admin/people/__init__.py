"""One page for a person: found by whatever names them, shown whole, acted on.

page.py       finding the person, and their page   access.py  who may, and whom it is about
summary.py    what the page shows                  acting.py  withdraw, hold, erase
exporting.py  the export, readable too; a receipt
"""

from provisioning.admin.people.access import EXPORT, require
from provisioning.admin.people.page import urls

__all__ = ["EXPORT", "require", "urls"]
