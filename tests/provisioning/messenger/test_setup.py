"""`manage.py messenger_setup`, over an organisation in which nothing is set up."""

import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from crm import profiles
from crm.models import AttributeMapping
from provisioning import mappings
from provisioning.genesys.messenger.client import PERMISSIONS, VIEWS
from tests.support.messenger import DEPLOYMENT_ID, FIELDS, configure
from tests.support.sandbox import Sandbox, running_sandbox
from tests.support.visitor import Visitor, events, known_to_the_crm

ITS_OWN = ("MESSENGER_EXTERNAL_SOURCE_ID", "MESSENGER_SCHEMA_ID")
NOT_ITS_OWN = ("MESSENGER_DEPLOYMENT_ID", "MESSENGER_ENVIRONMENT", "MESSENGER_TOKEN_KEY")


@pytest.fixture(scope="session")
def _empty() -> Iterator[Sandbox]:
    with running_sandbox("--deployment-id", DEPLOYMENT_ID) as sandbox:
        yield sandbox


@pytest.fixture
def organisation(_empty: Sandbox, visitor: Visitor, settings: Any) -> Sandbox:
    """An organisation with nothing but a deployment; the service knows its address."""
    _empty.reset()
    configure(settings, _empty)
    for name in ITS_OWN:
        setattr(settings, name, "")
    return _empty


def set_up(*options: str) -> dict[str, str]:
    """Run the command and return the settings that it says to set, and all it says as `said`."""
    out = StringIO()
    call_command("messenger_setup", *options, stdout=out)
    said = out.getvalue()
    return {**dict(re.findall(r"(?m)^([A-Z_]+)=(.+)$", said)), "said": said}


def do_as_told(settings: Any, told: dict[str, str]) -> None:
    for name, value in told.items():
        if name.startswith("MESSENGER_"):
            setattr(settings, name, int(value) if name.endswith("VERSION") else value)


def targets() -> list[str]:
    return list(AttributeMapping.objects.values_list("target", flat=True))


def test_changes_nothing_unless_asked(organisation: Sandbox) -> None:
    before = targets()

    told = set_up()

    assert "would be made with consent_given_checkbox" in told["said"]
    assert {call["method"] for call in organisation.calls() if call["endpoint"] != "oauth"} == {
        "GET"
    }
    assert targets() == before


def test_makes_what_a_visitor_needs(organisation: Sandbox, settings: Any) -> None:
    do_as_told(settings, set_up("--apply"))
    set_up("--apply")
    profiles.forget_mappings()
    known_to_the_crm(tier="Platinum-Tier")

    answer = Visitor(organisation).init(consentGiven=True)

    assert answer.status_code == 200
    (call,) = organisation.calls(endpoint="enrich")
    assert call["body"]["contact"]["customFields"] == {
        "tier_text": "Platinum-Tier",
        "previous_tickets_integer": 4711,
        "integration_source_text": "guestportal-v1",
        "consent_given_checkbox": True,
        "consent_type_text": "explicit",
    }


def test_needs_no_more_than_domain_and_credentials(organisation: Sandbox, settings: Any) -> None:
    for name in NOT_ITS_OWN:
        setattr(settings, name, "")

    told = set_up("--apply")

    assert set(ITS_OWN) <= set(told)


@pytest.mark.parametrize("name", ["MESSENGER_DOMAIN", "GENESYS_CLIENT_SECRET"])
def test_names_what_is_not_set(organisation: Sandbox, settings: Any, name: str) -> None:
    setattr(settings, name, "")

    with pytest.raises(CommandError, match=name):
        set_up()

    assert organisation.calls() == []


def test_finds_what_it_made_and_says_the_same_ids(organisation: Sandbox) -> None:
    first = set_up("--apply")
    second = set_up("--apply")

    assert [second[name] for name in ITS_OWN] == [first[name] for name in ITS_OWN]
    assert organisation.count("add_source") == organisation.count("add_schema") == 1
    assert organisation.count("edit_schema") == 0


