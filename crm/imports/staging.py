"""Checked rows, out of memory and out of the database until all of a file is known to be good."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from crm.upsert import PreparedRow

_CACHE_KIB = 4096


@dataclass(frozen=True)
class Staged:
    """A row that waits to be written."""

    key: str
    values: dict[str, Any]


class Staging:
    """A private SQLite file without a name, which the system removes when it is closed.

    It finds sessions named twice, lets standard input be read only once, and hands the rows back
    in the order of the key that the real table is indexed by.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("")
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        # Nothing here is worth a rollback: a failed import throws the whole file away.
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.executescript(
            "CREATE TABLE staged (key TEXT PRIMARY KEY, number INTEGER, data TEXT) WITHOUT ROWID;"
            "CREATE TABLE prepared"
            " (key TEXT, email TEXT, first_name TEXT, tier TEXT, previous_tickets INTEGER,"
            " attributes TEXT, version INTEGER)"
        )
        self.count = 0

    def __enter__(self) -> "Staging":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._database.close()

    def add(self, *, key: str, number: int, values: dict[str, Any]) -> int | None:
        """Keep row `number`; return the number of an earlier row with this key, if any."""
        insert = "INSERT OR IGNORE INTO staged VALUES (?, ?, ?)"
        if self._database.execute(insert, (key, number, json.dumps(values))).rowcount:
            self.count += 1
            return None
        found = self._database.execute("SELECT number FROM staged WHERE key = ?", (key,))
        return int(found.fetchone()[0])

    def rows(self) -> Iterator[Staged]:
        """Yield the rows in the order of their keys."""
        for key, data in self._database.execute("SELECT key, data FROM staged ORDER BY key"):
            yield Staged(key, json.loads(data))

    def prepare(self, *, rows: Iterable[PreparedRow]) -> None:
        """Keep what `crm.upsert` shall write, in this order."""
        self._database.executemany("INSERT INTO prepared VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def prepared(self) -> Iterator[PreparedRow]:
        """Yield what was prepared."""
        yield from self._database.execute("SELECT * FROM prepared ORDER BY rowid")

    def discard_prepared(self) -> None:
        """Forget what was prepared."""
        self._database.execute("DELETE FROM prepared")
