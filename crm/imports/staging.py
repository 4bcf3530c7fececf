"""Checked rows outside of memory, until all of their file is known to be good."""

import json
import sqlite3
from collections.abc import Iterable, Iterator

from crm.imports.cells import Row
from crm.imports.faults import RowFault
from crm.upsert import Change, PlannedRow

_CACHE_KIB = 4096
_PLANNED = "key, email, first_name, tier, previous_tickets, attributes, version, address_key"


class Staging:
    """Checked rows in a private SQLite file without a name, which the system removes at its end.

    It finds sessions named twice, lets standard input be read only once, and hands the rows back
    in the order of the key that the real table is indexed by.
    """

    def __init__(self) -> None:
        self.count = 0
        self._database = sqlite3.connect("")
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        # Nothing here is worth a rollback: a failed import throws the whole file away.
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.executescript(
            "CREATE TABLE staged (key TEXT PRIMARY KEY, number INTEGER, data TEXT) WITHOUT ROWID;"
            "CREATE TABLE planned"
            " (number INTEGER, key TEXT, email TEXT, first_name TEXT, tier TEXT,"
            " previous_tickets INTEGER, attributes TEXT, version INTEGER, address_key TEXT)"
        )

    def close(self) -> None:
        self._database.close()

    def add(self, row: Row) -> list[RowFault]:
        """Keep `row`, if it has a key; return a fault where an earlier row has the same."""
        if not row.key:
            return []
        values = (row.key, row.number, json.dumps(row.values))
        if self._database.execute("INSERT OR IGNORE INTO staged VALUES (?, ?, ?)", values).rowcount:
            self.count += 1
            return []
        found = self._database.execute("SELECT number FROM staged WHERE key = ?", (row.key,))
        return [RowFault(row.number, "", f"The same session is in row {found.fetchone()[0]}.")]

    def changes(self) -> Iterator[Change]:
        for key, data in self._database.execute("SELECT key, data FROM staged ORDER BY key"):
            yield Change(key, json.loads(data), as_text=True)

    def numbers(self) -> Iterator[int]:
        """Yield the number of the row that each of `changes` is of."""
        for (number,) in self._database.execute("SELECT number FROM staged ORDER BY key"):
            yield number

    def forget_plans(self) -> None:
        self._database.execute("DELETE FROM planned")

    def keep_plans(self, rows: Iterable[tuple[int, PlannedRow]]) -> None:
        """Keep what is to be written, each with the number of its row in the file."""
        cells = ((number, *row) for number, row in rows)
        self._database.executemany("INSERT INTO planned VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", cells)

    def plans(self) -> Iterator[PlannedRow]:
        yield from self._database.execute(f"SELECT {_PLANNED} FROM planned ORDER BY key")  # noqa: S608

    def first_plans(self, *, most: int) -> list[tuple[int, PlannedRow]]:
        """Return the first of the plans in the order of the file, each with its row's number."""
        found = self._database.execute("SELECT * FROM planned ORDER BY number LIMIT ?", (most,))
        return [(number, tuple(row)) for number, *row in found]
