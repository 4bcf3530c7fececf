"""The triggers outlive migrations, and their absence is told."""

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from audit import triggers
from provisioning import reviews
from provisioning.models import Review
from tests.conftest import drop_audit_triggers
from tests.support.factories import creation, staff

sqlite_only = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite remakes tables")


def _sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
def test_a_migrated_database_lacks_no_trigger():
    assert triggers.missing() == []
    assert len(triggers.wanted()) >= 8


@sqlite_only
@pytest.mark.django_db(transaction=True)
def test_a_migration_that_remakes_the_table_leaves_the_triggers_in_place(settings):
    settings.MIGRATION_MODULES = {"audit": "tests.audit.migrations"}

    call_command("migrate", "audit", verbosity=0)
    after_remake = triggers.missing()
    call_command("migrate", "audit", "0001", verbosity=0)

    assert after_remake == []
    assert triggers.missing() == []


@sqlite_only
@pytest.mark.django_db(transaction=True)
def test_remaking_a_table_on_sqlite_drops_its_triggers_until_they_are_installed():
    from audit.models import AuditEvent

    with connection.schema_editor() as editor:
        editor._remake_table(AuditEvent)
    lost = triggers.missing()
    triggers.install()

    assert len(lost) == 3
    assert triggers.missing() == []


@pytest.mark.django_db
def test_the_check_names_what_is_missing_and_how_to_mend_it(capsys):
    drop_audit_triggers()

    call_command("check", databases=["default"])

    told = capsys.readouterr().err
    assert "audit_auditseal_no_" in told
    assert "manage.py migrate" in told


@sqlite_only
@pytest.mark.django_db
def test_a_trigger_made_harmless_counts_as_missing_on_sqlite():
    _sql("DROP TRIGGER audit_auditevent_no_delete")
    _sql(
        "CREATE TRIGGER audit_auditevent_no_delete BEFORE DELETE ON audit_auditevent"
        " BEGIN SELECT 1; END"
    )

    assert triggers.missing() == ["audit_auditevent_no_delete"]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's own")
@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE audit_auditevent DISABLE TRIGGER audit_auditevent_no_change",
        "ALTER TABLE audit_auditevent ENABLE TRIGGER audit_auditevent_no_change",
        "CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RETURN NULL; END $$",
    ],
    ids=["disabled", "not always", "made harmless"],
)
def test_a_trigger_made_harmless_counts_as_missing_on_postgresql(statement):
    _sql(statement)

    assert "audit_auditevent_no_change" in triggers.missing()


@pytest.mark.django_db
def test_installing_puts_back_what_was_dropped():
    drop_audit_triggers()

    triggers.install()

    assert triggers.missing() == []


@pytest.mark.django_db
def test_installing_with_all_in_place_changes_nothing(django_assert_max_num_queries):
    with django_assert_max_num_queries(3) as queries:
        triggers.install()

    assert not [query for query in queries if "CREATE" in query["sql"][:10]]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    ["reason = 'other words'", "verdict = 'follow_up', reason = ''", "reviewed_at = NULL"],
)
def test_a_review_lets_its_words_be_blanked_and_nothing_else(change):
    review = _review()

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        _sql(f"UPDATE provisioning_review SET {change}")
    _sql("UPDATE provisioning_review SET reason = ''")

    stored = Review.objects.values().get()
    assert stored == {**review, "reason": ""}
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        _sql("DELETE FROM provisioning_review")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's own")
@pytest.mark.django_db
def test_a_trigger_of_the_release_before_stands_until_words_are_to_be_blanked():
    _review()
    _sql("SET CONSTRAINTS ALL IMMEDIATE")  # or the test's own transaction keeps the table busy
    _sql("DROP TRIGGER provisioning_review_no_change ON provisioning_review")
    _sql(
        "CREATE TRIGGER provisioning_review_no_change BEFORE UPDATE OR DELETE"
        " ON provisioning_review FOR EACH ROW EXECUTE FUNCTION audit_refuse_change()"
    )
    _sql("ALTER TABLE provisioning_review ENABLE ALWAYS TRIGGER provisioning_review_no_change")
    assert triggers.missing() == []

    triggers.let_blank(model=Review)

    _sql("UPDATE provisioning_review SET reason = ''")
    assert triggers.missing() == []


def _review():
    words = {"verdict": "in_order", "reason": "Jane called"}
    reviews.review(creations=[creation().id], reviewer=staff(), **words)
    return Review.objects.values().get()
