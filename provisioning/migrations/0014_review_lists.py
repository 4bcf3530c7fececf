from django.db import migrations, models
from django.db.models import OuterRef, Q, Subquery

BATCH = 1_000

ASSUMED = Q(('consent_basis', 'assumed'))
OUTCOME = Q(('status', 'unknown'))
ECHO = Q(('echo_mismatch', True))
UNREVIEWED = Q(('reviewed_at', None))
OLD = models.Index(
    fields=['-id'],
    condition=Q(Q(('status', 'unknown'), ('echo_mismatch', True), ('consent_basis', 'assumed'), _connector='OR'), ('reviewed_at', None)),
    name='creation_to_review',
)


def waiting(condition, name):
    return models.Index(fields=['-id'], condition=condition & UNREVIEWED, name=name)


def says(word):
    return Q(('review_reasons__contains', word))


NEW = [
    waiting(Q(('review_reasons__gt', '')) | ASSUMED | OUTCOME | ECHO, 'creation_waiting'),
    waiting(says('consent-assumed') | ASSUMED, 'creation_assumed'),
    waiting(says('outcome-unknown') | OUTCOME, 'creation_outcome'),
    waiting(says('echo-differs') | ECHO, 'creation_echo'),
    waiting(says('notice-unknown'), 'creation_notice_unknown'),
    waiting(says('no-notice'), 'creation_no_notice'),
    models.Index(
        fields=['verdict', '-id'], condition=Q(('verdict__gt', '')), name='creation_by_verdict'
    ),
    models.Index(
        fields=['reviewer', '-id'],
        condition=Q(('reviewer__isnull', False)),
        name='creation_by_reviewer',
    ),
]


def copy_verdicts(apps, schema_editor):
    """Copy the latest verdict of each creation, and whose it is, a batch a transaction."""
    creations = apps.get_model('provisioning', 'GuestCreation').objects
    reviews = apps.get_model('provisioning', 'Review').objects
    latest = reviews.filter(creation_id=OuterRef('pk')).order_by('-id')
    copied = {name: Subquery(latest.values(name)[:1]) for name in ('verdict', 'reviewer_id')}
    reviewed = reviews.order_by('creation_id').values_list('creation_id', flat=True).distinct()
    batch = list(reviewed[:BATCH])
    while batch:
        creations.filter(pk__in=batch).update(**copied)
        batch = list(reviewed.filter(creation_id__gt=batch[-1])[:BATCH])


def exchange(build, drop):
    """Return what builds some indexes, then drops others, beside writers where that can be."""

    def run(apps, schema_editor):
        model = apps.get_model('provisioning', 'GuestCreation')
        beside = {'concurrently': True} if schema_editor.connection.vendor == 'postgresql' else {}
        for index in build:
            # An interrupted build leaves an index that is not valid.
            schema_editor.execute(f'DROP INDEX IF EXISTS {index.name}')
            schema_editor.add_index(model, index, **beside)
        for index in drop:
            schema_editor.remove_index(model, index, **beside)

    return run


class Migration(migrations.Migration):
    """What reviewers' lists look up: the queue and its reasons, verdicts, reviewers.

    Rows of before have no reasons written in them; their own columns say the same, and the new
    indexes hold them too. Each step may be interrupted and repeated. The release before runs on: the
    new index of the queue serves it as well as the old one.
    """

    atomic = False

    dependencies = [
        ('provisioning', '0013_why_a_row_waits'),
    ]

    operations = [
        migrations.RunPython(copy_verdicts, migrations.RunPython.noop, elidable=True),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(exchange(NEW, [OLD]), exchange([OLD], NEW))],
            state_operations=[
                *(migrations.AddIndex('guestcreation', index) for index in NEW),
                migrations.RemoveIndex('guestcreation', OLD.name),
            ],
        ),
    ]
