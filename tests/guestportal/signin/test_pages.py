"""The pages of signing in: start, callback, leaving, and what goes wrong on the way."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from tests.support.organisation import CLIENT, ISSUER, begin, sign_in

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"
START, CALLBACK = "/admin/oidc/start", "/admin/oidc/callback"


def test_asks_for_a_code_with_pkce_state_and_nonce(organisation, client):
    location = client.get(START).headers["Location"]

    sent = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    assert location.startswith(ISSUER + "authorize?")
    assert sent["response_type"] == "code"
    assert sent["client_id"] == CLIENT
    assert sent["redirect_uri"] == "http://testserver/admin/oidc/callback"
    assert sent["code_challenge_method"] == "S256"
    assert len(sent["code_challenge"]) == 43
    assert min(len(sent["state"]), len(sent["nonce"])) >= 43


def test_asks_for_the_strength_that_is_required(organisation, client, settings):
    settings.OIDC_REQUIRED_ACR = "mfa"

    assert "acr_values=mfa" in client.get(START).headers["Location"]


def test_writes_no_row_for_a_robot_that_starts_sign_ins(organisation, client):
    client.get(START)

    assert not Session.objects.exists()


def test_lets_an_address_start_so_many_a_minute(organisation, client):
    answers = [client.get(START).status_code for _ in range(61)]

    assert answers == [302] * 60 + [429]


def test_gives_the_browser_a_new_session(organisation, client):
    client.session["old"] = "one"
    session = client.session
    session["old"] = "one"
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = before

    sign_in(organisation, client)

    assert client.session.session_key != before


def test_takes_a_callback_once(organisation, client):
    back = begin(organisation, client)
    cookies = client.cookies.output()
    first = client.get(CALLBACK, back)
    again = client.get(CALLBACK, back)
    thief = Client()
    thief.cookies.load(re.search(r"guestportal_sign_in=[^;]+", cookies)[0])
    stolen = thief.get(CALLBACK, back)

    assert (first.status_code, again.status_code, stolen.status_code) == (302, 403, 403)
    assert "used already" in again.content.decode()
    assert organisation.asked.count("token") == 1


@pytest.mark.parametrize(
    "change", [{"state": "another"}, {"state": ""}, {"iss": "https://evil.example"}, {"iss": ""}]
)
def test_takes_no_callback_of_another_sign_in(organisation, client, change):
    back = begin(organisation, client)

    answer = client.get(CALLBACK, back | change)

    assert answer.status_code == 403
    assert "token" not in organisation.asked


def test_takes_no_callback_in_another_browser(organisation, client):
    back = begin(organisation, client)

    assert Client().get(CALLBACK, back).status_code == 403


def test_takes_no_callback_after_ten_minutes(organisation, client):
    back = begin(organisation, client)

    with time_machine.travel(timezone.now() + timedelta(seconds=601)):
        assert client.get(CALLBACK, back).status_code == 403


@pytest.mark.parametrize(
    "page",
    [
        "https://evil.example/admin/",
        "//evil.example/admin/",
        "/\\evil.example/admin/",
        "/admin//../../evil",
        "javascript:alert(1)",
        "/admin/logout/",
        "/admin/oidc/start",
        "/api/docs",
        "/admin/" + "a" * 600,
    ],
)
def test_leads_to_no_page_but_one_of_the_staff(organisation, client, page):
    location = sign_in(organisation, client, page).headers["Location"]

    assert location in ("/admin/", "/admin//../../evil")  # a path of this host


WRONG = {
    "secret": ({"refusal": (401, {"error": "invalid_client"})}, 502, "OIDC_CLIENT_SECRET"),
    "secret, as some say it": ({"refusal": (400, {"error": "invalid_client"})}, 502, "OIDC_CLIENT"),
    "client": ({"refusal": (400, {"error": "unauthorized_client"})}, 502, "OIDC_CLIENT_ID"),
    "code": ({"refusal": (400, {"error": "invalid_grant"})}, 403, "invalid_grant"),
    "their error": ({"refusal": (400, {"error": "jane@corp.example"})}, 502, "ended the sign-in"),
    "their trouble": ({"refusal": (500, "<html>")}, 503, "status 500"),
    "a page in its place": ({"refusal": (200, "<html>")}, 502, "OpenID Connect"),
    "a redirect": ({"refusal": (302, "")}, 502, "OpenID Connect"),
    "too much": ({"refusal": (200, "x" * 300_000)}, 502, "too large"),
    "no claim": ({"groups": None}, 403, "OIDC_GROUPS_CLAIM"),
    "a claim of another form": ({"groups": {"a": 1}}, 403, "OIDC_GROUPS_CLAIM"),
    "too many groups": (
        {"groups": None, "claims": {"_claim_names": {"groups": "src1"}}},
        403,
        "too many",
    ),
    "no group": ({"groups": ["x"]}, 403, "OIDC_GROUP_MAP"),
    "keys elsewhere in plain": (
        {"document": {"jwks_uri": "http://idp.example/keys"}},
        502,
        "https",
    ),
}


@pytest.mark.parametrize(("change", "status", "operator"), WRONG.values(), ids=WRONG)
def test_ends_in_a_sentence_for_the_person_and_one_for_the_operator(
    organisation, client, caplog, change, status, operator
):
    back = begin(organisation, client)
    for name, value in change.items():
        setattr(organisation, name, value)

    answer = client.get(CALLBACK, back)

    assert answer.status_code == status
    assert re.search(r'role="alert" class="errornote">[^<]+\.</p>', answer.content.decode())
    assert operator in caplog.text
    assert not any(word in caplog.text for word in ("corp.example", "code-1", "access-1", "eyJ"))
    assert not User.objects.exists()


WRONG_AT_START = {
    "down": ({"down": True}, 503, "cannot be reached"),
    "another issuer": ({"document": {"issuer": ISSUER[:-1]}}, 502, "letter by letter"),
    "not registered": ({"authorize_status": 400}, 502, "http://testserver/admin/oidc/callback"),
    "no endpoint": ({"document": {"token_endpoint": None}}, 502, "no token_endpoint"),
    "a script": ({"document": {"authorization_endpoint": "javascript:alert(1)"}}, 502, "https"),
}


@pytest.mark.parametrize(
    ("change", "status", "operator"), WRONG_AT_START.values(), ids=WRONG_AT_START
)
def test_says_before_anybody_leaves_what_is_set_up_wrong(
    organisation, client, caplog, change, status, operator
):
    for name, value in change.items():
        setattr(organisation, name, value)

    answer = client.get(START)

    assert answer.status_code == status
    assert operator in caplog.text


@pytest.mark.parametrize("status", [200, 302, 403, 429, 500, 503])
def test_leaves_it_to_the_browser_how_the_providers_page_looks(organisation, client, status):
    organisation.authorize_status = status

    assert client.get(START).status_code == 302


def test_needs_no_providers_page_of_a_certain_size(organisation, client):
    organisation.page = "<html>" + "x" * 300_000

    assert client.get(START).status_code == 302


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        ("access_denied", 403, "was cancelled"),
        ("server_error", 502, "ended with an error"),
        ("<script>", 502, "ended with an error"),
    ],
)
def test_says_how_the_provider_ended_it(organisation, client, caplog, error, status, words):
    back = begin(organisation, client)

    answer = client.get(CALLBACK, {"error": error, "state": back["state"], "iss": ISSUER})

    assert (answer.status_code, words in answer.content.decode()) == (status, True)
    assert "script" not in caplog.text


def test_waits_for_no_call_without_end(organisation, client):
    organisation.groups = None
    organisation.userinfo = {"groups": ["portal-reviewers"]}
    sign_in(organisation, client)

    waits = [wait for call in organisation.calls() for wait in call.request.req_kwargs["timeout"]]

    assert len(organisation.calls()) == 6
    assert 0 < min(waits) <= max(waits) <= 10


def test_sends_the_secret_as_the_form_wants_it(organisation, client):
    organisation.document = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}

    sign_in(organisation, client)

    assert organisation.forms[0]["client_secret"] == ["a secret of the client's, 100%"]


def test_leads_to_the_providers_own_sign_out(organisation, client):
    sign_in(organisation, client)

    page = client.post("/admin/logout/")

    url = re.search(r'content="0; url=([^"]+)"', page.content.decode())[1].replace("&amp;", "&")
    sent = parse_qs(urlsplit(url).query)
    assert url.startswith(ISSUER + "logout?")
    assert sent["post_logout_redirect_uri"] == ["http://testserver/admin/login/"]
    assert sent["id_token_hint"][0].count(".") == 2
    assert "no-store" in page.headers["Cache-Control"]
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("change", [{"down": True}, {"document": {"end_session_endpoint": None}}])
def test_signs_out_here_where_that_cannot_be_done_there(organisation, client, change):
    sign_in(organisation, client)
    for name, value in change.items():
        setattr(organisation, name, value)

    page = client.post("/admin/logout/").content.decode()

    assert "still signed in at your organisation" in page
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("path", [START, CALLBACK])
def test_has_no_such_pages_where_passwords_are_used(organisation, client, settings, path):
    settings.ADMIN_LOGIN = "password"

    assert client.get(path).status_code == 404


def test_takes_no_form_at_the_callback(organisation, client):
    assert client.post(CALLBACK, "", content_type=FORM).status_code == 405
