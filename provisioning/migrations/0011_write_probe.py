from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0010_withdrawals")]

    operations = [
        migrations.CreateModel(
            name="WriteProbe",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("written_at", models.DateTimeField()),
            ],
            options={"default_permissions": ()},
        ),
    ]
