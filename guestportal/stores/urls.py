"""What Django and Celery are told of the stores that DATABASE_URL, CACHE_URL and the broker name.

What their clients would refuse later, at the first visitor's request, is refused here.
"""

import re
from pathlib import Path
from typing import Any
from unicodedata import category
from urllib.parse import parse_qs, unquote, urlsplit

import environ

from guestportal.environment import addresses

_LONGEST_NAME = 63  # PostgreSQL's
_SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
# Options of Django's own among libpq's. Its pool and its connections that last exclude each other.
_DJANGOS = {"pool", "isolation_level", "assume_role", "server_side_binding"}


def database(url: str, *, made_later: Path | None = None) -> dict[str, Any]:
    """Return Django's DATABASES entry for `url`, tuned as docs/operators.md explains.

    `made_later`: a folder for an SQLite file that may still be missing. Raises ValueError or
    ImproperlyConfigured where `url` is of no kind of ours, or cannot work.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"sqlite", "postgres", "postgresql"} or parts.fragment:
        raise ValueError("not a database of ours")  # django-environ would warn, password and all
    if any(category(character) == "Cc" for character in unquote(url)):
        raise ValueError("no name of a file or a database")
    if parts.scheme == "sqlite":
        return _sqlite(url, made_later)
    hosts = parts.netloc.rpartition("@")[2].split(",")
    if any(host.endswith((":", ":0")) for host in hosts):  # django-environ would take the default
        raise ValueError("no such port")
    entry = dict(environ.Env.db_url_config(url))
    given = entry.get("OPTIONS", {})
    behind_pgbouncer = _is_on(given.pop("pgbouncer", "off"))
    prepares = _is_on(given.pop("prepare", "off"))
    _require_postgres(entry, given)
    options = _POSTGRESQL | given
    if behind_pgbouncer:  # in transaction mode: docs/operators.md
        del options["options"]
        entry["DISABLE_SERVER_SIDE_CURSORS"] = True
    if prepares:  # statements on the server: not through PgBouncer before 1.21
        options |= {"server_side_binding": True, "prepare_threshold": 2}
    engine = "guestportal.stores.postgresql"
    return entry | {"ENGINE": engine, "OPTIONS": options}


def _is_on(value: Any) -> bool:
    if value not in ("on", "off"):
        raise ValueError("neither on nor off")
    return bool(value == "on")


def cache(url: str) -> dict[str, Any]:
    """Return Django's CACHES entry for `url`. Raises ValueError where it is of no kind of ours."""
    scheme = urlsplit(url).scheme
    if scheme in {"locmem", "locmemcache"}:
        # Django's own limit of 300 entries would throw out limits that are in force.
        return {
            "BACKEND": "guestportal.stores.cache.LocalCache",
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    if scheme in {"redis", "rediss"}:
        _require_redis(url)
        return {"BACKEND": "guestportal.stores.cache.DegradingRedisCache", "LOCATION": url}
    raise ValueError("not a cache of ours")


def broker_transport(url: str) -> str:
    """Return the name of the class that carries Celery's messages to `url`."""
    name = "SSLTransport" if url.startswith("amqps:") else "Transport"
    return f"guestportal.stores.rabbitmq:{name}"


def broker(url: str) -> str:
    """Return the URL of RabbitMQ, or of several parted by ``;``. Raises ValueError."""
    from kombu.utils.url import parse_url

    for each in url.split(";") if url else ():
        parts = addresses.server(each)
        if parts.scheme not in {"amqp", "amqps"}:
            raise ValueError("not a broker of ours")
        _require_only(parts.query, _TLS)
        parse_url(each)  # KeyError for a word that is none
    return url


_SMTP_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}


