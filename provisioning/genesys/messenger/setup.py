"""What `messenger_setup` makes: an external source, and a contact schema with the mapped fields.

Found again by their ids in the settings, else by name: a second run makes nothing.
"""

from collections.abc import Sequence

from django.conf import settings

from provisioning.genesys.calls import Calls
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import Rejected
from provisioning.genesys.messenger import contacts, fields
from provisioning.genesys.messenger.api import Api
from provisioning.genesys.messenger.organisation import NAME, Named, Organisation, Schema

_UNSET = "Unset it: the command then finds what there is by name, or makes it."


class Setup:
    """One run. `settings` are what it found or made, as the service has to be told.

    Without `apply` nothing is changed. Each method returns a sentence, and raises PlatformError.
    """

    def __init__(self, calls: Calls, *, apply: bool) -> None:
        self.settings: dict[str, str] = {}
        self._api = Api(calls)
        self._apply = apply

    def source(self) -> str:
        """Find the external source, or make it."""
        organisation = self._organisation()
        source, what = self._find_source(organisation), f"External source {NAME}"
        if source is None and not self._apply:
            return f"{what}: would be made."
        if source:
            what, done = f"External source {source.name}", "is there"
        else:
            source, done = organisation.add_source(NAME), "made"
        self.settings["MESSENGER_EXTERNAL_SOURCE_ID"] = source.id
        return f"{what}: {done}."

    def schema(self, *, mapped: Sequence[str]) -> str:
        """Find the contact schema and add what it lacks of the `mapped` fields, or make it."""
        organisation = self._organisation()
        schema = self._find_schema(organisation)
        keys = [contacts.CONSENT_GIVEN, contacts.CONSENT_TYPE, *mapped]
        known = schema.keys if schema else frozenset()
        lacks = [key for key in keys if key not in known and fields.can_be_made(key=key)]
        sentence = self._sentence(schema, lacks)
        for key in mapped:
            if key not in known and fields.needs_options(key=key):
                sentence += f"\nField {key}: {fields.remedy(key=key)}"
        if self._apply and schema is None:
            schema = organisation.add_schema(NAME, lacks)
        elif self._apply and schema and lacks:
            schema = organisation.extend_schema(schema, lacks)
        if schema:
            self.settings["MESSENGER_SCHEMA_ID"] = schema.id
            self.settings["MESSENGER_SCHEMA_VERSION"] = str(schema.version)
        return sentence

    def _find_source(self, organisation: Organisation) -> Named | None:
        configured = settings.MESSENGER_EXTERNAL_SOURCE_ID
        if not configured:
            return organisation.source_called(NAME)
        if found := organisation.source(configured):
            return found
        raise Rejected("MESSENGER_EXTERNAL_SOURCE_ID names no external source", remedy=_UNSET)

    def _find_schema(self, organisation: Organisation) -> Schema | None:
        configured = settings.MESSENGER_SCHEMA_ID
        found = organisation.schema(configured) if configured else organisation.schema_called(NAME)
        if configured and found is None:
            raise Rejected("MESSENGER_SCHEMA_ID names no contact schema", remedy=_UNSET)
        if found and not found.enabled:
            remedy = "Enable it in the platform's admin console."
            raise Rejected("the newest version of the contact schema is disabled", remedy=remedy)
        return found

    def _sentence(self, schema: Schema | None, lacks: Sequence[str]) -> str:
        listed = ", ".join(lacks)
        if schema is None:
            return f"Contact schema {NAME}: {self._verb('made')} with {listed}."
        what = f"Contact schema {schema.name}"
        if not lacks:
            return f"{what}: is there, version {schema.version}, and lacks no field."
        return f"{what}: {listed} {self._verb('added')}, as version {schema.version + 1}."

    def _verb(self, done: str) -> str:
        return done if self._apply else f"would be {done}"

    def _organisation(self) -> Organisation:
        return Organisation(self._api, Deadline(seconds=settings.GENESYS_DEADLINE))
