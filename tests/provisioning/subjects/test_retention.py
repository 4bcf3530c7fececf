"""RETENTION_DAYS: what is older is erased, little by little."""

import io
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from audit.models import SubjectSalt
from crm.imports import uploads
from crm.models import CrmRecord
from crm.sessions import hash_session
from provisioning.init import queued
from provisioning.init.idempotency import forget_idempotency_keys
from provisioning.ledger import recovery
from provisioning.models import GuestCreation, PlatformDeletion, Withdrawal
from provisioning.subjects import erasure, holds
from tests.support.visitor import SESSION, events, known_to_the_crm, latest

KEY = hash_session(session_id=SESSION)


@pytest.fixture
def aged(visitor, settings):
    """Return a function that makes a creation of a given age in days."""
    settings.RETENTION_DAYS = 30

    def make(days, session=SESSION):
        visitor.init(session, consentGiven=True)
        row = latest()
        row.created_at = timezone.now() - timedelta(days=days)
        row.save()
        return row

    return make


def purge():
    output = io.StringIO()
    call_command("purge_expired", stdout=output)
    return output.getvalue()


def test_erases_what_is_older_and_nothing_else(aged):
    old, young = aged(31), aged(29)

    purge()

    old.refresh_from_db()
    young.refresh_from_db()
    assert (old.session_hash, old.guest_id) == ("", "")
    assert old.erased_at is not None
    assert young.session_hash == KEY
    assert PlatformDeletion.objects.get().creation == old


def test_keeps_the_pseudonym_of_somebody_who_still_comes(aged):
    aged(31), aged(1)

    purge()

    assert SubjectSalt.objects.filter(session_hash=KEY).exists()
    assert events("subject.erased")[0]["data"] == {"reason": "retention", "creations": 1}


def test_unties_the_log_with_the_last_creation(aged):
    aged(31)

    purge()

    assert not SubjectSalt.objects.exists()


def test_keeps_the_crm_record_and_the_withdrawal(aged, visitor):
    known_to_the_crm()
    aged(31)
    visitor.withdraw()

    purge()

    assert CrmRecord.objects.exists()
    assert Withdrawal.objects.exists()


def test_keeps_what_is_on_hold(aged):
    aged(31), aged(31, "another session")
    holds.place(session_hash=KEY, reference="case-1", actor="staff:1")

    assert "1 creations erased" in purge()

    assert GuestCreation.objects.get(erased_at=None).session_hash == KEY


def test_erases_a_bounded_batch_at_a_time(aged):
    for number in range(3):
        aged(31, f"session {number}")

    assert [erasure.erase_expired(batch=2) for _ in range(3)] == [2, 1, 0]


def test_keeps_everything_without_the_setting(aged, settings):
    settings.RETENTION_DAYS = None
    aged(4000)

    assert "nothing expires" in purge()

    assert not GuestCreation.objects.exclude(erased_at=None).exists()


@pytest.mark.django_db(transaction=True)  # housekeeping closes its connection
def test_housekeeping_does_it(aged):
    aged(31)

    call_command("housekeeping", "--once")

    assert not GuestCreation.objects.filter(erased_at=None).exists()


def test_ages_a_creation_that_a_clock_far_ahead_dated(aged):
    row = aged(-400)
    purge()
    row.refresh_from_db()
    assert row.erased_at is None

    with time_machine.travel(timezone.now() + timedelta(days=31)):
        purge()

    row.refresh_from_db()
    assert row.erased_at is not None


def test_forgets_what_a_clock_far_ahead_made_short_lived(visitor):
    said = {"sessionId": SESSION, "consentGiven": True}
    with time_machine.travel(timezone.now() + timedelta(days=400)):
        visitor.post("init", said, **{"Idempotency-Key": "one"})
        capability = queued._issue_capability(latest().id)
        ticket = uploads.keep(content=b"a file", actor="staff:1")

    assert queued.progress(capability=capability) is None
    with pytest.raises(uploads.UploadGone):
        uploads.opened(ticket=ticket, actor="staff:1")
    assert queued.forget_expired_capabilities() == 1
    assert uploads.forget_old() == 1
    assert forget_idempotency_keys() == 1


def test_settles_a_row_that_would_be_in_work_for_an_hour(visitor):
    visitor.init(consentGiven=True)
    row = latest()
    row.status, row.overdue_at = "pending", timezone.now() + timedelta(hours=1)
    row.save()

    assert recovery.recover().unknown == 1


def test_repeats_no_creation_of_the_future(visitor, settings):
    settings.GUEST_REUSE_SECONDS = 3600
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        visitor.init(consentGiven=True)

    visitor.init(consentGiven=True)

    assert GuestCreation.objects.count() == 2
