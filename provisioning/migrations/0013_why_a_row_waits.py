import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

VERDICTS = [('in_order', 'In order'), ('follow_up', 'Needs follow-up')]


class Migration(migrations.Migration):
    """Columns by themselves, which take no time: the release before goes on without them."""

    dependencies = [
        ('provisioning', '0012_messenger'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='guestcreation',
            name='review_reasons',
            field=models.CharField(blank=True, db_default='', default='', max_length=64),
        ),
        migrations.AddField(
            model_name='guestcreation',
            name='verdict',
            field=models.CharField(
                blank=True, choices=VERDICTS, db_default='', default='', max_length=9
            ),
        ),
        migrations.AddField(
            model_name='guestcreation',
            name='reviewer',
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name='+',
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
