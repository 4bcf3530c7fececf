from django.db import migrations, models
from django.db.models import Q

UNMET = models.Index(
    fields=['unmet_at'], condition=Q(('unmet_at__isnull', False)), name='withdrawal_unmet'
)


def build(apps, schema_editor):
    """Build the index beside writers where that can be; an interrupted build left one not valid."""
    model = apps.get_model('provisioning', 'Withdrawal')
    beside = {'concurrently': True} if schema_editor.connection.vendor == 'postgresql' else {}
    schema_editor.execute(f'DROP INDEX IF EXISTS {UNMET.name}')
    schema_editor.add_index(model, UNMET, **beside)


def drop(apps, schema_editor):
    schema_editor.execute(f'DROP INDEX IF EXISTS {UNMET.name}')


class Migration(migrations.Migration):
    """When an unknown session was last withdrawn. Null, as the release before writes it: recorded.

    May be repeated up to the index, which may be built again.
    """

    atomic = False

    dependencies = [
        ('provisioning', '0009_rights'),
    ]

    operations = [
        migrations.AddField(
            model_name='withdrawal',
            name='unmet_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(build, drop)],
            state_operations=[migrations.AddIndex('withdrawal', UNMET)],
        ),
    ]
