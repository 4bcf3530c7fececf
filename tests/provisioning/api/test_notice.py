"""The notice in effect, as a page reads it before it asks for consent."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audit import triggers
from provisioning.models import Notice
from tests.conftest import drop_audit_triggers
from tests.provisioning.consent.test_notices import TEXT, published
from tests.support.visitor import latest

pytestmark = pytest.mark.django_db

ADDRESS = "/api/webchat/notice"
SHOP = "https://shop.example"


def ask(language="", **headers):
    query = {"language": language} if language else {}
    return Client().get(ADDRESS, query, headers=headers)


def test_gives_what_was_published():
    notice = published()

    answer = ask("en")

    assert answer.status_code == 200
    assert answer.json() == {
        "version": "2026-11",
        "language": "en",
        "text": TEXT,
        "sha256": notice.sha256,
        "purposes": ["customer support by chat"],
        "effectiveFrom": notice.effective_at.isoformat(timespec="microseconds").replace(
            "+00:00", "Z"
        ),
    }


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("de-AT", "de"),
        ("DE-at-x-private", "de"),
        ("de", "de"),
        ("en-GB", "en-GB"),
        ("EN-gb", "en-GB"),
    ],
)
def test_finds_the_nearest_language(asked, given):
    published(language="de")
    published(language="en-GB")

    assert ask(asked).json()["language"] == given


@pytest.mark.parametrize("asked", ["fr", ""])
def test_gives_the_only_one_whatever_the_language(asked):
    published(language="de")

    assert ask(asked).json()["language"] == "de"


@pytest.mark.parametrize("asked", ["fr", "", "en"])
def test_lists_the_languages_where_several_are_there_and_none_fits(asked):
    published(language="de")
    published(language="en-GB")

    answer = ask(asked)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert answer.json()["fields"] == {"language": ["language must be one of: de, en-GB."]}


@pytest.mark.parametrize("asked", ["not a language", "x" * 36, "\0", "de\n"])
def test_refuses_what_is_no_language(asked):
    published()

    answer = ask(asked)

    assert answer.status_code == 400
    assert "language" in answer.json()["fields"]


def test_says_that_there_is_none_yet():
    published(effective_at=timezone.now() + timedelta(hours=1))

    answer = ask("en")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_gives_the_newest_that_is_in_effect():
    now = timezone.now()
    published(version="2", effective_at=now - timedelta(hours=1))
    published(version="1", effective_at=now - timedelta(hours=2))
    published(version="3", effective_at=now + timedelta(hours=1))

    assert ask("en").json()["version"] == "2"


def test_is_asked_again_each_time_and_sent_once():
    published()
    first = ask("en")

    again = ask("en", **{"If-None-Match": first["ETag"]})
    weakly = ask("en", **{"If-None-Match": f'"other", W/{first["ETag"]}'})
    published(version="2027-01", effective_at=timezone.now() - timedelta(minutes=1))
    later = ask("en", **{"If-None-Match": first["ETag"]})

    assert first["Cache-Control"] == again["Cache-Control"] == "no-cache"
    assert (again.status_code, weakly.status_code, later.status_code) == (304, 304, 200)
    assert (again.content, again["ETag"]) == (b"", first["ETag"])
    assert "Content-Length" not in again


def test_is_open_to_allowed_origins_alone(settings):
    settings.CORS_ALLOWED_ORIGINS = [SHOP]
    published()

    shop, stranger = ask(Origin=SHOP), ask(Origin="https://evil.example")

    assert shop["Access-Control-Allow-Origin"] == SHOP
    assert "origin" in shop["Vary"].lower()
    assert (stranger.status_code, stranger.json()["code"]) == (403, "origin_not_allowed")
    assert "Access-Control-Allow-Origin" not in stranger


def test_varies_by_origin_for_whoever_names_none():
    published()

    assert ask()["Vary"].lower() == "origin"


def test_may_be_read_as_often_as_a_chat_may_be_started(settings):
    settings.INIT_RATE = "2/min"
    published()

    answers = [ask() for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2]["Retry-After"]) > 0


def test_reading_it_takes_nothing_from_those_who_start_a_chat(settings, visitor):
    settings.INIT_RATE = "1/min"
    published()

    assert ask().status_code == 200

    assert visitor.init(consentGiven=False).status_code == 200


def test_takes_nothing_but_a_question():
    assert Client().post(ADDRESS, {}, content_type="application/json").status_code == 405


# --- A version that another has taken the place of ---------------------------------------------


@pytest.fixture
def superseded(settings):
    """Return a function that publishes a version and, some hours before now, the next one."""
    settings.CONSENT_MODE = "strict"

    def make(*, hours, language="en", next_language="en"):
        now = timezone.now()
        published(version="old", language=language, effective_at=now - timedelta(days=90))
        notice = published(
            version="new", language=next_language, effective_at=now - timedelta(hours=hours)
        )
        rewrite(notice, published_at=now - timedelta(hours=hours))

    return make


def rewrite(notice, **columns):
    """Change a published notice, as time would."""
    drop_audit_triggers()
    type(notice).objects.filter(pk=notice.pk).update(**columns)
    triggers.install()


def consent_under(visitor, version):
    return visitor.init(consentGiven=True, noticeVersion=version, language="en")


def test_counts_for_a_day_after_it_was_superseded(visitor, superseded):
    superseded(hours=23)

    assert consent_under(visitor, "old").status_code == 200
    assert latest().notice.version == "old"
    assert consent_under(visitor, "new").status_code == 200


def test_is_unknown_after_that(visitor, superseded):
    superseded(hours=25)

    answer = consent_under(visitor, "old")

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["noticeVersion"]
    assert consent_under(visitor, "new").status_code == 200


def test_counts_for_as_long_as_the_setting_says(visitor, superseded, settings):
    settings.NOTICE_GRACE_HOURS = 48
    superseded(hours=25)

    assert consent_under(visitor, "old").status_code == 200


def test_counts_for_a_day_after_its_successor_was_published_whenever_that_is_in_effect(
    visitor, settings
):
    settings.CONSENT_MODE = "strict"
    published(version="old", effective_at=timezone.now() - timedelta(days=90))
    published(version="new", effective_at=timezone.now() - timedelta(days=30))

    assert consent_under(visitor, "old").status_code == 200


def test_is_superseded_by_a_notice_that_a_clock_a_year_ahead_has_published(visitor, superseded):
    superseded(hours=25)
    rewrite(Notice.objects.get(version="new"), published_at=timezone.now() + timedelta(days=365))

    assert consent_under(visitor, "old").status_code == 400


def test_is_not_superseded_by_a_notice_in_another_language(visitor, superseded):
    superseded(hours=25, next_language="de")

    assert consent_under(visitor, "old").status_code == 200
