"""Password hashes: the same as Django's, but made in a thread of their own under gevent."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.contrib.auth import hashers as django_hashers
from django.contrib.auth.hashers import check_password, identify_hasher, make_password

from guestportal import settings as ours
from tests.support.service import ROOT

pytestmark = pytest.mark.thorough

# Greenlets of the web process: one looks round while the others hash.
_UNDER_GEVENT = """
from gevent import monkey; monkey.patch_all()
import gevent, json, os, sys
import django; django.setup()
from django.contrib.auth.hashers import make_password
from guestportal.desk.hashers import Busy

def hash_one(number):
    try:
        return make_password("secret", salt="salt")
    except Busy:
        return "busy"

asked = [gevent.spawn(hash_one, number) for number in range(7)]
turns = 0
while not asked[0].ready():
    gevent.sleep(0)
    turns += 1
gevent.joinall(asked)
tasks = [int(task) for task in os.listdir("/proc/self/task")] if sys.platform == "linux" else []
priorities = {task: os.getpriority(os.PRIO_PROCESS, task) for task in tasks}
others = sorted(nice for task, nice in priorities.items() if task != os.getpid())
ours = os.getpriority(os.PRIO_PROCESS, os.getpid())
made = [each.value for each in asked]
print(json.dumps({"ours": ours, "others": others, "turns": turns, "made": made}))
"""


@pytest.fixture
def in_use(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ours.PASSWORD_HASHERS


@pytest.mark.parametrize("name", ["PBKDF2PasswordHasher", "PBKDF2SHA1PasswordHasher"])
def test_verifies_what_django_hashed(name: str, in_use: None) -> None:
    hasher = getattr(django_hashers, name)()
    stored = hasher.encode("secret", hasher.salt(), 1_000)

    assert check_password("secret", stored)
    assert not check_password("wrong", stored)


def test_makes_hashes_that_django_verifies(in_use: None) -> None:
    stored = make_password("secret")

    assert django_hashers.PBKDF2PasswordHasher().verify("secret", stored)


def test_renews_hashes_when_django_would(in_use: None) -> None:
    django = django_hashers.PBKDF2PasswordHasher()
    salt = django.salt()
    stored = [f"pbkdf2_sha256${n}${salt}$hash" for n in (django.iterations, 1_000)]

    found = [identify_hasher(each).must_update(each) for each in stored]

    assert found == [django.must_update(each) for each in stored] == [False, True]


def test_serves_visitors_while_it_hashes_and_turns_away_the_sixth() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "guestportal.settings"}
    done = subprocess.run(
        [sys.executable, "-c", _UNDER_GEVENT],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)

    hashed = django_hashers.PBKDF2PasswordHasher().encode("secret", "salt")
    assert found["made"] == [hashed] * 5 + ["busy"] * 2
    if sys.platform == "linux":
        assert found["ours"] < 19, "the loop's priority is its own"
        assert 19 in found["others"], "the hashes leave the processor to visitors"
    assert found["turns"] > 10  # on the loop itself it would have been one
