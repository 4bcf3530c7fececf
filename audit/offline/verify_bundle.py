#!/usr/bin/env python3
"""Check an exported bundle of the audit log, offline, with Python 3.11+ and nothing else.

    python3 verify_bundle.py [--key PUBLIC_KEY_HEX] [BUNDLE]

BUNDLE is the folder or zip file `export_audit` wrote; without it, the folder of this script. Give
--key with a public key you were told in person or on paper: those in the bundle vouch only for
themselves. Signatures need the package `cryptography`.

Exit status: 0 all verified; 1 something was changed, and the first such thing is named; 2 the
bundle cannot be read; 3 verified but for signatures, which could not be checked: the package or a
key is missing; 4 incomplete: a file is missing or ends early, and the rest is as it was made.
"""

import argparse
import io
import json
import sys
import zipfile
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    Ed25519PublicKey = None  # type: ignore[assignment,misc]

VERIFIED, CHANGED, UNREADABLE, NOT_CHECKED, INCOMPLETE = 0, 1, 2, 3, 4
_NOTHING = sha256().hexdigest()
GAP_FIELDS = (
    "log", "restored_seal", "restored_hash", "last_seal", "last_hash",
    "event", "event_seal", "time",
)  # fmt: skip
SEAL_FIELDS = (
    "log", "number", "first_position", "count", "root", "previous_hash", "time", "key_id",
)  # fmt: skip


class Changed(Exception):
    """Something in the bundle is not as it was made; the message names it."""


class Incomplete(Exception):
    """Part of the bundle is missing, and what is there is as it was made; the message names it."""


