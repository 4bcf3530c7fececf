"""Whether RabbitMQ takes messages, for ``/readyz`` and ``/metrics``.

While its memory or disk runs low it takes connections and answers on them, but no message. So a
message is what is tried: one for a queue that does not exist, which the broker confirms and drops.
"""

from django.conf import settings

from provisioning.time_left import answer_within

SECONDS = 1.0
_DOWN = "down: every init is synchronous"
_BLOCKED = "blocked, takes no message (memory or disk alarm?): every init is synchronous"


def state() -> str:
    """Return "none", "ok" or what is wrong and what that means; takes about a second at most."""
    if not settings.CELERY_BROKER_URL:
        return "none: every init is synchronous"
    return _trouble() or "ok"


def is_down() -> bool:
    """Tell whether there should be a broker and it takes no message; takes a second at most."""
    return bool(settings.CELERY_BROKER_URL and _trouble())


def _trouble() -> str:
    from kombu import Connection, Producer

    connection = Connection(
        settings.CELERY_BROKER_URL,
        transport=settings.CELERY_BROKER_TRANSPORT,
        connect_timeout=SECONDS,
        transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS,
    )
    trouble = _DOWN
    try:
        with answer_within(SECONDS):
            connection.connect()
            trouble = _BLOCKED
            # With a body: RabbitMQ takes an empty message even then.
            Producer(connection.channel()).publish("?", routing_key="guestportal.nobody")
            connection.release()
    except Exception:  # noqa: BLE001  (whatever its clients raise)
        connection.collect()  # no farewell: nobody would answer it
        return trouble
    return ""
