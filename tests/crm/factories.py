"""CRM records, mappings, profiles and files with readable defaults."""

import csv
import hashlib
import io
from pathlib import Path
from typing import Any

from crm.models import AttributeMapping, CrmRecord
from crm.profiles import Profile
from crm.sessions import hash_session

HEADER = ("session_id", "email", "first_name", "tier", "previous_tickets")


def plain_hash(session_id: str = "session-1") -> str:
    """What an outside system delivers for a session."""
    return hashlib.sha256(session_id.encode()).hexdigest()


def crm_record(session_id: str = "session-1", **fields: Any) -> CrmRecord:
    defaults = {
        "session_hash": hash_session(session_id=session_id),
        "email": "jane.doe@example.com",
        "first_name": "Jane",
        "tier": "Gold",
        "previous_tickets": 12,
    }
    return CrmRecord.objects.create(**{**defaults, **fields})


def mapping(**fields: Any) -> AttributeMapping:
    """An unsaved mapping of `tier` to `target`."""
    defaults = {"target": "target", "source_kind": "field", "source": "tier", "value_type": "text"}
    return AttributeMapping(**{**defaults, **fields})


def profile(**fields: Any) -> Profile:
    defaults: dict[str, Any] = {
        "email": "jane.doe@example.com",
        "first_name": "Jane",
        "tier": "Gold",
        "previous_tickets": 12,
        "further": {},
        "known": True,
    }
    return Profile(**{**defaults, **fields})


def csv_text(*rows: dict[str, Any], header: tuple[str, ...] = HEADER) -> str:
    """A file whose rows differ from a good one only in what they name."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, header)
    writer.writeheader()
    for number, row in enumerate(rows, start=1):
        good = dict.fromkeys(header, "")
        good["email"] = f"visitor{number}@example.com"
        good["previous_tickets"] = "0"
        good |= {"session_id": f"session-{number}"} if "session_id" in header else {}
        writer.writerow(good | row)
    return out.getvalue()


def csv_file(folder: Path, content: str | bytes) -> str:
    path = folder / "records.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)
