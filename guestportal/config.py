"""Every setting that the environment may give, in one list.

A new setting is one entry here: code reads it as ``django.conf.settings.NAME``. docs/settings.md
and .env.example are printed from this list by ``manage.py settings_table``, and a test compares
them. What is valid but unsafe is named by `guestportal.checks`.
"""

from functools import partial
from pathlib import Path
from types import SimpleNamespace

from guestportal.environment import addresses, files
from guestportal.environment.kinds import (
    choice,
    flag,
    group_map,
    header,
    hexadecimal,
    listing,
    parsed,
    seconds,
    secret,
    secrets,
    text,
    time_zone,
    whole,
)
from guestportal.environment.reading import Setting
from guestportal.stores import urls

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"


def _anchors(earlier: SimpleNamespace) -> str:
    database = earlier.DATABASE_URL
    in_a_file = database["ENGINE"].endswith("sqlite3")
    folder = Path(str(database["NAME"])).parent if in_a_file else VAR_DIR
    return str(folder / "audit-anchors.jsonl")


# Each is a module of `provisioning.genesys`.
GENESYS_PLATFORMS = ("guest-api", "messenger")
_SEED_DOMAIN = "mypurecloud.com"
_SCOPES = "webchat:guest:write webchat:token:write"
_ID = "[0-9A-Za-z-]{1,64}"  # as `messenger.contacts` takes one in an answer


def _is_messenger(earlier: SimpleNamespace) -> bool:
    return bool(earlier.GENESYS_PLATFORM == "messenger")


def _domain(earlier: SimpleNamespace) -> str:
    # Without one nothing is called: `guestportal.checks` names it as missing.
    return (earlier.MESSENGER_DOMAIN or "unset.invalid") if _is_messenger(earlier) else _SEED_DOMAIN


def _token_endpoint(earlier: SimpleNamespace) -> str:
    if _is_messenger(earlier) and earlier.MESSENGER_DOMAIN:
        return f"https://login.{earlier.MESSENGER_DOMAIN}/oauth/token"
    return f"{earlier.GENESYS_BASE_URL}/oauth/token"


