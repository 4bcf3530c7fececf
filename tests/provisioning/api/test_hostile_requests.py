"""Requests that no careful client sends: a clean 4xx each, and the platform hears of none."""

import json
from io import BytesIO
from typing import Any

import pytest

from guestportal.wsgi import application
from provisioning.models import GuestCreation
from tests.support.platform import Platform
from tests.support.webchat import INIT, Webchat

KIB = 1024


def with_session(rest: bytes) -> bytes:
    return b'{"sessionId": "s", ' + rest + b"}"


BODIES: dict[str, bytes] = {
    "empty": b"",
    "blank": b"  \n",
    "not JSON": b"sessionId=s",
    "cut off": b'{"sessionId": "s"',
    "two values": b'{"sessionId": "s"} {}',
    "trailing comma": b'{"sessionId": "s",}',
    "comment": b'{"sessionId": "s" /* */}',
    "null": b"null",
    "true": b"true",
    "number": b"1",
    "string": b'"s"',
    "array": b'[{"sessionId": "s"}]',
    "no session": b"{}",
    "session null": b'{"sessionId": null}',
    "session empty": b'{"sessionId": ""}',
    "session number": b'{"sessionId": 1}',
    "session true": b'{"sessionId": true}',
    "session array": b'{"sessionId": ["s"]}',
    "session object": b'{"sessionId": {"$ne": ""}}',
    "session too long": json.dumps({"sessionId": "x" * 257}).encode(),
    "session with NUL": b'{"sessionId": "a\\u0000b"}',
    "session with newline": b'{"sessionId": "a\\nb"}',
    "session with C1 control": b'{"sessionId": "a\\u0085b"}',
    "raw control character": b'{"sessionId": "a\x01b"}',
    "lone high surrogate": b'{"sessionId": "\\ud800"}',
    "lone low surrogate": b'{"sessionId": "a\\udfff"}',
    "surrogates swapped": b'{"sessionId": "\\ude00\\ud83d"}',
    "repeated key": b'{"sessionId": "s", "sessionId": "t"}',
    "repeated key, escaped": b'{"sessionId": "s", "sess\\u0069onId": "t"}',
    "repeated key, nested": with_session(b'"x": {"a": 1, "a": 1}'),
    "17 deep": with_session(b'"x": ' + b"[" * 17 + b"1" + b"]" * 17),
    "600 deep": with_session(b'"x": ' + b"[" * 600 + b"]" * 600),
    "900 objects deep": with_session(b'"x": ' + b'{"a":' * 900 + b"1" + b"}" * 900),
    "30,000 deep": b"[" * 30_000 + b"]" * 30_000,
    "30,000 deep, unclosed": b'{"a":' * 10_000,
    "huge integer": with_session(b'"x": ' + b"9" * 5_000),
    "huge negative": with_session(b'"x": -' + b"9" * 40),
    "infinite float": with_session(b'"x": 1e999'),
    "long float": with_session(b'"x": 1.' + b"1" * 5_000),
    "NaN": with_session(b'"x": NaN'),
    "Infinity": with_session(b'"x": -Infinity'),
    "UTF-8 with BOM": b"\xef\xbb\xbf" + b'{"sessionId": "s"}',
    "UTF-16": '{"sessionId": "s"}'.encode("utf-16"),
    "UTF-16 without BOM": '{"sessionId": "s"}'.encode("utf-16-le"),
    "UTF-32": '{"sessionId": "s"}'.encode("utf-32"),
    "Latin-1": '{"sessionId": "é"}'.encode("latin-1"),
    "overlong UTF-8": b'{"sessionId": "\xc0\xaf"}',
    "UTF-8 surrogate": b'{"sessionId": "\xed\xa0\x80"}',
    "consent 1": with_session(b'"consentGiven": 1'),
    "consent text": with_session(b'"consentGiven": "true"'),
    "consent null": with_session(b'"consentGiven": null'),
    "consent array": with_session(b'"consentGiven": []'),
    "type unknown": with_session(b'"consentType": "tacit"'),
    "type null": with_session(b'"consentType": null'),
    "type array": with_session(b'"consentType": ["explicit"]'),
    "notice empty": with_session(b'"noticeVersion": ""'),
    "notice number": with_session(b'"noticeVersion": 3'),
    "notice too long": with_session(b'"noticeVersion": "' + b"x" * 65 + b'"'),
    "language none": with_session(b'"language": "d e"'),
    "language too long": with_session(b'"language": "en-' + b"a-" * 17 + b'a"'),
    "signature array": with_session(b'"sessionSignature": []'),
}
HEADERS: dict[str, tuple[int, str, dict[str, str]]] = {
    "form": (415, "unsupported_media_type", {"Content_Type": "application/x-www-form-urlencoded"}),
    "no type": (415, "unsupported_media_type", {"Content_Type": ""}),
    "text": (415, "unsupported_media_type", {"Content_Type": "text/plain"}),
    "type of separators": (415, "unsupported_media_type", {"Content_Type": ";;;"}),
    "HTML wanted": (406, "not_acceptable", {"Accept": "text/html"}),
    "unreadable Accept": (406, "not_acceptable", {"Accept": "a/b; c*=bogus''%ff"}),
    "endless Accept": (406, "not_acceptable", {"Accept": "a/b," * 2_000}),
    "foreign Host": (400, "invalid_request", {"Host": "evil.example"}),
    "Host that is none": (400, "invalid_request", {"Host": "a b/<script>"}),
    "empty key": (400, "invalid_request", {"Idempotency_Key": ""}),
    "key with space": (400, "invalid_request", {"Idempotency_Key": "a b"}),
    "key too long": (400, "invalid_request", {"Idempotency_Key": "k" * 256}),
}


