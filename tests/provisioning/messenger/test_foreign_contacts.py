"""What a contact says is looked at before it is used."""

from typing import Any

import pytest

from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import PlatformError
from provisioning.genesys.platform import get_platform
from tests.support.messenger import SOURCE_ID
from tests.support.visitor import Visitor

HOSTILE = [
    {"externalIds": "text", "mergeSet": 7, "canonicalContact": "x"},
    {"externalIds": [{"value": 7, "externalSource": "x"}, "y"], "mergeSet": ["z", {"id": 7}]},
    {"externalIds": [{}], "mergeSet": [{}], "canonicalContact": [], "customFields": "x"},
    {"canonicalContact": {"id": "../../oauth"}, "createDate": 7},
]


@pytest.mark.parametrize("said", HOSTILE)
def test_takes_nothing_of_a_contact_for_what_it_is_not(
    messenger: Visitor, said: dict[str, Any]
) -> None:
    contact = messenger.init(consentGiven=True).json()["guestId"]
    messenger.sandbox.faults([{"endpoint": "contact", "kind": "alter", "set": said}])
    platform, deadline = get_platform(), Deadline(seconds=10)
    begun = platform.deletion(guest_id=contact, session_key="", generation=0)

    went_on = platform.delete_guest(
        deletion=begun, deadline=deadline, is_ours=lambda contact: False
    )
    outcome = _withdrawn(contact)

    assert went_on.subjects == begun.subjects
    assert outcome in (True, False, PlatformError)
    assert {
        call["path"].split("/")[-1] for call in messenger.sandbox.calls(endpoint="contact")
    } == {contact}


@pytest.mark.parametrize(
    "others",
    [
        [],
        [{"externalSource": {"id": SOURCE_ID}, "value": "x" * 256}],
        [{"externalSource": {"id": SOURCE_ID}, "value": ""}],
        [{"externalSource": {"id": SOURCE_ID}, "value": f"another-{n}"} for n in range(300)],
    ],
    ids=["alone", "long", "empty", "many"],
)
def test_withdraws_by_the_external_id_however_it_is_written(
    messenger: Visitor, others: list[Any]
) -> None:
    contact = messenger.init(consentGiven=True).json()["guestId"]
    (asked,) = messenger.sandbox.calls(endpoint="enrich")
    known = asked["body"]["matchingIdentifiers"][0]["value"]
    ours = {"externalSource": {"id": SOURCE_ID.upper()}, "value": known}
    said = {"externalIds": [ours, *others]}
    messenger.sandbox.faults([{"endpoint": "contact", "kind": "alter", "set": said}])

    assert _withdrawn(contact) is True


def _withdrawn(contact: str) -> Any:
    try:
        return get_platform().withdraw(guest_id=contact, deadline=Deadline(seconds=10))
    except PlatformError:
        return PlatformError
