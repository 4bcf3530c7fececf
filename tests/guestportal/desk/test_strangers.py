"""What somebody whom nobody knows may send to the staff pages, and what that leaves behind."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from axes.models import AccessAttempt, AccessAttemptExpiration
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from guestportal.desk import hashers
from guestportal.desk.strangers import MOST_SECONDS, PAGES_PER_SECOND, Pace
from tests.support.clock import Clock
from tests.support.factories import row_counts, sign_in, signed_in, staff

pytestmark = pytest.mark.django_db
LOGIN, IMPORT = "/admin/login/", "/admin/crm/crmrecord/import/"
FORM = "application/x-www-form-urlencoded"


class Counting(MD5PasswordHasher):
    made = 0

    def encode(self, password: str, salt: str) -> str:
        Counting.made += 1
        return super().encode(password, salt)


class NeverFree(MD5PasswordHasher):
    def encode(self, password: str, salt: str) -> str:
        raise hashers.Busy


@pytest.fixture
def counting(settings: Any) -> type[Counting]:
    settings.PASSWORD_HASHERS = [f"{__name__}.Counting"]
    Counting.made = 0
    return Counting


def names(client: Client, number: int) -> list[int]:
    return [sign_in(client, f"nobody-{n}", "wrong").status_code for n in range(number)]


# --- Sign-ins ------------------------------------------------------------------------------------


def test_hashes_no_more_than_ten_passwords_a_minute_of_one_address(
    client: Client, counting: type[Counting]
) -> None:
    assert names(client, 14) == [200] * 10 + [429] * 4
    assert counting.made == 10


def test_hashes_for_a_name_that_nobody_has_as_for_one_that_somebody_has(
    client: Client, counting: type[Counting]
) -> None:
    user = staff()
    counting.made = 0

    sign_in(client, user.get_username(), "wrong")
    sign_in(client, "nobody", "wrong")

    assert counting.made == 2


def test_says_when_the_address_may_try_again(client: Client, clock: Clock) -> None:
    names(client, 10)
    clock.pass_by(20)

    answer = sign_in(client, "nobody")

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "40")
    assert "again in 40 seconds" in answer.content.decode()


@pytest.mark.parametrize("form", ["192.0.2.1:{n}", "::ffff:192.0.2.1", "[2001:db8::{n}]:443"])
def test_counts_an_address_once_however_it_is_written(
    form: str, client: Client, settings: Any
) -> None:
    settings.NUM_PROXIES = 1

    found = []
    for n in range(1, 12):
        client.defaults["HTTP_X_FORWARDED_FOR"] = form.format(n=n)
        found.append(sign_in(client, f"nobody-{n}").status_code)

    assert found == [200] * 10 + [429]


def test_lets_another_address_sign_in_meanwhile(client: Client) -> None:
    user = staff()
    names(client, 11)

    client.defaults["REMOTE_ADDR"] = "192.0.2.7"

    assert sign_in(client, user.get_username()).status_code == 302


def test_opens_a_name_when_it_said_however_often_somebody_knocks(
    local_cache: None, client: Client
) -> None:
    user = staff()
    for _ in range(5):
        sign_in(client, user.get_username(), "wrong")
    with time_machine.travel(timezone.now() + timedelta(minutes=14)):
        assert sign_in(client, user.get_username(), "wrong").status_code == 429

    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert sign_in(client, user.get_username()).status_code == 302


def test_asks_to_come_again_where_too_many_sign_in(client: Client, settings: Any) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.NeverFree"]

    answer = sign_in(client, "nobody")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


# --- Turns ----------------------------------------------------------------------------------------


def test_lets_a_stranger_who_is_alone_in_at_once() -> None:
    pace = Pace()

    assert [pace.turn(now=1_000.0 + second) for second in range(5)] == [0.0] * 5


def test_gives_strangers_who_come_together_turns_and_the_last_ones_none() -> None:
    pace = Pace()
    most = int(MOST_SECONDS * PAGES_PER_SECOND)

    turns = [pace.turn(now=1_000.0) for _ in range(500)]

    waits = [turn for turn in turns if turn is not None]
    assert waits == pytest.approx([n / PAGES_PER_SECOND for n in range(len(waits))])
    assert most <= len(waits) <= most + 1


def test_has_turns_again_when_those_who_waited_are_through() -> None:
    pace = Pace()
    while pace.turn(now=1_000.0) is not None:
        pass

    assert pace.turn(now=1_000.0 + MOST_SECONDS + 1) == 0.0


# --- Bodies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", [LOGIN, IMPORT, "/admin/", "/admin/crm/crmrecord/add/", "/admin/nothing/"]
)
def test_reads_no_upload_of_a_stranger(
    path: str, client: Client, settings: Any, tmp_path: Path
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    client.cookies["sessionid"] = "invented"
    upload = SimpleUploadedFile("records.csv", b"x" * 3_000_000)

    answer = client.post(path, {"file": upload})

    assert answer.status_code == 415
    assert answer.wsgi_request._read_started is False
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["/api/webchat/init", "/api/crm/records", "/api/docs", "/api/x"])
def test_reads_no_upload_under_api_either(path: str, client: Client) -> None:
    client.cookies["csrftoken"] = "x" * 32

    answer = client.post(path, {"file": SimpleUploadedFile("records.csv", b"x" * 60_000)})

    assert answer.status_code in (401, 404, 405, 415)
    assert answer.wsgi_request._read_started is False


@pytest.mark.parametrize("path", [LOGIN, IMPORT, "/admin/logout/"])
def test_takes_no_form_of_a_stranger_beyond_8_kib(path: str, client: Client) -> None:
    answer = client.post(path, "username=" + "x" * 8_190, content_type=FORM)

    assert answer.status_code == 413
    assert answer.wsgi_request._read_started is False


def test_limits_a_sign_in_of_those_who_are_signed_in_too() -> None:
    browser = signed_in()

    assert browser.post(LOGIN, "x" * 9_000, content_type=FORM).status_code == 413
    assert browser.post(LOGIN, {"username": "root"}).status_code == 415


def test_takes_one_file_in_a_form(settings: Any) -> None:
    files = {f"file-{n}": SimpleUploadedFile("records.csv", b"x") for n in range(2)}
    client = signed_in()
    client.raise_request_exception = False

    assert client.post(IMPORT, files).status_code == 400


# --- What stays -----------------------------------------------------------------------------------


def test_leaves_no_row_behind(client: Client) -> None:
    before = row_counts()

    names(client, 12)
    client.cookies["sessionid"] = "invented"
    for path in (LOGIN, "/admin/", IMPORT, "/admin/logout/", "/api/schema", "/api/docs"):
        client.get(path)
        client.post(path, "a=b", content_type=FORM)

    assert row_counts() == before


def test_housekeeping_clears_what_earlier_releases_wrote_down() -> None:
    (attempt,) = AccessAttempt.objects.bulk_create([AccessAttempt(failures_since_start=1)])
    AccessAttemptExpiration.objects.create(access_attempt=attempt, expires_at=timezone.now())

    call_command("housekeeping", once=True)

    assert not AccessAttempt.objects.exists()


def test_housekeeping_clears_sessions_that_have_expired() -> None:
    now = timezone.now()
    for key, expires in (("over", now - timedelta(hours=1)), ("open", now + timedelta(hours=1))):
        Session.objects.create(session_key=key, session_data="", expire_date=expires)

    call_command("housekeeping", once=True)

    assert [session.pk for session in Session.objects.all()] == ["open"]
