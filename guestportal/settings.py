"""What Django reads: the settings declared in `guestportal.config`, and what follows from them."""

from datetime import timedelta

from guestportal import config
from guestportal.environment import reading
from guestportal.stores import urls

BASE_DIR, VAR_DIR = config.BASE_DIR, config.VAR_DIR
DOTENV_UNKNOWN = reading.read_dotenv(BASE_DIR / ".env", ours=config.SETTINGS)
values = reading.read(config.SETTINGS.values())
globals().update(vars(values))  # each is a setting of Django's, under its own name
GENESYS_PLATFORMS = config.GENESYS_PLATFORMS
SECRET_KEY: str = values.SECRET_KEY  # django-stubs would have it str or bytes

DATABASES = {"default": values.DATABASE_URL}
CACHES = {"default": values.CACHE_URL}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
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
    "guestportal.api.middleware.ProbeMiddleware",
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
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    # Whoever is signed out by it is a stranger to all that follow.
    "guestportal.signin.recheck.RecheckMiddleware",
    # Once it is known who asks, and before the form is read to check its CSRF token.
    "guestportal.desk.strangers.StrangersMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
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
PASSWORD_HASHERS = [
    f"guestportal.desk.hashers.{name}" for name in ("Pbkdf2", "Pbkdf2Sha1", "Scrypt")
]
# Five wrong passwords close a name for a quarter of an hour, counted in the cache: a robot must not
# be able to fill a table, nor the audit log. Addresses: `guestportal.desk.strangers`; unlocking:
# `guestportal.desk.unlocking`.
AXES_HANDLER = "axes.handlers.cache.AxesCacheHandler"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = ["username"]
AXES_USERNAME_CALLABLE = "guestportal.desk.unlocking.counted_name"
# The first asks for the address, the second for HSTS with `preload` (below).
SILENCED_SYSTEM_CHECKS = ["axes.W006", "security.W021"]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_TEMPLATE = "admin/locked_out.html"
AXES_ENABLE_ACCESS_FAILURE_LOG = AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
OTP_TOTP_ISSUER = "guestportal"
OTP_ADMIN_HIDE_SENSITIVE_DATA = True
OTP_TOTP_THROTTLE_FACTOR = 1
# An upload comes in through memory, for those who are signed in, one file in a form.
FILE_UPLOAD_HANDLERS = ["crm.imports.uploads.InMemory"]
DATA_UPLOAD_MAX_NUMBER_FILES = 1
if values.EMAIL_URL:
    globals().update(values.EMAIL_URL)  # EMAIL_HOST and its like
EMAIL_TIMEOUT = 10
LANGUAGE_CODE = "en"
# Of staff pages alone (`desk.site`): a process in another zone than UTC would write logs in it.
STAFF_TIME_ZONE = values.TIME_ZONE
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = "guestportal"
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if values.DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    }
}
WHITENOISE_USE_FINDERS = values.DEBUG
# webchat.js is another origin's to load, and its version is in its name.
WHITENOISE_ALLOW_ALL_ORIGINS = True
WHITENOISE_IMMUTABLE_FILE_TEST = r"\.[0-9a-f]{12}\.|/webchat-\d+\.\d+\.\d+\."

SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^metrics$"]
# For the names below our own too: one over plain http could set our cookies. But no `preload`: it
# asks browsers' makers to put the whole domain, which is not ours to give, on a list for years.
SECURE_HSTS_INCLUDE_SUBDOMAINS = values.SECURE_HSTS_SECONDS > 0
CSRF_FAILURE_VIEW = "guestportal.desk.error_pages.forged"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not values.DEBUG
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
CORS_EXPOSE_HEADERS = ("Date", "Retry-After", "Location", "X-Request-ID")
CORS_ALLOW_CREDENTIALS = False

REST_FRAMEWORK = {
    # Deny by default: a view says who may call it, or nobody without a login may.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["guestportal.api.parser.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "guestportal.api.negotiation.Negotiation",
    "EXCEPTION_HANDLER": "guestportal.api.errors.exception_handler",
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
CELERY_BROKER_TRANSPORT = urls.broker_transport(values.CELERY_BROKER_URL)
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
    "root": {"handlers": ["stderr"], "level": values.LOG_LEVEL},
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
