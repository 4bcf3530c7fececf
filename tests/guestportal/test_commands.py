"""The commands of operators: what they change, what they say, how they fail."""

from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from audit.models import AuditEvent, AuditLeaf
from crm.models import AttributeMapping, CrmRecord
from provisioning.models import GuestCreation, IdempotencyKey
from tests.support.platform import Platform, breaks
from tests.support.sandbox import Sandbox, running_sandbox
from tests.support.webchat import Webchat


def run(name: str, *options: str) -> str:
    out = StringIO()
    call_command(name, *options, stdout=out, stderr=StringIO())
    return out.getvalue()


# --- setup_roles, seed_demo ---------------------------------------------------------------------

ROLES = ["Auditor", "CRM administrator", "Compliance reviewer"]


def rights() -> dict[str, list[str]]:
    return {
        group.name: sorted(group.permissions.values_list("codename", flat=True))
        for group in Group.objects.all()
    }


def test_setup_roles_makes_the_contract_s_groups(db: None) -> None:
    run("setup_roles")

    assert sorted(rights()) == ROLES
    assert "view_guestcreation" in rights()["Compliance reviewer"]
    assert "change_attributemapping" in rights()["CRM administrator"]


def test_setup_roles_gives_crm_administrators_no_sight_of_audit_and_creations(db: None) -> None:
    run("setup_roles")

    apps = Permission.objects.filter(group__name="CRM administrator").values_list(
        "content_type__app_label", flat=True
    )
    assert set(apps) == {"crm"}


def test_setup_roles_lets_nobody_write_audit_or_creations(db: None) -> None:
    run("setup_roles")

    writes = [
        name
        for names in rights().values()
        for name in names
        if name.endswith(("guestcreation", "auditevent", "auditseal"))
        and not name.startswith("view_")
    ]
    assert writes == []


def test_setup_roles_puts_rights_back_and_keeps_members(db: None) -> None:
    run("setup_roles")
    before, auditors = rights(), Group.objects.get(name="Auditor")
    member = get_user_model().objects.create_user("ann")
    member.groups.add(auditors)
    auditors.permissions.set(Permission.objects.filter(codename="delete_crmrecord"))

    run("setup_roles")

    assert rights() == before
    assert member.groups.get() == auditors


def test_seed_demo_makes_records_and_an_administrator_once(db: None) -> None:
    first = run("seed_demo")
    CrmRecord.objects.filter(first_name="Jane").update(tier="Changed")
    second = run("seed_demo")

    password = first.split()[-1]
    administrator = get_user_model().objects.get(username="demo-admin")
    assert administrator.check_password(password)
    assert "password" not in second
    assert sorted(CrmRecord.objects.values_list("tier", flat=True)) == ["Changed", "Standard"]


def test_seed_demo_names_the_shipped_attributes_as_the_platform_in_use_does(
    db: None, settings: Any
) -> None:
    named: list[list[str]] = []
    for platform in ("messenger", "guest-api"):
        settings.GENESYS_PLATFORM = platform
        run("seed_demo")
        named.append(list(AttributeMapping.objects.values_list("target", flat=True)))

    assert named == [
        ["tier_text", "previous_tickets_integer", "integration_source_text"],
        ["crmTier", "historicalTickets", "integrationSource"],
    ]


# --- check_genesys ------------------------------------------------------------------------------


@pytest.fixture
def point_at(settings: Any) -> Any:
    def point(sandbox: Sandbox) -> None:
        settings.GENESYS_BASE_URL = sandbox.url
        settings.GENESYS_OAUTH_URL = f"{sandbox.url}/oauth/token"
        settings.GENESYS_DEADLINE = 1.0
        settings.GENESYS_MAX_ATTEMPTS = 1

    return point


@pytest.mark.parametrize("style", ["body", "basic"])
def test_check_genesys_says_that_all_is_well(
    style: str, sandbox: Sandbox, point_at: Any, settings: Any
) -> None:
    settings.GENESYS_OAUTH_AUTH = style
    point_at(sandbox)

    assert "gave a token for 3600 s" in run("check_genesys")
    assert sandbox.count("guests") == 0


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        (["--client-secret", "another"], "Check GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET"),
        (["--grant-scopes", "webchat:token:write"], "without the scope webchat:guest:write"),
    ],
    ids=["wrong secret", "missing scope"],
)
def test_check_genesys_names_the_remedy(options: list[str], remedy: str, point_at: Any) -> None:
    with running_sandbox(*options) as sandbox:
        point_at(sandbox)

        with pytest.raises(CommandError, match=remedy) as failed:
            run("check_genesys")

    assert "test-secret" not in str(failed.value)


