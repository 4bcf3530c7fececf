from django.db import migrations, models


class Migration(migrations.Migration):
    """A column by itself, which takes no time: the release before goes on without it."""

    dependencies = [
        ('provisioning', '0006_review_queue'),
    ]

    operations = [
        migrations.AddField(
            model_name='guestcreation',
            name='event_request_id',
            field=models.UUIDField(blank=True, null=True),
        ),
    ]
