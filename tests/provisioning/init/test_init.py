"""`POST /api/webchat/init`: what the page gets, what the platform gets, what is written down."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from audit.models import AuditEvent
from crm.models import AttributeMapping, CrmRecord
from provisioning.models import GuestCreation
from tests.support.factories import crm_record
from tests.support.platform import Platform
from tests.support.webchat import SESSION, Webchat, session_hash


def kinds() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("kind", flat=True))


# --- The answer ---------------------------------------------------------------------------------


def test_answers_guest_token_and_crm_attributes_in_the_contract_s_order(webchat: Webchat) -> None:
    crm_record()

    answer = webchat.init()

    assert answer.status_code == 200
    assert list(json.loads(answer.content).items()) == [
        ("guestId", "guest-1"),
        ("accessToken", "ephemeral-1"),
        ("expiresAt", "2026-11-22T13:00:00Z"),
        ("crmAttributes", answer.json()["crmAttributes"]),
    ]
    assert list(answer.json()["crmAttributes"].items()) == [
        ("email", "jane.doe@example.com"),
        ("firstName", "Jane"),
        ("tier", "Enterprise"),
        ("previousTickets", 12),
    ]


def test_forbids_caches_to_keep_the_answer(webchat: Webchat) -> None:
    assert webchat.init().headers["Cache-Control"] == "no-store"


def test_tells_of_a_visitor_nobody_knows_what_the_seed_told(webchat: Webchat) -> None:
    answer = webchat.init()

    assert answer.json()["crmAttributes"] == {
        "email": f"visitor_{session_hash()[:8]}@temp.com",
        "firstName": "Guest",
        "tier": "Unknown",
        "previousTickets": 0,
    }


def test_gives_unknown_visitors_an_address_of_the_domain_that_is_set(
    webchat: Webchat, settings: Any
) -> None:
    settings.GUEST_EMAIL_DOMAIN = "guests.invalid"

    email = webchat.init().json()["crmAttributes"]["email"]

    assert email.endswith("@guests.invalid")


def test_shows_only_the_crm_fields_that_are_allowed(webchat: Webchat, settings: Any) -> None:
    settings.CRM_RESPONSE_FIELDS = ["tier"]

    assert webchat.init().json()["crmAttributes"] == {"tier": "Unknown"}


def test_takes_a_session_id_as_it_is_without_trimming(webchat: Webchat) -> None:
    webchat.init(" padded ")

    assert GuestCreation.objects.get().session_hash == session_hash(" padded ")


@pytest.mark.parametrize("session_id", ["x", "é" * 256, "🙂", "null", '{"a": 1}', "' OR 1=1 --"])
def test_takes_every_session_id_of_printable_unicode(webchat: Webchat, session_id: str) -> None:
    assert webchat.init(session_id).status_code == 200


def test_ignores_fields_it_does_not_know(webchat: Webchat) -> None:
    assert webchat.init(color="blue", nested={"a": [1, 2.5, None]}).status_code == 200


# --- What is sent to the platform ---------------------------------------------------------------


def test_sends_the_guest_as_the_seed_did(webchat: Webchat, platform: Platform) -> None:
    crm_record()

    webchat.init(consentType="implicit")

    assert platform.guests == [
        {
            "name": "Jane",
            "email": "jane.doe@example.com",
            "consentGiven": True,
            "consentType": "implicit",
            "attributes": {
                "crmTier": "Enterprise",
                "historicalTickets": 12,
                "integrationSource": "guestportal-v1",
            },
        }
    ]
    assert platform.tokens == ["guest-1"]


@pytest.mark.parametrize("name", ["", "  ", "\u00a0"])
def test_calls_a_visitor_without_a_first_name_anonymous(
    webchat: Webchat, platform: Platform, name: str
) -> None:
    crm_record(first_name=name)

    webchat.init()

    assert platform.guests[0]["name"] == "Anonymous Visitor"


def test_sends_what_the_mappings_say_now(webchat: Webchat, platform: Platform) -> None:
    AttributeMapping.objects.filter(target="crmTier").update(enabled=False)
    AttributeMapping.objects.create(
        target="segment", source_kind="attribute", source="segment", value_type="text", order=40
    )
    crm_record(attributes={"segment": "retail"})

    webchat.init()

    assert platform.guests[0]["attributes"] == {
        "historicalTickets": 12,
        "integrationSource": "guestportal-v1",
        "segment": "retail",
    }


def test_sends_no_session_id_and_no_hash(webchat: Webchat, platform: Platform) -> None:
    webchat.init()

    sent = json.dumps(platform.guests)
    assert SESSION not in sent
    assert session_hash() not in sent


def test_fetches_one_access_token_for_many_inits(webchat: Webchat, platform: Platform) -> None:
    for number in range(3):
        webchat.init(f"session-{number}")

    assert platform.oauth == 1


# --- What is written down -----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_commits_the_row_before_the_platform_is_called(platform: Platform) -> None:
    seen = []
    new_guest = platform.answers["guests"]

    def look(sent: dict[str, Any]) -> Any:
        seen.append((GuestCreation.objects.get().status, connection.in_atomic_block, kinds()))
        return new_guest(sent)

    platform.answers["guests"] = look

    Webchat().init()

    assert seen == [("pending", False, ["init.attempted"])]


@pytest.mark.django_db(transaction=True)
def test_commits_the_guest_before_its_token_is_asked_for(platform: Platform) -> None:
    seen = []
    new_token = platform.answers["tokens"]

    def look(sent: dict[str, Any]) -> Any:
        row = GuestCreation.objects.get()
        seen.append((row.status, row.guest_id, connection.in_atomic_block))
        return new_token(sent)

    platform.answers["tokens"] = look

    Webchat().init()

    assert seen == [("guest_created", "guest-1", False)]


def test_leaves_a_ready_row_with_all_that_a_reviewer_needs(webchat: Webchat) -> None:
    webchat.init(
        noticeVersion="2026-01",
        language="de-CH",
        headers={"X_Request_ID": "request-7", "Sec_GPC": "1"},
    )

    row = GuestCreation.objects.get()
    assert (row.status, row.guest_id, row.overdue_at) == ("ready", "guest-1", None)
    assert (row.consent_given, row.consent_type, row.consent_basis) == (True, "explicit", "stated")
    assert (row.notice_version, row.language, row.gpc) == ("2026-01", "de-CH", True)
    assert (row.request_id, row.session_hash) == ("request-7", session_hash())
    assert row.token_expires_at == "2026-11-22T13:00:00Z"
    assert "attributes.crmTier" in row.sent_fields


def test_records_each_step_in_the_audit_log_under_the_row_s_id_for_events(webchat: Webchat) -> None:
    webchat.init(headers={"X_Request_ID": "request-7"})

    assert kinds() == ["init.attempted", "guest.created", "token.issued"]
    row = GuestCreation.objects.get()
    assert set(AuditEvent.objects.values_list("request_id", flat=True)) == {row.request_in_events}
    assert len(row.request_in_events) == 32


def test_puts_nothing_of_the_person_into_the_audit_log(webchat: Webchat) -> None:
    crm_record()

    webchat.init()

    log = "".join(AuditEvent.objects.values_list("body", flat=True))
    for secret in (SESSION, session_hash(), "jane.doe", "Jane", "guest-1", "ephemeral-1"):
        assert secret not in log


def test_marks_an_echo_that_differs_for_review(webchat: Webchat, platform: Platform) -> None:
    platform.answers["guests"] = lambda sent: (
        201,
        {},
        json.dumps({"id": "g-1", "consentGiven": False, "consentType": "explicit"}),
    )

    webchat.init()

    row = GuestCreation.objects.get()
    assert (row.echo_mismatch, row.echo_consent_given, row.status) == (True, False, "ready")


def test_makes_a_guest_for_each_init_as_the_seed_does(webchat: Webchat) -> None:
    answers = [webchat.init().json()["guestId"] for _ in range(2)]

    assert answers == ["guest-1", "guest-2"]
    assert GuestCreation.objects.count() == 2


# --- When our own database fails ----------------------------------------------------------------


@pytest.fixture
def broken_table(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[None]:
    """Take a table away for the length of a test."""
    table = request.param._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO taken_away")
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE taken_away RENAME TO {table}")


@pytest.mark.parametrize(
    "broken_table", [CrmRecord, AttributeMapping, GuestCreation, AuditEvent], indirect=True
)
def test_calls_nobody_when_our_database_cannot_answer(
    broken_table: None, platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    answer = Webchat().init()

    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert answer.headers["Retry-After"].isdigit()
    assert platform.calls == 0
    assert not [record for record in caplog.records if record.exc_info]
