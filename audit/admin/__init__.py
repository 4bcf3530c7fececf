"""The log in the admin: to read, to verify, to take along; for nobody to write.

events.py     the list, and one event     filters.py    by day, actor and kind
sentences.py  events as people say them   seals.py      the list of seals
verifying.py  *Verify now*                exporting.py  *Export bundle*
keys.py       the public keys
"""

from audit.admin import events, seals

__all__ = ["events", "seals"]
