"""Whatever happens in whatever order, these things hold."""

import json
import re
import time
from typing import Any

import pytest
import responses
import time_machine
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from audit.models import AuditEvent
from crm.models import CrmRecord
from crm.sessions import hash_session
from provisioning.genesys.platform import get_platform
from provisioning.ledger.recovery import recover
from provisioning.models import GuestCreation, Withdrawal

pytestmark = pytest.mark.slow

PLATFORM = "https://platform.example"
SESSIONS = ("ann", "ben", "cat")
FAULTS = ("none", "refuse", "break after making it", "hang", "die before", "die after", "no token")
OPEN = {"pending", "queued"}


class Killed(BaseException):
    """The process ends here and now; nothing after this line runs."""


class Platform:
    """The platform as the rules want it to behave, and what it knows."""

    def __init__(self) -> None:
        self.fault = "none"
        self.guests: dict[str, dict[str, Any]] = {}
        self.open_at_call: list[int] = []

    def guest(self, request: Any) -> tuple[int, dict[str, str], str]:
        self.open_at_call.append(GuestCreation.objects.filter(status="pending").count())
        if self.fault == "refuse":
            return 422, {}, "{}"
        if self.fault == "die before":
            raise Killed
        body = json.loads(request.body)
        guest_id = f"guest-{len(self.guests)}"
        self.guests[guest_id] = body
        if self.fault == "die after":
            raise Killed
        if self.fault == "hang":
            raise responses.ConnectionError("read timed out")
        if self.fault == "break after making it":
            return 502, {}, "{}"
        echo = {"consentGiven": body["consentGiven"], "consentType": body["consentType"]}
        return 201, {}, json.dumps({"id": guest_id, **echo})

    def token(self, request: Any) -> tuple[int, dict[str, str], str]:
        if self.fault == "no token":
            return 400, {}, "{}"
        return 200, {}, json.dumps({"token": "t", "expires_at": "2030-01-01T00:00:00Z"})


class Inits(RuleBasedStateMachine):
    """Three visitors, one of them known to the CRM, a platform in every mood, crashes."""

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        get_platform.cache_clear()
        cache.clear()
        CrmRecord.objects.create(
            session_hash=hash_session(session_id="ann"), email="ann@example.org", first_name="Ann"
        )
        self.platform, self.given, self.late = Platform(), set(), 0
        self.withdrawn: set[str] = set()
        self.mock = responses.RequestsMock(assert_all_requests_are_fired=False)
        self.mock.start()
        self.mock.post(f"{PLATFORM}/oauth/token", json={"access_token": "a", "expires_in": 9999})
        guests = f"{PLATFORM}/api/v2/webchat/v1/guests"
        self.mock.add_callback("POST", guests, self.platform.guest)
        self.mock.add_callback("POST", re.compile(f"{guests}/.+/tokens"), self.platform.token)

    def teardown(self) -> None:
        self.mock.stop()
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    @rule(
        session=st.sampled_from(SESSIONS),
        consent=st.sampled_from([True, False, None]),
        fault=st.sampled_from(FAULTS),
        key=st.sampled_from([None, "k1", "k2"]),
    )
    def init(self, session: str, consent: bool | None, fault: str, key: str | None) -> None:
        self.platform.fault = fault
        body = {"sessionId": session} | ({} if consent is None else {"consentGiven": consent})
        headers = {"Idempotency-Key": key} if key else {}
        before = len(self.platform.guests)
        try:
            reply = Client().post(
                "/api/webchat/init", body, content_type="application/json", headers=headers
            )
        except Killed:
            if consent is True:  # the consent was stated and recorded before the end came
                self.withdrawn.discard(session)
            return
        assert reply.status_code in {200, 403, 409, 422, 502, 503, 504}, reply.content
        made = list(self.platform.guests.values())[before:]
        silent = consent is None and session in self.withdrawn
        if consent is False or silent:
            assert all(guest["email"] != "ann@example.org" for guest in made)
            assert all(guest["consentGiven"] is False for guest in made)
        if consent is True and reply.status_code not in {403, 409, 422}:
            self.withdrawn.discard(session)
        if reply.status_code == 200:
            self.given.add(reply.json()["guestId"])

    @rule(session=st.sampled_from(SESSIONS))
    def withdraw(self, session: str) -> None:
        body = {"sessionId": session}
        Client().post("/api/webchat/consent/withdraw", body, content_type="application/json")
        self.withdrawn.add(session)

    @rule()
    def recover(self) -> None:
        with time_machine.travel(time.time() + 60, tick=True):
            recover()
        assert not GuestCreation.objects.filter(status__in=OPEN).exists()

    @invariant()
    def every_guest_call_had_its_row_first(self) -> None:
        assert all(self.platform.open_at_call)

    @invariant()
    def every_guest_given_out_is_on_record(self) -> None:
        known = set(GuestCreation.objects.values_list("guest_id", flat=True))
        assert self.given <= known

    @invariant()
    def no_guest_is_called_certainly_none(self) -> None:
        settled = GuestCreation.objects.filter(status__in=["failed", "refused"]).count()
        rows = GuestCreation.objects.count()
        assert rows - settled >= len(self.platform.guests)

    @invariant()
    def every_row_has_its_event(self) -> None:
        attempted = AuditEvent.objects.filter(kind="init.attempted").count()
        assert attempted == GuestCreation.objects.count()

    @invariant()
    def a_withdrawal_is_remembered(self) -> None:
        hashes = {hash_session(session_id=session) for session in self.withdrawn}
        known = set(Withdrawal.objects.values_list("session_hash", flat=True))
        assert hashes <= known


@pytest.mark.django_db
def test_holds_what_must_hold_whatever_happens_in_whatever_order() -> None:
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    budget = settings(max_examples=40, stateful_step_count=25, suppress_health_check=checks)

    run_state_machine_as_test(Inits, settings=budget)