def test_has_nothing_to_say_once_all_is_set(organisation: Sandbox, settings: Any) -> None:
    do_as_told(settings, set_up("--apply"))
    set_up("--apply")

    told = set_up("--apply")

    assert list(told) == ["said"]
    assert "replaced" not in told["said"]


def test_adds_the_field_of_a_new_mapping_as_a_new_version(
    organisation: Sandbox, settings: Any
) -> None:
    do_as_told(settings, set_up("--apply"))
    set_up("--apply")
    AttributeMapping.objects.create(
        target="segment_text", source_kind="attribute", source="segment", enabled=False
    )

    told = set_up("--apply")

    assert "segment_text added, as version 2" in told["said"]
    assert told["MESSENGER_SCHEMA_VERSION"] == "2"
    (change,) = organisation.calls(endpoint="edit_schema")
    fields = change["body"]["jsonSchema"]["properties"]
    assert set(fields) == {*FIELDS.split(), "segment_text"}


def test_names_the_field_whose_options_people_choose(organisation: Sandbox, settings: Any) -> None:
    AttributeMapping.objects.create(target="tier_enum", source_kind="field", source="tier")

    told = set_up("--apply")

    assert "Field tier_enum: Its options are yours to choose" in told["said"]


@pytest.mark.parametrize("name", ITS_OWN)
def test_makes_nothing_in_the_place_of_an_id_that_names_nothing(
    organisation: Sandbox, settings: Any, name: str
) -> None:
    setattr(settings, name, "7f2f5b6e-6c2e-4d4f-9a51-1f3a5f1f0aff")

    with pytest.raises(CommandError, match=f"{name} names no"):
        set_up("--apply")

    assert organisation.count("add_schema") == 0


@pytest.mark.parametrize(
    ("granted", "missing"),
    [
        ((), "externalContacts:externalSource:add"),
        (("externalContacts:externalSource:add",), "externalContacts:customFields:add"),
    ],
)
def test_names_the_permission_to_make_something(
    organisation: Sandbox, settings: Any, granted: tuple[str, ...], missing: str
) -> None:
    scopes = " ".join((*PERMISSIONS, *VIEWS, *granted))
    with running_sandbox("--grant-scopes", scopes) as sandbox:
        configure(settings, sandbox)
        for name in ITS_OWN:
            setattr(settings, name, "")

        with pytest.raises(CommandError, match=f"permission {missing}"):
            set_up("--apply")


def test_replaces_the_shipped_mappings_once_the_ids_are_set(
    organisation: Sandbox, settings: Any
) -> None:
    told = set_up("--apply")
    before = targets()
    do_as_told(settings, told)

    set_up("--apply")

    assert before == ["crmTier", "historicalTickets", "integrationSource"]
    assert targets() == ["tier_text", "previous_tickets_integer", "integration_source_text"]
    (event,) = events("mapping.changed")
    assert [mapping["target"] for mapping in event["data"]["before"]] == before


def test_leaves_mappings_that_staff_have_changed_and_names_them(
    organisation: Sandbox, settings: Any
) -> None:
    AttributeMapping.objects.filter(target="crmTier").update(default="none")
    before = targets()

    do_as_told(settings, set_up("--apply"))
    told = set_up("--apply")

    assert targets() == before
    assert "crmTier is never sent" in told["said"]


def test_brings_the_guest_api_s_mappings_back(organisation: Sandbox, settings: Any) -> None:
    shipped = list(AttributeMapping.objects.values(*mappings.shipped(platform="guest-api")[0]))
    do_as_told(settings, set_up("--apply"))
    set_up("--apply")
    settings.GENESYS_PLATFORM = "guest-api"

    set_up("--apply")

    names = list(shipped[0])
    assert list(AttributeMapping.objects.values(*names)) == shipped
    assert len(events("mapping.changed")) == 2
