from django.db import migrations, models
from django.db.models.functions import Lower

from crm.lookup import fill

OUT_OF_DATE = models.Q(('address_version', None)) | models.Q(
    ('address_version', models.F('version')), _negated=True
)
NEW = (
    models.Index(fields=['address_key'], name='crm_record_by_address_key'),
    models.Index(fields=['id'], condition=OUT_OF_DATE, name='crm_record_to_fill'),
)
OLD = models.Index(Lower('email'), name='crm_record_by_email')
UNIQUE = models.UniqueConstraint(
    fields=['record_id'],
    condition=models.Q(('record_id__isnull', False)),
    name='crm_record_one_per_record_id',
)
TABLE = 'crm_crmrecord'


def fill_all(apps, schema_editor):
    records = apps.get_model('crm', 'CrmRecord').objects.using(schema_editor.connection.alias)
    fill(records=records.all())


def _unique(schema_editor, beside):
    schema_editor.execute(f'DROP INDEX IF EXISTS {UNIQUE.name}')
    schema_editor.execute(
        f'CREATE UNIQUE INDEX {beside} {UNIQUE.name} ON {TABLE} (record_id)'
        ' WHERE record_id IS NOT NULL'
    )


def exchange(build, drop, unique):
    """Return what builds indexes and then drops others, beside writers where that can be."""

    def run(apps, schema_editor):
        model = apps.get_model('crm', 'CrmRecord')
        postgresql = schema_editor.connection.vendor == 'postgresql'
        beside = {'concurrently': True} if postgresql else {}
        for index in build:
            # An interrupted build leaves an index that is not valid.
            schema_editor.execute(f'DROP INDEX IF EXISTS {index.name}')
            schema_editor.add_index(model, index, **beside)
        if unique:
            _unique(schema_editor, 'CONCURRENTLY' if postgresql else '')
        else:
            schema_editor.execute(f'DROP INDEX IF EXISTS {UNIQUE.name}')
        for index in drop:
            schema_editor.execute(f'DROP INDEX IF EXISTS {index.name}')

    return run


class Migration(migrations.Migration):
    """Record ids and address keys for the rows there are, in batches; then their indexes.

    Each step may be interrupted and repeated. What the release before writes meanwhile and later is
    filled by the next search or by housekeeping; its own search by address is slower.
    """

    atomic = False

    dependencies = [
        ('crm', '0006_record_id_and_address'),
    ]

    operations = [
        migrations.RunPython(fill_all, migrations.RunPython.noop, elidable=True),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunPython(exchange(NEW, [OLD], True), exchange([OLD], NEW, False))
            ],
            state_operations=[
                *(migrations.AddIndex('crmrecord', index) for index in NEW),
                migrations.AddConstraint('crmrecord', UNIQUE),
                migrations.RemoveIndex('crmrecord', OLD.name),
            ],
        ),
    ]
