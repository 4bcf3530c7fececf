"""The browser client's two builds and their integrity hashes.

``webchat-VERSION.js`` is the source, an ES module that is served as it is written. The plain
script is the same text in a closure; ``python -m guestportal.webchat`` writes it and prints both
hashes, and a test keeps files, hashes and the guide together.
"""

import base64
import hashlib
import re
from pathlib import Path

VERSION = "1.0.0"
FOLDER = Path(__file__).resolve().parent / "static" / "guestportal"
MODULE = FOLDER / f"webchat-{VERSION}.js"
PLAIN = FOLDER / f"webchat-{VERSION}.plain.js"


def plain_script(*, module: str) -> str:
    """Return `module` for ``<script src>``: what it exports is under ``window.guestportal``."""
    names = re.findall(r"^export (?:async )?(?:const|class|function) (\w+)", module, re.MULTILINE)
    body = re.sub(r"^export ", "", module, flags=re.MULTILINE)
    exported = f"window.guestportal = {{ {', '.join(names)} }};"
    return f'(() => {{\n"use strict";\n{body}\n{exported}\n}})();\n'


def integrity(*, path: Path) -> str:
    """Return the value of the ``integrity`` attribute (W3C Subresource Integrity)."""
    digest = hashlib.sha384(path.read_bytes()).digest()
    return "sha384-" + base64.b64encode(digest).decode()


if __name__ == "__main__":
    PLAIN.write_text(plain_script(module=MODULE.read_text()))
    for built in (MODULE, PLAIN):
        print(f"{built.name}  {integrity(path=built)}")  # noqa: T201
