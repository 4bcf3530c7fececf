"""Walk the anchor file beside the chain of seals, line by line."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from audit.anchors import Anchor, parse
from audit.models import AuditSeal

# The sealer writes a line right after its commit, or in its next run.
GRACE = timedelta(minutes=5)


class Trail:
    """The anchor file, checked against seals that are given in order.

    `problem` names the first line or seal that does not fit, or is None.
    """

    def __init__(self, path: Path, *, log_id: UUID, since: int) -> None:
        self.problem: str | None = None
        self._path = path
        self._log_id = str(log_id)
        self._since = since
        self._lines = self._read()

    def check(self, seal: AuditSeal) -> None:
        """Compare `seal` with its line."""
        if self.problem:
            return
        anchor = next(self._lines, None)
        if anchor is None:
            # Where the reader stopped for a problem, it stands, and a missing line is no news.
            if not self.problem and datetime.now(UTC) - seal.time > GRACE:
                self.problem = f"seal {seal.number}: has no line in {self._path}"
        elif anchor.number != seal.number:
            self.problem = f"seal {seal.number}: {self._path} has seal {anchor.number} in its place"
        elif anchor.hash != seal.hash:
            self.problem = f"seal {seal.number}: is not the one anchored in {self._path}"

    def check_end(self, newest: AuditSeal | None) -> None:
        """Look for an anchored seal beyond `newest` that the database does not have."""
        end = newest.number if newest else 0
        for anchor in self._lines:
            if anchor.number > end and not AuditSeal.objects.filter(number=anchor.number).exists():
                self.problem = f"seal {anchor.number}: was cut off; {self._path} has its line"
                return

    def _read(self) -> Iterator[Anchor]:
        if not self._path.exists():
            if AuditSeal.objects.exists():
                self.problem = f"the anchor file {self._path} is missing"
            return
        with self._path.open("rb") as file:
            for number, text in enumerate(file, 1):
                try:
                    anchor = parse(text)
                except ValueError:
                    if text.endswith(b"\n"):
                        self.problem = f"{self._path}, line {number}: is not an anchor"
                    return  # a torn last line: the sealer's next run mends it
                if anchor.log_id != self._log_id:
                    self.problem = (
                        f"{self._path}, line {number}: is of another log, {anchor.log_id}"
                    )
                    return
                if anchor.number >= self._since:
                    yield anchor