def main() -> int:
    """Check the bundle named on the command line; return the exit status."""
    parser = argparse.ArgumentParser(description="Check an exported bundle of the audit log.")
    parser.add_argument("bundle", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument("--key", action="append", default=[], help="public key to believe, hex")
    options = parser.parse_args()
    try:
        checker = Checker(options.bundle, options.key)
        records, seals = checker.check()
    except Changed as exc:
        return say(f"CHANGED: {exc}", CHANGED)
    except Incomplete as exc:
        return say(f"INCOMPLETE: {exc}", INCOMPLETE)
    except (OSError, ValueError, zipfile.BadZipFile) as exc:
        return say(f"the bundle cannot be read: {exc}", UNREADABLE)
    say(f"{records} records, {seals} seals: hashes, proofs, roots and chain verified", VERIFIED)
    for gap in checker.restored:
        say(gap, VERIFIED)
    if checker.unknown_keys:
        names = ", ".join(checker.unknown_keys)
        return say(f"signatures NOT CHECKED: signed with an unknown key, {names}", NOT_CHECKED)
    if Ed25519PublicKey is None:
        return say("signatures NOT CHECKED: install the package `cryptography`", NOT_CHECKED)
    for thumbprint in checker.receipt_keys:
        say(f"receipts are signed with the key of thumbprint {thumbprint}", VERIFIED)
    whose = "the keys given" if options.key else "the keys in the bundle: compare them"
    return say(f"signatures verified by {whose}", VERIFIED)


def say(sentence: str, status: int) -> int:
    """Print `sentence`; return `status`."""
    sys.stdout.write(sentence + "\n")
    return status


class Checker:
    """One bundle, read as a stream: only the seals stay in memory."""

    def __init__(self, bundle: Path, believed: list[str]) -> None:
        self._bundle = bundle
        self._zip = None if bundle.is_dir() else _opened(bundle)
        self._believed = {_key_id(key): key for key in believed}
        self._keys: dict[str, str] = {}
        self._place = ""
        self._missing: list[str] = []
        self._newest_key = ""  # that of the manifest: the log's own when it was exported
        self._newest_has_signed = False
        self.unknown_keys: list[str] = []
        self.restored: list[str] = []  # gaps, in words
        self.receipt_keys: list[str] = []  # thumbprints of RFC 7638, the newest first

    def check(self) -> tuple[int, int]:
        """Return how many records and seals were checked.

        Raises Changed, naming the first thing that is not as it was made, or Incomplete.
        """
        try:
            counts = self._check()
        except (zipfile.BadZipFile, zlib.error, EOFError) as exc:
            raise Changed(f"{self._place}: is damaged") from exc
        except (
            LookupError,
            TypeError,
            AttributeError,
            ArithmeticError,
            ValueError,
            RecursionError,
        ) as exc:
            raise Changed(f"{self._place}: is malformed ({type(exc).__name__})") from exc
        if self._missing:
            raise Incomplete("; ".join(self._missing))
        return counts

    def _check(self) -> tuple[int, int]:
        manifest = self._check_manifest()
        seals = self._check_seals(manifest)
        self._check_anchors(seals)
        records, last = self._check_records(seals)
        # Last, since above a single record or seal can be named.
        if records < manifest["records"] and last < manifest.get("last_position", -1):
            self._missing.append(f"records.jsonl: ends after {records} of its records")
        elif records != manifest["records"] and not self._missing:
            raise Changed(f"records.jsonl: has {records} of {manifest['records']} records")
        for name, digest in manifest["sha256"].items():
            self._check_digest(name, digest)
        return records, len(seals)

    def _check_digest(self, name: str, digest: str) -> None:
        with self._open(name) as file:
            found = _digest(file)
        if found == digest or any(line.startswith(name) for line in self._missing):
            return
        said = f"{name}: is not the file that was exported"
        if found != _NOTHING:
            raise Changed(said)
        self._missing.append(f"{said}: it is empty")

    def _check_manifest(self) -> dict[str, Any]:
        raw = self._document("manifest.json")
        signed = self._document("manifest.sig.json")
        if not raw:  # nothing says what else there should be
            raise Incomplete("; ".join(self._missing))
        manifest: dict[str, Any] = json.loads(raw)
        self._keys = self._believed or manifest["public_keys"]
        if signed:
            signature = json.loads(signed)
            self._newest_key = signature["key_id"]
            self._check_signature("manifest.json", "bundle", raw, signature)
        # Bundles of earlier releases name none.
        keys = manifest.get("receipt_keys", {"keys": []})["keys"]
        self.receipt_keys = [_thumbprint(key) for key in keys]
        return manifest

    def _check_records(self, seals: dict[int, dict[str, Any]]) -> tuple[int, int]:
        count, last, newest = 0, -1, max(seals, default=0)
        for record in self._lines("records.jsonl"):
            if record["seal"] > newest:
                self._missing.append(f"seals.jsonl: ends before seal {record['seal']}")
                break
            last = _check_record(record, seals, last)
            count += 1
        return count, last

    def _check_seals(self, manifest: dict[str, Any]) -> dict[int, dict[str, Any]]:
        seals: dict[int, dict[str, Any]] = {}
        previous: dict[str, Any] | None = None
        for seal in self._lines("seals.jsonl"):
            name = f"seal {seal['number']}"
            header = _canonical({field: seal[field] for field in SEAL_FIELDS})
            if sha256(header).hexdigest() != seal["hash"]:
                raise Changed(f"{name}: its hash is not that of its contents")
            if seal["log"] != manifest["log"]:
                raise Changed(f"{name}: is of another log")
            if previous and not _follows(seal, previous):
                raise Changed(f"{name}: does not follow seal {previous['number']}")
            self._check_signature(name, "seal", header, seal)
            seals[seal["number"]] = previous = seal
        return seals

    def _check_anchors(self, seals: dict[int, dict[str, Any]]) -> None:
        anchors: dict[int, dict[str, Any]] = {}
        for line in self._lines("anchors.jsonl"):
            if "restored_seal" in line:
                self._go_back(line, anchors)
            elif anchors.setdefault(line["seal"], line)["hash"] != line["hash"]:
                raise Changed(f"seal {line['seal']}: is anchored twice")
        for number, anchor in anchors.items():
            seal = seals.get(number)
            if seal and (anchor["log"], anchor["hash"]) != (seal["log"], seal["hash"]):
                raise Changed(f"seal {number}: is not the one anchored")

    def _go_back(self, line: dict[str, Any], anchors: dict[int, dict[str, Any]]) -> None:
        """Let go of the anchors of seals that a restore from a backup lost, as its line says."""
        first, last = line["restored_seal"] + 1, line["last_seal"]
        name = f"the restore that lost seals {first} to {last}"
        self._check_signature(name, "restored", _canonical({f: line[f] for f in GAP_FIELDS}), line)
        for end in ("restored", "last"):
            anchor = anchors.get(line[f"{end}_seal"])
            if anchor and (anchor["log"], anchor["hash"]) != (line["log"], line[f"{end}_hash"]):
                raise Changed(f"{name}: is of other seals than those anchored")
        for number in [number for number in anchors if number >= first]:
            if number > last:
                raise Changed(f"{name}: does not name the last anchored seal")
            del anchors[number]
        self.restored.append(
            f"restored from a backup, announced {line['time']}: seals {first} to {last} are lost"
        )

    def _check_signature(
        self, name: str, purpose: str, message: bytes, signed: dict[str, Any]
    ) -> None:
        key = self._keys.get(signed["key_id"])
        if key is None:
            # An earlier key that we were not told. After the newest one nobody else's may follow.
            if purpose == "seal" and self._newest_has_signed:
                raise Changed(f"{name}: signed with an unknown key, {signed['key_id']}")
            if signed["key_id"] not in self.unknown_keys:
                self.unknown_keys.append(signed["key_id"])
            return
        if _key_id(key) != signed["key_id"]:
            raise Changed(f"{name}: signed with an unknown key, {signed['key_id']}")
        self._newest_has_signed |= purpose == "seal" and signed["key_id"] == self._newest_key
        if Ed25519PublicKey is None:
            return
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
                bytes.fromhex(signed["signature"]), f"guestportal {purpose}\n".encode() + message
            )
        except InvalidSignature:
            raise Changed(f"{name}: its signature does not verify") from None

    def _open(self, name: str) -> Any:
        """Open a file of the bundle; a missing one reads as empty, and is noted."""
        self._place = name
        try:
            return self._zip.open(name) if self._zip else (self._bundle / name).open("rb")
        except (FileNotFoundError, KeyError):
            if f"{name}: is missing" not in self._missing:
                self._missing.append(f"{name}: is missing")
            return io.BytesIO()

    def _document(self, name: str) -> bytes:
        """Return a JSON object's bytes; none where the file is missing or ends early."""
        with self._open(name) as file:
            content = bytes(file.read())
        if content.endswith(b"}"):
            return content
        if not any(line.startswith(name) for line in self._missing):
            self._missing.append(f"{name}: ends early")
        return b""

    def _lines(self, name: str) -> Iterator[dict[str, Any]]:
        with self._open(name) as file:
            for number, line in enumerate(file, 1):
                self._place = f"{name}, line {number}"
                if not line.endswith(b"\n"):
                    self._missing.append(f"{self._place}: ends early")
                    return
                yield json.loads(line)


