"""What `check_genesys` asks: calls that change nothing, one for each thing that has to be right."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from uuid import UUID

from django.conf import settings

from provisioning.genesys import checking
from provisioning.genesys.calls import Calls
from provisioning.genesys.checking import Check
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import Rejected
from provisioning.genesys.messenger import contacts, fields, names
from provisioning.genesys.messenger.api import ENRICH, REMEDY, REQUESTS, Api
from provisioning.genesys.messenger.organisation import Organisation, Schema
from provisioning.genesys.platform import GuestRequest

_NOBODY = "check_genesys"  # the key of a session that nobody has
_NO_REQUEST = str(UUID(int=0))
_SETUP = "manage.py messenger_setup --apply makes it and says what to set."
_ADDRESS = f"Check GENESYS_BASE_URL and MESSENGER_DOMAIN. {REMEDY}"
_CONSOLE = "Copy it from the messenger deployment in the platform's admin console."
_OTHERS = {
    "MESSENGER_DOMAIN": "The domain is your organisation's region, such as mypurecloud.de.",
    "MESSENGER_ENVIRONMENT": "The environment is in the messenger deployment's snippet.",
    "MESSENGER_TOKEN_KEY": "Make a token key with: openssl rand -hex 32. It stays for good.",
}


class Checks:
    """The checks in their order; what the schema says is asked for once."""

    def __init__(self, calls: Calls, api: Api) -> None:
        self._calls = calls
        self._api = api
        self._schema: Schema | None = None

    def all(self, *, attributes: Callable[[], Mapping[str, str]]) -> Iterator[Check]:
        """Yield each check; `attributes` gives what is mapped, with the type of its values."""
        yield checking.token(calls=self._calls)
        yield Check("settings", _all_set)
        yield Check("enrich (dry run)", self._enrich)
        yield Check("look-up", self._look_up)
        yield Check("deployment", self._deployment)
        yield Check("external source", self._source)
        yield Check("contact schema", self._version)
        if self._schema:
            consent = {contacts.CONSENT_GIVEN: "boolean", contacts.CONSENT_TYPE: "text"}
            for key, value_type in {**consent, **attributes()}.items():
                yield Check(f"field {key}", partial(self._field, key, value_type))
        yield Check("gdpr request", self._request)
        yield Check("POST gdpr/requests (gdpr:request:add): only an erasure tries it")
        yield Check("DELETE of a contact (externalContacts:contact:delete): only an erasure")

    def _enrich(self, deadline: Deadline) -> str:
        _require("MESSENGER_EXTERNAL_SOURCE_ID", _SETUP)
        _require("MESSENGER_SCHEMA_ID", _SETUP)
        guest = GuestRequest("", "", False, True, "explicit", {}, _NOBODY)
        body = contacts.enrich(guest=guest).body
        if self._api.post(f"{ENRICH}?dryRun=true", body, deadline) is None:
            raise Rejected("the platform knows no such call", status=404, remedy=_ADDRESS)
        return "a contact with the two fields of consent would be taken"

    def _look_up(self, deadline: Deadline) -> str:
        _require("MESSENGER_EXTERNAL_SOURCE_ID", _SETUP)
        self._api.look_up(names.external_id(session_key=_NOBODY), deadline)
        return "answered"

    def _deployment(self, deadline: Deadline) -> str:
        _require("MESSENGER_DEPLOYMENT_ID", _CONSOLE)
        found = Organisation(self._api, deadline).deployment(settings.MESSENGER_DEPLOYMENT_ID)
        if found is None:
            raise Rejected("MESSENGER_DEPLOYMENT_ID names no deployment", remedy=_CONSOLE)
        if found.state not in ("", "Active"):
            remedy = "Activate it in the platform's admin console."
            raise Rejected(f"{found.name} is {found.state}", remedy=remedy)
        return f"{found.name} is there"

    def _source(self, deadline: Deadline) -> str:
        _require("MESSENGER_EXTERNAL_SOURCE_ID", _SETUP)
        found = Organisation(self._api, deadline).source(settings.MESSENGER_EXTERNAL_SOURCE_ID)
        if found is None:
            raise Rejected("MESSENGER_EXTERNAL_SOURCE_ID names no external source", remedy=_SETUP)
        if not found.active:
            remedy = "Activate it in the platform's admin console."
            raise Rejected(f"{found.name} is not active", remedy=remedy)
        return f"{found.name} is there"

    def _version(self, deadline: Deadline) -> str:
        _require("MESSENGER_SCHEMA_ID", _SETUP)
        version = settings.MESSENGER_SCHEMA_VERSION
        found = Organisation(self._api, deadline).schema(settings.MESSENGER_SCHEMA_ID, version)
        if found is None:
            what = f"MESSENGER_SCHEMA_ID and _VERSION ({version}) name no schema"
            raise Rejected(what, remedy=_SETUP)
        if not found.enabled:
            remedy = "Enable it in the platform's admin console, or set a later version."
            raise Rejected(f"version {version} of {found.name} is disabled", remedy=remedy)
        self._schema = found
        return f"version {version} of {found.name} is there"

    def _field(self, key: str, value_type: str, deadline: Deadline) -> str:
        if said := fields.problem(key=key, value_type=value_type):
            raise Rejected(f"it is left out. {said}", remedy="Change its mapping in the admin.")
        if self._schema and key not in self._schema.keys:
            what = f"version {self._schema.version} of the contact schema has no such field"
            raise Rejected(what, remedy=fields.remedy(key=key))
        return "is in the schema"

    def _request(self, deadline: Deadline) -> str:
        self._api.get(REQUESTS, _NO_REQUEST, deadline)
        return "answered"


def _all_set(deadline: Deadline) -> str:
    """Look at what no other check needs, and visitors do."""
    if missing := [name for name in _OTHERS if not getattr(settings, name)]:
        remedy = " ".join(_OTHERS[name] for name in missing)
        raise Rejected(f"{', '.join(missing)} not set", remedy=remedy)
    return "are there"


def _require(name: str, remedy: str) -> None:
    if not getattr(settings, name):
        raise Rejected(f"{name} is not set", remedy=remedy)
