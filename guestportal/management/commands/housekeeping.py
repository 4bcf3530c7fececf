"""The work beside the web processes: recover, seal, forget, remind."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from django.contrib.sessions.backends.db import SessionStore
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from audit import restore_list
from audit.sealing.seals import seal
from audit.sealing.signing import SigningKeyMissing
from crm import lookup
from crm.imports import uploads
from guestportal.desk.strangers import forget_sign_in_attempts
from guestportal.mail.digest import send_digest
from provisioning import health
from provisioning.follow_up.deletions import delete_on_platform
from provisioning.follow_up.lookups import settle_unknown
from provisioning.follow_up.withdrawals import tell_withdrawals
from provisioning.init import queued
from provisioning.init.idempotency import forget_idempotency_keys
from provisioning.ledger.recovery import recover
from provisioning.ledger.withdrawal import forget_unmet_withdrawals
from provisioning.subjects.erasure import erase_expired

logger = logging.getLogger(__name__)

# what, how often in seconds; an event is sealed at the latest a minute after its commit
DUTIES: tuple[tuple[Callable[[], object], float], ...] = (
    (health.note_housekeeping, 60),
    (recover, 5),
    (seal, 15),
    (settle_unknown, 15),
    (tell_withdrawals, 15),
    (delete_on_platform, 60),
    (forget_idempotency_keys, 3600),
    (uploads.forget_old, 600),
    # A small batch each time: sealing must not wait for it.
    (erase_expired, 15),
    (queued.forget_expired_capabilities, 600),
    (lookup.fill, 60),
    (SessionStore.clear_expired, 3600),
    (forget_sign_in_attempts, 3600),
    (forget_unmet_withdrawals, 3600),
    (restore_list.prune, 3600),
    (send_digest, 600),
)


class Command(BaseCommand):
    help = (
        "Settles overdue creations, seals audit events, deletes what has outlived its time and "
        "sends the daily mail to reviewers, again and again until SIGTERM. Locks make it safe to "
        "run on every machine."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="do each duty once, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            done = [_do(duty) for duty, _ in DUTIES]
            if not all(done):
                raise CommandError("not everything could be done; see the log")
            return
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        due = {duty: 0.0 for duty, _ in DUTIES}
        while not stop.wait(1):
            for duty, every in DUTIES:
                if time.monotonic() >= due[duty]:
                    _do(duty)
                    due[duty] = time.monotonic() + every


def _do(duty: Callable[[], object]) -> bool:
    """Do one duty; one that fails is logged and does not keep the others from being done."""
    try:
        duty()
    except DatabaseError as exc:  # the operator's news, not a bug: one line
        logger.error("housekeeping: %s failed: %s", duty.__name__, type(exc).__name__)
        return False
    except (OSError, SigningKeyMissing) as exc:  # which file, which setting
        logger.error("housekeeping: %s failed: %s", duty.__name__, exc)
        return False
    except Exception:
        logger.exception("housekeeping: %s failed", duty.__name__)
        return False
    finally:
        if not connection.in_atomic_block:  # a caller's, in a test
            connection.close()
    return True
