from django.db import migrations, models
from django.db.models import OuterRef, Q, Subquery

BATCH = 1_000

FLAGGED = Q(
    ('status', 'unknown'), ('echo_mismatch', True), ('consent_basis', 'assumed'), _connector='OR'
)
OLD = models.Index(fields=['-id'], condition=FLAGGED, name='creation_for_review')
NEW = models.Index(
    fields=['-id'], condition=Q(FLAGGED, ('reviewed_at', None)), name='creation_to_review'
)


def copy_reviews(apps, schema_editor):
    """Copy when each creation was last reviewed, a batch a transaction."""
    creations = apps.get_model('provisioning', 'GuestCreation').objects
    reviews = apps.get_model('provisioning', 'Review').objects
    latest = reviews.filter(creation_id=OuterRef('pk')).order_by('-id').values('reviewed_at')[:1]
    reviewed = reviews.order_by('creation_id').values_list('creation_id', flat=True).distinct()
    batch = list(reviewed[:BATCH])
    while batch:
        creations.filter(pk__in=batch).update(reviewed_at=Subquery(latest))
        batch = list(reviewed.filter(creation_id__gt=batch[-1])[:BATCH])


def exchange(build, drop):
    """Return what builds one index and then drops another, beside writers where that can be."""

    def run(apps, schema_editor):
        model = apps.get_model('provisioning', 'GuestCreation')
        beside = {'concurrently': True} if schema_editor.connection.vendor == 'postgresql' else {}
        # An interrupted build leaves an index that is not valid.
        schema_editor.execute(f'DROP INDEX IF EXISTS {build.name}')
        schema_editor.add_index(model, build, **beside)
        schema_editor.remove_index(model, drop, **beside)

    return run


class Migration(migrations.Migration):
    """The queue gets an index of its own, in the place of one that held what was reviewed, too.

    Each step may be interrupted and repeated. The release before runs on, its queue slower.
    """

    atomic = False

    dependencies = [
        ('provisioning', '0005_reviewed_at'),
    ]

    operations = [
        migrations.RunPython(copy_reviews, migrations.RunPython.noop, elidable=True),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(exchange(NEW, OLD), exchange(OLD, NEW))],
            state_operations=[
                migrations.AddIndex('guestcreation', NEW),
                migrations.RemoveIndex('guestcreation', OLD.name),
            ],
        ),
    ]
