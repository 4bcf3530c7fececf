"""Let a member of staff sign in again after too many wrong passwords."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from guestportal.desk.unlocking import unlock


class Command(BaseCommand):
    help = (
        "Opens sign-in again under the name of USER, which five wrong passwords close for a quarter"
        " of an hour. It holds in every process at once, with Redis or without. Changes neither"
        " password nor rights; safe to run again. The audit log says so."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", metavar="USER")

    def handle(self, *args: Any, user: str, **options: Any) -> None:
        found = User.objects.filter(username=user).first()
        if found is None:
            raise CommandError(f"there is no user {user}")
        unlock(user=found)
        self.stdout.write(f"{user} can sign in again")
