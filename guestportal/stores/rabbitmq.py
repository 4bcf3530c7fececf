"""Celery's connections to RabbitMQ: `guestportal.stores.urls` names a class of this module.

RabbitMQ stops reading from whoever publishes while its memory or disk runs low, and a broker that
hangs says nothing at all. Every wait for it ends with the time that the visitor's answer has left
(`provisioning.time_left`): that for a confirmation, and that for a farewell too.
"""

from typing import Any

from kombu.transport import pyamqp

from provisioning.time_left import time_left


class Connection(pyamqp.Connection):
    """A connection whose waits end in time."""

    def blocking_read(self, timeout: float | None = None) -> Any:
        """Wait for a frame. Raises TimeoutError when the time is up."""
        left = time_left()
        if left is not None:
            timeout = left if timeout is None else min(timeout, left)
        return super().blocking_read(timeout)


class Transport(pyamqp.Transport):
    """For amqp:// addresses."""

    Connection = Connection


class SSLTransport(pyamqp.SSLTransport):
    """For amqps:// addresses."""

    Connection = Connection
