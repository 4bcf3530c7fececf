"""The WSGI door."""

import os

from django.core.wsgi import get_wsgi_application

from guestportal import tracing
from guestportal.api.body import with_safe_body

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guestportal.settings")

application = with_safe_body(get_wsgi_application())
tracing.start(service="guestportal-web")
