"""Who may ask for a session, and what a page is shown of it."""

import hashlib
import hmac

import pytest

from tests.support.visitor import SESSION, known_to_the_crm

SECRET = "s" * 32


@pytest.fixture
def careful(visitor, settings):
    settings.IDENTITY_VERIFICATION = "required"
    settings.IDENTITY_SECRET = SECRET
    return visitor


def signature(session=SESSION):
    return hmac.new(SECRET.encode(), session.encode(), hashlib.sha256).hexdigest()


PATHS = ["init", "token", "consent/withdraw", "consent/receipt"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "sent",
    [{}, {"sessionSignature": "0" * 64}, {"sessionSignature": signature("another session")}],
    ids=["none", "wrong", "of another session"],
)
def test_refuses_a_session_that_the_website_did_not_sign(careful, path, sent):
    reply = careful.post(path, {"sessionId": SESSION, "guestId": "g", "consentGiven": True, **sent})

    assert (reply.status_code, reply.json()["code"]) == (403, "identity_required")
    assert careful.sent() == []


@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_serves_a_session_that_the_website_signed(careful, case):
    reply = careful.init(consentGiven=True, sessionSignature=case(signature()))

    assert reply.status_code == 200


def test_asks_for_no_signature_where_verification_is_off(visitor):
    assert visitor.init(consentGiven=True).status_code == 200


@pytest.mark.parametrize("shown", [[], ["tier"], ["email", "firstName"]])
def test_shows_the_page_only_the_fields_that_are_configured(visitor, settings, shown):
    settings.CRM_RESPONSE_FIELDS = shown
    known_to_the_crm()

    reply = visitor.init(consentGiven=True)

    assert list(reply.json()["crmAttributes"]) == shown
