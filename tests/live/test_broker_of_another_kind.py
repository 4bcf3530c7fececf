"""Whatever the broker's client raises, the init is done at once instead."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.sandbox import running_sandbox
from tests.support.service import running_service

pytestmark = pytest.mark.thorough

EMPTY_FRAME = struct.pack(">BHI", 1, 0, 0) + b"\xce"  # on which amqp raises struct.error


@pytest.fixture
def broker() -> Iterator[str]:
    """Serve what takes connections as RabbitMQ does, and says what no client reads."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.recv(8)
                connection.sendall(EMPTY_FRAME)

    threading.Thread(target=serve, daemon=True).start()
    yield f"amqp://127.0.0.1:{listener.getsockname()[1]}//"
    listener.close()


def test_does_an_init_at_once_whatever_the_broker_says(tmp_path: Path, broker: str) -> None:
    with (
        running_sandbox() as sandbox,
        running_service(tmp_path, sandbox.url, CELERY_BROKER_URL=broker) as service,
    ):
        body = {"sessionId": "s", "consentGiven": True}
        answer = service.post("/api/webchat/init", body, Prefer="respond-async")

        assert answer.status == 200
        found = [row["error_code"] for row in service.rows("error_code")]
        assert found == ["broker_unavailable", ""]
