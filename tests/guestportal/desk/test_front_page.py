"""The first page counts right, shows what is wrong, and each figure leads to its list."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from audit import verify
from audit.sealing import seals
from provisioning.models import GuestCreation
from tests.support.factories import creation, signed_in

pytestmark = pytest.mark.django_db

KINDS = (
    {},
    {"status": "failed", "guest_id": ""},
    {"status": "unknown", "guest_id": ""},
    {"consent_given": False},
    {"consent_basis": "assumed"},
)


@pytest.fixture
def reviewer():
    return signed_in("Compliance reviewer")


def _figures(browser):
    return {figure.name: figure for figure in browser.get("/admin/").context_data["figures"]}


def test_counts_today_and_the_last_thirty_days(reviewer):
    for fields in KINDS:
        creation(**fields)
    for days in (2, 29, 40):
        creation(created_at=timezone.now() - timedelta(days=days))

    figures = _figures(reviewer)

    assert {name: (each.today, each.period) for name, each in figures.items()} == {
        "All": (5, 7),
        "Ready": (3, 5),
        "Failed": (1, 1),
        "Unknown outcome": (1, 1),
        "Declined": (1, 1),
        "Assumed consent": (1, 1),
    }


def test_leads_from_each_figure_to_as_many_rows(reviewer):
    for fields in KINDS:
        creation(**fields)

    shown = reviewer.get("/admin/").context_data
    for figure in (*shown["figures"], shown["stated"]):
        rows = reviewer.get(figure.today_url).context_data["cl"].result_list
        assert len(rows) == figure.today, figure.name


def test_takes_only_a_stated_yes_for_consent(reviewer):
    for fields in KINDS:
        creation(**fields)

    assert reviewer.get("/admin/").context_data["consent_today"] == pytest.approx(3 / 5)


def test_tells_the_last_verification_and_its_outcome(reviewer):
    creation()
    seals.seal()
    verify.remember(report=verify.verify(), actor="system")

    assert "up to seal 1" in reviewer.get("/admin/").content.decode()


def test_links_to_the_newest_error(reviewer):
    creation(status="failed", guest_id="", error_code="platform_busy")
    newest = creation(status="unknown", guest_id="", error_code="platform_timeout")

    page = reviewer.get("/admin/").content.decode()

    assert f"{newest.pk}/change/" in page
    assert "platform_timeout" in page


def test_shows_the_charts_as_a_table_too(reviewer):
    creation()

    page = reviewer.get("/admin/").content.decode()

    assert page.count('role="img" aria-label=') == 2
    assert f'<th scope="row">{timezone.now():%Y-%m-%d}</th><td>1</td>' in page


def test_says_at_every_day_of_both_charts_what_it_was(reviewer):
    for fields in KINDS:
        creation(**fields)
    creation(created_at=timezone.now() - timedelta(days=2))

    page = reviewer.get("/admin/").content.decode()

    today, earlier = f"{timezone.now():%Y-%m-%d}", f"{timezone.now() - timedelta(days=2):%Y-%m-%d}"
    titles = re.findall("<g><title>(.*?)</title>", page)
    assert titles[-3:] == [
        f"{today}: 5, of these failed or unknown 2",
        f"{earlier}: 100 % of 1",
        f"{today}: 60 % of 5",
    ]
    assert len(titles) == 30 + 2  # a day without creations has no share


@pytest.mark.parametrize(
    ("most", "axis"), [(0, (2, 1, 0)), (3, (4, 2, 0)), (10, (10, 5, 0)), (11, (20, 10, 0))]
)
def test_ends_the_axis_at_a_round_number(reviewer, most, axis):
    for _ in range(most):
        creation()

    assert reviewer.get("/admin/").context_data["axis"] == axis


def test_needs_no_more_queries_for_more_creations(reviewer, django_assert_max_num_queries):
    for number in range(60):
        creation(**KINDS[number % 5], created_at=timezone.now() - timedelta(days=number))

    with django_assert_max_num_queries(24):
        reviewer.get("/admin/")
    assert GuestCreation.objects.count() == 60
