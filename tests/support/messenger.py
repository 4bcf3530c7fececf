"""An organisation with Messenger: the sandbox that plays it, and the settings that name it."""

from typing import Any

from tests.support.sandbox import Sandbox
from tests.support.service import Service

SOURCE_ID = "7f2f5b6e-6c2e-4d4f-9a51-1f3a5f1f0a01"
SCHEMA_ID = "7f2f5b6e-6c2e-4d4f-9a51-1f3a5f1f0a02"
DEPLOYMENT_ID = "7f2f5b6e-6c2e-4d4f-9a51-1f3a5f1f0a03"
FIELDS = (
    "consent_given_checkbox consent_type_text"
    " tier_text previous_tickets_integer integration_source_text"
)
OPTIONS = (
    *("--external-source-id", SOURCE_ID, "--deployment-id", DEPLOYMENT_ID),
    *("--contact-schema-id", SCHEMA_ID, "--contact-fields", FIELDS),
)


def environment(url: str) -> dict[str, str]:
    """Return the settings of a service whose organisation is the sandbox at `url`."""
    return {
        "GENESYS_PLATFORM": "messenger",
        "GENESYS_BASE_URL": url,
        "GENESYS_OAUTH_URL": f"{url}/oauth/token",
        "GENESYS_OAUTH_AUTH": "basic",
        "GENESYS_SCOPES": "",
        "MESSENGER_DOMAIN": "mypurecloud.example",
        "MESSENGER_ENVIRONMENT": "prod-example",
        "MESSENGER_DEPLOYMENT_ID": DEPLOYMENT_ID,
        "MESSENGER_EXTERNAL_SOURCE_ID": SOURCE_ID,
        "MESSENGER_SCHEMA_ID": SCHEMA_ID,
        "MESSENGER_TOKEN_KEY": "a key of tests only, long enough to be one",
    }


def configure(settings: Any, sandbox: Sandbox) -> None:
    """Have this process's service talk to the organisation."""
    for name, value in environment(sandbox.url).items():
        setattr(settings, name, value)


def settle(service: Service) -> None:
    """Do what housekeeping does with unknown outcomes, each look a minute after the one before."""
    service.manage("shell", "--no-imports", "-c", _SETTLE)


_SETTLE = """
from datetime import timedelta
from django.db.models import F
from provisioning.follow_up.lookups import settle_unknown, unsettled
while unsettled().exists():
    settle_unknown()
    unsettled().update(looked_up_at=F("looked_up_at") - timedelta(seconds=61))
"""
