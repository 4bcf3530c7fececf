"""One thing that was looked at: how it is, in a sentence, and what to do about it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a thing is. A fault keeps the service from what it promises; a warning is unwise."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"
    NOT_CHECKED = "not checked"


OK, WARNING, FAULT, NOT_CHECKED = State


@dataclass(frozen=True)
class Finding:
    """`said` is one sentence and holds no secret; `remedy` a command, a setting or a page."""

    name: str
    state: State
    said: str
    remedy: str = ""

    @property
    def calls_for_work(self) -> bool:
        """Whether somebody has something to do."""
        return self.state in (WARNING, FAULT)


@dataclass(frozen=True)
class Check:
    """Looks at things that belong together, within `seconds`.

    `needs`: the finding without which there is nothing to look at.
    """

    name: str
    look: Callable[[], Iterable[Finding]]
    needs: str = ""
    seconds: float = 10
