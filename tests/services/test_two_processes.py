"""What a visitor said to one process holds in every other: two services on one PostgreSQL."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.machine import postgres_database
from tests.support.sandbox import Sandbox
from tests.support.service import Service, running_service

pytestmark = pytest.mark.services

PEPPER = "p" * 32
CSV = "session_id,email,first_name,tier,previous_tickets\n"
PERSON = ("{}@example.com", "Janette", "Platinum-Tier", "4711")


@pytest.fixture(scope="module")
def services(
    tmp_path_factory: pytest.TempPathFactory, _sandbox_process: Sandbox
) -> Iterator[tuple[Service, Service]]:
    """Two services that share nothing but the database and the platform."""
    folder = tmp_path_factory.mktemp("two")
    with ExitStack() as stack:
        url = stack.enter_context(postgres_database())
        one, two = (
            stack.enter_context(
                running_service(
                    folder, _sandbox_process.url, DATABASE_URL=url, SESSION_HASH_PEPPER=PEPPER
                )
            )
            for _ in range(2)
        )
        yield one, two


@pytest.fixture
def visits(request: pytest.FixtureRequest, services: tuple[Service, Service], tmp_path: Path):
    """The two services, and a session of the test's own that their CRM knows."""
    session = request.node.name
    row = ",".join([session, *PERSON]).format("jane")
    (tmp_path / "crm.csv").write_text(f"{CSV}{row}\n")
    services[0].manage("import_crm", str(tmp_path / "crm.csv"))
    return *services, session


def withdraw(service: Service, session: str) -> int:
    reply = service.post("/api/webchat/consent/withdraw", {"sessionId": session})
    return int(reply.json["withdrawn"])


def silent(service: Service, session: str):
    return service.post("/api/webchat/init", {"sessionId": session})


def made(sandbox: Sandbox, since: int = 0) -> list[bool]:
    """Return the consent of each guest that the platform made."""
    calls = sandbox.calls(since=since, endpoint="guests")
    return [call["body"]["consentGiven"] for call in calls if call["guestId"]]


def tells(value: object, session: str) -> list[str]:
    """Return which CRM value or pseudonym of the session is in `value`."""
    text = json.dumps(value)
    plain = hashlib.sha256(session.encode()).hexdigest()
    keyed = hmac.digest(PEPPER.encode(), plain.encode(), "sha256").hex()
    sought = ["jane@", *PERSON[1:], plain[:8], keyed[:8]]
    return [tell for tell in sought if tell in text]


def test_a_withdrawal_holds_in_the_other_process_at_once(visits, sandbox):
    one, two, session = visits
    assert tells(silent(two, session).json, session)

    withdrawn = withdraw(one, session)
    seen = len(sandbox.calls())
    replies = [silent(service, session) for service in (two, one, two)]

    assert withdrawn == 1
    assert [reply.status for reply in replies] == [200, 200, 200]
    assert made(sandbox, since=seen) == [False, False, False]
    answers = [reply.json for reply in replies]
    assert tells([sandbox.calls(since=seen), answers], session) == []


def test_a_declined_visitor_is_nobody_in_either_process(visits, sandbox):
    one, two, session = visits

    replies = [service.init(session, consentGiven=False).json for service in (one, two)]

    assert tells([replies, sandbox.calls()], session) == []


def test_consent_stated_to_one_process_is_consent_in_the_other(visits, sandbox):
    one, two, session = visits
    withdraw(one, session)
    two.init(session, consentGiven=True)

    reply = silent(one, session)

    assert tells(reply.json, session)
    assert made(sandbox) == [True, True]


def test_a_guest_withdrawn_in_one_process_gets_no_token_in_the_other(visits, sandbox):
    one, two, session = visits
    guest_id = one.init(session).json["guestId"]
    withdraw(two, session)

    reply = one.post("/api/webchat/token", {"sessionId": session, "guestId": guest_id})

    assert (reply.status, reply.json["code"]) == (403, "consent_declined")
    assert sandbox.count("tokens") == 1


def test_an_erasure_holds_in_both_processes(visits, sandbox):
    one, two, session = visits
    guest_id = one.init(session).json["guestId"]

    two.manage("erase_subject", "--guest-id", guest_id)

    reply = one.post("/api/webchat/token", {"sessionId": session, "guestId": guest_id})
    shown = two.init(session).json["crmAttributes"]
    assert reply.status == 404
    assert (shown["firstName"], shown["tier"]) == ("Guest", "Unknown")
