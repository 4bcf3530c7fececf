"""The sync API over HTTP: `/api/crm/records`."""

import hashlib
import time
from collections.abc import Callable
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client

from audit.models import AuditEvent
from crm.models import ApiToken, CrmRecord
from crm.sync.tokens import issue_token

LIST = "/api/crm/records"
pytestmark = pytest.mark.django_db
Call = Callable[..., Any]


def plain_hash(session_id: str) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()


def address(session_id: str) -> str:
    return f"{LIST}/{plain_hash(session_id)}"


def record(session_id: str, **fields: Any) -> dict[str, Any]:
    return {"sessionHash": plain_hash(session_id), "email": "ann@example.com", **fields}


def caller(token: str) -> Call:
    client = Client(headers={"Authorization": f"Bearer {token}"})

    def call(method: str, path: str, body: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        send = getattr(client, method.lower())
        return send(path, body, content_type="application/json", headers=named)

    return call


def token_for(name: str, *groups: str) -> str:
    call_command("setup_roles", stdout=StringIO())
    user = User.objects.create_user(name)
    user.groups.set(Group.objects.filter(name__in=groups))
    return issue_token(user=user, replace=False)


@pytest.fixture
def call() -> Call:
    """Call as a user of the group CRM administrator."""
    return caller(token_for("syncer", "CRM administrator"))


def last_event(kind: str) -> AuditEvent:
    return AuditEvent.objects.filter(kind=kind).latest("time")


def test_refuses_a_caller_without_a_token_and_says_how_to_bring_one() -> None:
    answer = Client().get(LIST)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["code"] == "unauthenticated"


def test_refuses_a_token_that_was_never_issued(call: Call) -> None:
    assert caller("gpat_nobody")("GET", LIST).status_code == 401


def test_refuses_a_token_whose_user_was_deactivated() -> None:
    call = caller(token_for("leaver", "CRM administrator"))
    User.objects.filter(username="leaver").update(is_active=False)

    assert call("GET", LIST).status_code == 401


def test_gives_a_token_no_more_than_its_users_permissions() -> None:
    call = caller(token_for("reviewer", "Compliance reviewer"))

    answers = [call("GET", LIST), call("POST", LIST, {"records": [record("a")]})]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert not CrmRecord.objects.exists()


def test_the_command_shows_a_token_that_works_and_stores_only_its_hash() -> None:
    User.objects.create_superuser("root")
    shown = StringIO()

    call_command("issue_api_token", "root", stdout=shown)

    token = shown.getvalue().strip()
    assert caller(token)("GET", LIST).status_code == 200
    assert ApiToken.objects.get().token_hash == hashlib.sha256(token.encode()).hexdigest()


def test_replacing_a_token_ends_the_one_before() -> None:
    user = User.objects.create_superuser("root")
    before = issue_token(user=user, replace=False)

    call_command("issue_api_token", "root", "--replace", stdout=StringIO())

    assert caller(before)("GET", LIST).status_code == 401


def test_puts_and_gets_a_record_under_the_plain_hash(call: Call) -> None:
    body = {"email": "ann@example.com", "firstName": "Ann", "attributes": {"segment": "retail"}}

    made = call("PUT", address("s"), body)

    assert made.status_code == 201
    shown = call("GET", address("s")).json()
    assert shown == made.json()
    assert shown["sessionHash"] == plain_hash("s")
    assert shown["attributes"] == {"segment": "retail"}
    assert (shown["firstName"], shown["tier"], shown["previousTickets"]) == ("Ann", "", 0)


def test_never_shows_the_key_that_a_pepper_makes(call: Call, settings: Any) -> None:
    settings.SESSION_HASH_PEPPER = "p" * 32

    made = call("PUT", address("s"), {"email": "ann@example.com"})

    key = CrmRecord.objects.get().session_hash
    assert key != plain_hash("s")
    assert made.json()["sessionHash"] == plain_hash("s")
    listed = call("GET", LIST)
    assert key not in listed.content.decode()
    assert listed.json()["records"][0]["sessionHash"] is None


def test_a_put_replaces_all_that_it_does_not_name(call: Call) -> None:
    call("PUT", address("s"), {"email": "a@example.com", "tier": "Gold", "attributes": {"x": 1}})

    call("PUT", address("s"), {"email": "a@example.com"})

    stored = CrmRecord.objects.get()
    assert (stored.tier, stored.attributes, stored.version) == ("", {}, 2)


def test_a_put_tells_true_from_1(call: Call) -> None:
    for value in (1, True):
        call("PUT", address("s"), {"email": "a@example.com", "attributes": {"vip": value}})

    assert CrmRecord.objects.get().attributes["vip"] is True


def test_a_put_of_the_same_changes_nothing_and_records_nothing(call: Call) -> None:
    first = call("PUT", address("s"), {"email": "a@example.com"})
    events = AuditEvent.objects.count()

    again = call("PUT", address("s"), {"email": "a@example.com"})

    assert (again.status_code, again["ETag"]) == (200, first["ETag"])
    assert AuditEvent.objects.count() == events


def test_a_stale_etag_changes_and_deletes_nothing(call: Call) -> None:
    stale = call("PUT", address("s"), {"email": "a@example.com"})["ETag"]
    call("PUT", address("s"), {"email": "b@example.com"}, If_Match=stale)

    put = call("PUT", address("s"), {"email": "c@example.com"}, If_Match=stale)
    deleted = call("DELETE", address("s"), If_Match=stale)

    assert (put.status_code, deleted.status_code) == (412, 412)
    assert put.json()["code"] == "precondition_failed"
    assert CrmRecord.objects.get().email == "b@example.com"


def test_an_etag_does_not_outlive_its_record(call: Call) -> None:
    before = call("PUT", address("s"), {"email": "a@example.com"})["ETag"]
    call("DELETE", address("s"))
    call("PUT", address("s"), {"email": "b@example.com"})

    answer = call("PUT", address("s"), {"email": "c@example.com"}, If_Match=before)

    assert answer.status_code == 412


def test_if_none_match_star_makes_but_never_overwrites(call: Call) -> None:
    codes = [
        call("PUT", address("s"), {"email": email}, If_None_Match="*").status_code
        for email in ("a@example.com", "b@example.com")
    ]

    assert codes == [201, 412]


def test_a_get_with_the_known_etag_is_304_without_a_body(call: Call) -> None:
    etag = call("PUT", address("s"), {"email": "a@example.com"})["ETag"]

    answer = call("GET", address("s"), If_None_Match=etag)

    assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag)


