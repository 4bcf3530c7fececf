"""The browser client's files: one source, small, pinned, and open to every origin."""

import gzip
import re
from pathlib import Path

import pytest
from django.test import Client

from guestportal import webchat
from tests.support.service import ROOT

BUILDS = (webchat.MODULE, webchat.PLAIN)
GUIDE = (ROOT / "docs" / "embedding.md").read_text()


def test_the_plain_script_is_the_module_in_a_closure() -> None:
    expected = webchat.plain_script(module=webchat.MODULE.read_text())

    assert webchat.PLAIN.read_text() == expected, "run: python -m guestportal.webchat"


@pytest.mark.parametrize("build", BUILDS)
def test_weighs_less_than_four_kilobytes(build: Path) -> None:
    assert len(gzip.compress(build.read_bytes())) < 4096


@pytest.mark.parametrize("build", BUILDS)
def test_the_guide_pins_what_is_served(build: Path) -> None:
    pinned = re.findall(r"sha384-[A-Za-z0-9+/]{64}", GUIDE)

    assert pinned.count(webchat.integrity(path=build)) == 2
    assert len(pinned) == 4


@pytest.mark.parametrize("build", BUILDS)
def test_any_origin_may_load_it_and_keep_it(client: Client, build: Path) -> None:
    answer = client.get(f"/static/guestportal/{build.name}")

    assert b"".join(answer.streaming_content) == build.read_bytes()  # type: ignore[attr-defined]
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Content-Type"].startswith("text/javascript")
    assert "immutable" in answer["Cache-Control"]


def test_knows_its_own_version() -> None:
    assert f'export const version = "{webchat.VERSION}";' in webchat.MODULE.read_text()


def test_stores_no_token() -> None:
    storages = re.compile(r"localStorage|sessionStorage|indexedDB|document\.cookie|caches")

    assert [build.name for build in BUILDS if storages.search(build.read_text())] == []


def test_the_guides_snippet_is_the_script_that_the_browser_tests_run() -> None:
    script = (ROOT / "docs" / "embedding.js").read_text()

    assert f"```js\n{script}```" in GUIDE


def test_the_guides_policy_and_preload_are_those_of_its_page() -> None:
    page = (ROOT / "docs" / "embedding.html").read_text()
    (policy,) = re.findall(r"^Content-Security-Policy: (.+)$", GUIDE, re.MULTILINE)
    (preload,) = re.findall(r"^<link rel=\"modulepreload\".+$", GUIDE, re.MULTILINE)

    assert f'content="{policy}"' in page
    assert preload in page


def test_the_guide_says_what_to_do_on_every_code() -> None:
    types = webchat.MODULE.with_suffix(".d.ts").read_text()
    codes = re.findall(r'^  \| "(\w+)"', types, re.MULTILINE)
    table = "\n".join(line for line in GUIDE.splitlines() if line.startswith("| `"))

    assert len(codes) > 20
    assert [code for code in codes if f"`{code}`" not in table] == []
