"""On SQLite the file's rights and its disk are what doctor looks at."""

import json
from pathlib import Path

import pytest

from tests.support.service import Service, new_service

pytestmark = pytest.mark.slow
ADMINISTRATOR = "from django.contrib.auth.models import User; User.objects.create_superuser('root')"


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A migrated database file."""
    made = new_service(tmp_path, "http://127.0.0.1:1")
    made.manage("migrate", "--verbosity=0")
    return made


def doctor(service: Service) -> dict[str, dict[str, str]]:
    done = service.manage("doctor", "--json", check=False)
    return {each["name"]: each for each in json.loads(done.stdout)["findings"]}


def test_finds_no_fault_in_a_log_that_was_begun_and_has_no_seal(service: Service) -> None:
    service.manage("seal_audit")

    found = doctor(service)["anchors"]

    assert (found["state"], "nothing has been sealed" in found["said"]) == ("ok", True)


def test_warns_of_anchors_on_the_disk_of_the_database(service: Service) -> None:
    service.manage("shell", "-v0", "-c", ADMINISTRATOR)
    service.manage("seal_audit")

    found = doctor(service)["anchors"]

    assert found["state"] == "warning"
    assert "another disk" in found["remedy"]


def test_warns_of_a_file_that_others_may_open(service: Service, tmp_path: Path) -> None:
    before = doctor(service)["database role"]
    (tmp_path / "service.sqlite3").chmod(0o644)

    after = doctor(service)["database role"]

    assert (before["state"], after["state"]) == ("ok", "warning")
    assert after["remedy"] == f"Run: chmod 600 {tmp_path}/service.sqlite3"
