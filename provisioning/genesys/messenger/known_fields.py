"""Which fields the contact schema in use has, kept for a minute: a form asks at every key."""

from collections.abc import Collection

from django.conf import settings
from django.core.cache import cache

from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import PlatformError, Rejected, Unavailable
from provisioning.genesys.messenger import fields
from provisioning.genesys.messenger.api import Api
from provisioning.genesys.messenger.organisation import Organisation

KEEP_SECONDS = 60
# After a failure nobody who types waits for the next one.
KEEP_FAILURE_SECONDS = 10


def missing(*, key: str, api: Api, deadline: Deadline) -> str:
    """Return that the schema has no field of this key, and what to do; empty where it has.

    Raises PlatformError where the schema cannot be read.
    """
    if key in _keys(api, deadline):
        return ""
    return (
        f"Version {settings.MESSENGER_SCHEMA_VERSION} of the contact schema has no such field. "
        f"{fields.remedy(key=key)} Until then the mapping can be saved disabled."
    )


def _keys(api: Api, deadline: Deadline) -> Collection[str]:
    name = f"messenger:fields:{settings.MESSENGER_SCHEMA_ID}:{settings.MESSENGER_SCHEMA_VERSION}"
    kept = cache.get(name)
    if kept is None:
        try:
            kept = {"keys": _read(api, deadline)}
        except PlatformError as exc:
            # As JSON, which the shared cache makes of it: a tuple would come back as a list.
            cache.set(name, {"failed": str(exc), "remedy": exc.remedy}, KEEP_FAILURE_SECONDS)
            raise
        cache.set(name, kept, KEEP_SECONDS)
    if "failed" in kept:
        raise Unavailable(kept["failed"], remedy=kept["remedy"])
    return list(kept["keys"])


def _read(api: Api, deadline: Deadline) -> list[str]:
    schema_id, version = settings.MESSENGER_SCHEMA_ID, settings.MESSENGER_SCHEMA_VERSION
    schema = Organisation(api, deadline).schema(schema_id, version) if schema_id else None
    if schema is None:
        what = "MESSENGER_SCHEMA_ID and MESSENGER_SCHEMA_VERSION name no contact schema"
        raise Rejected(what, remedy="manage.py messenger_setup says what to set.")
    return sorted(schema.keys)
