"""The floor: an init on our stack with nothing that makes it ours. What could be faster than this?

Django, DRF and a serializer; two `requests` posts; three durable transactions of two statements
each into our tables, and a look-up in the CRM's. No lock, salt, history, limit, deadline, log.
`candidates.floor` starts it with our gunicorn, in the environment of a service of its own.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import django
import requests
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import path
from psycopg_pool import ConnectionPool
from requests.adapters import HTTPAdapter

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],  # which sets Content-Length
    INSTALLED_APPS=["rest_framework"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
)
django.setup()

from rest_framework import serializers  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

PLATFORM = os.environ["GENESYS_BASE_URL"]
GUESTS = f"{PLATFORM}/api/v2/webchat/v1/guests"
DATABASE = os.environ["DATABASE_URL"]
# Columns of a real creation and of its events, so that ours is written here too.
TEMPLATE = json.loads(Path(os.environ["TEMPLATE"]).read_text())
CREATION, EVENTS = TEMPLATE["creation"], TEMPLATE["events"]
EVENT = EVENTS["init.attempted"]
SQLITE = DATABASE.startswith("sqlite")
MARK = "?" if SQLITE else "%s"


def statement(text: str) -> str:
    """Return a statement with the marks that the database's driver wants."""
    return text.replace("?", MARK)


def insert(table: str, columns: Mapping[str, Any]) -> str:
    """Return the INSERT of a row with these columns."""
    marks = ", ".join("?" * len(columns))
    return statement(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})")


LOOK_UP = statement(
    "SELECT email, first_name, tier, previous_tickets, attributes FROM crm_crmrecord"
    " WHERE session_hash = ?"
)
OPEN = insert("provisioning_guestcreation", CREATION)
RECORD = insert("audit_auditevent", EVENT)
CREATED = statement(
    "UPDATE provisioning_guestcreation SET status = 'guest_created', updated_at = ?, guest_id = ?"
    " WHERE id = ? AND status = 'pending'"
)
READY = statement(
    "UPDATE provisioning_guestcreation SET status = 'ready', updated_at = ?, token_expires_at = ?"
    " WHERE id = ? AND status = 'guest_created'"
)


class Sqlite:
    """One connection: nothing cooperative happens inside a transaction."""

    def __init__(self) -> None:
        file = DATABASE.removeprefix("sqlite:///")
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            self._connection.execute(f"PRAGMA {pragma}")

    @contextmanager
    def reading(self) -> Iterator[Any]:
        yield self._connection

    @contextmanager
    def writing(self) -> Iterator[Any]:
        self._connection.execute("BEGIN IMMEDIATE")
        yield self._connection
        self._connection.execute("COMMIT")


class Postgresql:
    """A pool of connections, 20 for all processes: PostgreSQL grants 100 to all candidates."""

    def __init__(self) -> None:
        self._pool = ConnectionPool(
            DATABASE,
            min_size=1,
            max_size=20 // int(os.environ["WEB_CONCURRENCY"]),
            kwargs={"autocommit": True},
            open=True,
        )

    def reading(self) -> Any:
        return self._pool.connection()

    @contextmanager
    def writing(self) -> Iterator[Any]:
        with self._pool.connection() as connection, connection.transaction():
            yield connection


class Platform:
    """The platform, its access token fetched once."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("http://", HTTPAdapter(pool_maxsize=1000))
        form = {"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"}
        answer = self._session.post(f"{PLATFORM}/oauth/token", data=form, timeout=10)
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def post(self, url: str, body: Mapping[str, Any]) -> Any:
        answer = self._session.post(url, json=body, timeout=(3, 60))
        answer.raise_for_status()
        return answer.json()


STORE = Sqlite() if SQLITE else Postgresql()
PLATFORM_CLIENT = Platform()


def now() -> str:
    """Return the time as both databases store it."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat(" ")


def commit(change: str, values: Sequence[Any], kind: str) -> None:
    """Change one creation and record it, in one transaction."""
    template, identity, time = EVENTS[kind], uuid4().hex, now()
    body = json.loads(template["body"]) | {"id": identity, "time": time}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    event = template | {"id": identity, "time": time, "body": text}
    with STORE.writing() as connection:
        assert connection.execute(change, values).rowcount == 1
        connection.execute(RECORD, list(event.values()))


def init(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Make a guest and a token, each step on disk before the next."""
    session_hash = hashlib.sha256(fields["sessionId"].encode()).hexdigest()
    with STORE.reading() as connection:
        connection.execute(LOOK_UP, [session_hash]).fetchone()
    crm = {
        "email": f"visitor_{session_hash[:8]}@temp.com",
        "firstName": "Guest",
        "tier": "Unknown",
        "previousTickets": 0,
    }
    creation, time = uuid4().hex, now()
    fresh = {"id": creation, "created_at": time, "updated_at": time, "session_hash": session_hash}
    commit(OPEN, list((CREATION | fresh).values()), "init.attempted")
    body = {
        "name": crm["firstName"],
        "email": crm["email"],
        "consentGiven": fields["consentGiven"],
        "consentType": fields["consentType"],
        "attributes": {"crmTier": crm["tier"], "historicalTickets": 0, "integrationSource": "b"},
    }
    guest = PLATFORM_CLIENT.post(GUESTS, body)
    commit(CREATED, [now(), guest["id"], creation], "guest.created")
    token = PLATFORM_CLIENT.post(f"{GUESTS}/{guest['id']}/tokens", {})
    commit(READY, [now(), token["expires_at"], creation], "token.issued")
    return {
        "guestId": guest["id"],
        "accessToken": token["token"],
        "expiresAt": token["expires_at"],
        "crmAttributes": crm,
    }


class InitRequest(serializers.Serializer[Any]):
    sessionId = serializers.CharField(max_length=256)  # noqa: N815
    consentGiven = serializers.BooleanField(default=True)  # noqa: N815
    consentType = serializers.ChoiceField(["explicit", "implicit"], default="explicit")  # noqa: N815


class InitView(APIView):
    def post(self, request: Request) -> Response:
        asked = InitRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(init(asked.validated_data))


urlpatterns = [path("api/webchat/init", InitView.as_view())]
application = get_wsgi_application()
