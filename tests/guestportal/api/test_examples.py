"""Every example of the API's description, against the running service and the sandbox."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.sandbox import Sandbox, running_sandbox
from tests.support.service import Service, running_service

pytestmark = pytest.mark.slow

INIT, TOKEN = "/api/webchat/init", "/api/webchat/token"
WITHDRAW = "/api/webchat/consent/withdraw"


@pytest.fixture(scope="module")
def platform() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, platform: Sandbox) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    with running_service(
        folder, platform.url, GENESYS_DEADLINE="2", GENESYS_READ_TIMEOUT="1"
    ) as it:
        yield it


@pytest.fixture
def operations(service: Service) -> dict[str, Any]:
    paths = service.get("/api/schema").json["paths"]
    return {path: methods["post"] for path, methods in paths.items() if "post" in methods}


def request_example(operation: dict[str, Any]) -> dict[str, Any]:
    content = operation["requestBody"]["content"]["application/json"]
    return dict(content["examples"]["Request"]["value"])


def answer_example(operation: dict[str, Any]) -> dict[str, Any]:
    content = operation["responses"]["200"]["content"]["application/json"]
    first = next(iter(content["examples"].values()))  # of the platform that is the default
    return dict(first["value"])


def refusal_examples(operation: dict[str, Any], status: int) -> list[tuple[str, str]]:
    content = operation["responses"][str(status)]["content"]["application/json"]
    values = [example["value"] for example in content["examples"].values()]
    return [(value["code"], value["error"]) for value in values]


def shape(value: Any) -> Any:
    """Names, order and types, without the values."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return type(value).__name__


def test_init_answers_as_its_example(service: Service, operations: dict[str, Any]) -> None:
    answer = service.post(INIT, request_example(operations[INIT]))

    expected = answer_example(operations[INIT])
    assert answer.status == 200
    assert shape(answer.json) == shape(expected)
    assert list(answer.json) == list(expected)
    assert answer.json["crmAttributes"] == expected["crmAttributes"]


def test_token_answers_as_its_example(service: Service, operations: dict[str, Any]) -> None:
    asked = request_example(operations[TOKEN])
    guest = service.init(asked["sessionId"]).json["guestId"]

    answer = service.post(TOKEN, asked | {"guestId": guest})

    assert answer.status == 200
    assert shape(answer.json) == shape(answer_example(operations[TOKEN]))


def test_withdraw_answers_as_its_example(service: Service, operations: dict[str, Any]) -> None:
    asked = request_example(operations[WITHDRAW])
    service.post(WITHDRAW, asked)
    service.init(asked["sessionId"])

    answer = service.post(WITHDRAW, asked)

    assert answer.json == answer_example(operations[WITHDRAW])


# What the sandbox or the caller does -> the status whose example the answer must be.
FAULTS = [
    ({"endpoint": "guests", "kind": "status", "status": 400}, 502),
    ({"endpoint": "guests", "kind": "garbage"}, 502),
    ({"endpoint": "oauth", "kind": "status", "status": 401}, 502),
    ({"endpoint": "guests", "kind": "hang"}, 504),
    ({"endpoint": "guests", "kind": "status", "status": 503}, 503),
]


@pytest.mark.parametrize(("fault", "status"), FAULTS)
def test_a_fault_of_the_platform_answers_as_an_example(
    service: Service,
    platform: Sandbox,
    operations: dict[str, Any],
    fault: dict[str, Any],
    status: int,
) -> None:
    platform.reset()
    platform.revoke()
    platform.faults([fault])

    answer = service.init("faulty")

    platform.reset()
    assert answer.status == status
    assert (answer.json["code"], answer.json["error"]) in refusal_examples(operations[INIT], status)


CALLS: list[tuple[str, bytes, dict[str, str], int]] = [
    (INIT, b"{}", {}, 400),
    (INIT, b'{"sessionId": "s"}', {"Accept": "text/html"}, 406),
    (INIT, b" " * 65_537, {}, 413),
    (INIT, b"{}", {"Content_Type": "text/plain"}, 415),
    (INIT, b'{"sessionId": "s"}', {"Origin": "https://evil.example"}, 403),
    (TOKEN, b'{"sessionId": "s", "guestId": "nobody"}', {}, 404),
    (WITHDRAW, b"{}", {}, 400),
]


@pytest.mark.parametrize(("path", "body", "headers", "status"), CALLS)
def test_a_wrong_call_answers_as_an_example(
    service: Service,
    operations: dict[str, Any],
    path: str,
    body: bytes,
    headers: dict[str, str],
    status: int,
) -> None:
    answer = service.post(path, body, **headers)

    assert answer.status == status
    assert (answer.json["code"], answer.json["error"]) in refusal_examples(operations[path], status)


def test_a_key_with_another_body_answers_as_an_example(
    service: Service, operations: dict[str, Any]
) -> None:
    body = {"sessionId": "keyed", "consentGiven": True}
    service.post(INIT, body, Idempotency_Key="k")

    answer = service.post(INIT, body | {"language": "de"}, Idempotency_Key="k")

    assert answer.status == 422
    assert [(answer.json["code"], answer.json["error"])] == refusal_examples(operations[INIT], 422)
