"""What the worker runs: `celery -A guestportal.celery worker`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guestportal.settings")

app = Celery("guestportal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
