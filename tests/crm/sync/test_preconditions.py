"""If-Match and If-None-Match: what cannot be read, or names another version, changes nothing."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client

from crm.models import CrmRecord
from crm.sync.tokens import issue_token
from tests.crm.factories import crm_record, plain_hash

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]
ADDRESS = f"/api/crm/records/{plain_hash()}"
Send = Callable[..., int]


@pytest.fixture
def send() -> Send:
    """Return what sends one conditional request and returns its status."""
    call_command("setup_roles", stdout=StringIO())
    user = User.objects.create_user("syncer")
    user.groups.set(Group.objects.filter(name="CRM administrator"))
    token = issue_token(user=user, replace=False)
    client = Client(headers={"Authorization": f"Bearer {token}"})

    def call(method: str, header: str, value: str, path: str = ADDRESS, body: Any = None) -> int:
        wanted = {"email": "new@example.com"} if body is None else body
        arguments = {"data": wanted, "content_type": "application/json"}
        conditional = {header: value}
        given = arguments if method in ("put", "post") else {}
        return int(getattr(client, method)(path, headers=conditional, **given).status_code)

    return call


@pytest.fixture
def record() -> CrmRecord:
    return crm_record()


def filled(value: str, record: CrmRecord) -> str:
    """Write the record's own tag, without its quotes, in the place of TAG."""
    return value.replace("TAG", f"{record.pk}-{record.version}")


UNREADABLE = [
    "TAG", "4-1", "'TAG'", '"TAG', 'TAG"', 'w/"TAG"', 'W/TAG', 'W/ "TAG"', '"TAG" "x"', '"TAG"x',
    '"TAG"; "x"', '*, "TAG"', '"TAG", *', "**", "", " ", ",", '"a b"', '"a\tb"', "(TAG)",
]  # fmt: skip
OF_THIS = ['"TAG"', '"x", "TAG"', '"TAG","x"', ', "x" ,, "TAG" ,', '"x,y", "TAG"', "*", " * "]
OF_ANOTHER = ['"x"', '"x", "y"', '"TAG,x"', '"*"', '"0-0"', '""', '"T A G"'.replace(" ", "!")]
WEAK = ['W/"TAG"', 'W/"x", W/"TAG"', 'W/"TAG", "x"']


@pytest.mark.parametrize("method", ["put", "delete", "get"])
@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
@pytest.mark.parametrize("value", UNREADABLE)
def test_refuses_what_it_cannot_read(
    send: Send, record: CrmRecord, method: str, header: str, value: str
) -> None:
    assert send(method, header, filled(value, record)) == 400

    assert list(CrmRecord.objects.values_list("email", flat=True)) == [record.email]


@pytest.mark.parametrize("method", ["put", "delete", "get"])
@pytest.mark.parametrize("value", [*OF_ANOTHER, *WEAK])
def test_if_match_wants_this_version_and_no_weak_tag(
    send: Send, record: CrmRecord, method: str, value: str
) -> None:
    assert send(method, "If-Match", filled(value, record)) == 412

    assert list(CrmRecord.objects.values_list("email", flat=True)) == [record.email]


@pytest.mark.parametrize(("method", "status"), [("put", 200), ("delete", 204), ("get", 200)])
@pytest.mark.parametrize("value", OF_THIS)
def test_if_match_lets_this_version_be_changed(
    send: Send, record: CrmRecord, method: str, status: int, value: str
) -> None:
    assert send(method, "If-Match", filled(value, record)) == status


@pytest.mark.parametrize("value", ['"x"', "*", 'W/"x"'])
def test_if_match_wants_a_record(send: Send, value: str) -> None:
    assert send("put", "If-Match", value) == 412

    assert not CrmRecord.objects.exists()


@pytest.mark.parametrize(("method", "status"), [("put", 412), ("delete", 412), ("get", 304)])
@pytest.mark.parametrize("value", [*OF_THIS, *WEAK])
def test_if_none_match_knows_this_version_by_a_weak_tag_too(
    send: Send, record: CrmRecord, method: str, status: int, value: str
) -> None:
    assert send(method, "If-None-Match", filled(value, record)) == status

    assert list(CrmRecord.objects.values_list("email", flat=True)) == [record.email]


@pytest.mark.parametrize(("method", "status"), [("put", 200), ("delete", 204), ("get", 200)])
@pytest.mark.parametrize("value", OF_ANOTHER)
def test_if_none_match_passes_another_version(
    send: Send, record: CrmRecord, method: str, status: int, value: str
) -> None:
    assert send(method, "If-None-Match", filled(value, record)) == status


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
@pytest.mark.parametrize("value", ["*", '"x"', "x"])
def test_a_bulk_request_takes_none(send: Send, header: str, value: str) -> None:
    body = {"records": [{"sessionHash": plain_hash(), "email": "new@example.com"}]}

    assert send("post", header, value, "/api/crm/records", body) == 400

    assert not CrmRecord.objects.exists()
