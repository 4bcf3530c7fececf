"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from guestportal.api.body import with_safe_body
from guestportal.watch import traces

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guestportal.settings")

application = with_safe_body(get_wsgi_application())
traces.start(service="guestportal-web")
