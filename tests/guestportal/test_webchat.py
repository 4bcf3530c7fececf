"""The browser client's file: small, pinned, and open to every origin."""

import base64
import gzip
import hashlib
import re

import pytest
from django.test import Client

from guestportal import webchat
from tests.support.service import ROOT

PUBLISHED = {
    "1.0.0": "sha384-4KQ9vTLiRZ+XnN4mSbx3stpzPQPk+Fy/i41D7xFaP+kOKwUeIF1UO9L0GjaaiyOi",
    "1.1.0": "sha384-zNdrAOy3Or0/DDoD8b+1ftwHC3C56tr2HUxEpOfCA1iCahUJvmQ65gXkJLH2Y0tk",
    "1.2.0": "sha384-bYcWvNNhrS/Lr/BNZ7lN/L3z0qILMverqwDzf/vqbVYZgwqmb+Oo6qYxZ5Qgd89c",
}
GUIDE = (ROOT / "docs" / "embedding.md").read_text()
PAGE = (ROOT / "docs" / "embedding.html").read_text()


@pytest.mark.parametrize("version", PUBLISHED)
def test_its_bytes_are_those_that_websites_have_pinned(version: str) -> None:
    file = webchat.MODULE.with_name(f"webchat-{version}.js")

    digest = base64.b64encode(hashlib.sha384(file.read_bytes()).digest()).decode()

    assert f"sha384-{digest}" == PUBLISHED[version]


def test_weighs_less_than_four_kilobytes() -> None:
    assert len(gzip.compress(webchat.MODULE.read_bytes())) < 4096


def test_the_guide_pins_what_is_served() -> None:
    pinned = re.findall(r"sha384-[A-Za-z0-9+/]{64}", GUIDE)

    assert pinned.count(webchat.integrity()) == 4  # prose, import map, preload, how to hash the map
    assert len(pinned) == 4


def test_any_origin_may_load_it_and_keep_it(client: Client) -> None:
    answer = client.get(f"/static/guestportal/{webchat.MODULE.name}")

    assert b"".join(answer.streaming_content) == webchat.MODULE.read_bytes()  # type: ignore[attr-defined]
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Content-Type"].startswith("text/javascript")
    assert "immutable" in answer["Cache-Control"]


def test_knows_its_own_version() -> None:
    assert f'export const version = "{webchat.VERSION}";' in webchat.MODULE.read_text()


def test_stores_no_token() -> None:
    storages = re.compile(r"localStorage|sessionStorage|indexedDB|document\.cookie|caches")

    assert storages.search(webchat.MODULE.read_text()) is None


@pytest.mark.parametrize("name", ["embedding.js", "embedding-messenger.js", "embedding-socket.js"])
def test_the_guides_snippets_are_the_scripts_that_the_browser_tests_run(name: str) -> None:
    script = (ROOT / "docs" / name).read_text()

    assert f"```js\n{script}```" in GUIDE


def test_the_guides_policy_import_map_and_preload_are_those_of_its_page() -> None:
    (policy,) = re.findall(r"^Content-Security-Policy: (.+)$", GUIDE, re.MULTILINE)
    (preload,) = re.findall(r"^<link rel=\"modulepreload\".+$", GUIDE, re.MULTILINE)
    (import_map,) = re.findall(r"^<script type=\"importmap\">.+$", GUIDE, re.MULTILINE)

    assert f'content="{policy}"' in PAGE
    assert preload in PAGE
    assert import_map in PAGE


def test_the_guides_policy_admits_its_import_map_and_no_other_inline_script() -> None:
    (import_map,) = re.findall(r"<script type=\"importmap\">(.+)</script>", PAGE)
    digest = base64.b64encode(hashlib.sha256(import_map.encode()).digest()).decode()
    (policy,) = re.findall(r"^Content-Security-Policy: (.+)$", GUIDE, re.MULTILINE)

    assert re.findall(r"'(sha\d+-[^']+|unsafe-\w+)'", policy) == [f"sha256-{digest}"]
    assert f"printf %s '{import_map}' |" in GUIDE


def test_the_guide_says_what_to_do_on_every_code() -> None:
    types = webchat.MODULE.with_suffix(".d.ts").read_text()
    codes = re.findall(r'^  \| "(\w+)"', types, re.MULTILINE)
    table = "\n".join(line for line in GUIDE.splitlines() if line.startswith("| `"))

    assert len(codes) > 20
    assert [code for code in codes if f"`{code}`" not in table] == []
