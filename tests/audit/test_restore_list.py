"""The list from which a restore does things again: whole lines, kept as long as any backup."""

import json
import stat
import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from audit import log, restore_list
from audit.restore_list import Entry, Unreadable, What

ONE = UUID(int=1)


@pytest.fixture
def listed(tmp_path, settings):
    """The file that RESTORE_LIST names; not there yet."""
    settings.RESTORE_LIST = tmp_path / "restore-list.jsonl"
    return settings.RESTORE_LIST


def _old(days, **values):
    moment = log.timestamp(datetime.now(UTC) - timedelta(days=days))
    return json.dumps({"time": moment, "what": "erased", "creations": [str(ONE)], **values}) + "\n"


def test_gives_back_what_was_listed(listed):
    restore_list.append(what=What.ERASED, creations=[ONE], record=UUID(int=2))
    restore_list.append(what=What.HELD, creations=[ONE])

    first, second = restore_list.read()

    assert (first.what, first.creations, first.record) == (What.ERASED, [ONE], UUID(int=2))
    assert (second.what, second.creations, second.record) == (What.HELD, [ONE], None)
    assert first.time <= second.time


def test_writes_for_its_owner_alone(listed):
    restore_list.append(what=What.ERASED, creations=[ONE])

    assert stat.S_IMODE(listed.stat().st_mode) == 0o600


def test_lists_nothing_without_an_id(listed):
    restore_list.append(what=What.WITHDRAWN)

    assert not listed.exists()


def test_lists_nothing_while_what_is_listed_is_done_again(listed):
    with restore_list.replaying():
        restore_list.append(what=What.ERASED, creations=[ONE])

    assert not listed.exists()


def test_drops_what_is_older_than_any_backup(listed, settings):
    settings.BACKUP_KEEP_DAYS = 35
    young = _old(34)
    listed.write_text(_old(36) + young)

    assert restore_list.prune() == 1
    assert listed.read_text() == young


def test_keeps_a_line_that_it_cannot_read(listed):
    listed.write_text("what?\n" + _old(99))

    restore_list.prune()

    assert listed.read_text() == "what?\n"


def test_keeps_who_may_read_the_file(listed):
    listed.write_text(_old(99))
    listed.chmod(0o640)

    restore_list.prune()

    assert stat.S_IMODE(listed.stat().st_mode) == 0o640


def test_makes_the_file_so_that_a_missing_one_is_a_lost_one(listed):
    restore_list.prune()

    assert restore_list.read() == []


def test_names_a_file_that_is_missing(listed):
    with pytest.raises(Unreadable, match="No such file"):
        restore_list.read()


def test_begins_a_line_of_its_own_after_one_that_was_cut_short(listed):
    listed.write_text('{"time": "2026-')
    restore_list.append(what=What.ERASED, creations=[ONE])

    broken, entry = restore_list.read()

    assert "line 1: is not an entry" in str(broken)
    assert entry.creations == [ONE]


@pytest.mark.parametrize(
    "line",
    [
        '{"time": "0001-01-01T00:00:00+14:00", "what": "erased"}',
        "[]",
        "[" * 100_000,
        '{"time": "2026-01-01T00:00:00Z", "what": "sold", "creations": []}',
        '{"time": "yesterday", "what": "erased", "creations": []}',
        '{"time": "2026-01-01T00:00:00Z", "what": "erased", "creations": ["x"]}',
        '{"time": "2026-01-01T00:00:00Z", "what": "erased", "creations": 7}',
        '{"time": 7, "what": "erased"}',
    ],
    ids=range(8),
)
def test_names_a_line_that_is_no_entry(listed, line):
    listed.write_text(f"{line}\n")

    (found,) = restore_list.read()

    assert "line 1: is not an entry" in str(found)


def test_takes_the_joined_lists_of_several_machines_in_the_order_of_time(listed):
    listed.write_text(_old(3) + _old(1) + _old(2))

    found = restore_list.read()

    assert all(isinstance(each, Entry) for each in found)
    assert [each.time for each in found] == sorted(each.time for each in found)


def test_says_of_a_file_that_cannot_be_written_what_to_do(listed, caplog, monkeypatch):
    monkeypatch.setattr(restore_list, "_lost", 0)
    listed.mkdir()  # root may write everything, but not this

    restore_list.append(what=What.ERASED, creations=[ONE])

    assert "cannot be written" in restore_list.trouble()
    assert "make a backup" in caplog.text
    listed.rmdir()
    assert restore_list.trouble() == "RESTORE_LIST: 1 entries were not written: make a backup"


def test_has_no_trouble_with_a_file_that_can_be_written(listed, monkeypatch):
    monkeypatch.setattr(restore_list, "_lost", 0)

    assert restore_list.trouble() == ""


def test_loses_no_line_while_old_ones_are_dropped(listed):
    def append() -> None:
        for _ in range(40):
            restore_list.append(what=What.HELD, creations=[ONE])

    listed.write_text(_old(99) * 20)
    writers = [threading.Thread(target=append) for _ in range(4)]
    for each in writers:
        each.start()
    while any(each.is_alive() for each in writers):
        _add_old_line(listed)
        restore_list.prune()

    assert [each.what for each in restore_list.read()] == [What.HELD] * 160


def _add_old_line(listed):
    """Give `prune` something to drop, so that it puts another file in the place of this one."""
    with restore_list._locked(listed) as file:
        file.write(_old(99).encode())
