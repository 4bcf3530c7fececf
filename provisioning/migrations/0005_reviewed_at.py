from django.db import migrations, models


class Migration(migrations.Migration):
    """A column by itself, which takes no time: the release before goes on without it."""

    dependencies = [
        ('provisioning', '0004_reviews'),
    ]

    operations = [
        migrations.AddField(
            model_name='guestcreation',
            name='reviewed_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