def test_deletes_a_record_once(call: Call) -> None:
    call("PUT", address("s"), {"email": "a@example.com"})

    codes = [call("DELETE", address("s")).status_code for _ in range(2)]

    assert codes == [204, 404]
    assert last_event("crm.deleted").actor.startswith("api:")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nobody"),
        ("email", None),
        ("email", 7),
        ("firstName", "x" * 101),
        ("firstName", "tab\there"),
        ("firstName", 5),
        ("previousTickets", "3"),
        ("previousTickets", -1),
        ("previousTickets", True),
        ("previousTickets", 2**31),
        ("attributes", {"list": [1]}),
        ("attributes", "text"),
        ("firstname", "Ann"),
    ],
)
def test_names_the_field_that_is_wrong_without_quoting_it(
    call: Call, field: str, value: Any
) -> None:
    answer = call("PUT", address("s"), {"email": "a@example.com", field: value})

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]
    assert not CrmRecord.objects.exists()


def test_an_address_that_is_no_hash_is_refused(call: Call) -> None:
    answer = call("PUT", f"{LIST}/not-a-hash", {"email": "a@example.com"})

    assert answer.status_code == 400
    assert "sessionHash" in answer.json()["fields"]


def test_the_log_names_changed_fields_but_no_value(call: Call) -> None:
    call("PUT", address("s"), {"email": "a@example.com", "tier": "Gold"})
    call("PUT", address("s"), {"email": "a@example.com", "tier": "Silver"})

    event = last_event("crm.changed")
    assert '"fields":["tier"]' in event.body
    assert "Silver" not in event.body


def test_the_log_names_a_request_by_an_id_made_here(call: Call) -> None:
    call("PUT", address("s"), {"email": "a@example.com"}, X_Request_ID="jane.doe")
    call("POST", LIST, {"records": [record("other")]}, X_Request_ID="jane.doe")
    call("DELETE", address("s"), X_Request_ID="jane.doe")

    for kind in ("crm.changed", "crm.imported", "crm.deleted"):
        event = last_event(kind)
        assert UUID(event.request_id).hex == event.request_id
        assert "jane.doe" not in event.body


