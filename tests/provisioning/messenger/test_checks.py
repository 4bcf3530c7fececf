"""`manage.py check_genesys` where GENESYS_PLATFORM is `messenger`."""

from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from crm.models import AttributeMapping
from provisioning.genesys.messenger.client import PERMISSIONS, SETUP, VIEWS
from tests.support.messenger import DEPLOYMENT_ID, OPTIONS, SCHEMA_ID, SOURCE_ID, configure
from tests.support.sandbox import running_sandbox
from tests.support.visitor import Visitor

DOCUMENTED = (*PERMISSIONS, *VIEWS)
ONLY_BY_DOING = ("gdpr:request:add", "externalContacts:contact:delete")
NOBODY = "7f2f5b6e-6c2e-4d4f-9a51-1f3a5f1f0aff"


def check() -> str:
    out = StringIO()
    call_command("check_genesys", stdout=out)
    return out.getvalue()


def test_says_of_each_thing_that_it_is_in_order(messenger: Visitor) -> None:
    said = check()

    for name in (
        *("enrich (dry run)", "look-up", "deployment", "external source", "contact schema"),
        *("field consent_given_checkbox", "field tier_text", "gdpr request"),
    ):
        assert f"ok  {name}: " in said


def test_says_what_only_an_erasure_tries(messenger: Visitor) -> None:
    untried = [line for line in check().splitlines() if line.startswith("not tried")]

    assert all(any(each in line for line in untried) for each in ONLY_BY_DOING)


def test_changes_nothing(messenger: Visitor) -> None:
    check()

    made = {(call["method"], call["endpoint"]) for call in messenger.sandbox.calls()}
    assert {endpoint for method, endpoint in made if method != "GET"} == {
        *("oauth", "enrich", "lookup")
    }
    (enrich,) = messenger.sandbox.calls(endpoint="enrich")
    assert enrich["query"] == "dryRun=true"


def test_is_content_with_the_permissions_that_are_documented(
    messenger: Visitor, settings: Any
) -> None:
    with running_sandbox(*OPTIONS, "--grant-scopes", " ".join(DOCUMENTED)) as sandbox:
        configure(settings, sandbox)

        assert "ok  enrich" in check()


@pytest.mark.parametrize("missing", [each for each in DOCUMENTED if each not in ONLY_BY_DOING])
def test_names_the_permission_that_is_missing(
    messenger: Visitor, settings: Any, missing: str
) -> None:
    granted = " ".join(each for each in DOCUMENTED if each != missing)
    with running_sandbox(*OPTIONS, "--grant-scopes", granted) as sandbox:
        configure(settings, sandbox)

        with pytest.raises(CommandError, match=f"Give the .* the permission {missing}") as failed:
            check()

    assert len(str(failed.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MESSENGER_DEPLOYMENT_ID", NOBODY),
        ("MESSENGER_EXTERNAL_SOURCE_ID", NOBODY),
        ("MESSENGER_SCHEMA_ID", NOBODY),
        ("MESSENGER_SCHEMA_VERSION", 7),
        ("MESSENGER_DEPLOYMENT_ID", ""),
        ("MESSENGER_EXTERNAL_SOURCE_ID", ""),
        ("MESSENGER_SCHEMA_ID", ""),
        ("MESSENGER_ENVIRONMENT", ""),
        ("MESSENGER_TOKEN_KEY", ""),
    ],
)
def test_names_the_setting_that_is_wrong(
    messenger: Visitor, settings: Any, name: str, value: str | int
) -> None:
    setattr(settings, name, value)

    with pytest.raises(CommandError, match=name.removeprefix("MESSENGER_SCHEMA")):
        check()


@pytest.mark.parametrize(
    ("endpoint", "body", "said"),
    [
        ("deployment", {"id": DEPLOYMENT_ID, "name": "x", "status": "Inactive"}, "x is Inactive"),
        ("source", {"id": SOURCE_ID, "name": "x", "active": False}, "x is not active"),
        (
            "schema",
            {
                "id": SCHEMA_ID,
                "name": "x",
                "version": 1,
                "enabled": False,
                "jsonSchema": {"properties": {}},
            },
            "version 1 of x is disabled",
        ),
        ("schema", {"id": SCHEMA_ID, "version": "1"}, "is not what was asked for"),
    ],
)
def test_says_what_is_there_but_not_in_use(
    messenger: Visitor, endpoint: str, body: dict[str, Any], said: str
) -> None:
    messenger.sandbox.faults(
        [{"endpoint": endpoint, "kind": "status", "status": 200, "body": body}]
    )

    with pytest.raises(CommandError, match=said):
        check()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"target": "segment_text"}, "field segment_text: version 1 .* has no such field"),
        ({"target": "segment_text"}, "messenger_setup --apply adds it"),
        ({"target": "tier_enum"}, "make it in the platform's admin console"),
        ({"target": "crmTier"}, "field crmTier: it is left out"),
        ({"value_type": "integer"}, "_text takes no value of the type integer"),
    ],
)
def test_names_the_mapping_that_has_no_field(
    messenger: Visitor, changed: dict[str, str], said: str
) -> None:
    AttributeMapping.objects.filter(target="tier_text").update(**changed)

    with pytest.raises(CommandError, match=said):
        check()


def test_says_only_that_there_is_no_token_where_there_is_none(messenger: Visitor) -> None:
    messenger.sandbox.faults([{"endpoint": "oauth", "kind": "status", "status": 401}])

    with pytest.raises(CommandError, match="GENESYS_CLIENT_ID") as failed:
        check()

    assert len(str(failed.value).splitlines()) == 1


def test_every_permission_is_documented() -> None:
    page = (settings.BASE_DIR / "docs" / "operators.md").read_text()

    assert [each for each in (*DOCUMENTED, *SETUP) if f"`{each}`" not in page] == []
