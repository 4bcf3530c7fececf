from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('guestportal', '0001_staff_and_operation'),
    ]

    operations = [
        migrations.AddField(
            model_name='staffidentity',
            name='checked_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='staffidentity',
            name='asked_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='staffidentity',
            name='tokens',
            field=models.TextField(blank=True, default=''),
            preserve_default=False,
        ),
    ]
