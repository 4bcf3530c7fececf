import provisioning.validators
from django.db import migrations, models


def move(apps, schema_editor):
    """Keep the cases that the column holds; no release had it, so there are few or none."""
    case = apps.get_model("provisioning", "WithdrawalCase")
    with_case = apps.get_model("provisioning", "Withdrawal").objects.exclude(case_number="")
    columns = ("session_hash", "withdrawn_at", "case_number")
    case.objects.bulk_create(case(**row) for row in with_case.values(*columns))


class Migration(migrations.Migration):
    """Cases of withdrawals in a table of their own. The column came with 0015, in no release."""

    dependencies = [("provisioning", "0015_withdrawal_on_behalf")]

    operations = [
        migrations.CreateModel(
            name="WithdrawalCase",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("session_hash", models.CharField(max_length=64)),
                ("withdrawn_at", models.DateTimeField()),
                (
                    "case_number",
                    models.CharField(
                        max_length=64, validators=[provisioning.validators.validate_reference]
                    ),
                ),
            ],
            options={
                "ordering": ["withdrawn_at"],
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["session_hash"], name="withdrawal_case_by_session")
                ],
            },
        ),
        migrations.RunPython(move, migrations.RunPython.noop),
        migrations.RemoveField(model_name="withdrawal", name="case_number"),
    ]
