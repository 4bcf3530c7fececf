"""A session id becomes the key it is stored under, and is gone."""

import hashlib
import hmac

import pytest

from crm.sessions import hash_session, key_for_hash
from tests.crm.factories import plain_hash

PEPPER = "a pepper of thirty-two characters or more"


@pytest.mark.parametrize("session_id", ["abc", " abc ", "Größe 日本 🙂"])
def test_hashes_the_utf8_bytes_of_a_session_id_as_they_are(session_id):
    key = hash_session(session_id=session_id)

    assert key == hashlib.sha256(session_id.encode("utf-8")).hexdigest()


def test_keys_the_hash_with_the_pepper(settings):
    settings.SESSION_HASH_PEPPER = PEPPER

    key = hash_session(session_id="abc")

    plain = hashlib.sha256(b"abc").hexdigest()
    assert key == hmac.new(PEPPER.encode(), plain.encode("ascii"), hashlib.sha256).hexdigest()


def test_an_outside_hash_meets_the_session_it_was_made_of(settings):
    settings.SESSION_HASH_PEPPER = PEPPER

    assert key_for_hash(session_hash=plain_hash("abc")) == hash_session(session_id="abc")


@pytest.mark.parametrize("wrong", ["", "abc", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_refuses_what_is_no_hash_without_quoting_it(wrong):
    with pytest.raises(ValueError, match=r"^a session hash is 64 lower-case hex digits$"):
        key_for_hash(session_hash=wrong)


def test_refuses_a_lone_surrogate():
    with pytest.raises(UnicodeEncodeError):
        hash_session(session_id="\ud800")
