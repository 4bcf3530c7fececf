"""Private parts of libraries that guestportal leans on: one test each, which fails with its name.

An upgrade that takes a hook away would not fail by itself: our override would stand there unused.
"""

import inspect
import logging
import socket
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.worker.consumer import Consumer
from django.conf import settings as ours
from django.core.handlers.base import BaseHandler
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from django.test import Client
from django.urls import ResolverMatch
from django_otp.forms import OTPAuthenticationFormMixin
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice
from gunicorn.config import Config
from gunicorn.workers.base import Worker as GunicornWorker
from kombu import Connection
from kombu.utils.imports import symbol_by_name

from guestportal.serving.gunicorn_config import Worker
from tests.support.factories import sign_in, staff


def calls(function: Any, name: str) -> bool:
    """Tell whether `function`, of a library, still calls what we override."""
    return name in inspect.unwrap(function).__code__.co_names


def test_a_closed_sqlite_connection_is_lent_out_again(
    tmp_path: Path, django_db_blocker: Any
) -> None:
    assert calls(BaseDatabaseWrapper.close, "_close"), "DatabaseWrapper._close: close() skips it"
    entry = {"ENGINE": "guestportal.stores.sqlite3", "NAME": tmp_path / "guests.sqlite3"}
    database = ConnectionHandler({"default": entry})["default"]

    with django_db_blocker.unblock():
        database.connect()
        first = database.connection
        database.close()
        database.connect()

    assert database.connection is first, "DatabaseWrapper._close: a connection was closed for good"
    first.close()


def test_django_begins_a_transaction_on_sqlite_by_a_method_of_its_own() -> None:
    name = "DatabaseWrapper._start_transaction_under_autocommit"
    asked = BaseDatabaseWrapper.set_autocommit
    assert calls(asked, "_start_transaction_under_autocommit"), f"{name}: set_autocommit() skips it"


class RecordingConnection(Connection):
    """Keeps what it was asked for, and connects to nothing."""

    def ensure_connection(self, *args: Any, **kwargs: Any) -> Connection:
        self.asked = kwargs
        return self


def test_the_worker_looks_for_its_broker_at_even_intervals() -> None:
    app = Celery("guestportal", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    consumer_class = symbol_by_name(app.conf.worker_consumer)
    consumer = consumer_class.__new__(consumer_class)
    consumer.app = app
    connection = RecordingConnection("memory://")

    consumer.ensure_connected(connection)

    name = "Consumer.ensure_connected"
    assert issubclass(consumer_class, Consumer), f"{name}: worker_consumer names no Consumer"
    assert calls(Consumer.connection_for_read, "ensure_connected"), f"{name}: Celery skips it"
    assert connection.asked.get("interval_step") == 0, f"{name}: Celery sets the intervals itself"
    assert "interval_step" in inspect.signature(Connection._ensure_connection).parameters, name


def test_gunicorn_s_worker_asks_ours_about_malformed_requests() -> None:
    name = "gunicorn Worker.load_wsgi"
    assert calls(GunicornWorker.init_process, "load_wsgi"), f"{name}: the garbage is not frozen"
    worker = Worker(0, 0, [], None, 1, Config(), logging.getLogger("tests.gunicorn"))
    visitor, server = socket.socketpair()
    visitor.sendall(b"NO HTTP\r\n\r\n")

    worker.handle(visitor, server, ("127.0.0.1", 1))

    answer = visitor.recv(4096)
    visitor.close()
    worker.tmp.close()
    assert b'"code": "invalid_request"' in answer, "gunicorn Worker.handle_error: HTML to an API"


@pytest.mark.django_db
def test_a_webchat_call_past_django_s_handler_is_answered_as_through_it(settings: Any) -> None:
    name = "resolving past BaseHandler.resolve_request"
    assert calls(BaseHandler._get_response, "resolve_request"), f"{name}: Django does it otherwise"
    past = call()

    settings.MIDDLEWARE = [each for each in ours.MIDDLEWARE if "WebchatMiddleware" not in each]
    through = call()

    assert not hasattr(past.wsgi_request, "session"), f"{name}: the call went through all of them"
    assert hasattr(through.wsgi_request, "session")
    assert isinstance(past.wsgi_request.resolver_match, ResolverMatch), name
    assert (past.status_code, past.content) == (through.status_code, through.content), name


def call() -> Any:
    body: dict[str, str] = {}
    headers = {"X-Request-ID": "one"}
    url = "/api/webchat/init"
    return Client().post(url, body, content_type="application/json", headers=headers)


@pytest.mark.django_db
def test_signing_in_chooses_no_device_and_writes_no_password_into_the_page() -> None:
    for hook in ("_chosen_device", "_update_form"):
        called = calls(OTPAuthenticationFormMixin.clean_otp, hook)
        assert called, f"OTPAuthenticationFormMixin.{hook}: django-otp skips it"
    user = staff()
    device = TOTPDevice.objects.create(user=user, confirmed=True)

    page = sign_in(Client(), user.username)
    signed_in = sign_in(Client(), user.username, otp_token=f"{totp(device.bin_key):06}")

    assert b'value="secret"' not in page.content, "OTPAuthenticationFormMixin._update_form"
    assert signed_in.status_code == 302, "OTPAuthenticationFormMixin._chosen_device"
