from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.sync.tokens import issue_token


class Command(BaseCommand):
    help = (
        "Issues a token of the CRM sync API (/api/crm/) for an existing, active user and prints it,"
        " once: only its hash is stored. It may do what the user's model permissions allow, such as"
        " those of the group CRM administrator, and ends when it is replaced, deleted in the admin,"
        " or its user is deactivated."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", metavar="USER", help="user name")
        parser.add_argument(
            "--replace", action="store_true", help="end every earlier token of this user"
        )

    def handle(self, *args: Any, user: str, replace: bool, **options: Any) -> None:
        users = get_user_model()
        account = users.objects.filter(**{users.USERNAME_FIELD: user}, is_active=True).first()
        if account is None:
            raise CommandError(f"There is no active user {user}; add one in the admin.")
        self.stdout.write(issue_token(user=account, replace=replace))
