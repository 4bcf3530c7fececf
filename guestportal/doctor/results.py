"""What the last `doctor` found and nobody has set right yet, for the admin's first page."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from django.utils import timezone

from guestportal.doctor.findings import Finding, State
from guestportal.models import DoctorResult
from provisioning.time_left import answer_within

_SECONDS = 3.0


@dataclass(frozen=True)
class Result:
    """The findings that call for work, of a run that ended at `checked_at`."""

    checked_at: datetime
    findings: list[Finding]


def keep(*, findings: Iterable[Finding]) -> None:
    """Keep what calls for work, faults first, in the place of what was kept before.

    Raises DatabaseError or InterfaceError, after a few seconds at most.
    """
    open_ones = [finding for finding in findings if finding.calls_for_work]
    faults_first = sorted(open_ones, key=lambda finding: finding.state is not State.FAULT)
    rows = [asdict(finding) for finding in faults_first]
    values = {"checked_at": timezone.now(), "findings": rows}
    with answer_within(_SECONDS):
        DoctorResult.objects.update_or_create(number=1, defaults=values)


def last() -> Result | None:
    """Return what the last run found, None where nothing is known or nothing is to be done."""
    row = DoctorResult.objects.filter(number=1).first()
    if row is None or not row.findings:
        return None
    return Result(row.checked_at, [_read(fields) for fields in row.findings])


def _read(fields: Mapping[str, str]) -> Finding:
    """Return a finding that another release may have kept."""
    state = State.FAULT if fields["state"] == State.FAULT else State.WARNING
    return Finding(fields["name"], state, fields["said"], fields["remedy"])
