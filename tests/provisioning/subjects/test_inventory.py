"""The list of tables and columns is the database's, the documents show it, nobody is forgotten."""

from pathlib import Path

import pytest
from django.contrib import admin
from django.db import connection

from provisioning.subjects import inventory
from provisioning.subjects.inventory import NOBODY, TABLES

DOCS = Path(__file__).parents[3] / "docs" / "compliance.md"
ERASURE = {
    inventory.DELETED,
    inventory.BLANKED,
    inventory.UNLINKED,
    inventory.FORBIDS,
    inventory.EXPIRES,
    NOBODY,
}
EXPORT = {inventory.EXPORTED, inventory.WITHHELD, NOBODY}


def stored() -> dict[str, list[str]]:
    """Return the tables of the database with their columns."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {table} LIMIT 0")
            found[table] = sorted(column[0] for column in cursor.description)
    return found


@pytest.mark.django_db
def test_names_every_table_and_column_of_the_database_and_no_other():
    assert {name: sorted(table.columns) for name, table in TABLES.items()} == stored()


def test_says_nothing_but_what_it_explains():
    fates = [fate for table in TABLES.values() for fate in table.fates]

    assert {fate.erasure for fate in fates} <= ERASURE
    assert {fate.export for fate in fates} <= EXPORT
    assert {fate.retention for fate in fates} <= set(inventory.MEANINGS) - EXPORT | {NOBODY}


def test_the_page_for_the_officer_shows_it():
    wanted = "\n".join(inventory.page())

    assert wanted in DOCS.read_text(), "paste there what `manage.py data_inventory` prints"


def test_no_page_of_the_admin_has_a_person_in_its_address():
    """The admin writes a row's key into addresses, log lines of proxies and its own history."""
    keys = {
        model._meta.db_table: str(model._meta.pk.column)
        for model in admin.site._registry
        if model._meta.db_table in TABLES
    }
    named = [
        table
        for table, key in keys.items()
        for fate, columns in TABLES[table].fates.items()
        if key in columns.split() and key not in ("id", "creation_id") and fate.erasure != NOBODY
    ]

    assert named == []
