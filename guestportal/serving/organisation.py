"""The organisation with Messenger that the sandbox plays in the demo.

Its ids stay the same from start to start, and both platforms are always there: a demo that was
started with one can be started with the other.
"""

SOURCE_ID = "0f6a4c1e-5d0b-4b7e-9a53-6f1d2c3b4a01"
SCHEMA_ID = "0f6a4c1e-5d0b-4b7e-9a53-6f1d2c3b4a02"
DEPLOYMENT_ID = "0f6a4c1e-5d0b-4b7e-9a53-6f1d2c3b4a03"
FIELDS = (
    "consent_given_checkbox consent_type_text"
    " tier_text previous_tickets_integer integration_source_text"
)
# Of the sandbox's command line.
OPTIONS = (
    *("--external-source-id", SOURCE_ID, "--deployment-id", DEPLOYMENT_ID),
    *("--contact-schema-id", SCHEMA_ID, "--contact-fields", FIELDS),
)
SETTINGS = {
    "MESSENGER_DOMAIN": "mypurecloud.example",
    "MESSENGER_ENVIRONMENT": "demo",
    "MESSENGER_DEPLOYMENT_ID": DEPLOYMENT_ID,
    "MESSENGER_EXTERNAL_SOURCE_ID": SOURCE_ID,
    "MESSENGER_SCHEMA_ID": SCHEMA_ID,
    "MESSENGER_SCHEMA_VERSION": "1",
}
