"""The admin's first page: what happened, what waits, what is wrong; each figure with its list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.core import checks
from django.http import HttpRequest
from django.urls import reverse

from audit import verify
from audit.sealing import seals
from backoffice.periods import period_start
from backoffice.templatetags.humanise import percent
from guestportal.checks import TAG
from guestportal.desk import charts, waiting
from guestportal.doctor import results
from provisioning import statistics
from provisioning.health import platform_state
from provisioning.models import GuestCreation, Status

DAYS = 30
Days = Sequence[tuple[date, statistics.Figures]]
# figure, its name, and what narrows the list of creations to it
_FIGURES = (
    ("inits", "All", ""),
    ("ready", "Ready", "status__exact=ready"),
    ("failed", "Failed", "status__exact=failed"),
    ("unknown", "Unknown outcome", "tab=unknown"),
    ("declined", "Declined", "tab=declined"),
    ("assumed", "Assumed consent", "tab=assumed"),
)


@dataclass(frozen=True)
class Figure:
    """One number, today and over the period, each with the list behind it."""

    name: str
    today: int
    today_url: str
    period: int
    period_url: str


def context(*, request: HttpRequest) -> dict[str, Any]:
    """Return what the page shows to the sender: only what they may look up in the lists, too."""
    user = request.user
    shown: dict[str, Any] = {"days": DAYS, "waiting": None}
    if user.has_perm("provisioning.view_guestcreation"):
        shown |= _creations()
        shown |= {"platform": platform_state(), "last_error": _last_error()}
    if waiting.concerns(may=user.has_perm):
        shown["waiting"] = waiting.tasks(may=user.has_perm)
    if user.is_superuser:  # whoever else reads them could not change a setting
        shown |= {"warnings": _warnings(), "superuser": True, "doctor": results.last()}
    if user.has_perm("audit.view_auditevent"):
        shown |= {
            "sealing": True,
            "unsealed": seals.oldest_unsealed_age(),
            "newest_seal": seals.latest(),
            "verification": verify.last(),
        }
    return shown


def _creations() -> dict[str, Any]:
    days = statistics.by_day(since=period_start(days=DAYS), days=DAYS)
    per_day = list(days.items())
    today, period = per_day[-1][1], statistics.total(days.values())
    return {
        "figures": [_figure(*row, today, period) for row in _FIGURES],
        "per_day": per_day,
        "stated": _figure("stated", "Stated consent", "tab=stated", today, period),
        "consent_today": today.consent_rate,
        "consent_period": period.consent_rate,
        **_charts(per_day),
        "first_day": per_day[0][0],
        "last_day": per_day[-1][0],
        "assumes": settings.CONSENT_MODE == "compat",
    }


def _charts(per_day: Days) -> dict[str, Any]:
    busiest = max(figures.inits for _, figures in per_day)
    end = charts.end_of_axis(most=busiest)
    rates = [figures.consent_rate for _, figures in per_day]
    shares = charts.points(values=rates, labels=[_said_of_consent(*day) for day in per_day], end=1)
    return {
        "bars": charts.bars(
            values=[figures.inits for _, figures in per_day],
            bad=[figures.failed + figures.unknown for _, figures in per_day],
            labels=[_said_of_creations(*day) for day in per_day],
            end=end,
        ),
        "busiest": busiest,
        "axis": (end, end // 2, 0),
        "shares": shares,
        "consent_line": charts.line(points=shares),
    }


def _said_of_creations(day: date, figures: statistics.Figures) -> str:
    bad = figures.failed + figures.unknown
    return f"{day}: {figures.inits:,}, of these failed or unknown {bad:,}"


def _said_of_consent(day: date, figures: statistics.Figures) -> str:
    return f"{day}: {percent(figures.consent_rate)} of {figures.inits:,}"


def _figure(
    key: str, name: str, narrowed: str, today: statistics.Figures, period: statistics.Figures
) -> Figure:
    base = reverse("admin:provisioning_guestcreation_changelist")
    and_that = f"&{narrowed}" if narrowed else ""
    return Figure(
        name,
        getattr(today, key),
        f"{base}?days=1{and_that}",
        getattr(period, key),
        f"{base}?days={DAYS}{and_that}",
    )


def _last_error() -> GuestCreation | None:
    """Return the newest creation that went wrong: one look-up in the index for each status."""
    rows = GuestCreation.objects.order_by("-id")
    newest = [
        row
        for status in (Status.FAILED, Status.UNKNOWN)
        if (row := rows.filter(status=status).first())
    ]
    return max(newest, key=lambda row: row.id, default=None)


def _warnings() -> list[checks.CheckMessage]:
    found = checks.run_checks(tags=[TAG], include_deployment_checks=True)
    return [message for message in found if message.level >= checks.WARNING]
