"""What waits between a preview and its confirmation: a CSV file, its errors, a long selection.

A file may hold raw session ids, which are stored nowhere. So it comes in through memory and is kept
encrypted, under a key that only the preview's own page holds, and for an hour at most.
"""

from datetime import timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.db.models import Q
from django.utils import timezone

from crm.models import ImportUpload

# Larger files: `manage.py import_crm`, which holds no web worker. deploy/nginx.conf lets both pass.
MAX_BYTES = 20 * 1024 * 1024
FORM_BYTES = 64 * 1024  # what the rest of the form may weigh
KEPT_FOR = timedelta(hours=1)


class InMemory(MemoryFileUploadHandler):
    """Keeps a file off the disk, where Django puts 2.5 MB and more; takes none too large."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803  (Django's name)
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        self.activated = content_length <= MAX_BYTES + FORM_BYTES


class UploadGone(Exception):
    """There is no such upload any more, or not of this person."""


def keep(*, content: bytes, actor: str) -> str:
    """Store `content` for `actor`; return the ticket that opens it. Forgets what is too old."""
    forget_old()
    key = Fernet.generate_key()
    upload = ImportUpload.objects.create(uploaded_by=actor, content=Fernet(key).encrypt(content))
    return f"{upload.pk}.{key.decode()}"


def opened(*, ticket: str, actor: str) -> bytes:
    """Return the content that `ticket` was given for. Raises UploadGone."""
    number, _, key = ticket.partition(".")
    now = timezone.now()
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise UploadGone
    upload = ImportUpload.objects.filter(
        pk=int(number), uploaded_by=actor, uploaded_at__range=(now - KEPT_FOR, now + KEPT_FOR)
    ).first()
    if upload is None:
        raise UploadGone
    try:
        return Fernet(key.encode()).decrypt(bytes(upload.content))
    except (InvalidToken, ValueError) as exc:
        raise UploadGone from exc


def forget(*, ticket: str) -> None:
    """Delete the upload of `ticket`, which `opened` has accepted."""
    ImportUpload.objects.filter(pk=int(ticket.partition(".")[0])).delete()


def forget_old() -> int:
    """Delete the uploads that nobody confirmed in time; return how many.

    Those that a clock far ahead of ours dated go too: nobody could tell when their time is over.
    """
    now = timezone.now()
    kept = Q(uploaded_at__range=(now - KEPT_FOR, now + KEPT_FOR))
    return ImportUpload.objects.exclude(kept).delete()[0]
