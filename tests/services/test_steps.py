"""A step in Redis and its twin in memory do the same, one after another, whatever is asked."""

import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from guestportal.api.limits import COUNT
from provisioning.atomic import Memory, Step
from provisioning.genesys import gate_steps, oauth
from tests.support.machine import redis_database

pytestmark = pytest.mark.services
WINDOWS = [300, 5]
ASKED: list[tuple[Step, list[Any]]] = [
    (gate_steps.RESERVE, [2, 300, 5.0, 10, *WINDOWS]),
    (gate_steps.RESERVE, [1, 60, 0.5, 10, *WINDOWS]),
    (gate_steps.RESERVE, [0, 300, 0.0, 10, *WINDOWS]),
    (gate_steps.RESERVE, [2, 0, 5.0, 10, *WINDOWS]),
    (gate_steps.FAIL, [3, 5.0]),
    (gate_steps.HEAL, []),
    (gate_steps.LIMIT, [2.0]),
    (gate_steps.LIMIT, [0]),
    (gate_steps.ALLOW, [180]),
    (gate_steps.LOOK, WINDOWS),
    (COUNT, [60]),
    (oauth.KEEP, ["sealed", 300.0]),
    (oauth.FIND, []),
]


@pytest.fixture
def redis() -> Iterator[Redis]:
    with redis_database(13) as url, Redis.from_url(url) as client:
        yield client


@pytest.mark.parametrize("seed", range(20))
def test_answers_in_redis_what_it_answers_in_memory(seed: int, redis: Redis) -> None:
    memory, name, chosen = Memory(), f"test:{uuid.uuid4().hex}", random.Random(seed)

    for number in range(60):
        step, values = chosen.choice(ASKED)
        key = f"{name}:{step.name.partition('-')[0]}"
        shared = redis.register_script(step.script)([key], values)
        local = memory.run(step, key, values)
        assert like(shared) == pytest.approx(like(local), abs=0.2), (number, step.name)


def test_forgets_moments_of_a_clock_that_was_corrected(redis: Redis) -> None:
    key = f"test:{uuid.uuid4().hex}"
    far = 9_999_999_999
    redis.hset(key, mapping={"slots": far, "limited": far, "outage": far, "probe": far})

    reserve = redis.register_script(gate_steps.RESERVE.script)
    verdict, wait, _ = reserve([key], [2, 300, 5.0, 10, *WINDOWS])

    assert (verdict, float(wait)) == (b"open", 0)


def like(answer: list[Any]) -> list[float]:
    """Return an answer as numbers; a word as one that only the same word has."""
    texts = [each.decode() if isinstance(each, bytes) else str(each) for each in answer]
    return [float(text) if _is_number(text) else float(sum(text.encode())) for text in texts]


def _is_number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit()
