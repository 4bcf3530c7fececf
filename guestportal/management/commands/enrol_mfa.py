"""Give a member of staff a one-time code."""

import io
from typing import Any

import qrcode
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django_otp.plugins.otp_totp.models import TOTPDevice


class Command(BaseCommand):
    help = (
        "Enrols USER for one-time codes (TOTP, RFC 6238) and prints the otpauth address with its "
        "QR code, once: who sees it can make the codes. Changes nothing for a user who is "
        "enrolled, unless --replace is given, which ends the earlier device."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", metavar="USER")
        parser.add_argument("--replace", action="store_true", help="end the earlier device")

    @transaction.atomic
    def handle(self, *args: Any, user: str, replace: bool, **options: Any) -> None:
        found = get_user_model().objects.filter(username=user).first()
        if found is None:
            raise CommandError(f"there is no user {user}")
        earlier = TOTPDevice.objects.filter(user=found)
        if earlier.exists() and not replace:
            self.stdout.write(f"{user} is enrolled already; --replace ends the earlier device")
            return
        earlier.delete()
        device = TOTPDevice.objects.create(user=found, name="authenticator", confirmed=True)
        self.stdout.write(f"Scan this with an authenticator app:\n\n{device.config_url}\n")
        code = qrcode.QRCode(border=2)
        code.add_data(device.config_url)
        drawn = io.StringIO()  # Django's stdout would end a line after every character
        code.print_ascii(out=drawn)
        self.stdout.write(drawn.getvalue())
