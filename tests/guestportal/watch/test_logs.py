"""What a library puts into a line and a log must not hold is taken out of it."""

import json
import logging

import pytest
from django.test import Client

from guestportal.watch.logs import JsonFormatter

PERSON = "jane.doe"


def line(message: str) -> str:
    record = logging.LogRecord("library", logging.ERROR, "", 0, message, (), None)
    return JsonFormatter().format(record)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (f"({PERSON}@example.com) already exists", "address"),
        (f"/admin/audit/auditevent/?q={PERSON}%40example.com", "address"),
        (f"info.{PERSON}@m\u00fcller.example", "address"),
        (f"j\u00e4n\u0435.{PERSON}@xn--mller-kva.example", "address"),
        (f"key (session_hash)=({'0a' * 32})", "hash"),
        (f"failed:\n{PERSON}@example.com\n", "address"),
        (f"C:\\{PERSON}@example.com", "address"),
        (f"a%40{PERSON}@example.com", "address"),
        (f"failed:\n{'0a' * 32}", "hash"),
        ("Authorization: Bearer abc.def-ghi", "token"),
        ("token gpat_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG", "token"),
        ("eyJhbGciOiJFZERTQSJ9.eyJhIjoxfQ.c2ln", "token"),
    ],
)
def test_takes_out_what_names_somebody_or_opens_something(message: str, kind: str) -> None:
    written = line(message)

    assert f"[{kind}]" in json.loads(written)["message"]
    assert not any(
        part in written for part in (PERSON, "u00e4", "u0435", "0a0a", "abc.def", "gpat_0", "eyJh")
    )


def test_leaves_other_text_as_it_is() -> None:
    assert '"message": "answered 20 % of 40.5 requests"' in line("answered 20 % of 40.5 requests")


@pytest.mark.django_db
def test_repeats_no_address_of_a_form_that_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.setFormatter(JsonFormatter())

    Client(enforce_csrf_checks=True).post(
        f"/admin/login/?next=/admin/?q={PERSON}%40example.com",
        b"a=1",
        content_type="application/x-www-form-urlencoded",
    )

    assert "Forbidden" in caplog.text
    assert PERSON not in caplog.text


@pytest.mark.parametrize("text", ["a", "%", "a.b", "-eyJ", "a@", "a%40b.", "gpat_"])
def test_a_long_line_takes_no_time_that_grows_with_its_square(text: str) -> None:
    """A stranger's address may be long, and each line is written while visitors wait."""
    long = 200_000 // len(text)

    assert line(text * long)  # minutes, if it did
