"""What the documents say of settings, layout and each other is so."""

import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("guestportal", "provisioning", "crm", "audit", "backoffice", "sandbox")
BESIDE = ("tests", "bench", "docs", "deploy")
# Django's own names, the same in every app.
DJANGOS = {"__pycache__", "migrations", "management", "commands", "templatetags"}
MADE_LATER = {"deploy/production.env"}  # by the operator
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def printed(*options: str) -> str:
    out = StringIO()
    call_command("settings_table", *options, stdout=out)
    return out.getvalue().strip()


def test_the_settings_page_is_what_the_settings_are() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()

    assert page.strip() == printed(), "write there what `manage.py settings_table` prints"


def test_the_dotenv_example_is_what_the_settings_are() -> None:
    example = (ROOT / ".env.example").read_text()

    assert example.strip() == printed("--dotenv"), "paste what `settings_table --dotenv` prints"


@pytest.mark.parametrize("name", ["GENESYS_BASE_URL", "PORT", "CONSENT_MODE", "AUDIT_ANCHORS"])
def test_the_table_names_what_the_contract_names(name: str) -> None:
    assert f"| `{name}` |" in printed()


def layout(page: str) -> Iterator[tuple[str, str]]:
    """Yield each folder that the tree under *Layout* names, and what is said of it."""
    tree = (ROOT / page).read_text().partition("## Layout\n")[2].split("```")[1]
    above: list[str] = []
    for indent, name, said in re.findall(r"^( *)([a-z0-9_]+)/(?: +(.*))?$", tree, re.MULTILINE):
        above = [*above[: len(indent) // 2], name]
        yield "/".join(above), said


def package_folders() -> set[str]:
    """Return the product's folders that hold modules."""
    modules = (path for app in PRODUCT for path in (ROOT / app).rglob("*.py"))
    found = {path.parent.relative_to(ROOT) for path in modules if path.name != "__init__.py"}
    return {str(folder) for folder in found if not DJANGOS & set(folder.parts)}


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_layout_names_every_folder_of_the_product_and_no_other(page: str) -> None:
    named = [folder for folder, _ in layout(page) if folder not in BESIDE]

    assert sorted(named) == sorted(package_folders() | set(PRODUCT))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_layout_names_modules_that_exist(page: str) -> None:
    modules = [
        ROOT / folder / module
        for folder, said in layout(page)
        for module in re.findall(r"[a-z0-9_]+\.py", said)
    ]

    assert [str(module.relative_to(ROOT)) for module in modules if not module.exists()] == []


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def places_named() -> Iterator[tuple[str, str, str]]:
    """Yield where the product's own words name a page and a heading of it, and what they name."""
    folders = (ROOT / folder for folder in (*PRODUCT, "deploy", ".ci"))
    files = [ROOT / "manage.py", ROOT / "Makefile", *(p for f in folders for p in f.rglob("*"))]
    for path in files:
        if path.is_file() and path.suffix not in (".pyc", ".png", ".woff2"):
            text = path.read_text(encoding="utf-8", errors="replace")
            for page, anchor in re.findall(r"((?:docs/)?[\w-]+\.md)#([\w-]+)", text):
                yield str(path.relative_to(ROOT)), page, anchor


def test_the_product_s_own_words_name_pages_and_headings_that_exist() -> None:
    named = set(places_named())

    assert any(file.startswith("guestportal/doctor/") for file, _, _ in named)
    assert [
        (file, page, anchor)
        for file, page, anchor in sorted(named)
        if not (ROOT / page).exists() or anchor not in anchors(ROOT / page)
    ] == []


def broken_links(page: Path) -> Iterator[str]:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        if re.match(r"[a-z]+:", link):
            continue
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert list(broken_links(page)) == []


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name != "CHANGELOG.md"],  # which says where things were
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_paths_named_in_pages_exist(page: Path) -> None:
    tops = "|".join((*PRODUCT, *BESIDE))
    paths = set(re.findall(rf"`((?:{tops})/[\w./-]*)`", page.read_text())) - MADE_LATER

    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_every_picture_is_shown() -> None:
    pictures = {path.name for path in (ROOT / "docs" / "screenshots").iterdir()}
    shown = re.findall(r"\(screenshots/([\w.-]+)\)", (ROOT / "docs" / "admin.md").read_text())

    assert pictures == set(shown)
