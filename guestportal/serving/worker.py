"""How the worker waits for a broker that is gone."""

from functools import partial
from typing import Any

from celery.worker.consumer import Consumer


class PatientConsumer(Consumer):
    """Looks for its broker every two seconds.

    Celery's own pauses grow to half a minute, and no setting of it shortens them: after a longer
    outage visitors would wait that much for a broker that is back.
    """

    def ensure_connected(self, conn: Any) -> Any:
        """Return the connection once the broker takes it."""
        conn.ensure_connection = partial(conn.ensure_connection, interval_step=0)
        return super().ensure_connected(conn)
