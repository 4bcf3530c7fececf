"""An enrich that may have arrived: asked for again only while its consent stands."""

from typing import Any

import pytest

from provisioning import ledger
from provisioning.genesys.deadline import Deadline
from provisioning.genesys.errors import PlatformError
from provisioning.genesys.platform import GuestRequest, get_platform
from provisioning.ledger import Entry
from tests.support.visitor import Visitor, latest

LOST = {"endpoint": "enrich", "call": 1, "kind": "reset", "process": True}
CONFLICT = {"endpoint": "enrich", "call": 1, "kind": "status", "status": 409}
GUEST = GuestRequest(
    name="Janette",
    email="jane.doe@example.com",
    known=True,
    consent_given=True,
    consent_type="explicit",
    attributes={},
    session_key="a" * 64,
)


def create(*, consent_stands: bool) -> Any:
    platform, deadline = get_platform(), Deadline(seconds=10)
    reservation = platform.reserve(guest=GUEST, token=True, deadline=deadline)
    return platform.create_guest(
        guest=GUEST,
        reservation=reservation,
        deadline=deadline,
        consent_stands=lambda: consent_stands,
    )


@pytest.mark.parametrize("fault", [LOST, CONFLICT])
def test_asks_again_for_the_same_contact(messenger: Visitor, fault: dict[str, Any]) -> None:
    messenger.sandbox.faults([fault])

    assert create(consent_stands=True).consent_given is True
    assert messenger.sandbox.count("enrich") == 2
    assert messenger.sandbox.stats()["guestsCreated"] == 1


@pytest.mark.parametrize("fault", [LOST, CONFLICT])
def test_does_not_where_consent_was_taken_back(messenger: Visitor, fault: dict[str, Any]) -> None:
    messenger.sandbox.faults([fault])

    with pytest.raises(PlatformError) as raised:
        create(consent_stands=False)

    assert raised.value.sent
    assert messenger.sandbox.count("enrich") == 1


def test_consent_stands_until_it_is_taken_back(messenger: Visitor) -> None:
    messenger.init(consentGiven=True)
    entry = Entry.of(latest(), "")
    assert ledger.consent_stands(entry=entry)

    messenger.withdraw()

    assert not ledger.consent_stands(entry=entry)
