"""The settings tests run under: the product's own, fed by a fixed environment.

``DATABASE_URL``, ``CACHE_URL`` and ``CELERY_BROKER_URL`` may be given from outside, so that the
same tests run on PostgreSQL, Redis and RabbitMQ.
"""

import os

_FIXED = {
    "ENV_FILE": os.devnull,
    "SECRET_KEY": "a-key-for-tests-only-that-is-long-enough-0123456789abcdef",
    "DEBUG": "off",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "CORS_ALLOWED_ORIGINS": "https://shop.example",
    "SECURE_SSL_REDIRECT": "off",
    "GENESYS_BASE_URL": "https://platform.example",
    "GENESYS_CLIENT_ID": "test-client",
    "GENESYS_CLIENT_SECRET": "test-secret",
    "AUDIT_SIGNING_KEY": "11" * 32,
    "INIT_RATE": "100000/min",
    "GENESYS_RATE_PER_MINUTE": "0",
}
os.environ.update(_FIXED)

from guestportal.settings import *  # noqa: E402, F403
from guestportal.settings import DATABASES, STORAGES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True  # no collected files needed
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Said outright, or parallel runs would each look for a file: the engine is not Django's own.
    DATABASES["default"]["TEST"] = {"NAME": ":memory:"}
