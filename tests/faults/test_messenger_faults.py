"""The same faults where the platform is Messenger, whose contact is found again and never doubled.

What may have arrived is asked for again within the init, so a fault that passes costs nothing; one
that stays leaves a row that a look settles afterwards.
"""

import uuid
from dataclasses import replace
from typing import Any

import pytest

from tests.faults.conftest import Pair
from tests.faults.test_platform_faults import FAULTS, Fault, init_under, ready_for
from tests.support.messenger import settle

pytestmark = pytest.mark.slow

# What is repeated here and not there.
OTHERWISE = {"guest 500 once": ("ok", "ready")}
THERE = {"endpoint": "enrich", "kind": "hang", "process": True}
NEVER_THERE = {"endpoint": "enrich", "kind": "hang"}


def translated(fault: Fault) -> Fault | None:
    """Return the fault as one of the enrich; None for one of the token call: there is none.

    None for what is too large as well: that is seen before anybody asks which platform it is.
    """
    if any(rule["endpoint"] == "tokens" or rule["kind"] == "bomb" for rule in fault.rules):
        return None
    rules = [
        {**rule, "endpoint": "enrich" if rule["endpoint"] == "guests" else rule["endpoint"]}
        for rule in fault.rules
    ]
    code, status = OTHERWISE.get(fault.name, (fault.code, fault.status))
    return replace(fault, rules=rules, code=code, status=status)


@pytest.mark.parametrize("fault", list(filter(None, map(translated, FAULTS))), ids=str)
def test_answers_in_time_and_tells_the_truth_when(fault: Fault, messenger_pair: Pair) -> None:
    ready_for(fault, messenger_pair)
    seen = messenger_pair.sandbox.calls()[-1]["number"]

    init_under(fault, messenger_pair, uuid.uuid4().hex)

    made = messenger_pair.sandbox.calls(since=seen, endpoint="enrich")
    assert len([call for call in made if call["guestId"]]) <= 1


def test_looks_settle_every_creation_whose_outcome_is_unknown(messenger_pair: Pair) -> None:
    messenger_pair.sandbox.reset()
    there, never_there = (left_unknown(messenger_pair, fault) for fault in (THERE, NEVER_THERE))
    messenger_pair.sandbox.faults([])
    enriched = messenger_pair.sandbox.count("enrich")

    settle(messenger_pair.service)

    found = {str(row["id"]): row["status"] for row in messenger_pair.rows()}
    assert (found[there], found[never_there]) == ("guest_created", "failed")
    assert not messenger_pair.rows("status = 'unknown'")
    assert messenger_pair.sandbox.count("enrich") == enriched


def left_unknown(pair: Pair, fault: dict[str, Any]) -> str:
    """Return the id of a creation whose call was sent and not answered.

    On a busy machine an init's time may be over before it is sent: then nothing is unknown.
    """
    for _ in range(10):
        pair.sandbox.faults([fault])
        assert pair.service.init(uuid.uuid4().hex).json["code"] == "platform_timeout"
        row = pair.rows()[-1]
        if row["status"] == "unknown":
            return str(row["id"])
    pytest.fail("no call was sent in time")
