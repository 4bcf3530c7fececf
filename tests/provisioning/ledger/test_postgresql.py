"""What two transactions on PostgreSQL do to one another: each test holds one of them open."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db import connection

from audit import log
from audit.models import SubjectSalt
from provisioning import ledger
from provisioning.ledger import Entry, Step
from provisioning.ledger.withdrawal import withdraw
from provisioning.models import GuestCreation, Status
from tests.provisioning.ledger.test_opening import ASSUMED, HASH, open_
from tests.services.visitors import time_until
from tests.support.factories import creation
from tests.support.visitor import events

pytestmark = [
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="run with DATABASE_URL=postgres://…"
    ),
    pytest.mark.django_db(transaction=True),
]
_LOCKED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"


def other() -> "psycopg.Connection[Any]":
    return psycopg.connect(
        host=connection.settings_dict["HOST"],
        port=connection.settings_dict["PORT"],
        user=connection.settings_dict["USER"],
        dbname=connection.settings_dict["NAME"],
    )


def while_it_waits(work: Callable[[], Any], holding: "psycopg.Connection[Any]") -> Any:
    """Do `work` in a thread of its own; end what holds it up once it waits; return its value."""

    def there() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, other() as looking:
        looking.autocommit = True
        done: Future[Any] = pool.submit(there)
        time_until(lambda: done.done() or _waits(looking))
        holding.commit()
        return done.result()


def _waits(looking: "psycopg.Connection[Any]") -> bool:
    row = looking.execute(f"{_LOCKED} AND wait_event_type = 'Lock'").fetchone()
    return bool(row and row[0])


def test_a_withdrawal_that_the_transition_waited_for_is_not_missed() -> None:
    row = creation(status=Status.PENDING, guest_id="")
    entry = Entry.of(row, row.request_in_events)

    with other() as visitor:
        visitor.execute(
            "UPDATE provisioning_guestcreation SET withdrawn_at = now() WHERE id = %s", [row.id]
        )
        stands = while_it_waits(
            lambda: ledger.guest_created(
                entry=entry, guest_id="new", echo_given=True, echo_type="explicit", echo_created=""
            ),
            visitor,
        )

    assert stands is False
    assert GuestCreation.objects.get().guest_id == "new"


def test_a_session_that_somebody_else_names_meanwhile_has_one_name_in_the_log() -> None:
    with other() as somebody:
        somebody.execute(log.ADD_SALT, [HASH, b"s" * 32])
        opened = while_it_waits(open_, somebody)

    assert opened.step is Step.CREATE
    assert SubjectSalt.objects.count() == 1
    assert events("init.attempted")[0]["subject"] == log.pseudonym(session_hash=HASH)


def test_what_is_refused_leaves_no_transaction_open() -> None:
    withdraw(session_hash=HASH, event_request_id="0b" * 16)
    with pytest.raises(ledger.ConsentWithdrawn):
        open_(ASSUMED)

    assert not GuestCreation.objects.exists()
    assert open_().step is Step.CREATE
    assert GuestCreation.objects.count() == 1
