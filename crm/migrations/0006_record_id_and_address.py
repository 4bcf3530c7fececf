import uuid

from django.db import migrations, models

RECORD_ID = models.UUIDField(default=uuid.uuid4, editable=False, null=True)


def add(apps, schema_editor):
    """Add the column without a default: with one, SQLite would give all rows the same id."""
    model = apps.get_model('crm', 'CrmRecord')
    field = models.UUIDField(editable=False, null=True)
    field.set_attributes_from_name('record_id')
    field.model = model
    schema_editor.add_field(model, field)


def remove(apps, schema_editor):
    model = apps.get_model('crm', 'CrmRecord')
    schema_editor.execute(f'ALTER TABLE {model._meta.db_table} DROP COLUMN record_id')


class Migration(migrations.Migration):
    """Columns that may be null: no row is written. The next migration fills them."""

    dependencies = [
        ('crm', '0005_reveal_and_upload'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(add, remove)],
            state_operations=[migrations.AddField('crmrecord', 'record_id', RECORD_ID)],
        ),
        migrations.AddField(
            'crmrecord', 'address_key', models.CharField(editable=False, max_length=1024, null=True)
        ),
        migrations.AddField(
            'crmrecord', 'address_version', models.IntegerField(editable=False, null=True)
        ),
    ]
