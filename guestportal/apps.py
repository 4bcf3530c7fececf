from django.apps import AppConfig
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save


class GuestportalConfig(AppConfig):
    name = "guestportal"

    def ready(self) -> None:
        from guestportal import checks  # noqa: F401  (registers the system checks)

        if settings.CELERY_BROKER_URL:  # without a broker nobody pays for the import
            from guestportal import celery  # noqa: F401  (the app that tasks belong to)

        _audit_the_staff()


def _audit_the_staff() -> None:
    from django.contrib.auth.models import Group, User

    from guestportal import staff

    user_logged_in.connect(staff.record_login)
    for roles in (User.groups, User.user_permissions, Group.permissions):
        m2m_changed.connect(staff.record_roles, sender=roles.through)
    pre_save.connect(staff.remember_flags, sender=User)
    post_save.connect(staff.record_flags, sender=User)
    for model in (User, Group):
        post_delete.connect(staff.record_deletion, sender=model)
