"""Doctor names what the database lacks, and looks at nothing that needs what is missing."""

from typing import Any

import pytest
import time_machine
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from crm.models import AttributeMapping
from tests.conftest import drop_audit_triggers
from tests.guestportal.doctor.conftest import Doctor


def test_names_a_missing_migration_and_leaves_out_what_needs_it(doctor: Doctor) -> None:
    MigrationRecorder(connection).record_unapplied("crm", "0008_api_token_scope")

    found = doctor()

    assert found["migrations"]["state"] == "fault"
    assert "crm.0008_api_token_scope" in found["migrations"]["said"]
    assert found["migrations"]["remedy"] == "Run: manage.py migrate"
    assert found["roles"]["said"] == "waits until migrations is in order"


def test_names_missing_triggers(doctor: Doctor) -> None:
    drop_audit_triggers()

    found = doctor()["audit triggers"]

    assert found["state"] == "fault"
    assert found["remedy"].startswith("Run: manage.py migrate")


def test_names_a_table_that_cannot_be_written(doctor: Doctor) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE provisioning_writeprobe RENAME TO taken_away")

    found = doctor()["database writes"]

    assert (found["state"], "cannot be written" in found["said"]) == ("fault", True)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's clock is ours")
@pytest.mark.parametrize(("seconds", "state"), [(3600, "fault"), (10, "warning"), (0, "ok")])
def test_names_clocks_that_are_apart(seconds: int, state: str, doctor: Doctor) -> None:
    import time

    with time_machine.travel(time.time() + seconds, tick=True):
        found = doctor()["clock of the database"]

    assert found["state"] == state


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no roles")
def test_advises_against_a_superuser_of_the_database(doctor: Doctor) -> None:
    found = doctor()["database role"]

    assert found["state"] == "warning"
    assert "is a superuser" in found["said"]


def test_names_a_mapping_that_the_platform_never_gets(doctor: Doctor, settings: Any) -> None:
    settings.GENESYS_PLATFORM = "messenger"
    AttributeMapping.objects.update(enabled=True)

    found = doctor()["attribute mappings"]

    assert found["state"] == "warning"
    assert "messenger_setup" in found["remedy"]
