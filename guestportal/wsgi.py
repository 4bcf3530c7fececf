"""The WSGI door."""

import os

from django.core.wsgi import get_wsgi_application

from guestportal.api.body import with_length

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guestportal.settings")

application = with_length(get_wsgi_application())
