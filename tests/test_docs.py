"""What the documents say of the settings is what the code says."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent


def printed(*options: str) -> str:
    out = StringIO()
    call_command("settings_table", *options, stdout=out)
    return out.getvalue().strip()


def test_the_settings_page_is_what_the_settings_are() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()

    assert page.strip() == printed(), "write there what `manage.py settings_table` prints"


def test_the_dotenv_example_is_what_the_settings_are() -> None:
    example = (ROOT / ".env.example").read_text()

    assert example.strip() == printed("--dotenv"), "paste what `settings_table --dotenv` prints"


@pytest.mark.parametrize("name", ["GENESYS_BASE_URL", "PORT", "CONSENT_MODE", "AUDIT_ANCHORS"])
def test_the_table_names_what_the_contract_names(name: str) -> None:
    assert f"| `{name}` |" in printed()
