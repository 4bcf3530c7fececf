"""Hand the log to somebody who trusts neither us nor our database: records, each with its proof.

A bundle is a zip file or a folder of records, seals, anchors, a stand-alone verifier, and a signed
manifest with the hash of each of these files.
"""

import json
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from audit import log
from audit.models import AuditLeaf, AuditLog, AuditSeal
from audit.offline import verify_bundle
from audit.sealing import anchors, merkle, receipt_keys, seals, signing
from backoffice.files import FOLDER_OWNER_ONLY, private

EXPORTED = "audit.exported"


@dataclass(frozen=True)
class Filter:
    """Which events; what is None or empty does not narrow. `until` itself is left out."""

    since: datetime | None = None
    until: datetime | None = None
    kind: str = ""
    subject: str = ""

    def leaves(self) -> QuerySet[AuditLeaf]:
        """Return the leaves of the sealed events that match, in the log's order."""
        wanted = {
            "event__time__gte": self.since,
            "event__time__lt": self.until,
            "event__kind": self.kind,
            "event__subject": self.subject,
        }
        narrowed = {name: value for name, value in wanted.items() if value}
        return AuditLeaf.objects.filter(**narrowed).order_by("position")

    def described(self) -> dict[str, str]:
        """Return what narrows, as JSON."""
        return {
            name: log.timestamp(value) if isinstance(value, datetime) else value
            for name, value in vars(self).items()
            if value
        }


class _Bundle:
    """Files being written into a folder or a zip file; `sign` writes the manifest that ends it."""

    def __init__(self, folder: Path, archive: zipfile.ZipFile | None) -> None:
        self._folder = folder
        self._archive = archive
        self._digests: dict[str, str] = {}

    def write(self, name: str, lines: Iterable[bytes]) -> None:
        """Stream `lines` into the file `name`."""
        digest = sha256()
        with self._open(name) as file:
            for line in lines:
                digest.update(line)
                file.write(line)
        self._digests[name] = digest.hexdigest()

    def sign(self, manifest: Mapping[str, Any]) -> None:
        """Write `manifest` with the hashes of all files before it, and its signature."""
        text = json.dumps({**manifest, "sha256": dict(self._digests)}, indent=2).encode()
        signature = signing.sign(message=text, purpose="bundle")
        self.write("manifest.json", [text])
        self.write(
            "manifest.sig.json",
            [json.dumps({"key_id": signature.key_id, "signature": signature.signature}).encode()],
        )

    def _open(self, name: str) -> IO[bytes]:
        if self._archive:
            return self._archive.open(name, "w", force_zip64=True)
        return open(self._folder / name, "xb", opener=private)


def export(
    *,
    output: Path,
    actor: str,
    only: Filter | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> int:
    """Write a bundle that proves itself; return the number of records.

    `output` is a zip file to make, or a folder where the name does not end in ``.zip``. Without
    `only` every event is exported. `progress` is called with the number of records written since
    the last call.

    Seals what waits, so that every event so far has a proof, and records the export by `actor`,
    before the first byte is written: the log only grows, so that the events counted are those
    exported. Raises SigningKeyMissing, or OSError where `output` exists or cannot be written, or
    the anchor file cannot.
    """
    only = only or Filter()
    seals.seal()
    newest = seals.latest()
    end = newest.first_position + newest.count if newest else 0
    leaves = only.leaves().filter(position__lt=end)
    count = leaves.count()
    with _new_bundle(output=output) as made:
        with transaction.atomic():
            described = {"filter": only.described(), "rows": count}
            log.record(kind=EXPORTED, actor=actor, subject=only.subject, data=described)
        _write(made, leaves, progress)
        made.sign(
            {
                "format": 1,
                "log": str(AuditLog.objects.get().log_id),
                "exported_at": log.timestamp(datetime.now(UTC)),
                "actor": actor,
                "filter": only.described(),
                "records": count,
                # Tells an end that is missing from a record taken out.
                "last_position": leaves.values_list("position", flat=True).last() or 0,
                "public_keys": signing.public_keys(),
                "receipt_keys": receipt_keys.key_set(),
            }
        )
    return count


def _write(made: _Bundle, leaves: QuerySet[AuditLeaf], progress: Callable[[int], object]) -> None:
    numbers = leaves.values_list("seal_id", flat=True)
    first, last = numbers.first() or 0, numbers.last() or 0
    made.write("records.jsonl", _records(leaves, progress))
    made.write("seals.jsonl", _seals(first, last))
    made.write("anchors.jsonl", _anchors(first, last))
    made.write("verify_bundle.py", [Path(verify_bundle.__file__).read_bytes()])


def _records(leaves: QuerySet[AuditLeaf], progress: Callable[[int], object]) -> Iterator[bytes]:
    rows = leaves.values_list("seal_id", "position", "event__body").iterator()
    for number, batch in groupby(rows, key=lambda row: row[0]):
        seal = AuditSeal.objects.get(number=number)
        tree = _tree(seal)
        for _, position, body in batch:
            path = merkle.audit_path(tree=tree, index=position - seal.first_position)
            proof = [node.hex() for node in path]
            yield _line({"seal": number, "position": position, "body": body, "path": proof})
            progress(1)


def _tree(seal: AuditSeal) -> list[list[bytes]]:
    positions = range(seal.first_position, seal.first_position + seal.count)
    hashes = AuditLeaf.objects.filter(
        position__gte=positions.start, position__lt=positions.stop
    ).order_by("position")
    return merkle.levels(
        leaves=[bytes.fromhex(leaf) for leaf in hashes.values_list("hash", flat=True)]
    )


def _seals(first: int, last: int) -> Iterator[bytes]:
    log_id = AuditLog.objects.get().log_id
    chain = AuditSeal.objects.filter(number__range=(first, last)).order_by("number")
    for seal in chain.iterator():
        signed = json.loads(seals.header(seal=seal, log_id=log_id))
        yield _line({**signed, "hash": seal.hash, "signature": seal.signature})


def _anchors(first: int, last: int) -> Iterator[bytes]:
    log_id = str(AuditLog.objects.get().log_id)
    with Path(settings.AUDIT_ANCHORS).open("rb") as file:
        for number, text in enumerate(file, 1):
            try:
                anchor = anchors.parse(text)
            except ValueError as exc:
                raise OSError(f"{file.name}, line {number} is not an anchor") from exc
            if first <= anchor.number <= last and anchor.log_id == log_id:
                yield text


def _line(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, ensure_ascii=False) + "\n").encode()


@contextmanager
def _new_bundle(*, output: Path) -> Iterator[_Bundle]:
    """Make a bundle at `output`, which appears only when it is complete: a zip file or a folder."""
    if output.exists():
        raise FileExistsError(f"{output} exists")
    partial = output.with_name(output.name + ".partial")
    try:
        if output.suffix == ".zip":
            with (
                open(partial, "xb", opener=private) as file,
                zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
            ):
                yield _Bundle(partial, archive)
        else:
            partial.mkdir(mode=FOLDER_OWNER_ONLY)
            yield _Bundle(partial, None)
        partial.rename(output)
    except BaseException:
        _remove(partial)
        raise


def _remove(partial: Path) -> None:
    if partial.is_dir():
        shutil.rmtree(partial)
    else:
        partial.unlink(missing_ok=True)
