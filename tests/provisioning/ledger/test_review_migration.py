"""The queue's column is filled from the reviews on record, and the migration may be repeated."""

import pytest
from django.core.management import call_command
from django.db import connection

from audit import triggers
from provisioning.models import GuestCreation, Review
from tests.support.factories import creation, signed_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.thorough]

LIST = "/admin/provisioning/guestcreation/"
TABLE = GuestCreation._meta.db_table


@pytest.fixture
def migrate_again():
    """Return a function that goes back to the release before and forward again."""

    def run(meanwhile=""):
        call_command("migrate", "provisioning", "0004", verbosity=0)
        if meanwhile:
            with connection.cursor() as cursor:
                cursor.execute(meanwhile)
        call_command("migrate", verbosity=0)

    yield run
    call_command("migrate", verbosity=0)


def _indexes():
    with connection.cursor() as cursor:
        return set(connection.introspection.get_constraints(cursor, TABLE))


def test_copies_the_latest_verdict_and_whose_it_is(migrate_again):
    row, browser = creation(status="unknown"), signed_in("Compliance reviewer")
    for verdict in ("in_order", "follow_up"):
        said = {"do": "review", "verdict": verdict, "reason": "Seen"}
        browser.post(f"{LIST}{row.id}/change/", said)

    migrate_again()

    page = browser.get(LIST, {"tab": "followup"}).context_data["cl"]
    assert [(each.id, each.reviewer.username) for each in page.result_list] == [
        (row.id, "compliance")
    ]


def test_keeps_what_was_reviewed_off_the_queue(migrate_again):
    reviewed, waiting = creation(status="unknown"), creation(status="unknown")
    browser = signed_in("Compliance reviewer")
    chosen = {"action": "review_selected", "_selected_action": [str(reviewed.id)]}
    browser.post(LIST, chosen | {"confirmed": "1", "verdict": "in_order", "reason": "Seen"})

    migrate_again()

    reviewed.refresh_from_db()
    assert reviewed.reviewed_at == Review.objects.get().reviewed_at
    page = browser.get(LIST, {"tab": "queue"}).context_data["cl"]
    assert [row.id for row in page.result_list] == [waiting.id]


def test_builds_the_index_anew_that_an_interrupted_run_left(migrate_again):
    migrate_again(meanwhile=f"CREATE INDEX creation_waiting ON {TABLE} (status)")

    assert "creation_waiting" in _indexes()
    assert not {"creation_for_review", "creation_to_review"} & _indexes()


def test_leaves_the_log_append_only(migrate_again):
    migrate_again()

    assert triggers.missing() == []
