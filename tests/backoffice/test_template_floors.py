"""A template and a module use only templates, tags and static files of their floor or below.

The floors of the import contracts, for what no import shows. Each name is resolved as Django
resolves it, so what another app overrides counts as that app's.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.template import engines
from django.template.base import Lexer, Token, TokenType

from tests.support.service import ROOT

FLOORS = ("guestportal", "provisioning", "crm", "audit", "backoffice")  # top to bottom
ENGINE = engines["django"].engine
TEMPLATES = [path for app in FLOORS for path in sorted((ROOT / app).rglob("*.html"))]
MODULES = [path for app in FLOORS for path in sorted((ROOT / app).rglob("*.py"))]


@dataclass(frozen=True)
class Use:
    """That something uses the template, tag library or static file `name`, which is `app`'s."""

    name: str
    app: str


def test_a_template_uses_nothing_of_an_upper_app() -> None:
    assert len(TEMPLATES) > 20
    assert {path: found for path in TEMPLATES if (found := breaches(path, uses_of(path)))} == {}


def test_a_module_names_no_template_and_no_static_file_of_an_upper_app() -> None:
    assert {path: found for path in MODULES if (found := breaches(path, named_by(path)))} == {}


@pytest.mark.parametrize(
    ("app", "line", "owner"),
    [
        ("crm", '{% include "admin/overview_log.html" %}', "guestportal"),
        ("crm", '{% extends "admin/provisioning/preview.html" %}', "provisioning"),
        ("audit", "{% load static %}{% static 'crm/preview.js' %}", "crm"),
        ("backoffice", "{% load made_up %}", "audit"),
        ("backoffice", "{% load shout whisper from made_up %}", "audit"),
    ],
)
def test_one_that_does_is_found(
    app: str, line: str, owner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENGINE.libraries, "made_up", "audit.templatetags.made_up")
    template = tmp_path / app / "templates" / "made_up.html"
    template.parent.mkdir(parents=True)
    template.write_text(line)

    assert [use.app for use in breaches(template, uses_of(template), root=tmp_path)] == [owner]


@pytest.mark.parametrize("line", ["{% include page %}", "{% extends page %}", "{% static page %}"])
def test_a_name_that_only_the_request_decides_is_refused(line: str, tmp_path: Path) -> None:
    template = tmp_path / "made_up.html"
    template.write_text(line)

    with pytest.raises(AssertionError, match="page"):
        list(uses_of(template))


def breaches(user: Path, uses: Iterator[Use], *, root: Path = ROOT) -> list[Use]:
    """Return what `user` takes from an app above its own."""
    own = FLOORS.index(user.relative_to(root).parts[0])
    return [use for use in uses if use.app in FLOORS[:own]]


def uses_of(template: Path) -> Iterator[Use]:
    """Yield what of ours a template uses."""
    for token in Lexer(template.read_text()).tokenize():
        if token.token_type != TokenType.BLOCK:
            continue
        tag, *words = token.split_contents()
        if tag == "load":
            names = words[-1:] if "from" in words else words
            yield from (Use(name, ENGINE.libraries[name].partition(".")[0]) for name in names)
        elif tag in ("include", "extends"):
            yield from owner_of_template(literal(token, words[0]), user=template)
        elif tag == "static":
            yield from owner_of_static(literal(token, words[0]))


def literal(token: Token, word: str) -> str:
    """Return the name that stands in quotes: what a variable holds cannot be held to a floor."""
    assert word[0] in "'\"", f"line {token.lineno}: {token.contents}"
    return word[1:-1]


def named_by(module: Path) -> Iterator[Use]:
    """Yield the templates and static files of ours that a module's strings name."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value.endswith(".html"):
                yield from owner_of_template(node.value, user=module)
            elif node.value.endswith((".css", ".js", ".svg")):
                yield from owner_of_static(node.value)


def owner_of_template(name: str, *, user: Path) -> Iterator[Use]:
    """Yield whose template `name` is; one that extends its own name extends the next app's."""
    for loader in ENGINE.template_loaders:
        for origin in loader.get_template_sources(name):
            path = Path(origin.name)
            if path.is_file() and path != user:
                yield from owner_of_file(name, path)
                return


def owner_of_static(name: str) -> Iterator[Use]:
    if found := finders.find(name):
        yield from owner_of_file(name, Path(found))


def owner_of_file(name: str, path: Path) -> Iterator[Use]:
    if path.is_relative_to(ROOT):
        yield Use(name, path.relative_to(ROOT).parts[0])
