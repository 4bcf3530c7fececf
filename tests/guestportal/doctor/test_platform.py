"""Doctor says what `check_genesys` says, and when a certificate ends."""

from pathlib import Path
from typing import Any

import pytest

from tests.guestportal.doctor.conftest import Doctor
from tests.support.rawserver import GUEST, certificate, raw_server
from tests.support.sandbox import Sandbox, running_sandbox


def test_names_a_wrong_secret(doctor: Doctor, settings: Any) -> None:
    with running_sandbox("--client-secret", "another") as other:
        settings.GENESYS_OAUTH_URL = f"{other.url}/oauth/token"

        found = doctor()["platform"]

    assert found["state"] == "fault"
    assert "GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET" in found["remedy"]


def test_names_a_missing_scope(doctor: Doctor, settings: Any) -> None:
    with running_sandbox("--grant-scopes", "webchat:token:write") as other:
        settings.GENESYS_OAUTH_URL = f"{other.url}/oauth/token"

        found = doctor()["platform"]

    assert "without the scope webchat:guest:write" in found["said"]


def test_names_a_platform_that_is_away(doctor: Doctor, settings: Any) -> None:
    settings.GENESYS_OAUTH_URL = "http://127.0.0.1:1/oauth/token"

    found = doctor()["platform"]

    assert "nothing listens there" in found["said"]
    assert "firewall" in found["remedy"]


def test_makes_no_guest(doctor: Doctor, sandbox: Sandbox) -> None:
    doctor()

    assert sandbox.count("guests") == 0


@pytest.mark.parametrize(("days", "state"), [(90, "ok"), (5, "warning")])
def test_says_for_how_many_days_a_certificate_holds(
    days: int, state: str, doctor: Doctor, settings: Any, tmp_path: Path
) -> None:
    context, bundle = certificate(tmp_path, days=days)
    with raw_server(lambda connection, asked: connection.sendall(GUEST), tls=context) as server:
        settings.GENESYS_BASE_URL = server.url.removesuffix("/guests")
        settings.GENESYS_CA_BUNDLE = bundle

        found = doctor()["certificate"]

    assert found["state"] == state
    assert f"{days} days" in found["said"]


def test_names_a_certificate_that_is_not_trusted(
    doctor: Doctor, settings: Any, tmp_path: Path
) -> None:
    context, _ = certificate(tmp_path)
    with raw_server(lambda connection, asked: connection.sendall(GUEST), tls=context) as server:
        settings.GENESYS_BASE_URL = server.url.removesuffix("/guests")

        found = doctor()["certificate"]

    assert found["state"] == "fault"
    assert "not trusted" in found["said"]
    assert "GENESYS_CA_BUNDLE" in found["remedy"]


def test_names_an_address_behind_which_nobody_is(doctor: Doctor, settings: Any) -> None:
    settings.GENESYS_BASE_URL = "https://127.0.0.1:1"

    found = doctor()["certificate"]

    assert (found["state"], "no connection" in found["said"]) == ("fault", True)