def mail(url: str) -> dict[str, Any] | None:
    """Return Django's EMAIL settings for `url`, None from nothing. Raises ValueError."""
    if not url:
        return None
    parts = addresses.server(url)
    if parts.scheme not in _SMTP_PORTS or parts.query or parts.path.strip("/"):
        raise ValueError("not a mail server of ours")
    return {
        "EMAIL_HOST": (parts.hostname or "").strip("[]"),
        "EMAIL_PORT": parts.port or _SMTP_PORTS[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",  # STARTTLS, RFC 3207
        "EMAIL_USE_SSL": parts.scheme == "smtp+ssl",  # from the start, RFC 8314
    }


def _sqlite(url: str, made_later: Path | None) -> dict[str, Any]:
    parts = urlsplit(url)
    path = Path(unquote(parts.path[1:]))
    if parts.netloc or parts.query or not path.name or path.is_dir():
        raise ValueError("not a file")  # in memory each process would have a database of its own
    if path.parent != made_later and not path.parent.is_dir():
        raise ValueError("no such folder")
    entry = dict(environ.Env.db_url_config(url))
    return entry | {"ENGINE": "guestportal.stores.sqlite3", "OPTIONS": dict(_SQLITE)}


def _require_postgres(entry: dict[str, Any], given: dict[str, Any]) -> None:
    """Raise ValueError for what Django, psycopg or libpq would refuse when they connect."""
    from psycopg import ProgrammingError, conninfo

    if "service" not in given and not 0 < len(entry["NAME"]) <= _LONGEST_NAME:
        raise ValueError("no database's name")
    for host in str(entry["HOST"]).split(","):
        if host and not host.startswith("/"):
            addresses.network_host(f"[{host}]" if ":" in host else host)
    for port in filter(None, str(entry["PORT"]).split(",")):
        if not 0 < int(port) < 65_536:
            raise ValueError("no such port")
    if entry.get("CONN_MAX_AGE") or "pool" in given:
        raise ValueError("the pool is not to be replaced")
    if given.get("sslmode", "prefer") not in _SSL_MODES:
        raise ValueError("no such sslmode")
    for name, value in given.items():
        if not re.fullmatch(_VALUES.get(name, ".*"), str(value), re.ASCII | re.DOTALL):
            raise ValueError("no such value of an option")
    try:
        conninfo.make_conninfo(**{k: v for k, v in given.items() if k not in _DJANGOS})
    except ProgrammingError:  # its text may hold a value
        raise ValueError("no such option") from None


def _require_only(query: str, names: str) -> None:
    """Raise ValueError for an option that is not ours to leave to an address: waits, retries."""
    if not all(re.fullmatch(names, name) for name in parse_qs(query, keep_blank_values=True)):
        raise ValueError("no such option")


def _require_redis(url: str) -> None:
    """Raise ValueError for what redis-py would pass over, or refuse at its first command."""
    from redis import ConnectionPool
    from redis.exceptions import RedisError

    parts = addresses.server(url)
    _require_only(parts.query, rf"{_TLS}|db|username|password|client_name|protocol")
    if parts.path.strip("/") and not (parts.path[1:].isascii() and parts.path[1:].isdigit()):
        raise ValueError("not the number of a database")
    try:
        ConnectionPool.from_url(url).make_connection()  # connects only when it is used
    except (RedisError, TypeError, AttributeError):
        raise ValueError("no such option") from None


_TLS = "ssl_[a-z_]+"
_WHOLE = "[0-9]{1,9}"
# What libpq and Django would only look at when they connect.
_VALUES = {
    "target_session_attrs": "any|read-write|read-only|primary|standby|prefer-standby",
    "channel_binding": "disable|prefer|require",
    "gssencmode": "disable|prefer|require",
    "load_balance_hosts": "disable|random",
    "isolation_level": "[1-4]",
    "server_side_binding": "true",
    **dict.fromkeys(
        (
            "connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval",
            "keepalives_count", "tcp_user_timeout",
        ),
        _WHOLE,
    ),
}  # fmt: skip
_SQLITE = {
    # A writer takes its lock at BEGIN: taken later, two readers turned writers dead-lock.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    " PRAGMA secure_delete=ON; PRAGMA cache_size=-512;",
}

# psycopg's; what the URL's query says wins. A connection is held for a transaction, never while
# the platform is awaited, so a few serve many visitors. Each is looked at when it is taken: one
# that a restarted server left behind is replaced unseen, one whose server vanished without a word
# costs one 503. Eight seconds are what the last of 500 visitors at once may wait for one, and what
# a visitor waits for an honest 503 with the server gone. The pool gives up on a connection sooner,
# so that the first visitor after the server's return opens it anew.
_POSTGRESQL = {
    "pool": {"min_size": 1, "max_size": 20, "timeout": 8, "reconnect_timeout": 2},
    "connect_timeout": 3,
    # A server that vanished without a word (power, network) is noticed in seconds too.
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 2,
    "tcp_user_timeout": 5000,
    "options": "-c lock_timeout=5s -c statement_timeout=30s"
    " -c idle_in_transaction_session_timeout=60s",
}
