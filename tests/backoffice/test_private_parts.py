"""Parts of Django that `backoffice` leans on without a promise: what an upgrade breaks fails."""

import pytest
from django.contrib.admin.views.main import ChangeList
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice.lists import BoundedList
from tests.support.factories import creation, signed_in

LIST = "/admin/provisioning/guestcreation/"


@pytest.fixture
def superuser(db: None) -> Client:
    creation()
    return signed_in()


def test_changelist_get_results_still_leaves_the_rows_for_us_to_bound(superuser: Client) -> None:
    shown = superuser.get(LIST).context["cl"]

    assert BoundedList.get_results is not ChangeList.get_results
    assert isinstance(shown, BoundedList)
    assert shown.multi_page is False
    assert shown.result_list.query.high_mark == shown.list_per_page == 50


def test_no_list_asks_for_more_rows_than_a_page_has(superuser: Client) -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        superuser.get(LIST)

    rows = [each["sql"] for each in asked if "crm_email" in each["sql"]]
    assert rows
    assert all("LIMIT 50" in sql for sql in rows)