def _opened(bundle: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(bundle)
    except zipfile.BadZipFile:
        # Its list of files stands at its end, its first file at its beginning.
        with bundle.open("rb") as file:
            if file.read(4) == b"PK\x03\x04":
                raise Incomplete(f"{bundle.name}: the zip file ends early") from None
        raise


def _check_record(record: dict[str, Any], seals: dict[int, dict[str, Any]], last: int) -> int:
    """Prove that `record` is under its seal's root; return its position."""
    event = json.loads(record["body"])["id"]
    seal = seals.get(record["seal"])
    if seal is None:
        raise Changed(f"event {event}: its seal {record['seal']} is not in the bundle")
    if record["position"] <= last:
        raise Changed(f"event {event}: stands twice or out of order")
    index = record["position"] - seal["first_position"]
    leaf = sha256(b"\x00" + record["body"].encode()).digest()
    path = [bytes.fromhex(node) for node in record["path"]]
    if root_from_path(leaf=leaf, index=index, size=seal["count"], path=path) != seal["root"]:
        raise Changed(f"event {event}: is not what seal {record['seal']} was made of")
    return int(record["position"])


def root_from_path(*, leaf: bytes, index: int, size: int, path: list[bytes]) -> str | None:
    """Return the root (hex) that `path` leads to; None where it has the wrong length.

    RFC 9162, section 2.1.3.2; `index` from 0 in a tree of `size` leaves.
    """
    if not 0 <= index < size:
        return None
    last, node = size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if index % 2 or index == last:
            node = sha256(b"\x01" + sibling + node).digest()
            while index % 2 == 0 and index:
                index, last = index >> 1, last >> 1
        else:
            node = sha256(b"\x01" + node + sibling).digest()
        index, last = index >> 1, last >> 1
    return node.hex() if last == 0 else None


def _follows(seal: dict[str, Any], previous: dict[str, Any]) -> bool:
    return (seal["number"], seal["first_position"], seal["previous_hash"]) == (
        previous["number"] + 1,
        previous["first_position"] + previous["count"],
        previous["hash"],
    )


def _canonical(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _digest(file: BinaryIO) -> str:
    digest = sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _thumbprint(key: dict[str, Any]) -> str:
    """Return the RFC 7638 thumbprint of an Ed25519 key (RFC 8037), whatever `kid` says."""
    digest = sha256(_canonical({name: key[name] for name in ("crv", "kty", "x")})).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _key_id(public_key: str) -> str:
    return sha256(bytes.fromhex(public_key)).hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(main())
