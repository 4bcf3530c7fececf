"""Group commit: what is written at once is committed at once, and to each caller its own."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.db import connection

from guestportal.stores.sqlite3.writer import MOST_TOGETHER
from tests.support.service import ROOT

pytestmark = [
    pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's own"),
    pytest.mark.thorough,
]


@pytest.fixture(scope="module")
def scenarios(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of the scenarios of `under_gevent`, in a process of its own."""
    file = tmp_path_factory.mktemp("units") / "units.sqlite3"
    done = subprocess.run(
        [sys.executable, "-m", "tests.guestportal.stores.under_gevent", str(file)],
        cwd=ROOT,
        env=os.environ | {"PYTHONWARNINGS": "error"},
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    return dict(json.loads(done.stdout))


def test_commits_once_and_gives_each_caller_its_own(scenarios: Any) -> None:
    scenario = scenarios["apart"]

    assert scenario["came"] == ["first", "LookupError", "third"]
    assert scenario["kept"] == ["first", "third"]
    assert scenario["begun"].count("COMMIT") == 1


def test_writes_one_that_is_alone_as_ever(scenarios: Any) -> None:
    scenario = scenarios["alone"]

    assert scenario["came"] == [["one"], ["LookupError"]]
    assert scenario["begun"] == ["BEGIN", "INSERT", "COMMIT", "BEGIN", "INSERT", "ROLLBACK"]


def test_lets_nobody_go_on_before_the_commit(scenarios: Any) -> None:
    scenario = scenarios["woken"]

    assert scenario["came"] == [["first", "second", "third"]] * 3


def test_takes_no_more_than_so_many_together(scenarios: Any) -> None:
    scenario = scenarios["many"]

    assert scenario["came"] == [2, MOST_TOGETHER + 6]
    first = scenario["begun"].index("COMMIT")
    assert scenario["begun"][:first].count("INSERT") == MOST_TOGETHER


def test_runs_each_for_its_visitor_on_one_connection(scenarios: Any) -> None:
    scenario = scenarios["whose"]

    assert scenario["came"] == [["first", "second"], 1, [True, True]]


def test_tries_a_transition_again_alone_and_no_opening(scenarios: Any) -> None:
    scenario = scenarios["not_committed"]

    assert scenario["came"] == ["NotCommitted", "NotCommitted", "transition"]
    assert scenario["kept"] == ["transition"]


def test_tries_a_transition_once_more_only(scenarios: Any) -> None:
    scenario = scenarios["not_committed_again"]

    assert scenario["came"] == ["NotCommitted", "IntegrityError"]
    assert scenario["begun"].count("BEGIN") == 2
    assert not scenario["kept"]


def test_keeps_nothing_of_a_transaction_that_sqlite_gave_up(scenarios: Any) -> None:
    scenario = scenarios["rolled_back"]

    assert scenario["came"] == ["NotCommitted", "IntegrityError", "transition"]
    assert scenario["kept"] == ["there", "transition"]


def test_takes_away_what_nobody_waits_for_any_more(scenarios: Any) -> None:
    scenario = scenarios["given_up"]

    assert scenario["came"] == ["first", "OperationalError"]
    assert scenario["kept"] == ["first"]


def test_goes_on_after_a_lock_that_outlasted_everybody(scenarios: Any) -> None:
    scenario = scenarios["locked"]

    assert scenario["came"] == [["OperationalError", "OperationalError"], ["third"]]
    assert scenario["kept"] == ["third"]


def test_goes_on_without_the_greenlet_that_led(scenarios: Any) -> None:
    scenario = scenarios["killed"]

    assert scenario["came"] == "second"
    assert scenario["kept"] == ["second"]


@pytest.mark.django_db(transaction=True)
def test_writes_in_the_plain_way_without_gevent() -> None:
    written = connection.run_unit(lambda: connection.in_atomic_block, retry=False)  # type: ignore[attr-defined]

    assert written
    assert not connection.in_atomic_block
