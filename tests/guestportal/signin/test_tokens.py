"""Which ID tokens are believed: those of this provider, for us, of this sign-in, of this hour."""

import time

import pytest
from django.contrib.auth.models import User
from joserfc.jwk import ECKey, RSAKey

from tests.support.organisation import CLIENT, ISSUER, REVIEWERS, at_hash, key, sign_in

pytestmark = pytest.mark.django_db
HOUR = 3600


def now():
    return int(time.time())


FORGED = {
    "iss of somebody else": {"iss": "https://evil.example/"},
    "iss without its slash": {"iss": ISSUER[:-1]},
    "no iss": {"iss": None},
    "aud of somebody else": {"aud": "another-client"},
    "aud list of somebody else": {"aud": ["another-client"]},
    "aud that names others too": {"aud": [CLIENT, "another-client"], "azp": CLIENT},
    "no aud": {"aud": None},
    "aud of nobody": {"aud": []},
    "azp of somebody else": {"azp": "another-client"},
    "nonce of another sign-in": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "no nonce, said to be unsupported": {"nonce": None, "nonce_supported": False},
    "no sub": {"sub": None},
    "empty sub": {"sub": ""},
    "a number as sub": {"sub": 7},
    "sub longer than any": {"sub": "s" * 256},
    "sub with U+0000": {"sub": "a\x00b"},
    "no exp": {"exp": None},
    "no iat": {"iat": None},
    "exp that is no number": {"exp": float("nan")},
    "endless exp": {"exp": float("inf")},
    "exp as text": {"exp": "9999999999"},
    "exp as a truth": {"exp": True},
    "at_hash of another token": {"at_hash": at_hash("another")},
}


@pytest.mark.parametrize("claims", FORGED.values(), ids=FORGED)
def test_refuses_claims_that_are_not_of_this_sign_in(organisation, client, claims):
    organisation.claims = claims

    answer = sign_in(organisation, client)

    assert answer.status_code == 403
    assert "cannot be trusted" in answer.content.decode()
    assert not User.objects.exists()


APART = {
    "expired": lambda: {"iat": now() - 600, "exp": now() - 300},
    "issued in the future": lambda: {"iat": now() + 600, "exp": now() + 900},
    "issued an hour ago": lambda: {"iat": now() - HOUR, "exp": now() + HOUR},
    "not yet valid": lambda: {"nbf": now() + 600},
}


@pytest.mark.parametrize("claims", APART.values(), ids=APART)
def test_says_that_clocks_are_apart(organisation, client, claims, caplog):
    organisation.claims = claims()

    answer = sign_in(organisation, client)

    assert answer.status_code == 502
    assert "clocks" in answer.content.decode()
    assert "by NTP" in caplog.text
    assert not User.objects.exists()


@pytest.mark.parametrize("seconds", [-90, 90])
def test_bears_clocks_that_differ_a_little(organisation, client, seconds):
    organisation.claims = {"iat": now() + seconds, "exp": now() + seconds + 300}

    assert sign_in(organisation, client).status_code == 302


def test_bears_a_provider_that_dates_its_tokens_five_minutes_back(organisation, client):
    organisation.claims = {"iat": now() - 300, "nbf": now() - 300}

    assert sign_in(organisation, client).status_code == 302


@pytest.mark.parametrize(
    ("header", "signer"),
    [
        ({"alg": "none"}, None),
        ({"alg": "none", "kid": None}, None),
        ({"alg": "HS256"}, None),
        ({"alg": "HS256", "kid": "one"}, "public"),
        ({}, "another"),
        ({"kid": "one"}, "another"),
        ({"kid": "nobody's"}, None),
    ],
    ids=[
        "none",
        "none without a kid",
        "by the client's secret",
        "by the public key as a secret",
        "by another key",
        "by another key under this kid",
        "under an unknown kid",
    ],
)
def test_refuses_what_the_provider_did_not_sign(organisation, client, header, signer):
    organisation.header = header
    if signer == "another":
        organisation.signs_with = key("another")
    if signer == "public":
        organisation.signs_with = key("one").as_pem(private=False)

    assert sign_in(organisation, client).status_code == 403
    assert not User.objects.exists()


def test_refuses_an_algorithm_that_the_provider_lists_and_we_do_not(organisation, client):
    organisation.document = {"id_token_signing_alg_values_supported": ["none", "HS256"]}
    organisation.header = {"alg": "none"}

    assert sign_in(organisation, client).status_code == 403


def test_refuses_a_key_that_was_revoked_at_once(organisation, client):
    sign_in(organisation, client)
    organisation.published = [key("two")]

    assert sign_in(organisation, client).status_code == 403


def test_knows_a_key_that_is_new_at_once(organisation, client):
    sign_in(organisation, client)
    organisation.published = [key("one"), key("two")]
    organisation.signs_with = key("two")

    assert sign_in(organisation, client).status_code == 302


def test_takes_a_key_without_a_name_if_there_is_one_alone(organisation, client):
    organisation.header = {"kid": None}

    assert sign_in(organisation, client).status_code == 302


def test_guesses_no_key_among_several(organisation, client, caplog):
    organisation.header = {"kid": None}
    organisation.published = [key("one"), key("two")]

    assert sign_in(organisation, client).status_code == 403
    assert "several keys" in caplog.text


def test_uses_no_key_that_is_there_for_encryption(organisation, client):
    encrypts = RSAKey.import_key(
        key("one").as_dict(private=True) | {"use": "enc", "alg": "RSA-OAEP"}
    )
    organisation.published = [encrypts]

    assert sign_in(organisation, client).status_code == 403


def test_passes_over_keys_it_does_not_know(organisation, client):
    class Unknown:
        def as_dict(self, private):
            return {"kty": "AKP", "alg": "ML-DSA-44", "kid": "new", "pub": "AA"}

    organisation.published = [Unknown(), key("one")]

    assert sign_in(organisation, client).status_code == 302


def test_takes_an_elliptic_curve_too(organisation, client):
    curve = ECKey.generate_key("P-256", {"kid": "ec"})
    organisation.published = [curve]
    organisation.signs_with = curve
    organisation.header = {"alg": "ES256"}

    assert sign_in(organisation, client).status_code == 302


def test_takes_the_at_hash_of_this_access_token(organisation, client):
    organisation.claims = {"at_hash": at_hash("access-1")}

    assert sign_in(organisation, client).status_code == 302


def test_wants_the_strength_that_is_required(organisation, client, settings):
    settings.OIDC_REQUIRED_ACR = "mfa"
    organisation.claims = {"acr": "password"}

    weak = sign_in(organisation, client)
    organisation.claims = {"acr": "mfa"}
    strong = sign_in(organisation, client)

    assert (weak.status_code, strong.status_code) == (403, 302)
    assert "not strong enough" in weak.content.decode()


def test_reads_groups_of_userinfo_where_the_token_has_none(organisation, client):
    organisation.groups = None
    organisation.userinfo = {"groups": [REVIEWERS]}

    assert sign_in(organisation, client).status_code == 302


def test_believes_no_userinfo_about_somebody_else(organisation, client):
    organisation.groups = None
    organisation.userinfo = {"groups": [REVIEWERS], "sub": "somebody else"}

    assert sign_in(organisation, client).status_code == 403
    assert not User.objects.exists()
