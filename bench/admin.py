"""The admin at a million creations: ``python -m bench.admin [ROWS] [plans]``.

Makes the database that ``DATABASE_URL`` names (PostgreSQL, its name must end in ``_scale``) if it
is empty: ROWS creations spread evenly over 365 days, three events and three leaves for each, half
as many CRM records. Then asks for each page of the admin and prints p50 and p95 in milliseconds,
as the view takes them, without a network; and the CPU time of Python alone, which tells how busy
the machine was otherwise. At last the rest of the queue is reviewed, in batches as a reviewer would
and then all of it, and the pages that look for what is not reviewed are measured once more.
With ``plans`` it prints how each page's queries reach the large tables, instead of times.

Distribution: 93 % ready, 3 % failed, 2 % unknown, 1 % refused, 1 % without a token; consent 70 %
stated yes, 20 % assumed, 10 % declined; 1 % withdrawn; 0.1 % repeated otherwise by the platform,
0.1 % under an unknown notice; the older half of what needs review has been reviewed, 1 % of that
with a follow-up. One visitor in a thousand creations is the same one: at a million they have 1,000.
"""

import os
import statistics
import sys
import time
from typing import Any

from bench import interpreter

ROUNDS = 30
_SEED = """
SET statement_timeout = 0;
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE FUNCTION id_at(t timestamptz, i bigint, kind text) RETURNS uuid LANGUAGE sql AS $$
  SELECT (lpad(to_hex((extract(epoch FROM t) * 1000)::bigint), 12, '0') || '7'
          || substr(h, 1, 3) || '8' || substr(h, 4, 15))::uuid FROM md5(kind || i) AS h $$;
CREATE FUNCTION key_of(i bigint) RETURNS text LANGUAGE sql AS $$
  SELECT encode(digest('visitor-' || i, 'sha256'), 'hex') $$;
CREATE TEMP TABLE one AS
  SELECT i::bigint AS i, now() - interval '365 days' * (1 - i::float / {rows}) AS t,
         (i::bigint * 7919) % 1000 AS d,
         key_of(CASE WHEN i % 1000 = 500 THEN 500 ELSE i END) AS key
  FROM generate_series(1, {rows}) AS i;
INSERT INTO crm_crmrecord (session_hash, email, first_name, tier, previous_tickets, attributes,
                           version, created_at, updated_at)
  SELECT key, 'visitor' || i || '@example.com', 'Jane', 'Gold', i % 40, '{{}}', 1, t, t
  FROM one WHERE i % 2 = 0 ON CONFLICT DO NOTHING;
INSERT INTO audit_subjectsalt (session_hash, salt)
  SELECT DISTINCT key, decode(md5(key), 'hex') FROM one;
INSERT INTO provisioning_guestcreation
  (id, created_at, updated_at, request_id, session_hash, status, guest_id, token_expires_at,
   tokens_issued, consent_given, consent_type, consent_basis, notice_version, language, gpc,
   withdrawn_at, review_reasons, salt, profile_digest, payload_digest, sent_fields,
   error_code, platform_code, correlation_id, echo_consent_type, echo_created_date, echo_mismatch)
  SELECT id_at(t, i, 'c'), t, t, 'request-' || i, key,
    CASE WHEN d < 930 THEN 'ready' WHEN d < 960 THEN 'failed' WHEN d < 980 THEN 'unknown'
         WHEN d < 990 THEN 'refused' ELSE 'guest_created' END,
    CASE WHEN d < 930 OR d >= 990 THEN 'guest-' || i ELSE '' END, '', 1,
    (i / 1000 + d) % 10 > 0, 'explicit',
    CASE WHEN (i / 1000 + d) % 10 IN (1, 2) THEN 'assumed' ELSE 'stated' END, '2026-01', 'en',
    false, CASE WHEN d < 10 THEN t END,
    concat_ws(' ', CASE WHEN (i / 1000 + d) % 10 IN (1, 2) THEN 'consent-assumed' END,
      CASE WHEN d BETWEEN 960 AND 979 THEN 'outcome-unknown' END,
      CASE WHEN d = 500 THEN 'echo-differs' END, CASE WHEN d = 501 THEN 'notice-unknown' END),
    md5(key), md5(key) || md5(key), md5(key) || md5(key),
    '["name","email","consentGiven","consentType","attributes.crmTier"]',
    CASE WHEN d BETWEEN 930 AND 979 THEN 'platform_timeout' ELSE '' END, '', '', '', '', d = 500
  FROM one;
CREATE TEMP TABLE event AS
  SELECT id_at(t + k * interval '0.1 s', i, 'e' || k) AS id, t + k * interval '0.1 s' AS t, kind, i,
         encode(hmac(key::bytea, decode(md5(key), 'hex'), 'sha256'), 'hex') AS subject,
         id_at(t, i, 'c') AS creation, (i - 1) * 3 + k - 1 AS position
  FROM one, (VALUES (1, 'init.attempted'), (2, 'guest.created'), (3, 'token.issued')) v (k, kind);
INSERT INTO audit_auditevent (id, time, kind, subject, actor, request_id, body)
  SELECT id, t, kind, subject, 'visitor', 'request-' || i,
    '{{"actor":"visitor","data":{{"creation":"' || creation || '"}},"id":"' || id || '"}}'
  FROM event;
INSERT INTO audit_auditleaf (position, hash, event_id, seal_id)
  SELECT position, encode(sha256(('leaf' || id)::bytea), 'hex'), id, position / 10000 + 1
  FROM event;
"""
_REVIEWED = """
SET statement_timeout = 0;
INSERT INTO provisioning_review (id, creation_id, reviewer_id, reviewed_at, verdict, reason)
  SELECT id_at(created_at, 1, id::text), id, (SELECT max(id) FROM auth_user), created_at,
         CASE WHEN md5(id::text) < '03' THEN 'follow_up' ELSE 'in_order' END, 'Seen'
  FROM provisioning_guestcreation
  WHERE review_reasons > '' AND reviewed_at IS NULL AND created_at < now() - interval '{days} days';
UPDATE provisioning_guestcreation AS c
  SET reviewed_at = r.reviewed_at, verdict = r.verdict, reviewer_id = r.reviewer_id
  FROM provisioning_review AS r WHERE r.creation_id = c.id AND c.reviewed_at IS NULL;
"""
_CREATIONS = "/admin/provisioning/guestcreation/"
_EVENTS, _RECORDS = "/admin/audit/auditevent/", "/admin/crm/crmrecord/"
_OF_THE_QUEUE = ("dashboard", "creations", "creations, tab queue", "creations, queue, 30 days")
_PAGES = {
    "dashboard": "/admin/",
    "creations": _CREATIONS,
    **{
        f"creations, tab {tab}": f"{_CREATIONS}?tab={tab}"
        for tab in ("queue", "followup", "unknown", "assumed", "stated", "declined", "withdrawn")
    },
    **{
        f"creations, why {why}": f"{_CREATIONS}?why={why}"
        for why in ("consent-assumed", "outcome-unknown", "echo-differs", "no-notice")
    },
    "creations, follow-up, why": f"{_CREATIONS}?tab=followup&why=echo-differs",
    "creations, verdict": f"{_CREATIONS}?verdict__exact=in_order",
    "creations, reviewer": f"{_CREATIONS}?reviewer=1",
    **{
        f"creations, status {status}": f"{_CREATIONS}?status__exact={status}"
        for status in ("ready", "failed", "queued")
    },
    "creations, basis omitted": f"{_CREATIONS}?consent_basis__exact=omitted",
    "creations, 30 days, declined": f"{_CREATIONS}?days=30&tab=declined",
    "creations, queue, 30 days": f"{_CREATIONS}?tab=queue&days=30",
    "creations, 30 days, failed": f"{_CREATIONS}?days=30&status__exact=failed",
    "creations, last page": f"{_CREATIONS}?p=100",
    "events": _EVENTS,
    "events, kind": f"{_EVENTS}?kind=guest.created",
    "events, today": f"{_EVENTS}?days=1",
    "events, last page": f"{_EVENTS}?p=100",
    "records": _RECORDS,
    "records, last page": f"{_RECORDS}?p=100",
    "mappings, history": "/admin/crm/attributemapping/sets/",
}


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    from django.conf import settings

    settings.ALLOWED_HOSTS.append("testserver")
    if not str(settings.DATABASES["default"]["NAME"]).endswith("_scale"):
        sys.exit("DATABASE_URL must name a PostgreSQL database that ends in _scale")
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    print(interpreter.heading())
    _seed(rows)
    if "plans" in sys.argv:
        for name, act in _acts(rows).items():
            print(f"{name:<36} {'; '.join(_plans(act))}")
        return
    print(f"{'page, ' + format(rows, ',') + ' creations':<36} {'p50':>7} {'p95':>7} {'cpu':>7}")
    for name, act in _acts(rows).items():
        _measure(name, act)
    for count in (50, 1_000) if rows > 100_000 else (10,):  # six times each
        _measure(f"review {count:,}", _reviewing(count), rounds=5)
    _sql(_REVIEWED.format(days=0))
    for name, act in _acts(rows).items():
        if name in _OF_THE_QUEUE:
            _measure(f"{name}, all reviewed", act)


