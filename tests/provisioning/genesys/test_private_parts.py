"""What the platform's client leans on inside libraries: an upgrade that moves it fails by name."""

import inspect
import socket

from gevent.monkey import get_original
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager, connectionpool
from urllib3.connection import HTTPConnection
from urllib3.util import connection as urllib3_connection

from provisioning.genesys.adapter import DeadlineAdapter, _Connection, _DeadlineResponse


def test_urllib3_makes_its_connections_by_the_classes_that_we_name() -> None:
    adapter = DeadlineAdapter()
    assert hasattr(PoolManager(), "pool_classes_by_scheme"), "PoolManager.pool_classes_by_scheme"

    pool = adapter.poolmanager.connection_from_url("http://127.0.0.1:1")
    made = pool._new_conn()

    assert isinstance(made, _Connection), "HTTPConnectionPool.ConnectionCls: ours is not used"


def test_requests_asks_the_adapter_for_its_pool() -> None:
    called = inspect.unwrap(HTTPAdapter.send).__code__.co_names

    name = "HTTPAdapter.get_connection_with_tls_context"
    assert "get_connection_with_tls_context" in called, f"{name}: send() skips it"


def test_urllib3_looks_at_a_pooled_connection_before_it_uses_it() -> None:
    assert isinstance(inspect.getattr_static(HTTPConnection, "is_connected"), property), (
        "HTTPConnection.is_connected: is no property any more"
    )
    assert "is_connection_dropped" in connectionpool.HTTPConnectionPool._get_conn.__code__.co_names
    looked = urllib3_connection.is_connection_dropped.__code__.co_names
    assert "is_connected" in looked, "HTTPConnection.is_connected: nobody asks it"


def test_http_client_reads_an_answer_through_the_file_that_we_put_there() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        response = _DeadlineResponse(ours, method="POST")
        response.begin()

        assert response.status == 204, "HTTPResponse.fp: an answer is read past it"
        response.close()


def test_gevent_still_knows_the_system_s_own_poll() -> None:
    assert callable(get_original("select", "poll")), "gevent.monkey.get_original"
