"""Whether RabbitMQ answers, for ``/readyz`` and ``/metrics``."""

from django.conf import settings

SECONDS = 1.0


def state() -> str:
    """Return "none", "ok" or what its absence means; takes a second at most."""
    if not settings.CELERY_BROKER_URL:
        return "none: every init is synchronous"
    return "down: every init is synchronous" if is_down() else "ok"


def is_down() -> bool:
    """Tell whether there should be a broker and it does not answer; takes a second at most."""
    if not settings.CELERY_BROKER_URL:
        return False
    from amqp.exceptions import AMQPError
    from kombu import Connection
    from kombu.exceptions import KombuError

    try:
        with Connection(settings.CELERY_BROKER_URL, connect_timeout=SECONDS) as connection:
            connection.connect()
    except (KombuError, AMQPError, OSError):
        return True
    return False
