"""Every table and column of the database, and what becomes of it: the one list.

Three things happen to what is stored of a person: an *erasure* (GDPR art. 17), an access *export*
(art. 15) and *retention* by time. A test compares the list with the database, so that a new column
cannot be forgotten; `export` hands out what is marked EXPORTED; docs/compliance.md shows the list
as `manage.py data_inventory` prints it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

DELETED = "deleted"
BLANKED = "blanked"
UNLINKED = "unlinked"
FORBIDS = "forbids"
EXPIRES = "expires"
EXPORTED = "exported"
WITHHELD = "withheld"
STAYS = "stays"
NOBODY = "–"

MEANINGS = {
    DELETED: "the row goes",
    BLANKED: "the row stays, the column is emptied",
    UNLINKED: "stays; what tied it to the person goes",
    FORBIDS: "while the row stands, nothing of its session is erased",
    EXPIRES: "goes by itself after the time that its line names, whatever RETENTION_DAYS says",
    EXPORTED: "is in the export",
    WITHHELD: "is not: of staff, a secret, unreadable, or nobody can tell any more whose it is",
    STAYS: "nothing happens to it",
    NOBODY: "holds nothing of a visitor",
}


@dataclass(frozen=True)
class Fate:
    """What an erasure, an access export and retention do to a column; words from above."""

    erasure: str = NOBODY
    export: str = NOBODY
    retention: str = NOBODY


@dataclass(frozen=True)
class Table:
    """A table: what a row is, and the fate of its columns, named in groups of the same fate."""

    meaning: str
    fates: Mapping[Fate, str]

    @property
    def columns(self) -> list[str]:
        """Return all its columns."""
        return [column for names in self.fates.values() for column in names.split()]

    def exported(self) -> list[str]:
        """Return the columns that an export of the person holds."""
        return [
            column
            for fate, names in self.fates.items()
            if fate.export == EXPORTED
            for column in names.split()
        ]


_OURS = Fate()

TABLES: dict[str, Table] = {
    "crm_crmrecord": Table(
        "what the CRM knows of a visitor; the CRM's to keep, so it does not age",
        {
            Fate(DELETED, EXPORTED, STAYS): (
                "session_hash email first_name tier previous_tickets attributes created_at"
                " updated_at"
            ),
            Fate(DELETED, WITHHELD, STAYS): "id version record_id address_key address_version",
        },
    ),
    "crm_importupload": Table(
        "what waits for a confirmation: a CSV file, its errors, the ids selected for a review;"
        " encrypted under a key of that page: one hour",
        {
            Fate(EXPIRES, WITHHELD, EXPIRES): "content",
            Fate(EXPIRES, NOBODY, EXPIRES): "id uploaded_by uploaded_at",
        },
    ),
    "crm_attributemapping": Table(
        "what the platform is told",
        {_OURS: "id target source_kind source value_type default enabled order"},
    ),
    "crm_apitoken": Table(
        "a token of the sync API, hashed",
        {_OURS: "token_hash created_at user_id name scope expires_at last_used_at"},
    ),
    "crm_sessionkeying": Table(
        "which pepper the keys were made with", {_OURS: "number fingerprint"}
    ),
    "provisioning_guestcreation": Table(
        "one init, and the proof of its consent; a published notice's version and language stay",
        {
            Fate(BLANKED, EXPORTED, BLANKED): (
                "session_hash request_id guest_id token_expires_at overdue_at profile_digest"
                " payload_digest sent_fields platform_code correlation_id echo_consent_type"
                " echo_created_date notice_version language looked_up_at token_generation"
            ),
            Fate(BLANKED, WITHHELD, BLANKED): "salt",
            Fate(UNLINKED, EXPORTED, UNLINKED): (
                "id event_request_id created_at updated_at status platform tokens_issued"
                " consent_given consent_type consent_basis notice_id gpc withdrawn_at erased_at"
                " review_reasons reviewed_at verdict error_code platform_status"
                " echo_consent_given echo_mismatch"
            ),
            Fate(UNLINKED, WITHHELD, UNLINKED): "reviewer_id",
        },
    ),
    "provisioning_review": Table(
        "what a reviewer found of a creation",
        {
            Fate(BLANKED, EXPORTED, BLANKED): "reason",
            Fate(UNLINKED, EXPORTED, UNLINKED): "id creation_id verdict reviewed_at",
            Fate(UNLINKED, WITHHELD, UNLINKED): "reviewer_id",
        },
    ),
    "provisioning_idempotencykey": Table(
        "an Idempotency-Key, hashed, and the answer, which only its client can read: 24 hours",
        {
            Fate(DELETED, EXPORTED, EXPIRES): "session_hash creation_id created_at",
            Fate(DELETED, WITHHELD, EXPIRES): "id key_hash body_hash answer",
        },
    ),
    "provisioning_initcapability": Table(
        "the right to ask about one asynchronous init, hashed: 10 minutes",
        {
            Fate(DELETED, EXPORTED, EXPIRES): "creation_id expires_at",
            Fate(DELETED, WITHHELD, EXPIRES): "key_hash",
        },
    ),
    "provisioning_withdrawal": Table(
        "a session that took its consent back, until it states consent again; 400 days after the"
        " last request where no init of it ever came",
        {
            Fate(DELETED, EXPORTED, STAYS): (
                "session_hash withdrawn_at unmet_at platform_due_at platform_told_at"
            )
        },
    ),
    "provisioning_withdrawalcase": Table(
        "the case of a withdrawal that staff entered, also after consent was stated again; with the"
        " session's last creation, unless the withdrawal stands",
        {
            Fate(DELETED, EXPORTED, DELETED): "session_hash withdrawn_at case_number",
            Fate(DELETED, NOBODY, DELETED): "id",
        },
    ),
    "provisioning_writeprobe": Table(
        "by which /readyz sees that a row can be written, and housekeeping tells that it runs",
        {_OURS: "id written_at"},
    ),
    "provisioning_legalhold": Table(
        "a legal hold, until it is lifted",
        {
            Fate(FORBIDS, EXPORTED, FORBIDS): "session_hash reference placed_at",
            Fate(FORBIDS, WITHHELD, FORBIDS): "id placed_by",
        },
    ),
    "provisioning_platformdeletion": Table(
        "a guest to be deleted on the platform: of somebody erased, or a second one of a session;"
        " what names it goes when done",
        {
            Fate(UNLINKED, EXPORTED, UNLINKED): "platform guest_id state requested_at done_at",
            Fate(UNLINKED, WITHHELD, UNLINKED): (
                "creation_id subjects request_id errors due_at done_by"
            ),
        },
    ),
    "provisioning_notice": Table(
        "a published privacy notice",
        {
            _OURS: "id version language text purposes controller effective_at sha256 published_at"
            " published_by"
        },
    ),
    "provisioning_noticedraft": Table(
        "a notice being written",
        {_OURS: "id version language text purposes controller effective_at"},
    ),
    "audit_auditevent": Table(
        "what happened, to a pseudonym",
        {
            Fate(UNLINKED, EXPORTED, UNLINKED): "id time kind subject request_id body",
            Fate(UNLINKED, WITHHELD, UNLINKED): "actor",
        },
    ),
    "audit_subjectsalt": Table(
        "what ties a pseudonym to a session; with retention it goes with the last creation",
        {
            Fate(DELETED, EXPORTED, DELETED): "session_hash",
            Fate(DELETED, WITHHELD, DELETED): "salt",
        },
    ),
    "audit_auditleaf": Table(
        "an event's place in the log", {_OURS: "position hash event_id seal_id"}
    ),
    "audit_auditseal": Table(
        "a signed statement about events",
        {_OURS: "number first_position count root previous_hash time key_id hash signature"},
    ),
    "audit_auditlog": Table("which log this is", {_OURS: "number log_id"}),
    "auth_user": Table(
        "your staff",
        {
            _OURS: "id password last_login is_superuser username first_name last_name email"
            " is_staff is_active date_joined"
        },
    ),
    "auth_group": Table("a role", {_OURS: "id name"}),
    "auth_permission": Table("a right", {_OURS: "id content_type_id codename name"}),
    "auth_group_permissions": Table("who may what", {_OURS: "id group_id permission_id"}),
    "auth_user_groups": Table("who may what", {_OURS: "id user_id group_id"}),
    "auth_user_user_permissions": Table("who may what", {_OURS: "id user_id permission_id"}),
    "otp_totp_totpdevice": Table(
        "a member of staff's one-time codes",
        {
            _OURS: "id user_id name confirmed key step t0 digits tolerance drift last_t"
            " throttling_failure_count throttling_failure_timestamp created_at last_used_at"
        },
    ),
    "guestportal_unlocking": Table(
        "how often sign-in was unlocked for a member of staff", {_OURS: "user_id times"}
    ),
    "guestportal_staffidentity": Table(
        "whom the identity provider means by an account of your staff",
        {_OURS: "id user_id issuer subject bound_at checked_at asked_at tokens"},
    ),
    "guestportal_doctorresult": Table(
        "what `doctor` found last: sentences of the set-up", {_OURS: "number checked_at findings"}
    ),
    "guestportal_digestmail": Table(
        "the days on which the mail to reviewers was sent", {_OURS: "day sent_at"}
    ),
    "axes_accessattempt": Table(
        "empty: failed sign-ins are counted in the cache",
        {
            _OURS: "id user_agent ip_address username http_accept path_info attempt_time get_data"
            " post_data failures_since_start"
        },
    ),
    "axes_accessattemptexpiration": Table("empty", {_OURS: "access_attempt_id expires_at"}),
    "axes_accessfailurelog": Table(
        "empty",
        {_OURS: "id user_agent ip_address username http_accept path_info attempt_time locked_out"},
    ),
    "axes_accesslog": Table(
        "empty",
        {
            _OURS: "id user_agent ip_address username http_accept path_info attempt_time"
            " logout_time session_hash"
        },
    ),
    "django_session": Table(
        "a member of staff's session, with the numbers of the rows that a search found, the keys"
        " of a person's sessions, encrypted, and the reason of a review, typed before signing in"
        " again: 30 minutes",
        {
            Fate(EXPIRES, NOBODY, EXPIRES): "session_data",
            Fate(NOBODY, NOBODY, EXPIRES): "session_key expire_date",
        },
    ),
    "django_admin_log": Table(
        "what staff changed in the admin: rows by number, fields by name",
        {
            Fate(UNLINKED, NOBODY, STAYS): "object_id object_repr change_message",
            _OURS: "id action_time action_flag content_type_id user_id",
        },
    ),
    "django_content_type": Table("the kinds of row", {_OURS: "id app_label model"}),
    "django_migrations": Table("which migrations were made", {_OURS: "id app name applied"}),
}


def page() -> Iterator[str]:
    """Yield the lines of the table that docs/compliance.md shows."""
    yield from (f"- **{word}**: {meaning}" for word, meaning in MEANINGS.items())
    yield ""
    yield "| table | columns | erasure | export | retention |"
    yield "| --- | --- | --- | --- | --- |"
    for name, table in TABLES.items():
        title = f"`{name}`: {table.meaning}"
        for fate, columns in table.fates.items():
            yield f"| {title} | {columns} | {fate.erasure} | {fate.export} | {fate.retention} |"
            title = ""
