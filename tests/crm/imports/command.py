"""`import_crm`, run on the content of a file."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from crm.models import CrmRecord
from tests.crm.factories import csv_file


def run_import(folder: Path, content: str | bytes) -> tuple[str, str]:
    """Import a file; return what the operator reads: output and warnings."""
    out, err = io.StringIO(), io.StringIO()
    call_command("import_crm", csv_file(folder, content), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def refusal(folder: Path, content: str | bytes) -> str:
    """Import a file that must be refused; return why."""
    with pytest.raises(CommandError) as refused:
        call_command("import_crm", csv_file(folder, content))
    assert not CrmRecord.objects.exists()
    return str(refused.value)
