"""The anchor file, compared with the seals that the database has.

A line of a restore parts the file: lines before it of seals beyond the restored one are of a branch
that the backup did not hold. They are compared with nothing, but must lead to the very seal that
the line names as the last; and the log itself must tell of the restore. So a line is good for one
place in one file, and excuses nothing else.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from uuid import UUID

from audit.models import AuditEvent, AuditLeaf, AuditSeal
from audit.sealing import anchor_lines, signing
from audit.sealing.anchor_lines import MARK, NOTHING_BEFORE, Anchor, Gap, Restored

RESTORED = "audit.restored"
_HINT = " (a backup was restored? see manage.py audit_restored)"
# The sealer writes a line right after its commit, or in its next run.
_GRACE = timedelta(minutes=5)


class Trail:
    """The anchor file, checked against seals that are given in order.

    `problem` names the first line or seal that does not fit, `obstacle` the file that is missing,
    or the key, without which the rest is compared; each may be None. `restored` are the restores
    whose lines are as they should be. `announcing`: a gap to be taken as if the file's last line
    were its restore.
    """

    def __init__(
        self, path: Path, *, log_id: UUID, since: int = 1, announcing: Gap | None = None
    ) -> None:
        self.problem: str | None = None
        self.obstacle: str | None = None
        self.restored: list[Restored] = []
        self._path = path
        self._log_id = str(log_id)
        self._since = since
        self._announcing = announcing
        self._looks_for_events = True
        self._stopped = False
        self._lines = self._read()

    def check(self, seal: AuditSeal) -> None:
        """Compare `seal` with its line."""
        if self.problem or self._stopped:
            return
        anchor = next(self._lines, None)
        if anchor is None:
            self._check_unanchored(seal)
        elif anchor.number != seal.number:
            self.problem = f"seal {seal.number}: {self._path} has seal {anchor.number} in its place"
        elif anchor.hash != seal.hash:
            self.problem = f"seal {seal.number}: is not the one anchored in {self._path}{_HINT}"

    def check_end(self, newest: AuditSeal | None) -> None:
        """Look for an anchored seal beyond `newest` that the database does not have."""
        if self.problem:
            return
        end = newest.number if newest else 0
        for anchor in self._lines:
            if anchor.number > end and not AuditSeal.objects.filter(number=anchor.number).exists():
                self.problem = (
                    f"seal {anchor.number}: was cut off; {self._path} has its line{_HINT}"
                )
                return

    def gap(self) -> Gap | None:
        """Return which anchored seals the database lacks, or has others in their place.

        None where it has them all; `problem` and `obstacle` say whether the file could be read.
        """
        self._looks_for_events = False  # they may be among what is lost
        chain = AuditSeal.objects.order_by("number").values_list("number", "hash").iterator()
        common, last = (0, NOTHING_BEFORE), None
        for anchor in self._lines:
            last = (anchor.number, anchor.hash)
            if common[0] == anchor.number - 1 and next(chain, None) == last:
                common = last
        return Gap(*common, *last) if last and last != common else None

    def _check_unanchored(self, seal: AuditSeal) -> None:
        # Where the reader stopped for a problem, it stands, and a missing line is no news.
        # One dated in the future has had its time as well.
        fresh = timedelta(0) <= datetime.now(UTC) - seal.time <= _GRACE
        # The sealer adds no line until the restore is announced.
        held_back = self._announcing and seal.number > self._announcing.restored_seal
        if not (self.problem or self._stopped or fresh or held_back):
            self.problem = f"seal {seal.number}: has no line in {self._path}"

    def _read(self) -> Iterator[Anchor]:
        """Yield the anchors of the log as it is now, from the seal `since` on."""
        try:
            branches = _Branches(self._restores())
            with self._path.open("rb") as file:
                yield from self._live(branches, file)
        except FileNotFoundError:
            if AuditSeal.objects.exists():
                self._stop(f"the anchor file {self._path} is missing")
        except OSError as exc:
            self._stop(f"the anchor file {self._path} cannot be read: {exc.strerror}")

    def _restores(self) -> list[Gap | Restored]:
        """Return every restore that the file tells of, and the one that is being announced."""
        found: list[Gap | Restored] = []
        with self._path.open("rb") as file:
            for text in file:
                if MARK in text and (line := _parsed(text)) and isinstance(line, Restored):
                    found.append(line)
        return [*found, self._announcing] if self._announcing else found

    def _live(self, branches: "_Branches", file: Iterator[bytes]) -> Iterator[Anchor]:
        for number, text in enumerate(file, 1):
            line = _parsed(text)
            if line is None:
                if text.endswith(b"\n"):
                    self.problem = f"{self._path}, line {number}: is not an anchor"
                return  # a torn last line: the sealer's next run mends it
            if line.log_id != self._log_id:
                self.problem = f"{self._path}, line {number}: is of another log, {line.log_id}"
                return
            if isinstance(line, Restored):
                if not self._accept(branches, line, number):
                    return
            elif branches.abandons(line):
                if not branches.follow(line):
                    self.problem = f"{self._path}, line {number}: does not follow the one before"
                    return
            else:
                branches.follow(line)
                if line.number >= self._since:
                    yield line
        if self._announcing and not branches.close(self._announcing):
            self.problem = f"{self._path} has changed meanwhile"

    def _accept(self, branches: "_Branches", line: Restored, number: int) -> bool:
        """Check one restore's line and go back to the seal it names; False where it is no good."""
        if branches.to_come[:1] != [line]:
            self._stop(f"{self._path} has changed meanwhile: verify again")
            return False
        told = not (self._looks_for_events and branches.keeps(line)) or _told(line)
        problem = self._signed_by_stranger(branches, line)
        if not branches.close(line.gap):
            problem = problem or "does not name the last anchored seal, or one it can go back to"
        if problem := problem or (None if told else f"has no event in the log{_HINT}"):
            self.problem = f"{self._path}, line {number}: the restore {problem}"
            return False
        if line.signature.key_id in signing.public_keys():
            self.restored.append(line)
        return True

    def _signed_by_stranger(self, branches: "_Branches", line: Restored) -> str | None:
        """Return what is wrong with its signature.

        A key that we were not told of is an obstacle, if the seal of its event has the same one.
        """
        signature = line.signature
        if signature.key_id in signing.public_keys():
            ours = signing.verify(message=line.message, purpose="restored", signature=signature)
            return None if ours else "is not signed by us"
        seal = AuditSeal.objects.filter(number=line.event_seal, key_id=signature.key_id)
        if branches.keeps(line) and not seal.exists():
            return "is signed with a key that nobody knows"
        self.obstacle = f"{self._path}: a restore is signed with a key that AUDIT_VERIFY_KEYS lacks"
        return None

    def _stop(self, obstacle: str) -> None:
        """Read no further: the rest of the file cannot be compared."""
        self.obstacle, self._stopped = obstacle, True


