"""A bundle on disk: files in a folder, or in a zip file, with a signed list of their hashes."""

import json
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, cast

from audit import signing


class Bundle:
    """Files being written; `sign` writes the manifest that closes it."""

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
        return cast(IO[bytes], (self._folder / name).open("xb"))


@contextmanager
def create(*, output: Path) -> Iterator[Bundle]:
    """Make a bundle at `output`, which appears only when it is complete: a zip file or a folder.

    Raises:
        FileExistsError: there is something at `output`.
        OSError: it cannot be written.
    """
    if output.exists():
        raise FileExistsError(f"{output} exists")
    partial = output.with_name(output.name + ".partial")
    try:
        if output.suffix == ".zip":
            with zipfile.ZipFile(partial, "x", zipfile.ZIP_DEFLATED) as archive:
                yield Bundle(partial, archive)
        else:
            partial.mkdir()
            yield Bundle(partial, None)
        partial.rename(output)
    except BaseException:
        _remove(partial)
        raise


def _remove(partial: Path) -> None:
    if partial.is_dir():
        shutil.rmtree(partial)
    else:
        partial.unlink(missing_ok=True)
