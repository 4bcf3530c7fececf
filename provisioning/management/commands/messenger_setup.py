"""`manage.py messenger_setup`: what an organisation needs before the first visitor."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from crm import changes
from crm.models import AttributeMapping
from provisioning import mappings
from provisioning.genesys.checking import described
from provisioning.genesys.errors import PlatformError
from provisioning.genesys.messenger.setup import Setup
from provisioning.genesys.platform import get_platform

_NEEDED = ("MESSENGER_DOMAIN", "GENESYS_CLIENT_ID", "GENESYS_CLIENT_SECRET")


class Command(BaseCommand):
    help = (
        "Says what is missing on the platform: external source, contact schema, its fields for"
        " consent and mappings. With --apply makes it, and says which settings to set. Once they"
        " are set, --apply replaces mappings that are just those another platform ships, which is"
        " all it does on another platform than `messenger`. A second run changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--apply", action="store_true", help="do it; else nothing is changed")

    def handle(self, *args: Any, **options: Any) -> None:
        apply: bool = options["apply"]
        try:
            planned, to_replace = mappings.planned()
        except Error as exc:
            raise CommandError("the attribute mappings cannot be read: migrate first") from exc
        unset = self._set_up(_targets(planned), apply)
        if unset:
            again = ", run this command again" if to_replace else ""
            self.stdout.write(f"\nSet these{again}, then restart the service:")
        for name, value in unset.items():
            self.stdout.write(f"{name}={value}")
        if to_replace:
            self._replace(_targets(planned), apply and not unset)
        else:
            self._name_what_is_left_out()
        if not apply:
            self.stdout.write("\nNothing was changed: --apply does it.")

    def _set_up(self, mapped: Sequence[str], apply: bool) -> Mapping[str, str]:
        """Set the organisation up and return the settings that the service lacks."""
        if settings.GENESYS_PLATFORM != "messenger":
            self.stdout.write(f"GENESYS_PLATFORM is {settings.GENESYS_PLATFORM}: it needs no more.")
            return {}
        if missing := [name for name in _NEEDED if not getattr(settings, name)]:
            raise CommandError(f"{', '.join(missing)}: not set.")
        setup = Setup(get_platform().calls, apply=apply)
        try:
            self.stdout.write(setup.source())
            self.stdout.write(setup.schema(mapped=mapped))
        except PlatformError as exc:
            raise CommandError(described(error=exc)) from exc
        return {
            name: value
            for name, value in setup.settings.items()
            if str(getattr(settings, name)) != value
        }

    def _replace(self, planned: Iterable[str], now: bool) -> None:
        stored = ", ".join(_targets(changes.stored_mappings()))
        if now:
            mappings.replace_by_shipped(actor="system")
        done = "are replaced" if now else "will be replaced"
        self.stdout.write(f"The mappings {stored} {done} by {', '.join(planned)}.")

    def _name_what_is_left_out(self) -> None:
        stored = AttributeMapping.objects.all()
        for target, reason in mappings.left_out(mappings=stored).items():
            self.stdout.write(f"The mapping {target} is never sent. {reason}")


def _targets(planned: Iterable[Mapping[str, Any]]) -> list[str]:
    return [mapping["target"] for mapping in planned]
