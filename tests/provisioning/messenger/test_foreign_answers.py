"""What the organisation says is text only once it was looked at: no 500, no duty left undone."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audit.models import AuditEvent
from provisioning.follow_up.deletions import delete_on_platform
from provisioning.follow_up.lookups import settle_unknown
from provisioning.follow_up.withdrawals import tell_withdrawals
from provisioning.models import GuestCreation, PlatformDeletion
from provisioning.subjects.erasure import erase
from tests.provisioning.follow_up.later import after
from tests.provisioning.genesys.test_foreign_text import HOSTILE
from tests.support.visitor import Visitor, latest

pytestmark = pytest.mark.thorough

OF_A_CONTACT = ("createDate", "customFields", "type", "mergeSet", "canonicalContact", "externalIds")


@pytest.fixture(params=HOSTILE.values(), ids=HOSTILE)
def value(request: pytest.FixtureRequest) -> Any:
    return request.param


def alter(messenger: Visitor, *endpoints: str, **fields: Any) -> None:
    messenger.sandbox.faults(
        [{"endpoint": endpoint, "kind": "alter", "set": fields} for endpoint in endpoints]
    )


def test_keeps_the_contact_whatever_is_said_beside_its_id(value: Any, messenger: Visitor) -> None:
    custom = {"consent_given_checkbox": value, "consent_type_text": value}
    said = dict.fromkeys(OF_A_CONTACT, value)
    messenger.sandbox.faults(
        [
            {"endpoint": "enrich", "kind": "alter", "call": 1, "set": said},
            {"endpoint": "enrich", "kind": "alter", "call": 2, "set": {"customFields": custom}},
        ]
    )

    answers = [messenger.init(consentGiven=True) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert {row.guest_id for row in GuestCreation.objects.all()} == {answers[0].json()["guestId"]}
    assert "jane" not in "".join(AuditEvent.objects.values_list("body", flat=True))


def test_takes_no_id_that_is_none(value: Any, messenger: Visitor) -> None:
    alter(messenger, "enrich", id=value)

    answer = messenger.init(consentGiven=True)

    assert (answer.status_code, answer.json()["code"]) == (502, "platform_protocol")
    assert (latest().status, latest().guest_id) == ("unknown", "")


@pytest.mark.parametrize("name", ["id", *OF_A_CONTACT])
def test_looks_a_contact_up_whatever_it_says(
    name: str, value: Any, messenger: Visitor, settings: Any
) -> None:
    messenger.init(consentGiven=True)
    GuestCreation.objects.update(status="unknown", guest_id="")
    alter(messenger, "lookup", "contact", **{name: value})

    for seconds in (0, 61, 122):
        after(settle_unknown, seconds=seconds)

    assert latest().status in ("unknown", "guest_created")


@pytest.mark.parametrize("name", ["id", *OF_A_CONTACT])
def test_tells_a_withdrawal_whatever_the_contact_says(
    name: str, value: Any, messenger: Visitor
) -> None:
    messenger.init(consentGiven=True)
    messenger.withdraw()
    alter(messenger, "contact", **{name: value})

    told = [tell_withdrawals(), after(tell_withdrawals, minutes=61)]

    assert set(told) <= {0, 1}


@pytest.mark.parametrize("name", ["id", "status"])
@pytest.mark.parametrize("endpoint", ["gdpr", "gdpr_status", "contact"])
def test_erases_or_leaves_to_a_person_whatever_is_said(
    endpoint: str, name: str, value: Any, messenger: Visitor
) -> None:
    messenger.init(consentGiven=True)
    erase(session_hashes=[latest().session_hash], actor="staff:1")
    alter(messenger, endpoint, **{name: value})

    for day in range(32):
        after(delete_on_platform, days=day, minutes=day)
        after(delete_on_platform, days=day, hours=6)

    row = PlatformDeletion.objects.get()
    assert row.state in ("done", "error")
    assert row.request_id == "" or row.request_id.isascii()


@pytest.mark.parametrize("name", ["id", "name", "version", "enabled", "jsonSchema", "status"])
@pytest.mark.parametrize("command", ["check_genesys", "messenger_setup"])
def test_words_what_an_organisation_says(
    command: str, name: str, value: Any, messenger: Visitor
) -> None:
    alter(messenger, "schema", "source", "deployment", **{name: value})
    out = StringIO()

    try:
        call_command(command, stdout=out)
    except CommandError as exc:
        out.write(str(exc))

    said = out.getvalue()
    said.encode()
    assert "\0" not in said
    assert "9" * 300 not in said


@pytest.mark.parametrize("field", ["jane\ud800_text", "a\0_text", "x" * 5_000, ""])
def test_offers_a_schema_with_any_field(field: str, messenger: Visitor, admin_client: Any) -> None:
    document = {"properties": {field: {"title": field}, "tier_text": {}}}
    alter(messenger, "schema", jsonSchema=document)
    form = {"target": "tier_text", "source_kind": "field", "source": "tier", "value_type": "text"}

    answer = admin_client.post("/admin/mapping-preview/", form)

    assert answer.status_code == 200
