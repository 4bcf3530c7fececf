"""Pages for people: the demo, and the policy that all of them are under."""

import re
from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(settings: Any) -> None:
    settings.DEBUG = True
    settings.GENESYS_BASE_URL = "http://127.0.0.1:9000"


def policy(answer: Any) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in answer["Content-Security-Policy"].split(";"))
    return {name: sources for name, _, sources in parts}


def test_the_demo_is_not_there_in_production(client: Client) -> None:
    assert client.get("/").status_code == 404


@pytest.mark.usefixtures("demo")
def test_the_demo_page_holds_nothing_inline(client: Client) -> None:
    text = client.get("/").content.decode()

    assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", text) == []


@pytest.mark.usefixtures("demo")
def test_the_demo_ticks_no_consent_in_advance(client: Client) -> None:
    text = client.get("/").content.decode()

    assert 'type="checkbox"' not in text
    assert re.findall(r'<button[^>]*data-act="(accept|decline)"', text) == ["accept", "decline"]


@pytest.mark.usefixtures("demo")
def test_the_demo_page_may_reach_the_sandbox_and_nothing_else(client: Client) -> None:
    answer = client.get("/")

    assert policy(answer)["connect-src"] == "'self' http://127.0.0.1:9000"
    assert b'data-sandbox="http://127.0.0.1:9000"' in answer.content


def test_the_demo_page_leaves_a_real_platform_alone(client: Client, settings: Any) -> None:
    settings.DEBUG = True

    answer = client.get("/")

    assert policy(answer)["connect-src"] == "'self'"
    assert b'value="credentials"' not in answer.content


@pytest.mark.parametrize("path", ["/admin/login/", "/api/docs"])
def test_every_page_is_under_one_strict_policy(client: Client, path: str) -> None:
    rules = policy(client.get(path))

    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
