"""The attributes that the seed's program sends; administrators change them from there."""

from django.db import migrations

SHIPPED = (
    {"target": "crmTier", "source_kind": "field", "source": "tier", "value_type": "text"},
    {
        "target": "historicalTickets",
        "source_kind": "field",
        "source": "previous_tickets",
        "value_type": "integer",
    },
    {
        "target": "integrationSource",
        "source_kind": "constant",
        "source": "guestportal-v1",
        "value_type": "text",
    },
)


def create(apps, schema_editor):
    mappings = apps.get_model("crm", "AttributeMapping").objects.using(schema_editor.connection.alias)
    for order, mapping in enumerate(SHIPPED, start=1):
        mappings.create(order=10 * order, **mapping)


class Migration(migrations.Migration):
    dependencies = [("crm", "0001_crm")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
