"""What the vendor's own Python SDK does at a sandbox, told as JSON. Run by `test_vendor_sdk.py`.

python sdk_client.py http://127.0.0.1:9000 <client id> <client secret>

Each line of the story is a name with the answer as it came and as the SDK understood it.
"""

import json
import sys
from types import SimpleNamespace
from typing import Any

import PureCloudPlatformClientV2 as sdk  # noqa: N813
from PureCloudPlatformClientV2.rest import ApiException

address, client_id, secret = sys.argv[1:]
host, _, port = address.removeprefix("http://").partition(":")
sdk.configuration.host = address
client = sdk.api_client.ApiClient().get_client_credentials_token(client_id, secret)
contacts = sdk.ExternalContactsApi(client)
erasures = sdk.GeneralDataProtectionRegulationApi(client)
deployments = sdk.WebDeploymentsApi(client)
story: dict[str, Any] = {}


def tell(name: str, answer: Any) -> Any:
    came = json.loads(client.last_response.data)
    understood = client.sanitize_for_serialization(answer)
    status = client.last_response.status
    story[name] = {"status": status, "came": came, "understood": understood}
    return answer


def tell_refusal(name: str, call: Any, *args: Any, kind: str = "ErrorBody") -> None:
    try:
        call(*args)
    except ApiException as exc:
        reply = SimpleNamespace(data=exc.body, getheader=lambda name: "application/json")
        story[name] = {
            "status": exc.status,
            "came": json.loads(exc.body),
            "understood": client.sanitize_for_serialization(client.deserialize(reply, kind)),
            "headers": {name.lower(): value for name, value in exc.headers.items()},
        }


def through_a_gateway() -> None:
    """Fetch a token at /login/oauth/token and use it."""
    gateway = sdk.api_client.ApiClient()
    gateway.set_gateway(host, "http", int(port), "login", "")
    gateway.get_client_credentials_token(client_id, secret)
    sources = sdk.ExternalContactsApi(gateway).get_externalcontacts_externalsources()
    story["gateway"] = len(sources.entities)


def source_and_schema() -> tuple[Any, Any]:
    source = sdk.ExternalSource()
    source.name = "guestportal"
    source = tell("add_source", contacts.post_externalcontacts_externalsources(source))
    document = sdk.JsonSchemaDocument()
    document.properties = {
        f"{name}_{kind}": {"allOf": [{"$ref": f"#/definitions/{kind}"}], "title": name}
        for name, kind in (("consent_given", "checkbox"), ("tier", "text"))
    }
    schema = sdk.DataSchema()
    schema.name, schema.applies_to, schema.json_schema = "guestportal", ["CONTACT"], document
    schema = tell("add_schema", contacts.post_externalcontacts_contacts_schemas(schema))
    tell("sources", contacts.get_externalcontacts_externalsources(name="guestportal"))
    tell("source", contacts.get_externalcontacts_externalsource(source.id))
    tell("schemas", contacts.get_externalcontacts_contacts_schemas())
    tell("schema", contacts.get_externalcontacts_contacts_schema(schema.id))
    tell("version", contacts.get_externalcontacts_contacts_schema_version(schema.id, "1"))
    tell_refusal("forbidden", contacts.put_externalcontacts_contacts_schema, schema.id, schema)
    return source, schema


def identifier(source: Any, value: str) -> Any:
    found = sdk.ContactIdentifier()
    found.type, found.value, found.external_source = "ExternalId", value, source
    return found


def enrichment(source: Any, schema: Any, value: str, **fields: str) -> Any:
    known = sdk.ExternalId()
    known.external_source, known.value = source, value
    contact = sdk.ExternalContact()
    contact.external_ids, contact.schema = [known], schema
    contact.custom_fields = {"consent_given_checkbox": True, "tier_text": "Enterprise"}
    for name, given in fields.items():
        setattr(contact, name, given)
    rules = sdk.EnrichFieldRules()
    rules.default_action = "PreferProvided"
    body = sdk.ContactEnrichRequest()
    body.matching_identifiers, body.action = [identifier(source, value)], "Upsert"
    body.contact, body.field_rules = contact, rules
    return body


def one_contact(source: Any, schema: Any) -> Any:
    enrich = contacts.post_externalcontacts_contacts_enrich
    body = enrichment(source, schema, "P1", first_name="Jane", personal_email="jane@example.com")
    tell("dry_run", enrich(body, dry_run=True))
    tell("first", enrich(body))
    contact = tell("again", enrich(body))
    look_up = contacts.post_externalcontacts_identifierlookup_contacts
    tell("lookup", look_up(identifier(source, "P1")))
    tell_refusal("limited", look_up, identifier(source, "P1"))
    tell("lookup_after_a_wait", look_up(identifier(source, "P1")))
    tell_refusal("unknown", look_up, identifier(source, "nobody"))
    tell("contact", contacts.get_externalcontacts_contact(contact.id))
    tell_refusal("invalid", enrich, enrichment(source, schema, "P1", personal_email="jane"))
    return contact


def erasure(contact: Any) -> None:
    subject = sdk.GDPRSubject()
    subject.external_contact_id = contact.id
    request = sdk.GDPRRequest()
    request.request_type, request.subject = "GDPR_DELETE", subject
    request = tell("gdpr", erasures.post_gdpr_requests(request, delete_confirmed=True))
    for number in range(4):
        tell(f"gdpr_{number}", erasures.get_gdpr_request(request.id))
    tell_refusal("erased", contacts.get_externalcontacts_contact, contact.id)


def merge_and_deletion(source: Any, schema: Any) -> None:
    enrich = contacts.post_externalcontacts_contacts_enrich
    body = sdk.MergeContactsRequest()
    body.contact_ids = [enrich(enrichment(source, schema, value)).id for value in ("P2", "P3")]
    merged = tell("merge", contacts.post_externalcontacts_contacts_merge(body))
    tell("merged", contacts.get_externalcontacts_contact(body.contact_ids[0]))
    tell("delete_contact", contacts.delete_externalcontacts_contact(merged.id))


def wrong_credentials() -> None:
    fresh = sdk.api_client.ApiClient()
    tell_refusal(
        "wrong_secret", fresh.get_client_credentials_token, client_id, "wrong", kind="object"
    )
    fresh.access_token = "made-up"
    found = sdk.ExternalContactsApi(fresh).get_externalcontacts_externalsources
    tell_refusal("wrong_token", found)


def main() -> None:
    through_a_gateway()
    source, schema = source_and_schema()
    erasure(one_contact(source, schema))
    merge_and_deletion(source, schema)
    tell("deployment", deployments.get_webdeployments_deployment("a-deployment"))
    wrong_credentials()
    print(json.dumps(story))


if __name__ == "__main__":
    main()
