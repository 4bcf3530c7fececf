"""What the addresses of the stores say, as Django and Celery are told of it."""

import pytest

from guestportal.stores import urls

ADDRESS = "postgres://guestportal@127.0.0.1:6432/guestportal"


def test_behind_pgbouncer_no_option_is_sent_at_the_start_and_no_cursor_outlives_a_transaction():
    entry = urls.database(f"{ADDRESS}?pgbouncer=on")

    assert "options" not in entry["OPTIONS"]
    assert "pgbouncer" not in entry["OPTIONS"]
    assert entry["DISABLE_SERVER_SIDE_CURSORS"] is True


@pytest.mark.parametrize("query", ["", "?pgbouncer=off"])
def test_postgresql_itself_is_told_of_the_waits(query: str) -> None:
    entry = urls.database(ADDRESS + query)

    assert "lock_timeout=5s" in entry["OPTIONS"]["options"]
    assert "DISABLE_SERVER_SIDE_CURSORS" not in entry


def test_a_flag_that_is_neither_on_nor_off_is_refused() -> None:
    with pytest.raises(ValueError, match="neither on nor off"):
        urls.database(f"{ADDRESS}?pgbouncer=yes")


@pytest.mark.parametrize(
    ("address", "name"), [("amqp://mq//", "Transport"), ("amqps://mq//", "SSLTransport")]
)
def test_a_broker_is_spoken_to_by_a_class_whose_waits_end_in_time(address: str, name: str) -> None:
    assert urls.broker_transport(address) == f"guestportal.stores.rabbitmq:{name}"


@pytest.mark.parametrize(("query", "bound"), [("", None), ("?prepare=on", True)])
def test_statements_are_prepared_only_where_the_address_says_so(
    query: str, bound: bool | None
) -> None:
    options = urls.database(ADDRESS + query)["OPTIONS"]

    assert options.get("server_side_binding") is bound
    assert ("prepare_threshold" in options) is bool(bound)
    assert "prepare" not in options
