"""What becomes of people who are signed in: the provider is asked again, and believed."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from guestportal.models import StaffIdentity
from tests.support.factories import signed_in
from tests.support.organisation import AUDITORS, ISSUER, REVIEWERS, sign_in

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"
PAGE = "/admin/"
OUT = 302


def in_minutes(minutes, *, tick=False):
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=tick)


@pytest.fixture
def browser(organisation, client):
    """Somebody who has just signed in as a reviewer."""
    sign_in(organisation, client)
    organisation.asked.clear()
    organisation.forms.clear()
    return client


def test_asks_nothing_within_the_time(organisation, browser):
    with in_minutes(14):
        assert browser.get(PAGE).status_code == 200

    assert organisation.asked == []


def test_asks_once_when_the_time_is_over(organisation, browser):
    with in_minutes(15):
        assert [browser.get(PAGE).status_code for _ in range(3)] == [200, 200, 200]

    assert organisation.asked.count("token") == 1
    assert organisation.forms[0]["refresh_token"] == ["refresh-1"]


def test_puts_out_whoever_has_lost_the_group_at_the_next_request(organisation, browser):
    organisation.groups = ["everybody"]

    with in_minutes(15):
        answer = browser.get(PAGE, follow=True)

    assert answer.redirect_chain[0][0].startswith("/admin/login/")
    assert "no group that works here" in answer.content.decode()
    user = User.objects.get()
    assert (user.groups.count(), user.is_staff) == (0, False)


def test_does_nothing_of_a_form_by_whoever_has_lost_the_group(organisation, browser):
    organisation.groups = []
    group = User.objects.get().groups.get()

    with in_minutes(15):
        answer = browser.post("/admin/password_change/", "reason=typed", content_type=FORM)

    assert "Sign in with your organisation" in answer.content.decode()
    assert not group.user_set.exists()


def test_puts_out_whose_claim_is_gone_altogether(organisation, browser):
    organisation.groups = None

    with in_minutes(15):
        assert browser.get(PAGE).status_code == OUT

    assert not User.objects.get().groups.exists()


def test_follows_a_change_of_groups(organisation, browser):
    organisation.groups = [AUDITORS]

    with in_minutes(15):
        assert browser.get(PAGE).status_code == 200

    assert list(User.objects.get().groups.values_list("name", flat=True)) == ["Auditor"]


def test_puts_out_whom_the_provider_no_longer_knows(organisation, browser):
    organisation.refusal = (400, {"error": "invalid_grant"})

    with in_minutes(15):
        answer = browser.get(PAGE, follow=True)

    assert "Your sign-in has run out." in answer.content.decode()
    assert StaffIdentity.objects.get().tokens == ""


def test_puts_out_their_other_browsers_too(organisation, browser):
    other = Client()
    sign_in(organisation, other)
    organisation.refusal = (400, {"error": "invalid_grant"})

    with in_minutes(15):
        assert [browser.get(PAGE).status_code, other.get(PAGE).status_code] == [OUT, OUT]


@pytest.mark.parametrize("trouble", ["down", "an error page", "503"])
def test_bears_a_provider_in_trouble_for_one_more_time(organisation, browser, trouble):
    if trouble == "down":
        organisation.down = True
    else:
        organisation.refusal = (503, "busy") if trouble == "503" else (200, "<html>")

    with in_minutes(29):
        still = browser.get(PAGE).status_code
    with in_minutes(31):
        later = browser.get(PAGE, follow=True)

    assert still == 200
    assert "cannot be reached just now" in later.content.decode()


def test_does_not_let_every_request_wait_for_a_dead_provider(organisation, browser):
    organisation.down = True

    with in_minutes(20):
        for _ in range(5):
            browser.get(PAGE)

    assert len(organisation.asked) == 1


def test_asks_again_when_the_provider_is_back(organisation, browser):
    organisation.down = True
    with in_minutes(20):
        browser.get(PAGE)
    organisation.down = False

    with in_minutes(21):
        browser.get(PAGE)
    organisation.asked.clear()
    with in_minutes(35):
        assert browser.get(PAGE).status_code == 200

    assert organisation.asked == []  # it was asked at 21


def test_lets_one_request_ask_while_the_others_go_on(organisation, browser):
    other = Client()
    sign_in(organisation, other)
    organisation.forms.clear()
    answers = []
    organisation.meanwhile = lambda: answers.append(other.get(PAGE).status_code)

    with in_minutes(15):
        answers.append(browser.get(PAGE).status_code)

    assert answers == [200, 200]
    assert len(organisation.forms) == 1


def test_uses_the_refresh_token_that_came_last(organisation, browser):
    organisation.refresh_token = "refresh-2"
    with in_minutes(15):
        browser.get(PAGE)
    with in_minutes(30):
        browser.get(PAGE)

    assert [form["refresh_token"][0] for form in organisation.forms] == ["refresh-1", "refresh-2"]


def test_believes_no_refreshed_token_about_somebody_else(organisation, browser):
    organisation.subject = "somebody else"

    with in_minutes(15):
        assert browser.get(PAGE).status_code == OUT


def test_asks_userinfo_where_there_is_no_refresh_token(organisation, client):
    organisation.refresh_token = None
    organisation.userinfo = {"groups": [REVIEWERS]}
    sign_in(organisation, client)

    with in_minutes(15):
        stays = client.get(PAGE).status_code
    organisation.userinfo = {"groups": []}
    with in_minutes(30):
        goes = client.get(PAGE).status_code

    assert (stays, goes) == (200, OUT)


def test_ends_a_sign_in_that_nobody_can_ask_about(organisation, client, caplog):
    organisation.refresh_token = None
    sign_in(organisation, client)

    with in_minutes(15):
        assert client.get(PAGE).status_code == OUT

    assert "offline_access" in caplog.text


def test_ends_sign_ins_of_another_issuer(browser, settings):
    settings.OIDC_ISSUER = ISSUER + "new/"

    assert browser.get(PAGE).status_code == OUT


def test_ends_sign_ins_by_the_provider_where_passwords_are_to_be_used(browser, settings):
    settings.ADMIN_LOGIN = "password"

    assert browser.get(PAGE).status_code == OUT


def test_asks_nobody_about_those_who_signed_in_by_password(organisation, settings):
    settings.ADMIN_LOGIN = "both"
    browser = signed_in("Auditor")

    with in_minutes(20):
        assert browser.get(PAGE).status_code == 200

    assert organisation.asked == []


def test_keeps_no_token_in_clear(organisation, browser):
    kept = StaffIdentity.objects.get().tokens
    sessions = [Session.objects.get().get_decoded()]

    assert kept
    assert not any(word in f"{kept} {sessions}" for word in ("refresh-1", "access-1", "eyJhbGciOi"))


def test_forgets_the_tokens_of_whoever_signs_out(organisation, browser):
    browser.post("/admin/logout/")

    assert StaffIdentity.objects.get().tokens == ""
