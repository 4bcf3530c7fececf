"""Signing in: lockout, one-time codes, idle sessions; and what robots cannot write."""

import re
from datetime import timedelta
from io import StringIO
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from audit.models import AuditEvent
from tests.support.factories import sign_in, staff

pytestmark = pytest.mark.django_db

LOGIN = "/admin/login/"


def _sign_in(client, user, password="secret", **more):
    return sign_in(client, user.username, password, **more)


def _enrol(user, *options):
    out = StringIO()
    call_command("enrol_mfa", user.username, *options, stdout=out)
    return out.getvalue()


def _code(user):
    return f"{totp(TOTPDevice.objects.get(user=user).bin_key):06}"


def test_locks_a_name_after_five_wrong_passwords(client):
    user = staff()

    answers = [_sign_in(client, user, "wrong").status_code for _ in range(5)]

    assert answers == [200, 200, 200, 200, 429]
    assert _sign_in(client, user).status_code == 429


@pytest.mark.parametrize(
    "name",
    ["a\x00b", "a" * 256, "\ufdfa" * 149, "a\u202eb\x1f", ""],
    ids=["NUL", "256 letters", "149 that become 2,682", "control", "none"],
)
def test_lets_nobody_in_by_a_name_that_is_none(client, name):
    client.raise_request_exception = False

    answer = sign_in(client, name)

    assert answer.status_code == 200
    assert "errornote" in answer.content.decode()


def test_reads_no_name_of_100000_letters(client):
    assert sign_in(client, "a" * 100_000).status_code == 413


def test_believes_no_wrong_code_that_a_clock_ahead_of_ours_has_dated(client):
    user = staff()
    _enrol(user)
    ahead = timezone.now() + timedelta(hours=1)
    TOTPDevice.objects.update(throttling_failure_timestamp=ahead, throttling_failure_count=1)

    assert _sign_in(client, user, otp_token=_code(user)).status_code == 302


def test_opens_a_locked_name_after_a_quarter_of_an_hour(local_cache, client):
    user = staff()
    for _ in range(5):
        _sign_in(client, user, "wrong")

    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert _sign_in(client, user).status_code == 302


def test_keeps_failed_sign_ins_out_of_the_audit_log(client):
    user = staff()
    before = AuditEvent.objects.count()

    for _ in range(6):
        _sign_in(client, user, "wrong")

    assert AuditEvent.objects.count() == before


def test_lets_nobody_in_without_a_code_where_one_is_required(client, settings):
    settings.ADMIN_MFA = "required"

    page = _sign_in(client, staff()).content.decode()

    assert "ask an administrator to run manage.py enrol_mfa" in page
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("mode", ["optional", "required"])
def test_says_one_sentence_whatever_was_wrong(client, settings, mode):
    settings.ADMIN_MFA = mode
    user, outsider = staff(), User.objects.create_user("outsider", password="secret")
    _enrol(user)
    wrong = ({"password": "wrong"}, {}, {"otp_token": "000000"}, {"otp_token": "x"})

    pages = [_sign_in(client, user, **each) for each in wrong]
    pages += [_sign_in(client, outsider), sign_in(client, "nobody")]

    said = {re.search(r'"errornote">\s*(.*?)\s*</p>', page.content.decode())[1] for page in pages}
    assert len(said) == 1
    assert "if you have one, your one-time code" in said.pop()


@pytest.mark.parametrize("wrong", [{}, {"otp_token": "000000"}], ids=["no code", "a wrong code"])
def test_locks_a_name_after_five_right_passwords_with(client, wrong):
    user = staff()
    _enrol(user)

    answers = [_sign_in(client, user, **wrong).status_code for _ in range(5)]

    assert answers == [200, 200, 200, 200, 429]
    assert _sign_in(client, user, otp_token=_code(user)).status_code == 429


def test_locks_the_name_of_who_is_not_staff_as_any_other(client):
    outsider = User.objects.create_user("outsider", password="secret")

    answers = [_sign_in(client, outsider).status_code for _ in range(5)]

    assert answers == [200, 200, 200, 200, 429]


@pytest.mark.parametrize("mode", ["optional", "required"])
def test_asks_those_who_have_enrolled_for_the_code(client, settings, mode):
    settings.ADMIN_MFA = mode
    user = staff()
    _enrol(user)

    assert _sign_in(client, user).status_code == 200
    assert _sign_in(client, user, otp_token=_code(user)).status_code == 302
    assert client.get("/admin/").status_code == 200


def test_takes_no_code_twice(client):
    user = staff()
    _enrol(user)
    code = _code(user)
    _sign_in(client, user, otp_token=code)
    client.post("/admin/logout/")

    assert _sign_in(client, user, otp_token=code).status_code == 200


def test_prints_what_an_authenticator_needs_once():
    user = staff()

    first, second = _enrol(user), _enrol(user)

    address = next(line for line in first.splitlines() if line.startswith("otpauth://totp/"))
    assert parse_qs(urlsplit(address).query)["issuer"] == ["guestportal"]
    assert "otpauth" not in second
    assert TOTPDevice.objects.count() == 1


def test_enrols_nobody_who_does_not_exist():
    with pytest.raises(CommandError, match="no user nobody"):
        call_command("enrol_mfa", "nobody")


def test_signs_out_who_was_idle_for_half_an_hour(client):
    _sign_in(client, staff())
    with time_machine.travel(timezone.now() + timedelta(minutes=29)):
        assert client.get("/admin/").status_code == 200

    with time_machine.travel(timezone.now() + timedelta(minutes=29 + 31)):
        assert client.get("/admin/").status_code == 302


def test_sends_the_strict_policy_with_every_page(client):
    policy = client.get(LOGIN).headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_complains_of_an_empty_password_and_no_more(client):
    assert "This field is required" in _sign_in(client, staff(), "").content.decode()


def test_draws_a_code_that_a_camera_can_read():
    printed = _enrol(staff())

    drawn = [line for line in printed.splitlines() if "\u2588" in line]  # a full block
    assert len(drawn) > 15
    assert {len(line) for line in drawn} == {len(drawn[0])}
