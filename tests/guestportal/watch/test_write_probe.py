"""``/readyz`` tries what an init does: a write, once in five seconds for all who ask."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from guestportal.stores.machine import TakenInTurns, Tried
from guestportal.watch import write_probe
from provisioning.models import WriteProbe


@pytest.fixture(autouse=True)
def _nobody_has_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    write_probe._turns.cache_clear()
    yield
    write_probe._turns.cache_clear()


@pytest.fixture
def read_only(db: None) -> Iterator[None]:
    """A database that answers reads and refuses writes."""
    on, off = ("SET TRANSACTION READ ONLY", "") if is_postgresql() else QUERY_ONLY
    with connection.cursor() as cursor:
        cursor.execute(on)
        yield
        cursor.execute(off) if off else None


QUERY_ONLY = ("PRAGMA query_only = ON", "PRAGMA query_only = OFF")


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"


@pytest.mark.django_db
def test_readyz_writes_a_row() -> None:
    answer = Client().get("/readyz")

    assert answer.status_code == 200
    assert WriteProbe.objects.count() == 1


@pytest.mark.django_db
def test_writes_once_in_five_seconds_whoever_asks() -> None:
    Client().get("/readyz")
    WriteProbe.objects.all().delete()

    answers = [Client().get("/readyz").status_code for _ in range(5)]

    assert answers == [200] * 5
    assert not WriteProbe.objects.exists()


def test_readyz_fails_where_the_database_only_reads(read_only: None) -> None:
    answer = Client().get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["trouble"][0].startswith("the database takes no write")


@pytest.fixture(params=["file", "memory", "no folder", "somebody else's folder"])
def turns(request: Any, tmp_path: Path) -> TakenInTurns:
    paths = {"file": tmp_path / "turns.json", "memory": None, "no folder": tmp_path / "no" / "t"}
    (tmp_path / "link").symlink_to(tmp_path / "turns.json")
    return TakenInTurns(path=paths.get(request.param, tmp_path / "link"))


def test_one_of_many_gets_the_turn(turns: TakenInTurns) -> None:
    got = [turns.claim(every=60)[1] for _ in range(3)]

    assert got == [True, False, False]


def test_all_are_told_what_came_of_it(turns: TakenInTurns) -> None:
    mine, _ = turns.claim(every=60)
    turns.keep(Tried(mine.began, mine.began, "the database takes no write (DiskFull)"))

    told, again = turns.claim(every=60)

    assert (told.trouble, again) == ("the database takes no write (DiskFull)", False)


def test_two_processes_share_one_file_that_others_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "turns.json"

    got = [TakenInTurns(path=path).claim(every=60)[1] for _ in range(2)]

    assert got == [True, False]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("left", ["", "{", "[]", '{"began": "x"}', '{"began": 9e15}', "null"])
def test_what_cannot_be_read_or_is_of_another_start_counts_for_nothing(
    tmp_path: Path, left: str
) -> None:
    path = tmp_path / "turns.json"
    path.write_text(left)

    assert TakenInTurns(path=path).claim(every=60)[1]
