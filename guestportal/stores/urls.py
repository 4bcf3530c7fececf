"""What Django and Celery are told of the stores that the environment names."""

from typing import Any

import environ


def database(url: str) -> dict[str, Any]:
    """Return Django's DATABASES entry for `url`, tuned as docs/operators.md explains.

    Raises ValueError or ImproperlyConfigured where it is of no kind of ours.
    """
    if url.partition("://")[0] not in {"sqlite", "postgres", "postgresql"}:
        raise ValueError("not a database of ours")  # django-environ would warn, password and all
    entry = dict(environ.Env.db_url_config(url))
    if entry["ENGINE"] == "django.db.backends.sqlite3":
        return entry | {"ENGINE": "guestportal.stores.sqlite3", "OPTIONS": dict(_SQLITE)}
    options = _POSTGRESQL | entry.get("OPTIONS", {})
    engine = "guestportal.stores.postgresql"
    return entry | {"ENGINE": engine, "CONN_HEALTH_CHECKS": True, "OPTIONS": options}


def cache(url: str) -> dict[str, Any]:
    """Return Django's CACHES entry for `url`. Raises ValueError where it is of no kind of ours."""
    scheme = url.partition("://")[0]
    if scheme in {"locmem", "locmemcache"}:
        # Django's own limit of 300 entries would throw out limits that are in force.
        return {
            "BACKEND": "guestportal.stores.cache.LocalCache",
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    if scheme in {"redis", "rediss"}:
        return {"BACKEND": "guestportal.stores.cache.DegradingRedisCache", "LOCATION": url}
    raise ValueError("not a cache of ours")


def broker_transport(url: str) -> str:
    """Return the name of the class that carries Celery's messages to `url`."""
    name = "SSLTransport" if url.startswith("amqps:") else "Transport"
    return f"guestportal.stores.rabbitmq:{name}"


_SQLITE = {
    # A writer takes its lock at BEGIN: taken later, two readers turned writers dead-lock.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    " PRAGMA secure_delete=ON; PRAGMA cache_size=-512;",
}

# psycopg's; what the URL's query says wins. A connection is held for a transaction, never while
# the platform is awaited, so a few serve many visitors. Each is checked when it is taken: one that
# a restarted server left behind is replaced unseen. Eight seconds are what the last of 500 visitors
# at once may wait for one, and what a visitor waits for an honest 503 with the server gone. The
# pool gives up on a connection sooner, so that the first visitor after the server's return opens
# it anew.
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
