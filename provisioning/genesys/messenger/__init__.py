"""Genesys Cloud as the vendor documents it: a contact, and an anonymous Messenger session.

    contacts.py   the body that makes or finds a contact, and what an answer says
    names.py      the external id, the visitor's token: made here, stored nowhere
    client.py     the platform: what an init, a withdrawal and an erasure do there
    api.py        its calls outside an init
    erasing.py    a contact's deletion, step by step
    fields.py     the fields of a contact schema; known_fields.py: those that there are
    organisation.py  its calls about source, schema and deployment
    setup.py      what `messenger_setup` makes; checks.py: what `check_genesys` asks

Docs: docs/platforms.md, which says what is certain, what is inferred and what was never tried.
"""

from provisioning.genesys.messenger.client import DEFAULT_ATTRIBUTES, connect

__all__ = ["DEFAULT_ATTRIBUTES", "connect"]
