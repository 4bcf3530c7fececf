"""Genesys Cloud as the vendor documents it: a contact, and an anonymous Messenger session.

    contacts.py   the body that makes or finds a contact, and what an answer says
    names.py      the external id, the visitor's token: made here, stored nowhere
    client.py     the platform: what an init, a withdrawal and an erasure do there
    api.py        its calls outside an init
    erasing.py    a contact's deletion, step by step

Docs: docs/platforms.md, which says what is certain, what is inferred and what was never tried.
"""

from provisioning.genesys.messenger.client import connect

__all__ = ["connect"]
