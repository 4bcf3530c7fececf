"""Notices in the admin: drafted, published, and then never changed."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from provisioning.models import Notice, NoticeDraft
from tests.provisioning.consent.test_notices import draft, published
from tests.support.confirming import confirm
from tests.support.visitor import events


def test_drafts_and_publishes_a_notice(reviewer):
    now = timezone.now()
    form = {
        "version": "1",
        "language": "en",
        "text": "What we do",
        "purposes": "chat\n\n support by chat ",
    }
    form |= {"controller": "Us", "effective_at_0": now.date(), "effective_at_1": "00:00:00"}
    reviewer.post("/admin/provisioning/noticedraft/add/", form)

    chosen = {"action": "publish", "_selected_action": [NoticeDraft.objects.get().pk]}
    shown = reviewer.post("/admin/provisioning/noticedraft/", chosen).content.decode()
    assert "1 (en), in effect from" in shown
    assert not Notice.objects.exists()
    confirm(reviewer, "/admin/provisioning/noticedraft/", chosen)

    assert Notice.objects.get().text == "What we do"
    assert Notice.objects.get().purposes == ["chat", "support by chat"]
    assert len(events("notice.published")) == 1


def test_offers_now_as_the_time_of_a_new_draft(reviewer):
    with time_machine.travel("2026-11-26T09:00:00+00:00", tick=False):
        page = reviewer.get("/admin/provisioning/noticedraft/add/").content.decode()

    assert 'name="effective_at_0" value="2026-11-26"' in page
    assert 'name="effective_at_1" value="09:00:00"' in page


def test_leads_from_the_notices_to_the_drafts_and_back(reviewer):
    notices = reviewer.get("/admin/provisioning/notice/").content.decode()
    drafts = reviewer.get("/admin/provisioning/noticedraft/").content.decode()

    assert '<a href="/admin/provisioning/noticedraft/">Drafts</a>' in notices
    assert 'href="/admin/provisioning/noticedraft/add/"' in notices
    assert '<a href="/admin/provisioning/notice/">Published notices</a>' in drafts


def test_says_that_no_notice_is_in_effect(reviewer):
    sentence = "No notice is in effect"
    draft()
    assert sentence in reviewer.get("/admin/provisioning/notice/").content.decode()
    published(effective_at=timezone.now() + timedelta(days=1), version="later")
    assert sentence in reviewer.get("/admin/provisioning/notice/").content.decode()

    published(version="now")

    assert sentence not in reviewer.get("/admin/provisioning/notice/").content.decode()


@pytest.mark.parametrize(
    "wrong", [{"purposes": " \n "}, {"language": "not a language"}, {"language": ""}]
)
def test_refuses_a_draft_that_says_too_little(reviewer, wrong):
    form = {"version": "1", "language": "en", "text": "What we do", "purposes": "chat"}
    form |= {"controller": "Us", "effective_at_0": "2026-11-22", "effective_at_1": "00:00:00"}

    reviewer.post("/admin/provisioning/noticedraft/add/", form | wrong)

    assert not NoticeDraft.objects.exists()


def test_shows_purposes_one_a_line_and_keeps_a_language_that_is_not_listed(reviewer):
    row = draft(language="gsw-LI", purposes=["chat", "statistics"])

    page = reviewer.get(f"/admin/provisioning/noticedraft/{row.pk}/change/").content.decode()

    assert "chat\nstatistics</textarea>" in page
    assert '<option value="gsw-LI" selected>' in page
    assert '<option value="de-AT">German, AT (de-AT)</option>' in page


@pytest.mark.parametrize("kind", ["noticedraft", "notice"])
def test_shows_the_text_as_visitors_read_it_and_what_it_changes(reviewer, kind):
    published(text="We use chat.\n\nWe keep it for a year.")
    make = draft if kind == "noticedraft" else published
    later = timezone.now() - timedelta(hours=1)
    row = make(
        version="2027", text="We use chat.\n\nWe keep it <b>no</b> time.", effective_at=later
    )

    page = reviewer.get(f"/admin/provisioning/{kind}/{row.pk}/change/").content.decode()

    assert "<p>We keep it &lt;b&gt;no&lt;/b&gt; time.</p>" in page
    assert "<del>We keep it for a year.</del>" in page
    assert "<ins>We keep it &lt;b&gt;no&lt;/b&gt; time.</ins>" in page
    assert "Against version 2026-11 (en)" in page


def test_compares_with_nothing_in_another_language(reviewer):
    published(language="de")
    row = draft(version="2027")

    page = reviewer.get(f"/admin/provisioning/noticedraft/{row.pk}/change/").content.decode()

    assert "No version in this language is in effect before it." in page


def test_says_when_a_version_is_published_already(reviewer):
    published()

    chosen = {"action": "publish", "_selected_action": [draft().pk]}
    page = confirm(reviewer, "/admin/provisioning/noticedraft/", chosen)

    assert "published in en already" in page.content.decode()


def test_publishes_from_the_page_of_the_draft(reviewer):
    row = draft()
    path = f"/admin/provisioning/noticedraft/{row.pk}/publish/"

    assert (
        path in reviewer.get(f"/admin/provisioning/noticedraft/{row.pk}/change/").content.decode()
    )
    assert "Publish a notice" in reviewer.get(path).content.decode()
    assert not Notice.objects.exists()
    confirm(reviewer, path, {})

    assert Notice.objects.get().version == row.version


def test_publishes_nothing_for_whoever_may_only_write(reviewer):
    row = draft()
    right = Permission.objects.get(codename="publish_notice")
    User.objects.get().groups.get().permissions.remove(right)

    page = reviewer.get(f"/admin/provisioning/noticedraft/{row.pk}/change/").content.decode()

    assert "Publish…" not in page
    assert reviewer.post(f"/admin/provisioning/noticedraft/{row.pk}/publish/").status_code == 403


def test_deletes_a_draft_only_when_it_is_confirmed(reviewer):
    path = f"/admin/provisioning/noticedraft/{draft().pk}/delete/"

    reviewer.post(path, {"post": "yes"})
    assert NoticeDraft.objects.exists()
    confirm(reviewer, path, {})

    assert not NoticeDraft.objects.exists()


def test_lets_not_even_a_superuser_edit_a_published_notice(db):
    notice = published()
    browser = Client()
    browser.force_login(User.objects.create_superuser("root"))

    page = f"/admin/provisioning/notice/{notice.pk}/"

    assert browser.get(f"{page}change/").status_code == 200
    assert browser.post(f"{page}change/", {"text": "x"}).status_code == 403
    assert browser.get(f"{page}delete/").status_code == 403


def test_names_the_list_that_a_question_leads_back_to(reviewer):
    page = reviewer.get(f"/admin/provisioning/noticedraft/{draft().pk}/publish/").content.decode()

    assert '<a href="/admin/provisioning/noticedraft/">Notice drafts</a>' in page


def test_says_the_version_that_is_published_as_it_is_spelt(reviewer):
    path = f"/admin/provisioning/noticedraft/{draft(version='v1').pk}/publish/"

    page = confirm(reviewer, path, {}).content.decode()

    assert "Version v1 (en) is published." in page
