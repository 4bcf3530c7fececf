"""The upgrade of the operators' page, made under load: the next release beside this one.

The next release is a copy of this tree with one more migration, of the two kinds that the page's
rules allow: a column that may be null, and an index made concurrently.
"""

import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.services.visitors import wait
from tests.support.load import during
from tests.support.sandbox import Sandbox
from tests.support.service import ROOT, Service, new_service

pytestmark = [pytest.mark.services, pytest.mark.slow]

MIGRATION = """
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("provisioning", "{latest}")]
    operations = [
        migrations.AddField("guestcreation", "of_the_next", models.DateTimeField(null=True)),
        AddIndexConcurrently(
            "guestcreation", models.Index(fields=["of_the_next"], name="of_the_next")
        ),
    ]
"""


@pytest.fixture
def releases(tmp_path: Path, database: str, sandbox: Sandbox) -> Iterator[tuple[Service, Service]]:
    """This release, migrated and serving, and the next one, not yet started; one set of secrets."""
    root = next_release(tmp_path / "next")
    settings = {"DATABASE_URL": database, "WEB_CONCURRENCY": "2"}
    this = new_service(tmp_path, sandbox.url, **settings)
    following = new_service(tmp_path, sandbox.url, root=root, **settings)
    following.env |= {name: this.env[name] for name in ("SECRET_KEY", "AUDIT_SIGNING_KEY")}
    this.manage("migrate", "--verbosity=0")
    with ExitStack() as stack:
        for service in (this, following):
            stack.callback(service.kill, signal.SIGTERM)
        this.start_web()
        yield this, following


def test_one_release_follows_another_and_no_init_fails(releases: tuple[Service, Service]) -> None:
    this, following = releases
    following.start_web()

    with during(this.init_url) as while_migrating:
        wait(1)
        unready, alive = following.get("/readyz"), following.get("/livez")
        following.manage("migrate", "--verbosity=0")
        wait(1)
    with during(following.init_url) as at_following:
        with during(this.init_url) as at_this:
            wait(1)
        this.kill(signal.SIGTERM)
        wait(1)
        ready = following.get("/readyz")

    loads = while_migrating + at_this + at_following
    assert (unready.status, alive.status, ready.status) == (503, 200, 200)
    assert [set(load.statuses) for load in loads] == [{200}] * 3
    assert [load.broken for load in loads] == [0] * 3
    assert {row["status"] for row in following.rows("status")} == {"ready"}


def test_the_release_before_starts_on_the_new_schema(releases: tuple[Service, Service]) -> None:
    this, following = releases
    this.kill(signal.SIGTERM)
    following.manage("migrate", "--verbosity=0")

    this.start_web()

    assert this.get("/readyz").json["trouble"] == []
    assert this.init("after-going-back").status == 200


def next_release(root: Path) -> Path:
    """Copy what a release consists of, and add the migration."""
    root.mkdir()
    shutil.copy(ROOT / "manage.py", root)
    for package in ("guestportal", "provisioning", "crm", "audit", "backoffice"):
        shutil.copytree(
            ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    migrations = root / "provisioning" / "migrations"
    latest = max(path.stem for path in migrations.glob("[0-9]*.py"))
    (migrations / "9999_next_release.py").write_text(MIGRATION.format(latest=latest))
    return root
