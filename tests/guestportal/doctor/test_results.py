"""Superusers see on the first page what doctor found, until a later run finds it in order."""

import pytest

from provisioning import health
from provisioning.models import WriteProbe
from tests.guestportal.doctor.conftest import Doctor
from tests.support.factories import signed_in
from tests.support.sandbox import Sandbox

TITLE = "What this set-up lacks"


@pytest.fixture
def fault(doctor: Doctor) -> None:
    WriteProbe.objects.all().delete()
    doctor()


def page(browser: object) -> str:
    return browser.get("/admin/", secure=True).content.decode()  # type: ignore[attr-defined]


@pytest.fixture
def superuser(in_order: None) -> object:
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client()
    user = get_user_model().objects.get(is_superuser=True)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_shows_what_was_found_with_the_remedy(superuser: object, fault: None) -> None:
    shown = page(superuser)

    assert TITLE in shown
    assert "<strong>housekeeping:</strong> has never run." in shown
    assert "make serve" in shown


def test_shows_it_until_doctor_finds_it_in_order(
    superuser: object, fault: None, doctor: Doctor
) -> None:
    health.note_housekeeping()
    still = page(superuser)
    doctor()

    assert TITLE in still
    assert "housekeeping:</strong>" not in page(superuser)


def test_shows_it_to_superusers_alone(fault: None) -> None:
    assert TITLE not in page(signed_in("Auditor"))


def test_the_page_calls_nobody(superuser: object, fault: None, sandbox: Sandbox) -> None:
    before = len(sandbox.calls())

    page(superuser)

    assert len(sandbox.calls()) == before
