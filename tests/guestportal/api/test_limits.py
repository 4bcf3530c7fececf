"""`INIT_RATE`: so many webchat calls for each client address, whatever address it claims."""

from typing import Any

import pytest

from provisioning.models import GuestCreation
from tests.support.clock import Clock
from tests.support.platform import Platform
from tests.support.webchat import Webchat

PATHS = ["/api/webchat/init", "/api/webchat/token", "/api/webchat/consent/withdraw"]


@pytest.fixture(autouse=True)
def limit(settings: Any) -> None:
    settings.INIT_RATE = "3/min"


def statuses(webchat: Webchat, number: int, **headers: str) -> list[int]:
    return [webchat.init(headers=headers).status_code for _ in range(number)]


def test_refuses_what_is_over_the_limit(webchat: Webchat, platform: Platform) -> None:
    assert statuses(webchat, 5) == [200, 200, 200, 429, 429]
    assert len(platform.guests) == GuestCreation.objects.count() == 3


def test_says_when_to_come_back(webchat: Webchat, clock: Clock) -> None:
    statuses(webchat, 3)
    clock.pass_by(20)
    answer = webchat.init()

    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert answer.headers["Retry-After"] == "40"


def test_lets_the_client_in_again_when_it_said(webchat: Webchat, clock: Clock) -> None:
    statuses(webchat, 4)
    clock.pass_by(61)

    assert statuses(webchat, 4) == [200, 200, 200, 429]


def test_counts_every_webchat_call_together(webchat: Webchat) -> None:
    answers = [webchat.post(path, {"sessionId": "s", "guestId": "g"}) for path in PATHS]
    assert 429 not in [answer.status_code for answer in answers]

    for path in PATHS:
        assert webchat.post(path, {"sessionId": "s"}).status_code == 429


def test_counts_hostile_bodies_too(webchat: Webchat) -> None:
    found = [webchat.post(PATHS[0], b"[" * 9_000).status_code for _ in range(4)]

    assert found == [400, 400, 400, 429]


def test_writes_down_no_address_that_a_client_makes_up(webchat: Webchat, caplog: Any) -> None:
    statuses(webchat, 3)
    with caplog.at_level("INFO"):
        for number in range(3):
            webchat.post(f"/api/webchat/jane.doe@example.com-{number}", {})

    metrics = webchat.client.get("/metrics").content.decode()
    assert "jane.doe" not in metrics
    assert not any("jane.doe" in str(vars(line)) for line in caplog.records)


@pytest.mark.parametrize("header", ["X_Forwarded_For", "Forwarded", "X_Real_IP", "Client_IP"])
def test_is_not_fooled_by_a_forged_address(header: str, webchat: Webchat) -> None:
    found = [webchat.init(headers={header: f"192.0.2.{number}"}).status_code for number in range(4)]

    assert found == [200, 200, 200, 429]


def test_counts_each_address_by_itself(webchat: Webchat) -> None:
    statuses(webchat, 4)
    webchat.client.defaults["REMOTE_ADDR"] = "192.0.2.7"

    assert webchat.init().status_code == 200


@pytest.fixture
def two_proxies(settings: Any) -> None:
    settings.NUM_PROXIES = 2


@pytest.mark.parametrize("forged", ["", "198.51.100.{n}, ", "a, b, c, {n}, "])
def test_believes_as_many_proxies_as_there_are(
    two_proxies: None, forged: str, webchat: Webchat
) -> None:
    found = [
        webchat.init(headers={"X_Forwarded_For": forged.format(n=n) + "192.0.2.1, 203.0.113.9"})
        for n in range(4)
    ]

    assert [answer.status_code for answer in found] == [200, 200, 200, 429]


def test_tells_visitors_behind_the_same_proxies_apart(two_proxies: None, webchat: Webchat) -> None:
    found = [
        webchat.init(headers={"X_Forwarded_For": f"192.0.2.{number}, 203.0.113.9"})
        for number in range(5)
    ]

    assert {answer.status_code for answer in found} == {200}


def test_limits_no_other_address(webchat: Webchat) -> None:
    found = {webchat.client.get("/admin/login/").status_code for _ in range(5)}

    assert found == {200}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("192.0.2.1:4711", "192.0.2.1:4712"),
        ("192.0.2.1", "::ffff:192.0.2.1"),
        ("2001:db8::1", "2001:db8::2"),
        ("[2001:db8::1]:443", "2001:db8:0:0:ffff::"),
        ("fe80::1%eth0", "fe80::2"),
        (" 192.0.2.1 ", "192.0.2.1"),
    ],
)
def test_counts_one_client_once_however_it_is_written(
    first: str, second: str, settings: Any, webchat: Webchat
) -> None:
    settings.NUM_PROXIES = 1

    found = [
        webchat.init(headers={"X_Forwarded_For": address}).status_code
        for address in (first, second, first, second)
    ]

    assert found == [200, 200, 200, 429]


@pytest.mark.parametrize("address", ["2001:db8:1::1", "192.0.2.2", "2001:db8:0:1::1"])
def test_tells_neighbours_apart(address: str, settings: Any, webchat: Webchat) -> None:
    settings.NUM_PROXIES = 1
    for written in ("2001:db8::1", "192.0.2.1"):
        for _ in range(4):
            webchat.init(headers={"X_Forwarded_For": written})

    assert webchat.init(headers={"X_Forwarded_For": address}).status_code == 200


def test_counts_garbage_as_the_connection(settings: Any, webchat: Webchat) -> None:
    settings.NUM_PROXIES = 1

    found = [webchat.init(headers={"X_Forwarded_For": f"junk-{n}"}).status_code for n in range(4)]

    assert found == [200, 200, 200, 429]


def test_counts_a_call_whose_body_never_comes(webchat: Webchat) -> None:
    class Silent:
        def read(self, size: int = -1) -> bytes:
            raise OSError

        readline = read

    silent = {"wsgi.input": Silent(), "CONTENT_LENGTH": "50", "HTTP_X_REQUEST_ID": "mine"}

    found = [webchat.client.post(PATHS[0], **silent).status_code for _ in range(3)]
    found.append(webchat.init().status_code)

    assert found == [400, 400, 400, 429]
