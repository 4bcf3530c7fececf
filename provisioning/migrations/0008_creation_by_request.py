from django.db import migrations, models

BY_REQUEST = models.Index(fields=['request_id'], name='creation_by_request')


def build(apps, schema_editor):
    """Build the index, beside writers where that can be."""
    model = apps.get_model('provisioning', 'GuestCreation')
    beside = {'concurrently': True} if schema_editor.connection.vendor == 'postgresql' else {}
    # An interrupted build leaves an index that is not valid.
    schema_editor.execute(f'DROP INDEX IF EXISTS {BY_REQUEST.name}')
    schema_editor.add_index(model, BY_REQUEST, **beside)


def drop(apps, schema_editor):
    """Drop the index."""
    schema_editor.execute(f'DROP INDEX IF EXISTS {BY_REQUEST.name}')


class Migration(migrations.Migration):
    """The client's request id is found in the row: new events no longer hold it.

    It may be interrupted and repeated. The release before goes on, and does not need it.
    """

    atomic = False

    dependencies = [
        ('provisioning', '0007_event_request_id'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(build, drop)],
            state_operations=[migrations.AddIndex('guestcreation', BY_REQUEST)],
        ),
    ]