class _Branches:
    """Where the reader of the file is, among the branches that its restores part it into."""

    def __init__(self, restores: list[Gap | Restored]) -> None:
        self.to_come = restores
        gaps = [each.gap if isinstance(each, Restored) else each for each in restores]
        # To what each restore, or a later one, goes back.
        self._back_to = list(accumulate((gap.restored_seal for gap in gaps[::-1]), min))[::-1]
        # Of what restores go back to, the hash on the branch that is being read.
        self._hashes = {gap.restored_seal: "" for gap in gaps} | {0: NOTHING_BEFORE}
        self._last = 0, NOTHING_BEFORE

    def abandons(self, line: Anchor) -> bool:
        """Tell whether a later restore went back behind the seal of `line`."""
        return bool(self._back_to) and line.number > self._back_to[0]

    def keeps(self, line: Restored) -> bool:
        """Tell whether no restore after `line`, the next, went back behind its event's seal."""
        return all(line.event_seal <= seal for seal in self._back_to[1:2])

    def follow(self, line: Anchor) -> bool:
        """Go on to `line`; False where it is not of the next seal."""
        follows = line.number == self._last[0] + 1
        self._last = line.number, line.hash
        if line.number in self._hashes:
            self._hashes[line.number] = line.hash
        return follows

    def close(self, gap: Gap) -> bool:
        """Go back as `gap` says; False where it does not begin and end as the lines say."""
        self.to_come, self._back_to = self.to_come[1:], self._back_to[1:]
        fits = (
            0 <= gap.restored_seal < gap.last_seal
            and self._last == (gap.last_seal, gap.last_hash)
            and self._hashes.get(gap.restored_seal) == gap.restored_hash
        )
        self._last = gap.restored_seal, gap.restored_hash
        return fits


def _parsed(text: bytes) -> Anchor | Restored | None:
    try:
        return anchor_lines.parse(text)
    except ValueError:
        return None


def _told(line: Restored) -> bool:
    """Tell whether the log has the event of this restore, under the seal that the line names."""
    leaf = AuditLeaf.objects.filter(event_id=line.event).values_list("seal_id", flat=True).first()
    body = AuditEvent.objects.filter(id=line.event, kind=RESTORED).values_list("body", flat=True)
    found = body.first()
    return leaf == line.event_seal and found is not None and _data(found) == asdict(line.gap)


def _data(body: str) -> object:
    try:
        return json.loads(body)["data"]
    except (ValueError, LookupError, TypeError):
        return None
