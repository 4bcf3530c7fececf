"""The rules for Prometheus and the Grafana dashboard: what they name is there, and explained."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.guestportal.watch.test_probes import described

ROOT = Path(__file__).resolve().parents[3]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = yaml.safe_load((PROMETHEUS / "rules.yaml").read_text())["groups"][0]["rules"]
CASES = yaml.safe_load((PROMETHEUS / "rules.test.yaml").read_text())["tests"]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "guestportal.json").read_text())
NAMES = [rule["alert"] for rule in RULES]
_METRIC = re.compile(r"guestportal_[a-z_]+")


def test_every_alert_has_a_name_of_its_own() -> None:
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_an_alert_says_how_bad_it_is_and_what_is_wrong(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert all(rule["annotations"].values())


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_an_alert_leads_to_what_it_means_where_to_look_and_what_to_do(rule: dict[str, Any]) -> None:
    path, _, anchor = rule["annotations"]["runbook_url"].partition("#")

    section = dict(sections(ROOT / path))[anchor]

    assert anchor == rule["alert"].lower()
    assert re.findall(r"^- \*\*(\w+)\*\*: \S", section, re.MULTILINE) == ["Means", "Look", "Do"]


def sections(page: Path) -> Iterator[tuple[str, str]]:
    """Yield the anchor of each third-level heading, and what stands under it."""
    for part in re.split(r"^### ", page.read_text(), flags=re.MULTILINE)[1:]:
        heading, _, text = part.partition("\n")
        yield heading.lower().replace(" ", "-"), re.split(r"^#", text, flags=re.MULTILINE)[0]


def test_every_alert_is_explained_and_no_other() -> None:
    page = (ROOT / "docs" / "operators.md").read_text()

    assert re.findall(r"^### (Guestportal\w+)$", page, re.MULTILINE) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_alert_is_tried_firing_and_silent_before_and_after(name: str) -> None:
    tried = [case for case in CASES if case["name"].startswith(f"{name} ")]

    fires = [bool(each["exp_samples"]) for case in tried for each in case["promql_expr_test"]]

    assert (fires[0], True in fires, fires[-1]) == (False, True, False)


@pytest.mark.django_db
def test_every_metric_that_the_rules_name_is_there(settings: Any, tmp_path: Path) -> None:
    settings.BACKUP_MARKER = tmp_path / "backup-done"
    settings.RESTORE_LIST, settings.AUDIT_ANCHORS = tmp_path / "list", tmp_path / "anchors"
    settings.AUDIT_ANCHORS.touch()

    assert named(rule["expr"] for rule in RULES) - described() == set()


@pytest.mark.django_db
def test_every_metric_that_the_dashboard_names_is_there(settings: Any, tmp_path: Path) -> None:
    settings.BACKUP_MARKER = tmp_path / "backup-done"
    settings.RESTORE_LIST, settings.AUDIT_ANCHORS = tmp_path / "list", tmp_path / "anchors"
    settings.AUDIT_ANCHORS.touch()

    assert named(target["expr"] for target in targets()) - described() == set()


@pytest.mark.django_db
def test_the_dashboard_shows_every_metric(settings: Any, tmp_path: Path) -> None:
    settings.BACKUP_MARKER = tmp_path / "backup-done"
    settings.RESTORE_LIST, settings.AUDIT_ANCHORS = tmp_path / "list", tmp_path / "anchors"
    settings.AUDIT_ANCHORS.touch()
    ours = {name for name in described() if name.startswith("guestportal_")}

    shown = named(target["expr"] for target in targets())

    assert {name for name in ours if not name.endswith("_created")} == shown


def named(expressions: Iterator[str]) -> set[str]:
    """Return the metrics in PromQL, by the names under which they are described."""
    found = {name for each in expressions for name in _METRIC.findall(each)}
    return {re.sub(r"_(total|bucket)$", "", name) for name in found}


def targets() -> Iterator[dict[str, Any]]:
    for panel in DASHBOARD["panels"]:
        yield from panel.get("targets", ())


def test_the_dashboard_asks_for_its_data_source_and_uses_no_other() -> None:
    variables = {each["name"]: each for each in DASHBOARD["templating"]["list"]}
    shown = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]

    sources = [each["datasource"] for each in (*shown, *targets(), variables["job"])]

    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == (
        "datasource",
        "prometheus",
    )
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)
    assert DASHBOARD["id"] is None
    assert all('job="$job"' in target["expr"] for target in targets())


def test_no_panel_of_the_dashboard_covers_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


@pytest.mark.thorough
@pytest.mark.parametrize(
    "argv", [("check", "rules", "rules.yaml"), ("test", "rules", "rules.test.yaml")]
)
def test_promtool_has_nothing_against_them(argv: tuple[str, ...]) -> None:
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("promtool is not installed (Debian: prometheus)")

    done = subprocess.run([promtool, *argv], cwd=PROMETHEUS, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