def _measure(name: str, act: Any, rounds: int = ROUNDS) -> None:
    _timed(act)
    busy = time.process_time()
    times = sorted(_timed(act) for _ in range(rounds))
    cpu = (time.process_time() - busy) * 1000 / rounds
    p50, p95 = statistics.median(times), times[int(rounds * 0.95)]
    print(f"{name:<36} {p50:7.0f} {p95:7.0f} {cpu:7.0f}", flush=True)


def _seed(rows: int) -> None:
    from django.core.management import call_command
    from django.db import connection

    from provisioning.models import GuestCreation
    from tests.support.factories import staff

    call_command("migrate", verbosity=0)
    if GuestCreation.objects.exists():
        return
    staff()
    _sql(_SEED.format(rows=rows) + _REVIEWED.format(days=180))
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM ANALYZE")  # as autovacuum would have


def _sql(statements: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statements)
        cursor.execute("RESET statement_timeout")


def _acts(rows: int) -> dict[str, Any]:
    from provisioning.models import GuestCreation

    client = _client()
    some = GuestCreation.objects.filter(request_id__in=[f"request-{rows // 2}"]).first()
    acts = {name: lambda url=url: client.get(url) for name, url in _PAGES.items()}
    for name, term in {
        "session id": f"visitor-{rows // 3}",
        "guest id": f"guest-{rows // 3}",
        "address": f"visitor{rows // 4 * 2}@example.com",
    }.items():
        for place, url in (("creations", _CREATIONS), ("records", _RECORDS)):
            acts[f"{place}, search {name}"] = lambda u=url, t=term: client.post(
                f"{u}find/", {"term": t}
            )
    acts["creations, same visitor"] = lambda: client.get(f"{_CREATIONS}?like={some.pk}")
    person = f"{_CREATIONS}person/"
    acts["person, of each 1,000th"] = lambda: client.post(
        person, {"term": "visitor-500"}, follow=True
    )
    acts["events, search"] = lambda: client.get(f"{_EVENTS}?q=request-{rows // 3}")
    acts["one creation"] = lambda: client.get(f"{_CREATIONS}{some.pk}/change/")
    return acts


def _reviewing(count: int) -> Any:
    """Return what reviews the newest `count` of the queue, other ones each time."""
    from provisioning import reviews

    client = _client()

    def act() -> Any:
        keys = list(reviews.waiting().values_list("pk", flat=True)[:count])
        form = {"action": "review_selected", "confirmed": "1", "verdict": "in_order"}
        chosen = {"_selected_action": keys[0], "creations": ",".join(map(str, keys))}
        return client.post(_CREATIONS, form | chosen | {"reason": "Seen"})

    return act


def _client() -> Any:
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(raise_request_exception=True)
    client.force_login(
        User.objects.latest("pk"), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


def _plans(act: Any) -> list[str]:
    """Return how the queries of a page reach the large tables: ``table by index``."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from bench import million

    act()
    with CaptureQueriesContext(connection) as captured:
        act()
    seen: set[str] = set()
    for query in captured.captured_queries:
        if query["sql"].startswith("SELECT"):
            million.collect(million.explain(query["sql"]), seen)
    return sorted(seen)


def _timed(act: Any) -> float:
    started = time.perf_counter()
    answer = act()
    if answer.status_code not in (200, 302):
        sys.exit(f"a page answered {answer.status_code}")
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
