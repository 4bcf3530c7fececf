"""A cell runs in no spreadsheet, whichever way it parts cells; and it can be read back exactly."""

import csv
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backoffice.inert import cell, original

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
TEXTS = st.text("=+-@'\";,|\t\r\n [U+2E]0.5ab\u202e\u2066\uff1d", max_size=12) | st.text(
    max_size=20
)


@given(TEXTS)
@example("'=1")
@example("''=1")
@example("'-5")
@example("-5")
@example("[U+202E]")
@example("[U+005B]U+202E]")
@example("\t=1")
@example("\n=1")
@example("\n \t'=1")
@example("\u202e=1")
def test_is_read_back_exactly(text: str) -> None:
    assert original(cell(text)) == text


@given(TEXTS)
def test_takes_nothing_back_that_was_not_put_there(text: str) -> None:
    assert original(text) == text or cell(original(text)) == text


@given(TEXTS, TEXTS)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_holds_no_formula_however_a_spreadsheet_parts_it(
    separator: str, one: str, other: str
) -> None:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(["key", cell(one), cell(other)])

    for row in csv.reader(io.StringIO(line.getvalue(), newline=""), delimiter=separator):
        for found in row:
            for part in re.split("[\r\n]", found):
                assert is_inert(part)


def is_inert(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return not text.lstrip(' "').startswith(FORMULA_STARTS)
    return True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Gold;=1+1", "Gold;'=1+1"),
        ("a\t@SUM(A1)", "a\t'@SUM(A1)"),
        ("a, +1", "a,' +1"),
        ("a\n-2+3", "a\n'-2+3"),
        ('a;"=1"', 'a;\'"=1"'),
        ("'=1", "''=1"),
        ("-5", "-5"),
        ("+49.5", "+49.5"),
        ("O'Neill", "O'Neill"),
        ("a - b", "a - b"),
        ("abc\u202egnp.exe", "abc[U+202E]gnp.exe"),
    ],
)
def test_puts_an_apostrophe_before_a_formula_only(text: str, expected: str) -> None:
    assert cell(text) == expected


@pytest.mark.parametrize("text", ["'hello", "O'Neill", "'-5", "a;=1, '=2", "[U+0041]", "''"])
def test_leaves_what_no_export_wrote(text: str) -> None:
    assert original(text) == text
