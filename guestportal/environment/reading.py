"""Read the settings that `guestportal.config` declares, and refuse what is wrong by name."""

import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from guestportal.environment import dotenv
from guestportal.environment.kinds import Kind

# What a file of ours may also hold: of the demo, and what chooses file and settings.
_ALSO_OURS = frozenset({"ENV_FILE", "DJANGO_SETTINGS_MODULE", "PYTHONUTF8", "DEMO_PASSWORD"})


@dataclass(frozen=True)
class Setting:
    """One setting of the environment.

    `default` is written as in ``.env``. Where it depends on other settings, `computed` makes it
    from those declared before, and `default` is what the settings page says of it.
    """

    name: str
    kind: Kind
    meaning: str
    default: str = ""
    computed: Callable[[SimpleNamespace], str] | None = None


def read_dotenv(default: Path, *, ours: Collection[str]) -> tuple[str, ...]:
    """Load ``.env`` into the environment, which wins; return the names in it that are not ours.

    The file is `default` if it exists, or the one that ENV_FILE names, which must: a typo would
    mean other settings, in silence. Raises ImproperlyConfigured.
    """
    named = os.environ.get("ENV_FILE")
    path = Path(named) if named else default
    if not os.path.lexists(path):  # a link to nowhere is a file that cannot be read
        if named:
            raise ImproperlyConfigured("ENV_FILE names no file.")
        return ()
    found = dotenv.read(path, ours=_ALSO_OURS.union(ours))
    for name, value in found.values.items():
        os.environ.setdefault(name, value)
    return found.unknown


def read(settings: Iterable[Setting]) -> SimpleNamespace:
    """Return the value of each setting under its name.

    Raises ImproperlyConfigured, which names each that is wrong, a line for each.
    """
    values, wrong = SimpleNamespace(), []
    for setting in settings:
        try:
            value = _value(setting, values, os.environ.get(setting.name, ""))
        except ImproperlyConfigured as exc:
            wrong.append(exc)
            value = _value(setting, values, "")  # for those that are computed from it
        setattr(values, setting.name, value)
    if wrong:
        raise ImproperlyConfigured("\n".join(map(str, wrong))) from wrong[0]
    return values


def _value(setting: Setting, earlier: SimpleNamespace, value: str) -> Any:
    if not value:  # an empty value counts as an absent one
        value = setting.computed(earlier) if setting.computed else setting.default
    try:
        value.encode()  # a byte that is no UTF-8 would break whoever sends or hashes it
        return setting.kind.parse(value)
    except (ValueError, KeyError, OSError, ImproperlyConfigured) as exc:
        raise ImproperlyConfigured(f"{setting.name} {setting.kind.refusal}.") from exc
