"""What load balancers and operators are told: ``/livez``, ``/readyz``, ``/metrics``."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client

from guestportal.watch import health
from tests.conftest import drop_audit_triggers
from tests.support.platform import Platform
from tests.support.webchat import Webchat

ROOT = Path(__file__).resolve().parents[3]
ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}
TOKEN = "a-token-for-the-scraper"


def test_livez_answers_without_a_database() -> None:  # which this test is not given
    assert Client().get("/livez").content == b"ok\n"


def test_probes_answer_whatever_the_host_and_over_plain_http(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True

    response = Client(headers={"Host": "10.2.3.4:8000"}).get("/livez")

    assert response.status_code == 200


@pytest.mark.django_db
def test_readyz_is_ok_when_database_migrations_and_triggers_are_there() -> None:
    answer = Client().get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["ready"] is True
    assert answer.json()["platform"]["open"] is True


@pytest.mark.django_db
def test_readyz_names_a_restore_that_nobody_announced(anchors: Path) -> None:
    line = {"log": str(UUID(int=1)), "seal": 7, "hash": "0" * 64}
    anchors.write_text(json.dumps(line) + "\n")

    answer = Client().get("/readyz")

    assert answer.status_code == 200  # visitors can be served
    assert answer.json()["anchors"].startswith("seal 7 is anchored and gone")


@pytest.mark.django_db
def test_readyz_names_a_list_for_restores_that_cannot_be_written(
    tmp_path: Path, settings: Any
) -> None:
    settings.RESTORE_LIST = tmp_path

    answer = Client().get("/readyz")

    assert (answer.status_code, "cannot be written" in answer.json()["restoreList"]) == (200, True)


@pytest.mark.django_db
def test_where_we_set_no_rate_no_number_of_free_calls_is_made_up(settings: Any) -> None:
    settings.GENESYS_RATE_PER_MINUTE = 0

    answer = Client().get("/readyz").json()

    assert answer["platform"]["callsFree"] is None
    assert scrape()["guestportal_gate_calls_free"] == "+Inf"


@pytest.mark.django_db
def test_readyz_shows_strangers_no_details() -> None:
    assert Client().get("/readyz", **ELSEWHERE).content == b"ok\n"


@pytest.mark.django_db
def test_readyz_shows_no_details_through_a_proxy_on_this_machine() -> None:
    answer = Client().get("/readyz", headers={"X-Forwarded-For": "192.0.2.7"})

    assert answer.content == b"ok\n"


@pytest.mark.django_db
def test_readyz_fails_and_names_the_remedy_without_the_audit_triggers() -> None:
    drop_audit_triggers()

    answer = Client().get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["trouble"] == ["audit triggers are missing: run manage.py migrate"]


@pytest.mark.django_db
def test_readyz_fails_while_a_migration_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrated", False)  # as in a process that has just started
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'provisioning'")

    answer = Client().get("/readyz", **ELSEWHERE)

    assert (answer.status_code, answer.content) == (503, b"not ready\n")


@pytest.mark.django_db
def test_metrics_are_for_loopback_or_the_token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN

    answers = [
        Client().get("/metrics", headers=headers, **ELSEWHERE).status_code
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {TOKEN}"})
    ]

    assert answers == [403, 403, 200]
    assert Client().get("/metrics").status_code == 200


def test_metrics_count_inits_by_outcome_stages_and_platform_calls(
    webchat: Webchat, platform: Platform
) -> None:
    before = scrape()

    webchat.init("counted-visitor")
    webchat.post("/api/webchat/init", {})

    after = scrape()
    grown = {name for name in after if after[name] != before.get(name)}
    assert {
        'guestportal_answers_total{call="init",outcome="ok"}',
        'guestportal_answers_total{call="init",outcome="invalid_request"}',
        'guestportal_stage_seconds_count{stage="guest"}',
        'guestportal_stage_seconds_count{stage="token"}',
        'guestportal_answer_seconds_count{call="init"}',
    } <= grown
    assert any(name.startswith("guestportal_platform_calls_total") for name in grown)


@pytest.mark.django_db
def test_metrics_tell_the_state_of_gate_log_queue_and_database() -> None:
    assert {
        "guestportal_gate_open",
        "guestportal_unsealed_seconds",
        "guestportal_overdue",
        "guestportal_queued",
        "guestportal_queued_seconds",
        "guestportal_broker_up",
        "guestportal_in_flight",
        "guestportal_database_up",
        "guestportal_cache_shared",
        "guestportal_platform_retries_total",
    } <= set(scrape())


def scrape() -> dict[str, str]:
    """Return every sample by its name and labels."""
    lines = Client().get("/metrics").content.decode().splitlines()
    samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: value for name, _, value in samples}


@pytest.mark.django_db
def test_every_metric_that_the_operators_page_names_is_there() -> None:
    page = (ROOT / "docs" / "operators.md").read_text()
    named = set(re.findall(r"guestportal_[a-z_]+", page))

    families = described()

    assert named
    assert {re.sub(r"_(total|bucket)$", "", name) for name in named} <= families


def described() -> set[str]:
    """Return every metric that is described, whether it has a sample yet or not."""
    lines = Client().get("/metrics").content.decode().splitlines()
    names = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    return {name.removesuffix("_total") for name in names}