@pytest.fixture(params=[False, True], ids=["production", "debug"])
def quiet(
    request: pytest.FixtureRequest,
    webchat: Webchat,
    platform: Platform,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
) -> Any:
    """Hold for each test, DEBUG on too: no platform call, no row, no traceback in the log."""
    settings.DEBUG = request.param
    yield
    assert platform.calls == 0
    assert GuestCreation.objects.count() == 0
    assert not [record for record in caplog.records if record.exc_info]


def check(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["requestId"] == answer.headers["X-Request-ID"]
    assert set(answer.json()) <= {"error", "code", "requestId", "fields"}


@pytest.mark.parametrize("name", BODIES)
def test_refuses_a_body(quiet: None, name: str, webchat: Webchat) -> None:
    answer = webchat.post(INIT, BODIES[name])

    check(answer, 400, "invalid_request")


@pytest.mark.parametrize("name", HEADERS)
def test_refuses_a_header(quiet: None, name: str, webchat: Webchat) -> None:
    status, code, headers = HEADERS[name]

    answer = webchat.post(INIT, {"sessionId": "s"}, **headers)

    check(answer, status, code)


def test_says_that_the_session_id_is_missing_as_the_seed_did(webchat: Webchat) -> None:
    answer = webchat.post(INIT, {})

    assert answer.json()["error"] == "sessionId is required in request body"


def test_names_every_field_that_is_wrong(webchat: Webchat) -> None:
    answer = webchat.post(INIT, {"sessionId": 1, "consentGiven": "yes"})

    assert answer.json()["fields"] == {
        "sessionId": ["sessionId must be a string."],
        "consentGiven": ["consentGiven must be true or false."],
    }


@pytest.mark.parametrize("depth", [1, 15])
def test_takes_what_a_client_may_well_nest(webchat: Webchat, depth: int) -> None:
    body = with_session(b'"x": ' + b"[" * depth + b"1" + b"]" * depth)

    assert webchat.post(INIT, body).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_takes_no_other_method(quiet: None, method: str, webchat: Webchat) -> None:
    answer = webchat.client.generic(
        method, INIT, b'{"sessionId": "s"}', content_type="application/json"
    )

    check(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "POST"


def test_answers_head_without_a_body(quiet: None, webchat: Webchat) -> None:
    answer = webchat.client.head(INIT)

    assert (answer.status_code, answer.content) == (405, b"")


def test_takes_no_override_of_the_method(quiet: None, webchat: Webchat) -> None:
    answer = webchat.client.get(INIT, headers={"X-HTTP-Method-Override": "POST"})

    check(answer, 405, "method_not_allowed")


@pytest.mark.parametrize(
    "path", [INIT + "/", "/api/webchat/", "/api/nothing", "/api/", "/api", INIT + "%00%ff"]
)
def test_answers_unknown_addresses_in_its_own_shape(
    quiet: None, path: str, webchat: Webchat
) -> None:
    check(webchat.post(path, {"sessionId": "s"}), 404, "not_found")


def test_takes_no_format_from_the_query(webchat: Webchat) -> None:
    assert webchat.post(f"{INIT}?format=xml", {"sessionId": "s"}).status_code == 200


def test_refuses_thousands_of_query_parameters(quiet: None, webchat: Webchat) -> None:
    query = "&".join(f"a{number}=1" for number in range(2_000))

    check(webchat.post(f"{INIT}?{query}", {"sessionId": "s"}), 400, "invalid_request")


@pytest.mark.parametrize(
    ("length", "status", "code"),
    [
        ("65537", 413, "too_large"),
        ("9" * 5_000, 413, "too_large"),
        ("000000000000000000065537", 413, "too_large"),
        ("-1", 400, "invalid_request"),
        ("1e3", 400, "invalid_request"),
        ("²", 400, "invalid_request"),
    ],
)
def test_refuses_a_length_unread(
    quiet: None, length: str, status: int, code: str, webchat: Webchat
) -> None:
    answer = webchat.client.post(
        INIT, b"{}", content_type="application/json", CONTENT_LENGTH=length
    )

    check(answer, status, code)


def test_takes_a_body_of_exactly_64_kib(webchat: Webchat) -> None:
    frame = len(with_session(b'"x": ""'))

    body = with_session(b'"x": "' + b"x" * (64 * KIB - frame) + b'"')

    assert len(body) == 64 * KIB
    assert webchat.post(INIT, body).status_code == 200
    assert webchat.post(INIT, body + b" ").status_code == 413


def test_answers_a_foreign_host_elsewhere_without_a_traceback(
    quiet: None, webchat: Webchat
) -> None:
    answer = webchat.client.get("/admin/", headers={"Host": "evil.example"})

    assert answer.status_code == 400
    assert b"<" not in answer.content


def over_wsgi(path: str, content_type: str, body: bytes = b"{}", query: str = "") -> Any:
    """POST as the web server hands it over; return the status line and the body."""
    told: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
        "wsgi.url_scheme": "http",
    }
    answer = b"".join(application(environ, lambda status, headers: told.append(status)))
    return told[0], answer


def test_refuses_a_content_type_that_django_cannot_read(db: None) -> None:
    status, body = over_wsgi(INIT, "application/json; charset*=bogus''%ff")

    assert status == "415 Unsupported Media Type"
    assert json.loads(body)["code"] == "unsupported_media_type"


# Those that Python knows and that are none for text, and those that make what cannot be stored.
CHARSETS = [
    *("hex", "zlib", "rot13", "undefined", "idna", "raw_unicode_escape", "unicode_escape", "utf-7"),
    *("utf-16", "latin-1", "none", "x" * 300, "UTF-8"),
]


@pytest.mark.parametrize("charset", CHARSETS)
def test_reads_a_request_as_utf_8_whatever_its_type_says(
    charset: str, db: None, settings: Any
) -> None:
    settings.SECURE_SSL_REDIRECT = False
    form = b"username=%41%5Cud800&password=x"

    init = over_wsgi(INIT, f"application/json; charset={charset}", b"{}", "a=%41%5Cud800")
    login = [
        over_wsgi("/admin/login/", f"{kind}; boundary=b; charset={charset}", form, "next=%41")
        for kind in ("application/x-www-form-urlencoded", "multipart/form-data")
    ]

    assert json.loads(init[1])["fields"] == {"sessionId": ["sessionId is required in request body"]}
    assert [status[:3] for status, _ in login] == ["403", "415"]  # no CSRF token; no upload


def test_answers_a_bug_of_ours_in_the_contract_s_shape(
    webchat: Webchat, platform: Platform, settings: Any
) -> None:
    settings.INIT_RATE = None  # nobody can: it is validated at the start

    answer = webchat.init()

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.headers["Content-Type"] == "application/json"
