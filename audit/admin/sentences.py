"""Events as people say them: who did what, with the names that the log itself does not hold."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import User

from audit.models import AuditEvent
from backoffice.inert import visible

_ACTOR = re.compile(r"staff:([0-9]{1,9})")
# What an actor did, with values of the event's data in braces. A kind that is not here is said by
# its own words.
_DONE = {
    "init.attempted": "asked for a chat",
    "init.started": "took up a request for a chat that waited",
    "guest.created": "made the visitor a guest of the platform",
    "guest.reused": "went on with an earlier guest",
    "guest.failed": "could not make the visitor a guest: {code}",
    "guest.unknown": "may have made the visitor a guest; the platform did not say: {code}",
    "guest.refused": "was refused a guest for a visitor who declined",
    "token.issued": "handed out a token",
    "token.failed": "got no token: {code}",
    "consent.withdrawn": "withdrew consent",
    "record.reviewed": "reviewed a creation: {verdict}",
    "creations.exported": "exported a list of creations: {rows} rows",
    "personal_data.revealed": "looked at personal data in clear",
    "notice.published": "published notice {version} ({language})",
    "receipt.exported": "took a consent receipt",
    "receipt.key_announced": "announced a key that signs receipts",
    "subject.exported": "exported what is stored of a person",
    "subject.erased": "erased a person",
    "subject.erasure_refused": "was kept by a legal hold from erasing a person",
    "subject.rekeyed": "gave a person another key",
    "sessions.rekeyed": "gave all persons other keys",
    "hold.placed": "placed a legal hold",
    "hold.lifted": "lifted a legal hold",
    "platform_deletion.done": "marked a deletion on the platform as done",
    "mapping.changed": "changed the attribute mappings",
    "crm.imported": "imported CRM records: {created} new, {updated} changed",
    "crm.exported": "exported CRM records: {rows} rows",
    "crm.changed": "changed a CRM record: {fields}",
    "crm.deleted": "deleted a CRM record",
    "api_token.issued": "issued an API token",
    "api_token.ended": "ended an API token of {who}",
    "staff.login": "signed in",
    "staff.rights_changed": "changed rights of {who}: {change} {what}",
    "staff.account_changed": "changed the account {who}",
    "staff.particulars_changed": "changed particulars of {who}: {fields}",
    "staff.role_renamed": "renamed {before} to {who}",
    "staff.deleted": "deleted {who}",
    "staff.unlocked": "opened sign-in again for {who}",
    "audit.viewed": "looked at the audit log: {rows} events",
    "audit.exported": "exported the audit log: {rows} events",
    "audit.verified": "verified the audit log: {events} events, {problems} problems",
    "audit.restored": "announced a restore from a backup: seals after {restored_seal} up to"
    " {last_seal} are lost",
    "consent.restated": "ended a withdrawal again, as consent was stated since the backup",
    "audit.swept": "looked for events without a seal",
}


_ON_BEHALF = "withdrew consent for a visitor who asked on {receivedOn} ({channel})"


class _Said(dict[str, Any]):
    """Values for a sentence; one that the event does not have is left out."""

    def __missing__(self, key: str) -> str:
        return "…"


def sentences(*, events: Iterable[AuditEvent]) -> list[str]:
    """Return a sentence for each event, such as ``carla (staff:2) signed in``; one query."""
    told = [(event, json.loads(event.body)["data"]) for event in events]
    people = {event.actor for event, _ in told} | {str(data.get("who")) for _, data in told}
    named = names(actors=people)
    return [_sentence(event, data, named) for event, data in told]


def names(*, actors: Iterable[str]) -> dict[str, str]:
    """Return each of `actors` that is an account as ``carla (staff:2)``; one query."""
    keys = [found[1] for actor in actors if (found := _ACTOR.fullmatch(actor))]
    users = User.objects.filter(pk__in=keys).order_by("username").values_list("pk", "username")
    return {f"staff:{key}": f"{visible(name)} (staff:{key})" for key, name in users}


def _sentence(event: AuditEvent, data: Mapping[str, Any], named: Mapping[str, str]) -> str:
    actor = {"visitor": "A visitor", "system": "The system"}.get(event.actor, event.actor)
    done = _DONE.get(event.kind, re.sub("[._]", " ", event.kind))
    if event.kind == "consent.withdrawn" and "channel" in data:
        done = _ON_BEHALF
    values = _Said({name: _value(value, named) for name, value in data.items()})
    return visible(f"{named.get(event.actor, actor)} {done.format_map(values)}")


def _value(value: object, named: Mapping[str, str]) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "nothing"
    return named.get(str(value), str(value))