@pytest.mark.parametrize(
    ("fault", "remedy"),
    [
        ({"kind": "hang"}, "GENESYS_OAUTH_URL and the network"),
        ({"kind": "reset"}, "GENESYS_OAUTH_URL and the network"),
        ({"kind": "garbage", "shape": "html"}, "GENESYS_OAUTH_URL and the network"),
        (
            {"kind": "status", "status": 401, "body": {"error": "unauthorized_client"}},
            "inactive or is not of type Client Credentials",
        ),
    ],
    ids=lambda value: value.get("kind") if isinstance(value, dict) else "",
)
def test_check_genesys_names_what_to_look_at(
    fault: dict[str, Any], remedy: str, sandbox: Sandbox, point_at: Any
) -> None:
    sandbox.faults([{"endpoint": "oauth", **fault}])
    point_at(sandbox)

    with pytest.raises(CommandError, match=remedy):
        run("check_genesys")


# --- recover_pending, housekeeping --------------------------------------------------------------


@pytest.fixture
def crashed(webchat: Webchat, platform: Platform) -> GuestCreation:
    """A creation whose process died while the platform was at work."""
    platform.answers["guests"] = breaks(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        webchat.init()
    return GuestCreation.objects.get()


def expire() -> None:
    past = timezone.now() - timedelta(seconds=1)
    GuestCreation.objects.exclude(overdue_at=None).update(overdue_at=past)


def test_a_crash_leaves_a_pending_row_with_its_time(crashed: GuestCreation) -> None:
    patience = crashed.overdue_at - crashed.created_at

    assert crashed.status == "pending"
    assert timedelta(seconds=14) < patience < timedelta(seconds=16)


def test_recover_pending_touches_no_row_that_is_not_overdue(crashed: GuestCreation) -> None:
    run("recover_pending")

    crashed.refresh_from_db()
    assert crashed.status == "pending"


def test_recover_pending_moves_overdue_rows_to_unknown_once(crashed: GuestCreation) -> None:
    expire()

    said = [run("recover_pending").split()[0] for _ in range(2)]

    crashed.refresh_from_db()
    assert said == ["1", "0"]
    assert (crashed.status, crashed.overdue_at) == ("unknown", None)
    assert AuditEvent.objects.latest("id").kind == "guest.unknown"


def test_recover_pending_leaves_settled_rows_alone(webchat: Webchat) -> None:
    webchat.init()
    before = list(GuestCreation.objects.values())

    run("recover_pending")

    assert list(GuestCreation.objects.values()) == before


@pytest.mark.django_db(transaction=True)
def test_housekeeping_seals_recovers_and_forgets(platform: Platform) -> None:
    Webchat().init(headers={"Idempotency_Key": "k"})
    long_ago = timezone.now() - timedelta(hours=25)
    IdempotencyKey.objects.update(created_at=long_ago)
    GuestCreation.objects.update(status="pending", guest_id="", overdue_at=long_ago)

    run("housekeeping", "--once")

    assert GuestCreation.objects.get().status == "unknown"
    assert IdempotencyKey.objects.count() == 0
    events = AuditEvent.objects.exclude(kind="guest.unknown")
    assert AuditLeaf.objects.filter(event__in=events).count() == events.count() >= 3


@pytest.mark.django_db(transaction=True)
def test_housekeeping_fails_loudly_but_does_the_rest(platform: Platform) -> None:
    Webchat().init()
    GuestCreation.objects.update(status="pending", guest_id="", overdue_at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE provisioning_idempotencykey RENAME TO taken_away")

    with pytest.raises(CommandError, match="not everything"):
        run("housekeeping", "--once")

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE taken_away RENAME TO provisioning_idempotencykey")
    assert GuestCreation.objects.get().status == "unknown"


@pytest.mark.django_db(transaction=True)
def test_housekeeping_names_the_file_that_it_cannot_write(
    platform: Platform, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Webchat().init()
    settings.AUDIT_ANCHORS = tmp_path  # a folder where a file should be

    with pytest.raises(CommandError, match="not everything"):
        run("housekeeping", "--once")

    assert f"seal failed: [Errno 21] Is a directory: '{tmp_path}'" in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_housekeeping_names_the_key_that_it_lacks(
    platform: Platform, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    Webchat().init()
    settings.AUDIT_SIGNING_KEY = ""

    with pytest.raises(CommandError, match="not everything"):
        run("housekeeping", "--once")

    assert "seal failed: AUDIT_SIGNING_KEY is not set" in caplog.text
    assert "Traceback" not in caplog.text


# --- Every command ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("setup_roles", "seed_demo", "check_genesys", "housekeeping", "recover_pending"),
        *("serve", "doctor"),
    ],
)
def test_help_says_what_a_command_changes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command(name, "--help")

    assert ended.value.code == 0
    assert len(capsys.readouterr().out) > 200
