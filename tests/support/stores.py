"""What a service's stores hold and no dump or file shows plainly, as bytes to search."""

from typing import Any

import redis

from tests.support.service import Service

_SESSIONS = (
    "import json; from django.contrib.sessions.models import Session; "
    "print(json.dumps([row.get_decoded() for row in Session.objects.all()]))"
)


def sessions(service: Service) -> bytes:
    """Return what the staff's sessions hold, decoded: in the table it is base64."""
    return service.manage("shell", "--no-imports", "-c", _SESSIONS).stdout.encode()


def redis_bytes(url: str) -> bytes:
    """Return every key and value of a Redis database."""
    client = redis.Redis.from_url(url)
    try:
        return b"\n".join(key + b" " + _value(client, key) for key in client.scan_iter())
    finally:
        client.close()


def _value(client: Any, key: bytes) -> bytes:
    read = {
        b"string": lambda: client.get(key),
        b"hash": lambda: client.hgetall(key),
        b"zset": lambda: client.zrange(key, 0, -1),
        b"list": lambda: client.lrange(key, 0, -1),
        b"set": lambda: client.smembers(key),
    }
    value = read[client.type(key)]()
    return value if isinstance(value, bytes) else repr(value).encode()
