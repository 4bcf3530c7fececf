"""Notices are published once, never changed, and every init records the one that was seen."""

from datetime import timedelta
from hashlib import sha256

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from audit import triggers
from provisioning.consent import notices
from provisioning.models import Notice, NoticeDraft
from tests.support.visitor import events, latest

pytestmark = pytest.mark.django_db

TEXT = "We pass your name and address to our chat provider. – Ärztekammer"


def draft(**fields):
    values = {
        "version": "2026-11",
        "language": "en",
        "text": TEXT,
        "purposes": ["customer support by chat"],
        "controller": "Example Ltd, privacy@example.org",
        "effective_at": timezone.now() - timedelta(days=1),
    }
    return NoticeDraft.objects.create(**values | fields)


def published(**fields):
    return notices.publish(draft=draft(**fields), actor="staff:1")


def test_publishing_is_an_event_with_the_hash_of_the_text():
    notice = published()

    (event,) = events("notice.published")
    assert event["actor"] == "staff:1"
    assert event["data"]["sha256"] == notice.sha256 == sha256(TEXT.encode()).hexdigest()
    assert not NoticeDraft.objects.exists()


@pytest.mark.parametrize("language", ["en", "EN"])
def test_publishes_a_version_once_in_a_language(language):
    published()

    with pytest.raises(notices.AlreadyPublished):
        published(language=language, text="another text")

    assert Notice.objects.get().text == TEXT


COLUMNS = "version, language, text, purposes, controller, effective_at, sha256, published_at"
ROADS = {
    "update": "UPDATE provisioning_notice SET text = 'x'",
    "delete": "DELETE FROM provisioning_notice",
    "upsert": f"INSERT INTO provisioning_notice ({COLUMNS}, published_by)"
    f" SELECT {COLUMNS}, 'x' FROM provisioning_notice WHERE true"
    " ON CONFLICT (version, language) DO UPDATE SET text = 'x'",
}
SQLITE_ROADS = {
    "replace": f"REPLACE INTO provisioning_notice (id, {COLUMNS}, published_by)"
    f" SELECT id, {COLUMNS}, 'x' FROM provisioning_notice",
    "replace by version": f"REPLACE INTO provisioning_notice ({COLUMNS}, published_by)"
    f" SELECT {COLUMNS}, 'x' FROM provisioning_notice",
}


@pytest.mark.parametrize(
    "road", [*ROADS, *(SQLITE_ROADS if connection.vendor == "sqlite" else {"truncate": ""})]
)
def test_the_database_refuses_to_change_a_published_notice(road):
    published()
    sql = (ROADS | SQLITE_ROADS).get(road, "TRUNCATE provisioning_notice")

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)

    assert Notice.objects.get().text == TEXT


def test_notices_a_missing_trigger_and_puts_it_back():
    with connection.cursor() as cursor:
        (first, *_) = [t for t in triggers.wanted() if t.table == "provisioning_notice"]
        cursor.execute(triggers._drop(connection, first))

    found = triggers.missing()
    triggers.install()

    assert found == [first.name]
    assert triggers.missing() == []


def test_records_which_notice_the_visitor_saw(visitor):
    notice = published()

    visitor.init(consentGiven=True, noticeVersion="2026-11", language="en")

    recorded = events("init.attempted")[-1]["data"]["consent"]
    assert latest().notice == notice
    assert recorded["notice"] == {"version": "2026-11", "language": "en", "sha256": notice.sha256}


def test_old_records_keep_showing_what_was_told_then(visitor):
    published()
    visitor.init(consentGiven=True, noticeVersion="2026-11", language="en")
    first = latest()

    published(version="2027-01", text="something else")
    visitor.init(consentGiven=True, noticeVersion="2027-01", language="en")

    first.refresh_from_db()
    assert first.notice.text == TEXT
    assert latest().notice.text == "something else"


def test_needs_no_language_where_there_is_only_one_text(visitor):
    notice = published()

    visitor.init(consentGiven=True, noticeVersion="2026-11")

    assert latest().notice == notice


UNKNOWN = {
    "never published": {"noticeVersion": "1999", "language": "en"},
    "not in that language": {"noticeVersion": "2026-11", "language": "de"},
    "not in effect yet": {"noticeVersion": "2030-01", "language": "en"},
    "one of two languages": {"noticeVersion": "both"},
}


@pytest.fixture
def some_notices():
    published()
    published(version="2030-01", effective_at=timezone.now() + timedelta(days=1))
    published(version="both", language="en")
    published(version="both", language="fr")


@pytest.mark.parametrize("named", UNKNOWN.values(), ids=UNKNOWN)
@pytest.mark.parametrize("mode", ["compat", "minimise"])
def test_records_an_unknown_notice_as_unknown(visitor, settings, some_notices, mode, named):
    settings.CONSENT_MODE = mode

    visitor.init(consentGiven=True, **named)

    recorded = events("init.attempted")[-1]
    assert latest().notice is None
    assert latest().notice_version == named["noticeVersion"]
    assert recorded["data"]["consent"]["noticeUnknown"] is True
    assert named["noticeVersion"] not in str(recorded["data"]["consent"])


@pytest.mark.parametrize("named", UNKNOWN.values(), ids=UNKNOWN)
def test_refuses_an_unknown_notice_in_strict_mode(visitor, settings, some_notices, named):
    settings.CONSENT_MODE = "strict"

    reply = visitor.init(consentGiven=True, **named)

    assert reply.status_code == 400
    assert list(reply.json()["fields"]) == ["noticeVersion"]
    assert visitor.sent() == []


def test_takes_consent_under_another_notice_for_another_consent(visitor, settings):
    settings.GUEST_REUSE_SECONDS = 60
    published()
    published(version="2027-01")

    guests = {
        visitor.init(consentGiven=True, noticeVersion=version, language="en").json()["guestId"]
        for version in ("2026-11", "2026-11", "2027-01")
    }

    assert len(guests) == 2
