"""Every setting of guestportal, from the environment and safe by default.

Values are validated as they are read (`guestportal.environment`); what is valid but unsafe is
named by `guestportal.checks`. The README's table is checked against the declarations below.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from guestportal import environment as env

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
env.read_dotenv(Path(os.environ.get("ENV_FILE", BASE_DIR / ".env")))

# --- Django's own -------------------------------------------------------------------------------

SECRET_KEY = env.text(
    "SECRET_KEY", meaning="Signs admin sessions; 50 characters or more", allowed="text"
)
DEBUG = env.boolean("DEBUG", default=False, meaning="Development only: demo page, plain http")
ALLOWED_HOSTS = env.listing(
    "ALLOWED_HOSTS",
    pattern=r"\*|\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:.]+\]",
    allowed="host names without scheme and port",
    meaning="Host names this service answers to",
)
CSRF_TRUSTED_ORIGINS = env.listing(
    "CSRF_TRUSTED_ORIGINS",
    pattern=r"https?://[^/]+",
    allowed="scheme://host,…",
    meaning="Origins the admin's forms may be posted from behind a proxy",
)
CORS_ALLOWED_ORIGINS = env.listing(
    "CORS_ALLOWED_ORIGINS",
    pattern=r"https?://[^/*]+",
    allowed="scheme://host[:port],…",
    meaning="Other origins whose pages may call /api/webchat/",
)
LOG_LEVEL = env.choice(
    "LOG_LEVEL",
    options=("DEBUG", "INFO", "WARNING", "ERROR"),
    default="INFO",
    meaning="Least severe level written to standard error, one JSON object a line",
)
BIND = env.text(
    "BIND",
    default="127.0.0.1",
    pattern=r"[A-Za-z0-9.:%-]+",
    allowed="an address without a port",
    meaning="Address the web server listens on",
)
PORT = env.integer("PORT", default=8000, low=1, high=65535, meaning="Port it listens on")
WEB_CONCURRENCY = env.integer(
    "WEB_CONCURRENCY",
    default=1,
    low=1,
    high=64,
    meaning="Web processes; more than one needs a shared CACHE_URL",
)
SECURE_SSL_REDIRECT = env.boolean(
    "SECURE_SSL_REDIRECT",
    default=not DEBUG,
    shown="on unless DEBUG",
    meaning="Send plain http to https (not /livez, /readyz, /metrics)",
)
SECURE_PROXY_SSL_HEADER = env.parsed(
    "SECURE_PROXY_SSL_HEADER",
    parse=env.header,
    default="",
    allowed="HTTP_X_FORWARDED_PROTO=https",
    meaning="Header by which the TLS proxy says that the visitor used https",
)
SECURE_HSTS_SECONDS = env.integer(
    "SECURE_HSTS_SECONDS", default=0, low=0, high=63_072_000, meaning="HSTS max-age; 0 sends none"
)
NUM_PROXIES = env.integer(
    "NUM_PROXIES",
    default=0,
    low=0,
    high=10,
    meaning="Trusted proxies in front; 0 does not believe X-Forwarded-For",
)
METRICS_TOKEN = env.text(
    "METRICS_TOKEN",
    pattern=r".{16,}",
    allowed="16 characters or more",
    meaning="Bearer token for /metrics and the details of /readyz from other than loopback",
)

# --- Stores -------------------------------------------------------------------------------------

_SQLITE_DEFAULT = VAR_DIR / "guestportal.sqlite3"
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.parsed(
        "DATABASE_URL",
        parse=env.database,
        default=f"sqlite:///{_SQLITE_DEFAULT}",
        shown="SQLite in var/",
        allowed="sqlite:///PATH | postgres://USER:PASSWORD@HOST:PORT/NAME",
        meaning="Database",
    )
}
CACHES: dict[str, dict[str, Any]] = {
    "default": env.parsed(
        "CACHE_URL",
        parse=env.cache,
        default="locmem://",
        allowed="locmem:// | redis[s]://HOST:PORT/N",
        meaning="Token, gate and limits; shared between processes only with Redis",
    )
}
CELERY_BROKER_URL = env.text(
    "CELERY_BROKER_URL",
    pattern=r"amqps?://.+",
    allowed="amqp[s]://USER:PASSWORD@HOST:PORT//",
    meaning="RabbitMQ for asynchronous inits; without it every init is synchronous",
    shown="none",
)
QUEUE_LIMIT = env.integer(
    "QUEUE_LIMIT",
    default=1000,
    low=1,
    high=100_000,
    meaning="Inits that may wait for the worker; beyond it 503 at once",
)
OTEL_EXPORTER_OTLP_ENDPOINT = env.text(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    pattern=r"https?://\S+",
    allowed="URL",
    meaning="Collector of OpenTelemetry traces (OTLP over HTTP); needs requirements-otel.txt",
    shown="none",
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- The platform -------------------------------------------------------------------------------

GENESYS_BASE_URL = env.text(
    "GENESYS_BASE_URL",
    default="https://api.mypurecloud.com",
    pattern=r"https?://[^/\s]+",
    allowed="scheme://host[:port], no path",
    meaning="The platform's API",
)
GENESYS_CLIENT_ID = env.text("GENESYS_CLIENT_ID", meaning="OAuth client id (client credentials)")
GENESYS_CLIENT_SECRET = env.text("GENESYS_CLIENT_SECRET", meaning="OAuth client secret")
GENESYS_OAUTH_URL = env.text(
    "GENESYS_OAUTH_URL",
    default=f"{GENESYS_BASE_URL}/oauth/token",
    shown="GENESYS_BASE_URL/oauth/token",
    pattern=r"https?://\S+",
    allowed="URL",
    meaning="Token endpoint; the vendor's SDKs use https://login.REGION/oauth/token",
)
GENESYS_OAUTH_AUTH = env.choice(
    "GENESYS_OAUTH_AUTH",
    options=("body", "basic"),
    default="body",
    meaning="Credentials in the form, as the seed, or as HTTP Basic, as the vendor's SDKs",
)
GENESYS_SCOPES = env.text(
    "GENESYS_SCOPES",
    default="webchat:guest:write webchat:token:write",
    pattern=r"[!#-\[\]-~]+( [!#-\[\]-~]+)*",
    allowed="scopes parted by single spaces (RFC 6749)",
    meaning="Scopes asked for with `body`",
)
GENESYS_GUESTS_PATH = env.text(
    "GENESYS_GUESTS_PATH",
    default="/api/v2/webchat/v1/guests",
    pattern=r"/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-]",
    allowed="a path",
    meaning="Where guests are created",
)
GENESYS_CONNECT_TIMEOUT = env.seconds(
    "GENESYS_CONNECT_TIMEOUT", default=3, low=0.1, high=30, meaning="Seconds to connect"
)
GENESYS_READ_TIMEOUT = env.seconds(
    "GENESYS_READ_TIMEOUT", default=8, low=0.1, high=120, meaning="Seconds between two bytes"
)
GENESYS_DEADLINE = env.seconds(
    "GENESYS_DEADLINE", default=10, low=1, high=120, meaning="Seconds for the whole init"
)
GENESYS_MAX_ATTEMPTS = env.integer(
    "GENESYS_MAX_ATTEMPTS", default=3, low=1, high=10, meaning="Tries of one call, first included"
)
GENESYS_RATE_PER_MINUTE = env.integer(
    "GENESYS_RATE_PER_MINUTE",
    default=300,
    low=0,
    high=1_000_000,
    meaning="Calls a minute we allow ourselves (an init is two); 0 is no limit of ours",
)

# --- Visitors, consent, limits ------------------------------------------------------------------

CONSENT_MODE = env.choice(
    "CONSENT_MODE",
    options=("compat", "minimise", "strict"),
    default="compat",
    meaning="An omitted consentGiven is assumed, declined, or refused with 400",
)
GUEST_REUSE_SECONDS = env.integer(
    "GUEST_REUSE_SECONDS",
    default=0,
    low=0,
    high=86_400,
    meaning="How long a session's guest is handed out again; 0 makes one per init, as the seed",
)
GUEST_EMAIL_DOMAIN = env.text(
    "GUEST_EMAIL_DOMAIN",
    default="temp.com",
    pattern=r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}",
    allowed="a domain name in lower case",
    meaning="Domain of the address given to visitors nobody knows; use one you own",
)
SESSION_HASH_PEPPER = env.text(
    "SESSION_HASH_PEPPER",
    pattern=r".{32,}",
    allowed="32 characters or more",
    meaning="Keys stored session hashes, so that a stolen database resists a dictionary",
    shown="none",
)
IDENTITY_SECRET = env.text(
    "IDENTITY_SECRET",
    pattern=r".{32,}",
    allowed="32 characters or more",
    meaning="Key of sessionSignature, shared with your website's backend",
    shown="none",
)
IDENTITY_VERIFICATION = env.choice(
    "IDENTITY_VERIFICATION",
    options=("off", "required"),
    default="off",
    meaning="Whether every webchat call must carry a sessionSignature",
)
CRM_RESPONSE_FIELDS = env.listing(
    "CRM_RESPONSE_FIELDS",
    default="email,firstName,tier,previousTickets",
    pattern=r"email|firstName|tier|previousTickets",
    allowed="any of email, firstName, tier, previousTickets",
    meaning="CRM attributes shown to the page; `none` of them: write a lone comma",
)
INIT_RATE = env.text(
    "INIT_RATE",
    default="60/min",
    pattern=r"[1-9]\d{0,6}/(s|sec|second|m|min|minute|h|hour|d|day)",
    allowed="N/s, N/min, N/hour or N/day",
    meaning="Webchat calls one client address may make",
)
MAX_IN_FLIGHT = env.integer(
    "MAX_IN_FLIGHT",
    default=2000,
    low=1,
    high=100_000,
    meaning="Inits worked on at once in one process; beyond it 503 at once",
)
RETENTION_DAYS = env.optional_integer(
    "RETENTION_DAYS",
    low=1,
    high=36_500,
    meaning="Creations older than this are erased; none: never",
)
ADMIN_MFA = env.choice(
    "ADMIN_MFA",
    options=("optional", "required"),
    default="optional",
    meaning="Whether staff must sign in with a one-time code",
)

# --- The audit log ------------------------------------------------------------------------------

AUDIT_SIGNING_KEY = env.text(
    "AUDIT_SIGNING_KEY",
    pattern=r"[0-9a-fA-F]{64}",
    allowed="64 hex digits",
    meaning="Ed25519 seed that signs seals and receipts: `openssl rand -hex 32`",
)
AUDIT_VERIFY_KEYS = env.listing(
    "AUDIT_VERIFY_KEYS",
    pattern=r"[0-9a-fA-F]{64}",
    allowed="public keys, each 64 hex digits",
    meaning="Earlier public keys, after a change of AUDIT_SIGNING_KEY",
)
_database_file = Path(str(DATABASES["default"]["NAME"]))
_is_sqlite = DATABASES["default"]["ENGINE"].endswith("sqlite3")
AUDIT_ANCHORS = Path(
    env.text(
        "AUDIT_ANCHORS",
        default=str((_database_file.parent if _is_sqlite else VAR_DIR) / "audit-anchors.jsonl"),
        shown="audit-anchors.jsonl beside the SQLite file, else in var/",
        allowed="a path",
        meaning="File outside the database to which each seal is also written",
    )
)

# --- Django, wired ------------------------------------------------------------------------------

INSTALLED_APPS = [
    "guestportal",
    "provisioning",
    "crm",
    "audit",
    "backoffice",
    "guestportal.desk.apps.SiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "corsheaders",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    # Before everything: a probe comes by address and over plain http.
    "guestportal.watch.health.ProbeMiddleware",
    # Around the CORS middleware, which answers preflights itself.
    "guestportal.api.middleware.RequestIdMiddleware",
    # Before the rest, so that whatever it answers, errors too, carries the CORS headers.
    "corsheaders.middleware.CorsMiddleware",
    "guestportal.api.middleware.ApiMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "guestportal.api.middleware.WebchatMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "audit.staff.StaffMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "guestportal.urls"
WSGI_APPLICATION = "guestportal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
# Five wrong passwords close a name for a quarter of an hour. By name, not by address: behind a
# proxy everybody has one. None of it is in the audit log, which a robot must not be able to fill.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = ["username"]
SILENCED_SYSTEM_CHECKS = ["axes.W006"]  # it asks for the address
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "admin/locked_out.html"
AXES_ENABLE_ACCESS_FAILURE_LOG = AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
OTP_TOTP_ISSUER = "guestportal"
OTP_ADMIN_HIDE_SENSITIVE_DATA = True
OTP_TOTP_THROTTLE_FACTOR = 1
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    }
}
WHITENOISE_USE_FINDERS = DEBUG
# webchat.js is another origin's to load, and its version is in its name.
WHITENOISE_ALLOW_ALL_ORIGINS = True
WHITENOISE_IMMUTABLE_FILE_TEST = r"\.[0-9a-f]{12}\.|/webchat-\d+\.\d+\.\d+\."

SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_HSTS_SECONDS > 0
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
X_FRAME_OPTIONS = "DENY"
# Staff who leave their desk are signed out after half an hour without a request.
SESSION_COOKIE_AGE = 30 * 60
SESSION_SAVE_EVERY_REQUEST = SESSION_EXPIRE_AT_BROWSER_CLOSE = True
# One policy for admin, demo page and API docs: nothing inline, nothing from elsewhere.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}

CORS_URLS_REGEX = r"^/api/(?!crm/)"  # the sync API is no business of a page
CORS_ALLOW_METHODS = ("GET", "POST", "OPTIONS")
CORS_ALLOW_HEADERS = ("accept", "content-type", "idempotency-key", "prefer", "x-request-id")
CORS_EXPOSE_HEADERS = ("Retry-After", "Location", "X-Request-ID")
CORS_ALLOW_CREDENTIALS = False

REST_FRAMEWORK = {
    # Deny by default: a view says who may call it, or nobody without a login may.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["guestportal.api.parser.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["guestportal.api.throttle.WebchatThrottle"],
    "EXCEPTION_HANDLER": "guestportal.api.errors.exception_handler",
    "NUM_PROXIES": NUM_PROXIES,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
    # No ?format=, and no OPTIONS that tells every caller our docstrings.
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_METADATA_CLASS": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

# A message is acknowledged when its work is done; one whose worker died is delivered again and
# finds its row taken (`provisioning.init.queued`). No result is kept: the row is the result.
CELERY_TASK_DEFAULT_QUEUE = "guestportal"
CELERY_TASK_ACKS_LATE = CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_CONCURRENCY = 16
CELERY_WORKER_CONSUMER = "guestportal.serving.worker:PatientConsumer"
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker for ever
CELERY_BROKER_HEARTBEAT = 10
# A publish waits for the broker's word that the message is safe.
CELERY_BROKER_TRANSPORT_OPTIONS = {"confirm_publish": True}
# One more try at once: a pooled connection may be from before the broker's restart.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0}

SPECTACULAR_SETTINGS = {
    "TITLE": "guestportal",
    "DESCRIPTION": "Turns an anonymous browser session into a Genesys Cloud guest.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": r"/api/",
    "SORT_OPERATIONS": False,  # in the order of the addresses: init comes first
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "guestportal.api.schema.describe_refusals",
    ],
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "guestportal.watch.logs.JsonFormatter"}},
    "filters": {"bugs": {"()": "guestportal.watch.logs.BugsOnly"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        # Its DEBUG lines quote every parameter, session hashes and addresses among them.
        "django.db.backends": {"level": "INFO"},
        # A line for each 4xx or 503 adds nothing to what the client was told; a traceback does.
        "django.request": {"filters": ["bugs"]},
        # Its warnings quote a hostile header, with a traceback.
        "urllib3": {"level": "ERROR"},
        # A line for each sign-in, right or wrong; what matters is in the audit log.
        "axes": {"level": "ERROR"},
    },
}
