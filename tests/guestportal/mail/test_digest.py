"""The daily mail to reviewers: what it says, and that there is one a day, whatever happens."""

import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from audit import verify
from audit.sealing import seals
from guestportal.desk import waiting
from guestportal.mail import delivery
from guestportal.mail.digest import send_digest
from guestportal.stores import urls
from tests.provisioning.consent.test_notices import published
from tests.support.factories import creation, signed_in
from tests.support.mailbox import Mailbox, mail_server
from tests.support.service import Service, new_service

pytestmark = pytest.mark.django_db
TO = ["ann.reviewer@example.com", "bob.reviewer@example.com"]
# Processes have the true time: where it is about midday (these names have their sign reversed).
MIDDAY = f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"
MORNING = datetime(2026, 11, 26, 6, 0, tzinfo=UTC)


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    with mail_server() as running:
        configure(settings, running.url)
        yield running


@pytest.fixture(autouse=True)
def morning() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MORNING, tick=False) as clock:
        yield clock


def configure(settings: Any, url: str) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"  # not the test's own
    settings.EMAIL_URL = urls.mail(url)
    for name, value in settings.EMAIL_URL.items():
        setattr(settings, name, value)
    settings.EMAIL_FROM, settings.DIGEST_TO = "guestportal@example.com", TO
    settings.CSRF_TRUSTED_ORIGINS = ["https://*.example.com", "https://staff.example.com"]


def test_says_what_waits_since_when_and_where(mailbox: Mailbox) -> None:
    creation(status="unknown", guest_id="", created_at=timezone.now() - timedelta(days=3))

    sent = send_digest()

    (mail,) = mailbox.mails
    assert sent
    assert mailbox.recipients == TO
    assert mail["From"] == "guestportal@example.com"
    assert mail["Subject"] == "guestportal: 3 things wait"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert (
        "- To review: 1 (the oldest for 3 days)\n"
        "  https://staff.example.com/admin/provisioning/guestcreation/?tab=queue\n"
    ) in mail.get_content()


def test_says_just_what_a_reviewer_s_first_page_says(mailbox: Mailbox) -> None:
    creation(status="unknown", guest_id="")
    creation(verdict="follow_up", reviewed_at=timezone.now())

    shown = signed_in("Compliance reviewer").get("/admin/").context_data["waiting"]

    assert waiting.for_reviewers() == shown


def test_names_nobody(mailbox: Mailbox) -> None:
    row = creation(status="unknown", guest_id="g-1234", session_id="a-session-of-jane")

    send_digest()

    text = mailbox.mails[0].as_string()
    assert not [each for each in (row.session_hash, "g-1234", str(row.id)) if each in text]


