"""What a day leaves behind: creations of every kind, CRM records, a hold, a token, seals.

And the files that a CRM administrator brings along.
"""

from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import Group, User
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from audit.sealing import seals
from backoffice.periods import id_at
from crm import changes
from crm.models import AttributeMapping
from crm.sessions import hash_session
from crm.sync.tokens import issue_token
from provisioning.consent import notices
from provisioning.models import GuestCreation, LegalHold, NoticeDraft, PlatformDeletion
from tests.support.factories import creation, crm_record

JANE = "session-of-jane"
_HEADER = "session_id,email,first_name,tier,previous_tickets\n"
GOOD = _HEADER + "".join(f"new-{n},new{n}@example.com,New,Gold,{n}\n" for n in range(7))
BAD = GOOD.replace("new1@", "new1").replace("Gold,2", "Gold,two").replace("new-3,", "new-0,")
_EXCEL = (
    "Session ID;E-Mail;First name;Tier;Previous tickets;City\r\n"
    "session-1;visitor1@example.com;Zoë;Platinum;4;Köln\r\n"
    "session-of-zoe;zoe@example.com;Zoë;Gold;1;Wien\r\n"
    "1.23E+18;short@example.com;Ann;Gold;2;\r\n"
)
SEMICOLONS = _EXCEL.encode("utf-8-sig")
TABS = _EXCEL.replace(";", "\t").encode("utf-16")
WESTERN = _EXCEL.encode("cp1252")
WORKBOOK = b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml"
_NO_GUEST = {"guest_id": "", "error_code": "platform_timeout"}
_KINDS = (
    {},
    {},
    {},
    {"consent_basis": "assumed"},
    {"consent_given": False},
    {},
    {"status": "unknown", **_NO_GUEST, "platform_status": 504},
    {"status": "failed", **_NO_GUEST, "platform_status": 503},
)


def a_day() -> None:
    """Make 50 creations to review among others of the last 30 days; seal what there is."""
    crm_record(JANE)
    for number in range(12):
        crm_record(f"session-{number}", email=f"visitor{number}@example.com", tier="Gold")
    for number in range(200):
        made = timezone.now() - timedelta(hours=number * 3.5)
        creation(
            session_id=JANE if number == 0 else f"session-{number}",
            id=UUID(int=id_at(made).int | 7 << 76 | 2 << 62 | number),
            created_at=made,
            notice_version="2026-01",
            language="en",
            **_KINDS[number % len(_KINDS)],
        )
    mapping = AttributeMapping.objects.first()
    assert mapping is not None
    mapping.order += 1
    changes.save_mapping(mapping=mapping, actor="system")
    _notices()
    _rights()
    seals.seal()


def _notices() -> None:
    """Publish a notice, and draft its next version."""
    now = timezone.now()
    text = "An agent answers you.\n\nWe keep what you write for {}."
    content = {"language": "en", "purposes": ["support by chat"], "controller": "Example Ltd"}
    first, _ = (
        NoticeDraft.objects.create(
            version=version, text=text.format(how_long), effective_at=now, **content
        )
        for version, how_long in (("2026-11", "a year"), ("2027-01", "90 days"))
    )
    notices.publish(draft=first, actor="system")


def _rights() -> None:
    """Place a hold, leave a guest to be deleted on the platform, lend somebody a token."""
    now = timezone.now()
    LegalHold.objects.create(
        session_hash=hash_session(session_id="session-5"), reference="case-9", placed_at=now
    )
    erased = GuestCreation.objects.order_by("pk").first()
    PlatformDeletion.objects.create(creation=erased, guest_id="guest-1", requested_at=now)
    clerk = User.objects.create_user("clerk")
    Group.objects.get_or_create(name="Auditor")
    TOTPDevice.objects.create(user=clerk, name="authenticator")
    issue_token(user=clerk, name="CRM sync")


def long_file(*, rows: int) -> str:
    """Return a CSV file of new records that takes a while."""
    cells = (f"long-{n},long{n}@example.com,Long,Gold,{n}\n" for n in range(rows))
    return _HEADER + "".join(cells)
