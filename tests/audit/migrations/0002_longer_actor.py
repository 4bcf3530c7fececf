from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [
        migrations.AlterField("AuditEvent", "actor", models.CharField(max_length=65)),
    ]
