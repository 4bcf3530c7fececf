"""What the identity provider says is text only once it was looked at: no 500, also not later."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from guestportal.models import StaffIdentity
from tests.provisioning.genesys.test_foreign_text import HOSTILE
from tests.support.organisation import begin, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]
# What the stub's library signs: no lone surrogate. Those come by userinfo.
SIGNED = {n: v for n, v in HOSTILE.items() if n not in ("lone surrogate", "array", "object")}
SIGNED |= {"array": ["a", 7, ["b"], {}], "object": {"a": [1], "": None}}
NO_TOKENS = {"lone surrogate": "a\ud800", "NUL": "a\0b", "line": "a\r\nX: b", "letter": "\u00e4"}


@pytest.fixture(params=HOSTILE.values(), ids=HOSTILE)
def value(request):
    return request.param


@pytest.mark.parametrize("name", ["groups", "preferred_username", "sub", "acr", "_claim_names"])
@pytest.mark.parametrize("value", SIGNED.values(), ids=SIGNED)
def test_bears_any_claim(name, value, organisation, client):
    client.raise_request_exception = False
    organisation.claims = {name: value}

    assert sign_in(organisation, client).status_code < 500


@pytest.mark.parametrize("name", ["groups", "preferred_username", "sub"])
def test_bears_any_userinfo(name, value, organisation, client):
    client.raise_request_exception = False
    organisation.claims = {"groups": None}
    organisation.userinfo = {"groups": [], name: value}

    assert sign_in(organisation, client).status_code < 500


@pytest.mark.parametrize("token", NO_TOKENS.values(), ids=NO_TOKENS)
def test_takes_no_refresh_token_that_is_none(token, organisation, client):
    client.raise_request_exception = False
    organisation.refresh_token = token

    answer = sign_in(organisation, client)

    assert answer.status_code == 502
    assert not StaffIdentity.objects.exists()


@pytest.mark.parametrize("token", NO_TOKENS.values(), ids=NO_TOKENS)
def test_puts_nobody_out_with_an_error_who_was_given_such_a_token(token, organisation, client):
    client.raise_request_exception = False
    sign_in(organisation, client)
    organisation.refresh_token = token

    for minutes in (16, 40):
        with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
            assert client.get("/admin/").status_code < 500


@pytest.mark.parametrize("name", ["jwks_uri", "userinfo_endpoint", "authorization_endpoint"])
def test_words_any_discovery_document(name, value, organisation, client):
    client.raise_request_exception = False
    organisation.document = {name: value}

    assert client.get("/admin/oidc/start").status_code in (302, 502)


@pytest.mark.parametrize("name", ["code", "state", "iss", "error"])
@pytest.mark.parametrize(
    "text", ["", "a\0", "\ud800".encode("utf-8", "surrogatepass"), "x" * 9_000]
)
def test_words_any_callback(name, text, organisation, client):
    client.raise_request_exception = False
    asked = begin(organisation, client) | {name: text}

    assert client.get("/admin/oidc/callback", asked).status_code < 503