def test_links_begin_with_a_host_where_no_origin_is_trusted(
    mailbox: Mailbox, settings: Any
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = []
    settings.ALLOWED_HOSTS = [".example.com", "chat.example.com"]
    settings.SECURE_SSL_REDIRECT = True

    send_digest()

    assert "\n  https://chat.example.com/admin/" in mailbox.mails[0].get_content()


def test_has_no_links_where_no_setting_says_the_host(mailbox: Mailbox, settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://*.example.com"]
    settings.ALLOWED_HOSTS = [".example.com"]

    send_digest()

    assert "/admin/" not in mailbox.mails[0].get_content()
    assert "- No privacy notice is in effect" in mailbox.mails[0].get_content()


def test_is_sent_once_a_day(mailbox: Mailbox, morning: Any) -> None:
    sent = [send_digest(), send_digest()]
    morning.shift(timedelta(days=1))
    sent.append(send_digest())

    assert sent == [True, False, True]
    assert len(mailbox.mails) == 2


def test_waits_for_the_morning_of_the_staff(mailbox: Mailbox, morning: Any, settings: Any) -> None:
    settings.STAFF_TIME_ZONE = "America/New_York"  # five hours behind

    sent = [send_digest()]
    morning.shift(timedelta(hours=5))
    sent.append(send_digest())

    assert sent == [False, True]


def test_is_not_sent_on_a_day_on_which_nothing_waits(mailbox: Mailbox) -> None:
    published()
    creation()
    seals.seal()
    verify.remember(report=verify.verify(), actor="system")

    sent = [send_digest()]
    creation(status="unknown", guest_id="")
    sent.append(send_digest())

    assert sent == [False, False]
    assert mailbox.mails == []


@pytest.mark.parametrize("unset", ["DIGEST_TO", "EMAIL_FROM", "EMAIL_URL"])
def test_is_off_without_its_settings(mailbox: Mailbox, settings: Any, unset: str) -> None:
    setattr(settings, unset, type(getattr(settings, unset))())

    assert not send_digest()
    assert mailbox.mails == []


def test_is_sent_in_a_later_round_when_the_server_was_down(settings: Any) -> None:
    with mail_server() as gone:
        configure(settings, gone.url)
    with pytest.raises(delivery.NotDelivered) as failure:
        send_digest()

    with mail_server(gone.port) as back:
        sent = send_digest()

    assert sent
    assert len(back.mails) == 1
    assert str(failure.value) == "the mail server did not take the mail: ConnectionRefusedError"


@pytest.mark.parametrize("to", ["to_recipient", "to_text"])
def test_is_sent_in_a_later_round_when_it_was_refused_and_repeats_no_address(
    to: str, mailbox: Mailbox
) -> None:
    setattr(mailbox, to, "451 not now, ann.reviewer@example.com")
    with pytest.raises(delivery.NotDelivered) as failure:
        send_digest()
    mailbox.to_recipient = mailbox.to_text = "250 OK"

    assert send_digest()
    assert len(mailbox.mails) == 1
    assert "reviewer" not in str(failure.value)
    assert failure.value.__context__ is None


def test_is_never_sent_again_once_it_may_have_arrived(mailbox: Mailbox) -> None:
    mailbox.hangs_up = True
    with pytest.raises(delivery.NotDelivered) as failure:
        send_digest()
    mailbox.hangs_up = False

    assert failure.value.may_have_arrived
    assert not send_digest()
    assert len(mailbox.mails) == 1


def test_a_server_that_says_nothing_is_given_up_and_gets_nothing_later(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "DELIVER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        configure(settings, f"smtp://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(delivery.NotDelivered) as failure:
            send_digest()

    assert not failure.value.may_have_arrived


@pytest.mark.slow
def test_is_not_sent_again_when_the_time_ran_out_while_it_was_sent(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "DELIVER_SECONDS", 3)
    given_up = threading.Event()
    mailbox.before_answer = lambda: given_up.wait(60)

    with pytest.raises(delivery.NotDelivered) as failure:
        send_digest()
    given_up.set()

    assert failure.value.may_have_arrived
    assert not send_digest()


# --- Housekeeping as a process ------------------------------------------------------------------


@pytest.fixture
def service(tmp_path: Path, mailbox: Mailbox) -> Iterator[Service]:
    service = new_service(
        tmp_path,
        "http://127.0.0.1:9",
        EMAIL_URL=mailbox.url,
        EMAIL_FROM="guestportal@example.com",
        DIGEST_TO=",".join(TO),
        TIME_ZONE=MIDDAY,
    )
    service.manage("migrate", "--verbosity=0")
    yield service
    service.kill()


@pytest.mark.slow
def test_two_machines_send_one_mail_and_hold_no_lock_meanwhile(
    service: Service, mailbox: Mailbox, tmp_path: Path
) -> None:
    mailbox.before_answer = lambda: write_to(tmp_path / "service.sqlite3")

    machines = [service.spawn("manage.py", "housekeeping", "--once") for _ in range(2)]
    ended = [machine.wait(timeout=120) for machine in machines]

    assert ended == [0, 0], service.log
    assert len(mailbox.mails) == 1
    assert mailbox.mails[0]["Subject"] == "guestportal: 2 things wait"


def write_to(database: Path) -> None:
    """Take the lock that a transaction of somebody else's would hold."""
    with closing(sqlite3.connect(database, timeout=10, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")


@pytest.mark.slow
def test_the_log_says_that_the_server_refused_and_no_address(
    service: Service, mailbox: Mailbox
) -> None:
    mailbox.to_recipient = "550 no mailbox of ann.reviewer@example.com"

    done = service.manage("housekeeping", "--once", check=False)

    assert done.returncode == 1
    assert "send_digest failed: the mail server did not take the mail" in done.stderr
    assert "reviewer@" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