SECTIONS: dict[str, tuple[Setting, ...]] = {
    "Web": (
        Setting("SECRET_KEY", secret(), "Signs admin sessions; 50 characters or more"),
        Setting(
            "SECRET_KEY_FALLBACKS",
            secrets(least=50),
            "Earlier SECRET_KEYs, newest first: what they signed and sealed can still be read",
        ),
        Setting("DEBUG", flag(), "Development only: demo page, plain http", default="off"),
        Setting(
            "ALLOWED_HOSTS",
            listing(addresses.allowed_host, allowed="host names without scheme and port"),
            "Host names this service answers to",
        ),
        Setting(
            "CSRF_TRUSTED_ORIGINS",
            listing(addresses.trusted_origin, allowed="scheme://host[:port],…"),
            "Origins the admin's forms may be posted from behind a proxy",
        ),
        Setting(
            "CORS_ALLOWED_ORIGINS",
            listing(addresses.origin, allowed="scheme://host[:port],…"),
            "Other origins whose pages may call /api/webchat/",
        ),
        Setting(
            "BIND",
            parsed(addresses.bind, allowed="an address or host name without a port"),
            "Address the web server listens on",
            default="127.0.0.1",
        ),
        Setting("PORT", whole(1, 65535), "Port it listens on", default="8000"),
        Setting(
            "WEB_CONCURRENCY",
            whole(1, 64),
            "Web processes; more than one needs a shared CACHE_URL",
            default="1",
        ),
        Setting(
            "SECURE_SSL_REDIRECT",
            flag(),
            "Send plain http to https (not /livez, /readyz, /metrics)",
            default="on unless DEBUG",
            computed=lambda earlier: "off" if earlier.DEBUG else "on",
        ),
        Setting(
            "SECURE_PROXY_SSL_HEADER",
            parsed(header, allowed="HTTP_X_FORWARDED_PROTO=https"),
            "Header by which the TLS proxy says that the visitor used https",
        ),
        Setting(
            "SECURE_HSTS_SECONDS", whole(0, 63_072_000), "HSTS max-age; 0 sends none", default="0"
        ),
        Setting(
            "NUM_PROXIES",
            whole(0, 10),
            "Trusted proxies in front; 0 does not believe X-Forwarded-For",
            default="0",
        ),
        Setting(
            "BODY_SECONDS",
            seconds(0.1, 120),
            "Seconds in which the whole body of a request has to arrive",
            default="10",
        ),
        Setting(
            "LOG_LEVEL",
            choice("DEBUG", "INFO", "WARNING", "ERROR"),
            "Least severe level written to standard error, one JSON object a line",
            default="INFO",
        ),
        Setting(
            "METRICS_TOKEN",
            text(pattern="[!-~]{16,}", allowed="16 visible ASCII characters or more"),
            "Bearer token for /metrics and the details of /readyz from other than loopback",
        ),
        Setting(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            parsed(addresses.url(path="free"), allowed="http[s]://host[:port][/path]"),
            "Collector of traces (OTLP over HTTP); needs requirements-otel.txt",
        ),
    ),
    "Stores": (
        Setting(
            "DATABASE_URL",
            parsed(
                partial(urls.database, made_later=VAR_DIR),
                allowed="sqlite:///PATH | postgres://USER:PASSWORD@HOST:PORT/NAME",
            ),
            "Database",
            default="SQLite in var/",
            computed=lambda earlier: f"sqlite:///{VAR_DIR}/guestportal.sqlite3",
        ),
        Setting(
            "CACHE_URL",
            parsed(urls.cache, allowed="locmem:// | redis[s]://HOST:PORT/N"),
            "Token, gate and limits; shared between processes only with Redis",
            default="locmem://",
        ),
        Setting(
            "CELERY_BROKER_URL",
            parsed(urls.broker, allowed="amqp[s]://USER:PASSWORD@HOST:PORT//"),
            "RabbitMQ for asynchronous inits; without it every init is synchronous",
        ),
    ),
    "The platform": (
        Setting(
            "GENESYS_PLATFORM",
            choice(*GENESYS_PLATFORMS),
            "The tutorial's Guest API, or what the vendor documents: docs/platforms.md",
            default="guest-api",
        ),
        Setting(
            "MESSENGER_DOMAIN",
            parsed(addresses.region, allowed="a region's domain, such as mypurecloud.de"),
            "`messenger`: your organisation's region",
        ),
        Setting(
            "GENESYS_BASE_URL",
            parsed(addresses.url(path="none"), allowed="http[s]://host[:port], no path"),
            "The platform's API",
            default="https://api.mypurecloud.com; messenger: https://api.MESSENGER_DOMAIN",
            computed=lambda earlier: f"https://api.{_domain(earlier)}",
        ),
        Setting(
            "GENESYS_CLIENT_ID",
            text(pattern="[!-9;-~]+", allowed="visible ASCII characters but a colon"),
            "OAuth client id (client credentials)",
        ),
        Setting("GENESYS_CLIENT_SECRET", secret(), "OAuth client secret"),
        Setting(
            "GENESYS_OAUTH_URL",
            parsed(addresses.url(path="needed"), allowed="http[s]://host[:port]/path"),
            "Token endpoint; the vendor's SDKs use https://login.REGION/oauth/token",
            default="GENESYS_BASE_URL/oauth/token; messenger: "
            "https://login.MESSENGER_DOMAIN/oauth/token",
            computed=_token_endpoint,
        ),
        Setting(
            "GENESYS_OAUTH_AUTH",
            choice("body", "basic"),
            "Credentials in the form, as the seed, or as HTTP Basic, as the vendor's SDKs",
            default="body; messenger: basic",
            computed=lambda earlier: "basic" if _is_messenger(earlier) else "body",
        ),
        Setting(
            "GENESYS_SCOPES",
            text(
                pattern=r"[!#-\[\]-~]+( [!#-\[\]-~]+)*",
                allowed="scopes parted by single spaces (RFC 6749)",
            ),
            "Scopes asked for with `body`",
            default="webchat:guest:write webchat:token:write; messenger: none",
            computed=lambda earlier: "" if _is_messenger(earlier) else _SCOPES,
        ),
        Setting(
            "GENESYS_GUESTS_PATH",
            text(pattern=r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)+", allowed="a path"),
            "Where guests are created",
            default="/api/v2/webchat/v1/guests",
        ),
        Setting(
            "GENESYS_CA_BUNDLE",
            parsed(files.ca_bundle, allowed="a PEM file with certificates"),
            "Certificates to trust in the place of the public ones: of a private CA",
        ),
        Setting(
            "GENESYS_PROXY",
            parsed(addresses.proxy, allowed="http[s]://[USER:PASSWORD@]HOST:PORT"),
            "Proxy on the way to the platform; HTTPS_PROXY and its like are not read",
        ),
        Setting("GENESYS_CONNECT_TIMEOUT", seconds(0.1, 30), "Seconds to connect", default="3"),
        Setting(
            "GENESYS_READ_TIMEOUT", seconds(0.1, 120), "Seconds between two bytes", default="8"
        ),
        Setting("GENESYS_DEADLINE", seconds(1, 120), "Seconds for the whole init", default="10"),
        Setting(
            "GENESYS_MAX_ATTEMPTS", whole(1, 10), "Tries of one call, first included", default="3"
        ),
        Setting(
            "GENESYS_RATE_PER_MINUTE",
            whole(0, 1_000_000),
            "Calls a minute we allow ourselves (an init is two, on `messenger` one or none); "
            "0 is no limit of ours",
            default="300",
        ),
    ),
    "Messenger (GENESYS_PLATFORM=messenger)": (
        Setting(
            "MESSENGER_DEPLOYMENT_ID",
            text(pattern=_ID, allowed="an id"),
            "The web deployment whose conversations the visitors have",
        ),
        Setting(
            "MESSENGER_ENVIRONMENT",
            text(pattern="[a-z0-9-]{1,32}", allowed="small letters, digits and dashes"),
            "`environment` in the deployment's snippet, such as prod-euc1",
        ),
        Setting(
            "MESSENGER_EXTERNAL_SOURCE_ID",
            text(pattern=_ID, allowed="an id"),
            "External source of the contacts: `messenger_setup` makes it",
        ),
        Setting(
            "MESSENGER_SCHEMA_ID",
            text(pattern=_ID, allowed="an id"),
            "Contact schema with the mapped fields: `messenger_setup` makes it",
        ),
        Setting(
            "MESSENGER_SCHEMA_VERSION", whole(1, 1_000_000), "Version of that schema", default="1"
        ),
        Setting(
            "MESSENGER_TOKEN_KEY",
            secret(least=32),
            "Makes external ids and visitors' tokens: `openssl rand -hex 32`, for good",
        ),
        Setting(
            "MESSENGER_TOKEN_SECONDS",
            whole(60, 86_400),
            "Lifetime that is promised of a token; at most the deployment's session duration",
            default="3600",
        ),
        Setting(
            "MESSENGER_ERASE_COOKIES",
            flag(),
            "Whether an erasure also asks for what the platform keeps under the session's cookie",
            default="off",
        ),
    ),
    "Visitors and consent": (
        Setting(
            "CONSENT_MODE",
            choice("compat", "minimise", "strict"),
            "An omitted consentGiven is assumed, declined, or refused with 400",
            default="compat",
        ),
        Setting(
            "REVIEW_MISSING_NOTICE",
            flag(),
            "Whether a consent given under no notice waits for review, from then on",
            default="off",
        ),
        Setting(
            "GUEST_REUSE_SECONDS",
            whole(0, 86_400),
            "How long a session's guest is handed out again; 0: one per init, as the seed",
            default="0",
        ),
        Setting(
            "GUEST_EMAIL_DOMAIN",
            parsed(addresses.mail_domain, allowed="a domain name, in its xn-- form"),
            "Domain of the address given to visitors nobody knows; use one you own",
            default="temp.com",
        ),
        Setting(
            "SESSION_HASH_PEPPER",
            secret(least=32),
            "Keys stored session hashes, so that a stolen database resists a dictionary",
        ),
        Setting(
            "IDENTITY_SECRET",
            secret(least=32),
            "Key of sessionSignature, shared with your website's backend",
        ),
        Setting(
            "IDENTITY_VERIFICATION",
            choice("off", "required"),
            "Whether every webchat call must carry a sessionSignature",
            default="off",
        ),
        Setting(
            "CRM_RESPONSE_FIELDS",
            listing(
                choice("email", "firstName", "tier", "previousTickets").parse,
                allowed="any of email, firstName, tier, previousTickets",
            ),
            "CRM attributes shown to the page; `none` of them: write a lone comma",
            default="email,firstName,tier,previousTickets",
        ),
        Setting(
            "NOTICE_GRACE_HOURS",
            whole(0, 8_760),
            "Hours for which a superseded privacy notice still counts: open pages show it",
            default="24",
        ),
        Setting(
            "RECEIPT_COLLECTION_METHOD",
            text(pattern=r"[^\x00-\x1f\x7f]{1,200}", allowed="up to 200 characters"),
            "How the data were collected, as consent receipts say it",
            default="chat page and CRM records",
        ),
        Setting(
            "RECEIPT_STORAGE_LOCATIONS",
            listing(
                text(pattern=r"[^\x00-\x1f\x7f]{1,100}", allowed="a place").parse,
                allowed="places parted by commas",
            ),
            "Where the data are stored, such as `Frankfurt (DE)`, as consent receipts say it",
        ),
        Setting(
            "RETENTION_DAYS", whole(1, 36_500), "Creations older than this are erased; none: never"
        ),
    ),
    "Limits": (
        Setting(
            "INIT_RATE",
            text(
                pattern=r"[1-9][0-9]{0,6}/(s|sec|second|m|min|minute|h|hour|d|day)",
                allowed="N/s, N/min, N/hour or N/day",
            ),
            "Webchat calls one client address may make",
            default="60/min",
        ),
        Setting(
            "MAX_IN_FLIGHT",
            whole(1, 100_000),
            "Inits worked on at once in one process; beyond it 503 at once",
            default="2000",
        ),
        Setting(
            "QUEUE_LIMIT",
            whole(1, 100_000),
            "Inits that may wait for the worker; beyond it 503 at once",
            default="1000",
        ),
    ),
    "Staff": (
        Setting(
            "ADMIN_MFA",
            choice("optional", "required"),
            "Whether staff must sign in with a one-time code",
            default="optional",
        ),
        Setting(
            "TIME_ZONE",
            parsed(time_zone, allowed="a time zone such as Europe/Berlin"),
            "In which staff pages show times; periods, files and logs stay in UTC",
            default="UTC",
        ),
        Setting(
            "ADMIN_LOGIN",
            choice("password", "oidc", "both"),
            "How staff sign in; with `oidc` a password opens the break-glass account alone",
            default="password",
        ),
    ),
    "Sign-in by OpenID Connect (ADMIN_LOGIN=oidc or both)": (
        Setting(
            "OIDC_ISSUER",
            parsed(addresses.issuer, allowed="http[s]://host[:port][/path]"),
            "The identity provider, letter by letter as its discovery document has it in `issuer`",
        ),
        Setting(
            "OIDC_CLIENT_ID",
            text(pattern="[!-~]{1,255}", allowed="visible ASCII characters"),
            "This service's client id there",
        ),
        Setting("OIDC_CLIENT_SECRET", secret(), "Its secret there"),
        Setting(
            "OIDC_SCOPES",
            text(
                pattern=r"([!#-\[\]-~]+ )*openid( [!#-\[\]-~]+)*",
                allowed="scopes parted by single spaces, `openid` among them",
            ),
            "Scopes asked for: what makes it give the groups claim, and a refresh token",
            default="openid profile",
        ),
        Setting(
            "OIDC_GROUPS_CLAIM",
            text(pattern=r"[!-~]{1,128}", allowed="visible ASCII characters"),
            "Claim that lists a person's groups there; inside another one: `outer.inner`",
            default="groups",
        ),
        Setting(
            "OIDC_GROUP_MAP",
            parsed(group_map, allowed="THEIRS=OURS[,THEIRS=OURS…]; or parted by semicolons"),
            "Which of their groups is which of ours; without one there is no account",
        ),
        Setting(
            "OIDC_REQUIRED_ACR",
            text(pattern=r"[!-~]{1,255}", allowed="visible ASCII characters"),
            "Authentication context that a sign-in must have, such as the provider's name for MFA",
        ),
        Setting(
            "OIDC_RECHECK_MINUTES",
            whole(1, 1_440),
            "Minutes after which a signed-in person's groups are asked for again",
            default="15",
        ),
        Setting(
            "OIDC_CA_BUNDLE",
            parsed(files.ca_bundle, allowed="a PEM file with certificates"),
            "Certificates to trust there in the place of the public ones: of a private CA",
        ),
        Setting(
            "OIDC_PROXY",
            parsed(addresses.proxy, allowed="http[s]://[USER:PASSWORD@]HOST:PORT"),
            "Proxy on the way there; HTTPS_PROXY and its like are not read",
        ),
    ),
    "Mail": (
        Setting(
            "EMAIL_URL",
            parsed(urls.mail, allowed="smtp[+tls|+ssl]://[USER:PASSWORD@]HOST:PORT"),
            "Server that takes the daily mail to reviewers; none: no mail",
        ),
        Setting("EMAIL_FROM", parsed(addresses.mailbox, allowed="a mail address"), "Its sender"),
        Setting(
            "DIGEST_TO",
            listing(addresses.mailbox, allowed="a mail address"),
            "Who gets once a day what waits for a reviewer: counts, no data of visitors",
        ),
    ),
    "Backups": (
        Setting(
            "BACKUP_MARKER",
            parsed(files.absolute, allowed="the full path of a file"),
            "File that the backup job touches when it is done; `doctor` looks at its age",
        ),
        Setting("BACKUP_MAX_HOURS", whole(1, 8_760), "Hours that its age may have", default="26"),
        Setting(
            "RESTORE_LIST",
            parsed(
                partial(files.appendable, made_later=VAR_DIR),
                allowed="a file in a folder that exists (make the folder first)",
            ),
            "File outside the database: what `audit_restored` does again after a restore",
        ),
        Setting(
            "BACKUP_KEEP_DAYS",
            whole(1, 3_650),
            "Days for which a backup is kept, and with it an entry of RESTORE_LIST",
            default="35",
        ),
    ),
    "The audit log": (
        Setting(
            "AUDIT_SIGNING_KEY",
            hexadecimal(),
            "Ed25519 seed that signs seals and receipts: `openssl rand -hex 32`",
        ),
        Setting(
            "AUDIT_VERIFY_KEYS",
            listing(hexadecimal().parse, allowed="public keys, each 64 hex digits"),
            "Earlier public keys, after a change of AUDIT_SIGNING_KEY",
        ),
        Setting(
            "AUDIT_ANCHORS",
            parsed(
                partial(files.appendable, made_later=VAR_DIR),
                allowed="a file in a folder that exists (make the folder first)",
            ),
            "File outside the database to which each seal is also written",
            default="audit-anchors.jsonl beside the SQLite file, else in var/",
            computed=_anchors,
        ),
    ),
}
SETTINGS = {setting.name: setting for section in SECTIONS.values() for setting in section}
