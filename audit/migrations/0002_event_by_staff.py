from django.db import migrations, models

INDEX = models.Index(
    fields=['actor', '-id'],
    condition=models.Q(
        models.Q(('actor', 'visitor'), _negated=True), models.Q(('actor', 'system'), _negated=True)
    ),
    name='audit_event_by_staff',
)


def build(apps, schema_editor):
    beside = {'concurrently': True} if schema_editor.connection.vendor == 'postgresql' else {}
    # An interrupted build leaves an index that is not valid.
    schema_editor.execute(f'DROP INDEX IF EXISTS {INDEX.name}')
    schema_editor.add_index(apps.get_model('audit', 'AuditEvent'), INDEX, **beside)


def drop(apps, schema_editor):
    schema_editor.execute(f'DROP INDEX IF EXISTS {INDEX.name}')


class Migration(migrations.Migration):
    """Events of the staff are found by who caused them; an init writes none of them."""

    atomic = False

    dependencies = [
        ('audit', '0001_initial'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(build, drop)],
            state_operations=[migrations.AddIndex('auditevent', INDEX)],
        ),
    ]
