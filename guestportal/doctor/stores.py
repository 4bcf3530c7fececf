"""Redis, RabbitMQ with its worker, the mail server: reachable, and of use."""

import smtplib
import time
from collections.abc import Iterator
from typing import Any

from amqp import exceptions as amqp
from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend
from kombu import Connection, Producer
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisError
from redis.retry import Retry

from guestportal.doctor.clocks import compared
from guestportal.doctor.findings import FAULT, NOT_CHECKED, OK, WARNING, Check, Finding
from guestportal.stores.cache import WRITE
from provisioning.time_left import answer_within

_SECONDS = 3.0
_START_WORKER = (
    "Start it: .venv/bin/celery -A guestportal.celery worker (docs/operators.md#the-parts)"
)


def _cache() -> Iterator[Finding]:
    entry = settings.CACHES["default"]
    if "redis" not in entry["BACKEND"].lower():
        yield _memory()
        return
    client = Redis.from_url(
        str(entry["LOCATION"]),
        socket_connect_timeout=_SECONDS,
        socket_timeout=_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        before = time.time()
        seconds, microseconds = client.time()
        between = before, time.time()
        client.register_script(WRITE.script)(["guestportal:doctor"])
    except (RedisError, OSError) as exc:
        yield _unusable(exc)
        return
    finally:
        client.close()
    yield Finding("cache", OK, "Redis answers and takes writes: all processes share limits")
    yield compared(whose="cache", theirs=seconds + microseconds / 1e6, between=between)


def _memory() -> Finding:
    if not settings.CELERY_BROKER_URL:
        return Finding("cache", OK, "is each process's memory: enough for one web process")
    said = "is each process's memory: web and worker share neither the platform's rate nor its gate"
    return Finding("cache", WARNING, said, "Set CACHE_URL to Redis.")


def _unusable(exc: RedisError | OSError) -> Finding:
    remedy = "Look at CACHE_URL and Redis' log: docs/operators.md#symptoms"
    word = str(exc).partition(" ")[0]
    if isinstance(exc, ReadOnlyError | OutOfMemoryError) or word == "MISCONF":
        reason = word if word == "MISCONF" else type(exc).__name__
        return Finding("cache", FAULT, f"Redis refuses writes ({reason})", remedy)
    return Finding("cache", FAULT, f"Redis cannot be used ({type(exc).__name__})", remedy)


def _broker() -> Iterator[Finding]:
    if not settings.CELERY_BROKER_URL:
        said = "CELERY_BROKER_URL is not set: every init is synchronous"
        yield Finding("broker", NOT_CHECKED, said)
        return
    connection = Connection(
        settings.CELERY_BROKER_URL,
        transport=settings.CELERY_BROKER_TRANSPORT,
        connect_timeout=_SECONDS,
        transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS,
    )
    try:
        yield from _asked(connection)
    finally:
        connection.collect()  # no farewell: nobody may be there to answer it


def _asked(connection: Connection) -> Iterator[Finding]:
    """Ask on a connection; a broker that is short of room takes connections, but no message."""
    said, remedy = "cannot be reached", "Look at CELERY_BROKER_URL and RabbitMQ's log."
    try:
        with answer_within(_SECONDS):
            connection.ensure_connection(
                max_retries=1, interval_start=0, reraise_as_library_errors=False
            )
            said, remedy = "takes no message", "Look at: rabbitmqctl list_alarms (memory, disk)"
            Producer(connection.channel()).publish("?", routing_key="guestportal.nobody")
    except amqp.AccessRefused:
        said = "RabbitMQ refuses our user, password or right to write"
        remedy = "Check them in CELERY_BROKER_URL; rabbitmqctl list_permissions -p VHOST"
        yield Finding("broker", FAULT, said, remedy)
    except amqp.NotAllowed:
        said = "RabbitMQ has no such virtual host for our user"
        remedy = "Check the end of CELERY_BROKER_URL; rabbitmqctl add_vhost, set_permissions"
        yield Finding("broker", FAULT, said, remedy)
    except Exception as exc:  # noqa: BLE001  (whatever its clients raise)
        yield Finding("broker", FAULT, f"RabbitMQ {said} ({type(exc).__name__})", remedy)
    else:
        yield Finding("broker", OK, "RabbitMQ takes messages")
        yield _worker(connection)


def _worker(connection: Connection) -> Finding:
    name = settings.CELERY_TASK_DEFAULT_QUEUE
    try:
        with answer_within(_SECONDS):
            channel: Any = connection.channel()
            queue = channel.queue_declare(name, passive=True)
    except amqp.NotFound:
        said = f"none has ever been here: there is no queue {name}"
        return Finding("worker", FAULT, said, _START_WORKER)
    if not queue.consumer_count:
        said = f"nobody takes from the queue {name}, {queue.message_count:,} messages wait"
        return Finding("worker", FAULT, said, _START_WORKER)
    take = "takes" if queue.consumer_count == 1 else "take"
    return Finding("worker", OK, f"{queue.consumer_count} {take} from the queue {name}")


def _mail() -> Iterator[Finding]:
    if not settings.DIGEST_TO:
        yield Finding("mail", NOT_CHECKED, "DIGEST_TO is not set: no mail is sent")
        return
    if missing := [name for name in ("EMAIL_URL", "EMAIL_FROM") if not getattr(settings, name)]:
        said = f"DIGEST_TO is set, but not {' and '.join(missing)}"
        yield Finding("mail", FAULT, said, f"Set {' and '.join(missing)}, or unset DIGEST_TO.")
        return
    backend = EmailBackend(timeout=int(_SECONDS))
    try:
        backend.open()
    except smtplib.SMTPAuthenticationError:
        remedy = "Check user and password in EMAIL_URL."
        yield Finding("mail", FAULT, "the mail server refuses our user or password", remedy)
    except (OSError, smtplib.SMTPException) as exc:
        said = f"the mail server cannot be used ({type(exc).__name__})"
        yield Finding("mail", FAULT, said, "Check host, port and kind (+tls, +ssl) in EMAIL_URL.")
    else:
        yield Finding("mail", OK, "the mail server takes us")
    finally:
        backend.close()


CHECKS = (Check("cache", _cache), Check("broker", _broker), Check("mail", _mail))
