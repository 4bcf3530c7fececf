"""Where an export is written: a folder, a zip file, or a zip file on its way to a browser."""

import json
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from audit.sealing import signing
from backoffice.private import FOLDER_OWNER_ONLY, private


class Bundle:
    """Files being written into a folder or a zip file; `sign` writes the manifest that ends it."""

    def __init__(self, *, archive: zipfile.ZipFile | None = None, folder: Path = Path()) -> None:
        """Write into `archive`, or into `folder` where there is none."""
        self._archive = archive
        self._folder = folder
        self._digests: dict[str, str] = {}

    def write(self, name: str, lines: Iterable[bytes]) -> Iterator[None]:
        """Stream `lines` into the file `name`, a step each."""
        digest = sha256()
        with self._open(name) as file:
            for line in lines:
                digest.update(line)
                file.write(line)
                yield
        self._digests[name] = digest.hexdigest()

    def sign(self, manifest: Mapping[str, Any]) -> None:
        """Write `manifest` with the hashes of all files before it, and its signature."""
        text = json.dumps({**manifest, "sha256": dict(self._digests)}, indent=2).encode()
        made = signing.sign(message=text, purpose="bundle")
        signature = json.dumps({"key_id": made.key_id, "signature": made.signature}).encode()
        for name, content in (("manifest.json", text), ("manifest.sig.json", signature)):
            with self._open(name) as file:
                file.write(content)

    def _open(self, name: str) -> IO[bytes]:
        if self._archive:
            return self._archive.open(name, "w", force_zip64=True)
        return open(self._folder / name, "xb", opener=private)


class Stream:
    """A file for `ZipFile` to write to, which keeps only what nobody has taken yet."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        """Keep `piece`; return its length."""
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Do nothing: whatever was written can be taken."""

    def close(self) -> None:
        """Do nothing, for the same reason."""

    def taken(self) -> bytes:
        """Return what was written since the last call."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


@contextmanager
def new(*, output: Path) -> Iterator[Bundle]:
    """Make a bundle at `output`, which appears only when it is complete: a zip file or a folder.

    Raises OSError where `output` exists or cannot be written.
    """
    if output.exists():
        raise FileExistsError(f"{output} exists")
    partial = output.with_name(output.name + ".partial")
    try:
        if output.suffix == ".zip":
            with (
                open(partial, "xb", opener=private) as file,
                zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
            ):
                yield Bundle(archive=archive)
        else:
            partial.mkdir(mode=FOLDER_OWNER_ONLY)
            yield Bundle(folder=partial)
        partial.rename(output)
    except BaseException:
        _remove(partial)
        raise


def _remove(partial: Path) -> None:
    if partial.is_dir():
        shutil.rmtree(partial)
    else:
        partial.unlink(missing_ok=True)
