"""The vendor's own SDK sees the contact that our client made, as our client sent it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.visitor import Visitor, known_to_the_crm

SDK = Path(__file__).resolve().parents[3] / ".venv" / "sdk"
LOOK = """
import json, sys
import PureCloudPlatformClientV2 as sdk
address, contact_id, value, source = sys.argv[1:]
sdk.configuration.host = address
client = sdk.api_client.ApiClient().get_client_credentials_token("an-id", "a-secret")
contacts = sdk.ExternalContactsApi(client)
found = sdk.ContactIdentifier()
found.type, found.value, found.external_source = "ExternalId", value, {"id": source}
got = contacts.get_externalcontacts_contact(contact_id)
looked_up = contacts.post_externalcontacts_identifierlookup_contacts(found)
print(json.dumps({
    "ids": [got.id, looked_up.id],
    "person": [got.first_name, got.personal_email],
    "fields": got.custom_fields,
}))
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SDK.is_dir(), reason=".venv/sdk is not there; make test-all makes it"),
]


def as_the_sdk_sees_it(visitor: Visitor, contact_id: str, home: Path) -> dict[str, Any]:
    (wanted,) = visitor.sandbox.calls(endpoint="enrich")[0]["body"]["matchingIdentifiers"]
    found = (visitor.sandbox.url, contact_id, wanted["value"], wanted["externalSource"]["id"])
    # It reads and watches a folder in its home.
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(SDK)}
    command = [sys.executable, "-S", "-c", LOOK, *found]
    ended = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return dict(json.loads(ended.stdout))


def test_sees_the_contact_of_a_visitor_who_consented(messenger: Visitor, tmp_path: Path) -> None:
    known_to_the_crm()
    contact_id = messenger.init(consentGiven=True).json()["guestId"]

    seen = as_the_sdk_sees_it(messenger, contact_id, tmp_path)

    assert seen["ids"] == [contact_id, contact_id]
    assert seen["person"] == ["Janette", "jane.doe@example.com"]
    assert seen["fields"] == {
        "tier_text": "Platinum-Tier",
        "previous_tickets_integer": 4711,
        "integration_source_text": "guestportal-v1",
        "consent_given_checkbox": True,
        "consent_type_text": "explicit",
    }