@pytest.mark.parametrize("name", ["a\ud800", "a\x00", "x" * 9_000])
def test_repeats_an_unknown_name_cut_and_cleaned(name: str, call: Call) -> None:
    answers = [
        call("PUT", address("s"), {"email": "a@example.com", name: 1}),
        call("POST", LIST, {"records": [record("s", **{name: 1})]}),
    ]

    assert [answer.status_code for answer in answers] == [400, 200]
    assert max(len(answer.content) for answer in answers) < 500


def test_names_at_most_twenty_unknown_fields(call: Call) -> None:
    unknown = {f"name-{number}": 1 for number in range(1_000)}

    answer = call("PUT", address("s"), {"email": "a@example.com", **unknown})

    assert len(answer.json()["fields"]) == 20


def test_an_upsert_says_of_each_record_what_became_of_it(call: Call) -> None:
    call("POST", LIST, {"records": [record("same"), record("other")]})

    answer = call(
        "POST",
        LIST,
        {
            "records": [
                record("same"),
                record("other", tier="Gold"),
                record("new"),
                record("bad", email="nobody"),
                record("new", tier="Gold"),
                {"sessionHash": plain_hash("nameless")},
                "no record",
            ]
        },
    ).json()

    results = answer.pop("results")
    assert answer == {"created": 1, "updated": 1, "unchanged": 1, "refused": 4}
    assert [result["result"] for result in results] == [
        "unchanged", "updated", "created", "refused", "refused", "refused", "refused",
    ]  # fmt: skip
    assert [result["index"] for result in results] == list(range(7))
    assert [list(result["fields"]) for result in results[3:6]] == [
        ["email"], ["sessionHash"], ["email"],
    ]  # fmt: skip
    assert CrmRecord.objects.count() == 3


def test_an_upsert_leaves_what_it_does_not_name_and_removes_what_is_null(call: Call) -> None:
    call("POST", LIST, {"records": [record("s", tier="Gold", attributes={"a": 1, "b": 2})]})

    patch = {"sessionHash": plain_hash("s"), "attributes": {"b": None, "c": True}}
    call("POST", LIST, {"records": [patch]})

    stored = CrmRecord.objects.get()
    assert (stored.tier, stored.attributes, stored.version) == ("Gold", {"a": 1, "c": True}, 2)


def test_an_upsert_refuses_a_record_that_is_at_another_version(call: Call) -> None:
    call("POST", LIST, {"records": [record("s", version=0)]})

    answer = call("POST", LIST, {"records": [record("s", tier="Gold", version=0)]}).json()

    assert answer["results"][0]["version"] == 1
    assert list(answer["results"][0]["fields"]) == ["version"]
    assert CrmRecord.objects.get().tier == ""


def test_an_upsert_leaves_one_event_with_counts_only(call: Call) -> None:
    call("POST", LIST, {"records": [record("a"), record("b", email="nobody")]})

    event = last_event("crm.imported")
    assert '"data":{"created":1,"refused":1}' in event.body
    assert "example.com" not in event.body


@pytest.mark.parametrize("body", [{}, [], {"records": []}, {"records": {}}])
def test_a_body_without_records_is_refused_as_a_whole(call: Call, body: Any) -> None:
    assert call("POST", LIST, body).status_code == 400


@pytest.mark.thorough
def test_ten_thousand_records_take_seconds_and_ten_thousand_and_one_are_refused(
    call: Call,
) -> None:
    records = [record(str(number), attributes={"note": "n" * 250}) for number in range(10_001)]

    started = time.monotonic()
    answer = call("POST", LIST, {"records": records[:-1]})
    seconds = time.monotonic() - started

    assert answer.json()["created"] == 10_000
    assert seconds < 20
    assert call("POST", LIST, {"records": records}).status_code == 400


def test_pages_lead_through_every_record_once(call: Call) -> None:
    call("POST", LIST, {"records": [record(str(number)) for number in range(5)]})

    seen: list[str] = []
    path: str | None = f"{LIST}?limit=2"
    while path:
        page = call("GET", path).json()
        seen += [shown["sessionHash"] for shown in page["records"]]
        path = page["next"]

    assert sorted(seen) == sorted(plain_hash(str(number)) for number in range(5))


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "after=-1", "after=x"])
def test_a_page_out_of_range_is_refused(call: Call, query: str) -> None:
    assert call("GET", f"{LIST}?{query}").status_code == 400


def test_no_page_of_another_origin_may_read_the_answers(call: Call) -> None:
    answer = call("GET", LIST, Origin="https://shop.example")

    assert "Access-Control-Allow-Origin" not in answer
