"""What a scrape says of the last backup."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.guestportal.watch.test_probes import scrape

pytestmark = pytest.mark.django_db
AGE, LONGEST = "guestportal_backup_seconds", "guestportal_backup_max_seconds"


@pytest.fixture
def marker(settings: Any, tmp_path: Path) -> Path:
    settings.BACKUP_MARKER, settings.BACKUP_MAX_HOURS = tmp_path / "done", 26
    return tmp_path / "done"


def touched(marker: Path, *, seconds_ago: float) -> None:
    marker.touch()
    os.utime(marker, (time.time() - seconds_ago,) * 2)


def test_says_how_old_it_is_and_may_be(marker: Path) -> None:
    touched(marker, seconds_ago=7200)

    samples = scrape()

    assert 7200 <= float(samples[AGE]) < 7800
    assert float(samples[LONGEST]) == 26 * 3600


def test_one_that_is_not_there_is_infinitely_old(marker: Path) -> None:
    assert scrape()[AGE] == "+Inf"


def test_one_of_the_future_is_no_backup(marker: Path) -> None:
    touched(marker, seconds_ago=-86_400)

    assert scrape()[AGE] == "+Inf"


def test_says_nothing_where_nobody_said_which_file_it_is(settings: Any) -> None:
    settings.BACKUP_MARKER = None

    assert AGE not in scrape()
