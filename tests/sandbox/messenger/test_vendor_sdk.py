"""The vendor's own SDK takes the sandbox for the platform, and understands all it says."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sandbox.messenger import permissions
from tests.support.sandbox import Sandbox, running_sandbox

ROOT = Path(__file__).resolve().parents[3]
SDK = ROOT / ".venv" / "sdk"
PACED = {"inin-ratelimit-count": "301", "inin-ratelimit-allowed": "300"}
LIMITED = {"endpoint": "lookup", "kind": "status", "status": 429}
FAULTS = [
    {**LIMITED, "call": 2, "headers": PACED},
    {**LIMITED, "call": 3, "headers": {"Retry-After": "1"}},
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SDK.is_dir(), reason=".venv/sdk is not there; make test-all makes it"),
]


class Told(NamedTuple):
    """What the SDK told, and the sandbox that it talked to."""

    story: dict[str, Any]
    sandbox: Sandbox

    def came(self, name: str) -> Any:
        return self.story[name]["came"]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Run the SDK in a process of its own, which sees its packages and none of ours."""
    granted = {permission.scope for permission in permissions.ALL} - {permissions.EDIT_SCHEMA.scope}
    credentials = ("an-id", "a-secret")
    options = (
        *("--client-id", credentials[0], "--client-secret", credentials[1]),
        *("--deployment-id", "a-deployment", "--grant-scopes", " ".join(granted)),
    )
    home = str(tmp_path_factory.mktemp("home"))  # it reads and watches a folder there
    env = {"PATH": os.environ["PATH"], "HOME": home, "PYTHONPATH": str(SDK)}
    with running_sandbox(*options) as sandbox:
        sandbox.faults(FAULTS)
        script = str(Path(__file__).with_name("sdk_client.py"))
        command = [sys.executable, "-S", script, sandbox.url, *credentials]
        ended = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        yield Told(json.loads(ended.stdout), sandbox)


def dated(value: Any) -> Any:
    """Return a JSON value with its times as times: the SDK writes them otherwise."""
    if isinstance(value, dict):
        return {name: dated(part) for name, part in value.items()}
    if isinstance(value, list):
        return [dated(part) for part in value]
    if isinstance(value, str) and value[4:5] == value[7:8] == "-" and "T" in value:
        return datetime.fromisoformat(value)
    return value


def test_understands_every_field_of_every_answer_and_every_error(told: Told) -> None:
    answers = {name: said for name, said in told.story.items() if name != "gateway"}

    lost = [
        name for name, said in answers.items() if dated(said["came"]) != dated(said["understood"])
    ]

    assert lost == []
    assert "outdated_sdk_version" not in json.dumps(answers)  # what it makes of a foreign value


def test_fetches_its_token_at_either_path(told: Told) -> None:
    paths = {call["path"] for call in told.sandbox.calls(endpoint="oauth")}

    assert paths == {"/oauth/token", "/login/oauth/token"}
    assert told.story["gateway"] == 0  # sources there were


def test_makes_a_source_and_a_schema(told: Told) -> None:
    source, schema = told.came("add_source"), told.came("add_schema")

    assert told.came("sources")["entities"] == [told.came("source")] == [source]
    assert told.came("schemas")["entities"] == [told.came("schema")] == [schema]
    assert told.came("version") == schema


def test_sees_one_contact_however_often_it_enriches_and_looks_up(told: Told) -> None:
    names = ("first", "again", "lookup", "lookup_after_a_wait", "contact")

    statuses = [told.story[name]["status"] for name in names]

    assert statuses == [201, 200, 200, 200, 200]
    assert len({told.came(name)["id"] for name in names}) == 1
    assert told.came("dry_run")["personalEmail"] == "jane@example.com"
    assert told.came("contact")["customFields"]["consent_given_checkbox"] is True


def test_asks_for_a_deletion_and_polls_until_the_contact_is_gone(told: Told) -> None:
    states = [told.came(f"gdpr_{number}")["status"] for number in range(4)]

    assert told.came("gdpr")["status"] == "INITIATED"
    assert states == ["SEARCHING", "DELETING", "FINALIZING", "COMPLETED"]
    assert told.story["erased"]["status"] == 404


def test_merges_two_contacts_and_deletes_what_came_of_it(told: Told) -> None:
    merged = told.came("merge")

    assert told.came("merged")["canonicalContact"]["id"] == merged["id"]
    assert len(merged["mergeSet"]) == 3
    assert told.story["delete_contact"] == {"status": 200, "came": {}, "understood": {}}


def test_understands_each_refusal(told: Told) -> None:
    names = ("invalid", "forbidden", "unknown", "limited", "wrong_token")

    refusals = [(told.story[name]["status"], told.came(name)["code"]) for name in names]

    assert refusals == [
        (400, "bad.request"),
        (403, "missing.any.permissions"),
        (404, "not.found"),
        (429, "too.many.requests.retry.after"),
        (401, "bad.credentials"),
    ]
    assert told.came("forbidden")["messageParams"]["permissions"] == permissions.EDIT_SCHEMA.scope
    assert PACED.items() <= told.story["limited"]["headers"].items()
    assert told.story["wrong_secret"]["status"] == 401
    assert told.came("wrong_secret")["description"] == "authentication failed"


def test_waits_by_itself_where_a_429_says_how_long(told: Told) -> None:
    answered = [call["status"] for call in told.sandbox.calls(endpoint="lookup")]

    assert answered == [200, 429, 429, 200, 404]  # the third is never seen by its caller
