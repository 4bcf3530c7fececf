"""Notices in the admin: drafted, published, and then never changed."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from provisioning.models import Notice, NoticeDraft
from tests.provisioning.consent.test_notices import draft, published
from tests.support.visitor import events


def test_drafts_and_publishes_a_notice(reviewer):
    now = timezone.now()
    form = {"version": "1", "language": "en", "text": "What we do", "purposes": '["chat"]'}
    form |= {"controller": "Us", "effective_at_0": now.date(), "effective_at_1": "00:00:00"}
    reviewer.post("/admin/provisioning/noticedraft/add/", form)

    chosen = {"action": "publish", "_selected_action": [NoticeDraft.objects.get().pk]}
    reviewer.post("/admin/provisioning/noticedraft/", chosen)

    assert Notice.objects.get().text == "What we do"
    assert len(events("notice.published")) == 1


@pytest.mark.parametrize(
    "wrong", [{"purposes": "[]"}, {"purposes": '"chat"'}, {"language": "not a language"}]
)
def test_refuses_a_draft_that_says_too_little(reviewer, wrong):
    form = {"version": "1", "language": "en", "text": "What we do", "purposes": '["chat"]'}
    form |= {"controller": "Us", "effective_at_0": "2026-11-22", "effective_at_1": "00:00:00"}

    reviewer.post("/admin/provisioning/noticedraft/add/", form | wrong)

    assert not NoticeDraft.objects.exists()


def test_says_when_a_version_is_published_already(reviewer):
    published()

    chosen = {"action": "publish", "_selected_action": [draft().pk]}
    page = reviewer.post("/admin/provisioning/noticedraft/", chosen, follow=True)

    assert "published in en already" in page.content.decode()


def test_lets_not_even_a_superuser_edit_a_published_notice(db):
    notice = published()
    browser = Client()
    browser.force_login(User.objects.create_superuser("root"))

    page = f"/admin/provisioning/notice/{notice.pk}/"

    assert browser.get(f"{page}change/").status_code == 200
    assert browser.post(f"{page}change/", {"text": "x"}).status_code == 403
    assert browser.get(f"{page}delete/").status_code == 403
