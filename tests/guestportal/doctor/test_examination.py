"""No check stops another, none lasts for ever, and the exit status says what came of them."""

import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from guestportal.doctor.clocks import compared
from guestportal.doctor.examination import examine
from guestportal.doctor.findings import FAULT, NOT_CHECKED, OK, Check, Finding
from provisioning.models import WriteProbe
from tests.guestportal.doctor.conftest import Doctor, found

FINE = Check("fine", lambda: [Finding("fine", OK, "is fine")])


def breaks() -> list[Finding]:
    raise RuntimeError("with a secret")


def test_a_check_that_breaks_is_a_fault_and_the_next_is_made() -> None:
    first, second = examine(checks=[Check("broken", breaks), FINE])

    assert (first.state, first.said) == (FAULT, "could not be checked (RuntimeError)")
    assert second.state is OK


def test_a_check_that_hangs_is_a_fault_and_the_next_is_made() -> None:
    hangs = Check("hangs", lambda: [Finding("", OK, str(threading.Event().wait()))], seconds=0.05)

    first, second = examine(checks=[hangs, FINE])

    assert (first.name, first.state) == ("hangs", FAULT)
    assert second.state is OK


def test_what_a_check_found_before_it_broke_counts() -> None:
    def half() -> object:
        yield Finding("half", OK, "was looked at")
        breaks()

    names = [each.said for each in examine(checks=[Check("half", half)])]  # type: ignore[arg-type]

    assert names == ["was looked at", "could not be checked (RuntimeError)"]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="in memory, closing is forgetting")
@pytest.mark.django_db(transaction=True)
def test_a_check_that_leaves_a_broken_connection_behind_spoils_no_other() -> None:
    def spoils() -> list[Finding]:
        connection.ensure_connection()
        connection.connection.pgconn.finish()
        raise TimeoutError

    def counts() -> list[Finding]:
        return [Finding("counts", OK, str(WriteProbe.objects.count()))]

    found = list(examine(checks=[Check("spoils", spoils), Check("counts", counts)]))

    assert [each.state for each in found] == [FAULT, OK]


def test_what_needs_a_faulty_thing_is_not_looked_at() -> None:
    faulty = Check("first", lambda: [Finding("first", FAULT, "is wrong")])

    found = list(examine(checks=[faulty, Check("next", breaks, needs="first")]))

    assert [each.state for each in found] == [FAULT, NOT_CHECKED]


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        (1000.5, "is ours"),
        (1003.9, "is ours"),
        (995, "is 5 seconds behind ours"),
        (1100, "is 98 seconds ahead of ours"),
    ],
)
def test_a_clock_is_compared_without_what_the_way_took(theirs: float, said: str) -> None:
    assert compared(whose="cache", theirs=theirs, between=(1000, 1002)).said == said


def test_finds_nothing_where_all_is_in_order(doctor: Doctor) -> None:
    ignored = {"database role"} if connection.vendor == "postgresql" else set()  # a superuser

    bad = {name for name, each in doctor().items() if each["state"] in ("warning", "fault")}

    assert bad - ignored == set()


def run(*options: str) -> str:
    out = StringIO()
    call_command("doctor", *options, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_ends_well_without_a_fault(doctor: Doctor, settings: object) -> None:
    settings.CONSENT_MODE = "compat"  # type: ignore[attr-defined]

    assert "warning" in run()


def test_fails_for_a_warning_where_that_is_asked_for(doctor: Doctor, settings: object) -> None:
    settings.CONSENT_MODE = "compat"  # type: ignore[attr-defined]

    with pytest.raises(CommandError, match="CONSENT_MODE"):
        run("--fail-level", "warning")


def test_fails_for_a_fault_and_names_it_last(doctor: Doctor) -> None:
    WriteProbe.objects.all().delete()

    with pytest.raises(CommandError, match=r"not in order: housekeeping$"):
        run()


def test_prints_each_remedy_below_its_finding(doctor: Doctor) -> None:
    WriteProbe.objects.all().delete()
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("doctor", "--no-color", stdout=out)

    lines = out.getvalue().splitlines()
    at = next(number for number, line in enumerate(lines) if "has never run" in line)
    assert lines[at].split()[:2] == ["fault", "housekeeping"]
    assert lines[at + 1].strip().startswith("→ Start it")
    assert max(len(line) for line in lines if "/" not in line) <= 120  # no path is broken


def test_each_finding_is_one_sentence_without_its_end(doctor: Doctor) -> None:
    doctor()

    assert [each["said"] for each in found() if each["said"].endswith(".")] == []
