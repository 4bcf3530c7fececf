"""Traces, with OpenTelemetry's packages (`requirements-otel.txt`) and without."""

import http.server
import os
import signal
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.sandbox import Sandbox
from tests.support.service import running_service
from tests.support.webchat import session_hash

pytestmark = pytest.mark.slow


class Collector(http.server.BaseHTTPRequestHandler):
    """Keeps the bytes of every export."""

    received = b""

    def do_POST(self) -> None:
        type(self).received += self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[http.server.HTTPServer]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(find_spec("opentelemetry") is None, reason="requirements-otel.txt is not there")
def test_an_init_shows_its_stages_and_nothing_of_the_visitor(
    tmp_path: Path, sandbox: Sandbox, collector: http.server.HTTPServer
) -> None:
    endpoint = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }
    with running_service(tmp_path, sandbox.url, **endpoint) as service:
        reply = service.init("traced-visitor")
        service.kill(signal.SIGTERM)

    for name in ("webchat", "plan", "open", "guest", "token", reply.headers["X-Request-ID"]):
        assert name.encode() in Collector.received
    for secret in ("traced-visitor", session_hash("traced-visitor"), reply.json["guestId"]):
        assert secret.encode() not in Collector.received


@pytest.mark.skipif(find_spec("opentelemetry") is not None, reason="the packages are there")
def test_an_endpoint_without_the_packages_stops_the_start_by_name(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    with (
        pytest.raises(AssertionError, match=r"OTEL_EXPORTER_OTLP_ENDPOINT .*requirements-otel"),
        running_service(tmp_path, sandbox.url, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9"),
    ):
        pass
