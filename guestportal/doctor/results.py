"""What the last `doctor` found and nobody has set right yet, for the admin's first page."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from django.utils import timezone

from guestportal.doctor.findings import Finding, State
from guestportal.models import DoctorResult


@dataclass(frozen=True)
class Result:
    """The findings that call for work, of a run that ended at `checked_at`."""

    checked_at: datetime
    findings: list[Finding]


def keep(*, findings: Iterable[Finding]) -> None:
    """Keep what calls for work, in the place of what was kept before."""
    rows = [asdict(finding) for finding in findings if finding.calls_for_work]
    values = {"checked_at": timezone.now(), "findings": rows}
    DoctorResult.objects.update_or_create(number=1, defaults=values)


def last() -> Result | None:
    """Return what the last run found, None where nothing is known or nothing is to be done."""
    row = DoctorResult.objects.filter(number=1).first()
    if row is None or not row.findings:
        return None
    found = [Finding(**(fields | {"state": State(fields["state"])})) for fields in row.findings]
    return Result(row.checked_at, found)
