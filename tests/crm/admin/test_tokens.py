"""API tokens in the admin: made, seen, and ended only once that is confirmed."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from crm.models import ApiToken
from crm.sync.tokens import issue_token
from tests.support.confirming import confirm
from tests.support.factories import signed_in
from tests.support.visitor import events

pytestmark = pytest.mark.django_db

TOKENS = "/admin/crm/apitoken/"
BACKEND = "django.contrib.auth.backends.ModelBackend"


def test_ends_a_token_only_when_it_is_confirmed():
    issue_token(user=User.objects.create_superuser("crm-sync"), replace=False)
    administrator = signed_in("CRM administrator")
    chosen = {"action": "delete_selected", "_selected_action": [ApiToken.objects.get().pk]}

    page = administrator.post(TOKENS, chosen | {"post": "yes"}).content.decode()
    assert "of crm-sync, made" in page
    assert ApiToken.objects.exists()
    confirm(administrator, TOKENS, chosen)

    assert not ApiToken.objects.exists()
    holder = User.objects.get(username="crm-sync")
    assert events("api_token.ended")[0]["data"] == {"who": f"staff:{holder.pk}"}


def test_ends_no_token_for_a_role_that_may_not():
    issue_token(user=User.objects.create_superuser("crm-sync"), replace=False)
    page = f"{TOKENS}{ApiToken.objects.get().pk}/delete/"

    assert signed_in("Auditor").post(page, {"confirm_tick": "on"}).status_code == 403
    assert ApiToken.objects.exists()


def made(browser, **fields):
    """Make a token on the page for it; return the token, and the page that showed it."""
    form = {"name": "CRM sync", "scope": "write", "good_for": "30", **fields}
    answer = browser.post(f"{TOKENS}add/", form)
    assert answer.status_code == 200
    page = answer.content.decode()
    return re.search("gpat_[A-Za-z0-9_-]+", page)[0], answer


def call(token, method="get", body=None):
    client = Client()
    headers = {"Authorization": f"Bearer {token}"}
    send = getattr(client, method)
    return send("/api/crm/records", body, content_type="application/json", headers=headers)


def test_makes_a_token_of_ones_own_and_shows_it_once():
    administrator = signed_in("CRM administrator")

    token, answer = made(administrator)

    row = ApiToken.objects.get()
    assert (row.name, row.scope, row.user.get_username()) == ("CRM sync", "write", "crm")
    assert call(token).status_code == 200
    assert "no-store" in answer["Cache-Control"]
    later = administrator.get(TOKENS).content.decode()
    assert "CRM sync" in later
    assert token not in later


def test_a_token_to_read_writes_nothing():
    token, _ = made(signed_in("CRM administrator"), scope="read")

    assert call(token).status_code == 200
    assert call(token, "post", {"records": []}).status_code == 403


def test_a_token_ends_when_its_time_is_over():
    token, _ = made(signed_in("CRM administrator"))

    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert call(token).status_code == 401


def test_a_token_that_a_clock_a_year_ahead_has_dated_has_ended():
    administrator = signed_in("CRM administrator")
    with time_machine.travel(timezone.now() + timedelta(days=365)):
        administrator.force_login(User.objects.get(username="crm"), BACKEND)
        token, _ = made(administrator, good_for="90")

    assert call(token).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_reads_while_nothing_can_be_written():
    token, _ = made(signed_in("CRM administrator"))

    def only_reads(execute, sql, params, many, context):
        if not sql.startswith("SELECT"):
            raise OperationalError("cannot execute UPDATE in a read-only transaction")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(only_reads):
        assert call(token).status_code == 200


def test_shows_when_a_token_was_last_used():
    token, _ = made(signed_in("CRM administrator"), good_for="")
    assert ApiToken.objects.get().last_used_at is None

    call(token)

    assert timezone.now() - ApiToken.objects.get().last_used_at < timedelta(minutes=1)


def test_records_who_made_and_who_ended_a_token():
    administrator = signed_in("CRM administrator")
    made(administrator)
    row = ApiToken.objects.get()
    chosen = {"action": "delete_selected", "_selected_action": [row.pk]}

    confirm(administrator, TOKENS, chosen)

    events = AuditEvent.objects.filter(kind__startswith="api_token.").order_by("id")
    assert [event.kind for event in events] == ["api_token.issued", "api_token.ended"]
    assert {event.actor for event in events} == {f"staff:{row.user_id}"}


def test_makes_no_token_for_a_role_that_may_not():
    assert signed_in("Auditor").post(f"{TOKENS}add/", {"name": "x"}).status_code == 403
    assert not ApiToken.objects.exists()
