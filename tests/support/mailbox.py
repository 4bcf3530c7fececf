"""A mail server of one's own: what it was sent, and what it says to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from tests.support.service import free_port


@dataclass
class Mailbox:
    """A running server; `to_recipient` and `to_text` are its answers to RCPT and to the text.

    `before_answer` is called when a text is there, before it is answered.
    """

    port: int
    to_recipient: str = "250 OK"
    to_text: str = "250 OK"
    before_answer: Callable[[], object] = lambda: None
    hangs_up: bool = False
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.before_answer()
        if self.hangs_up:
            server.transport.abort()
        if self.to_text.startswith("2"):
            text = envelope.content.replace(b"\r\n", b"\n")
            mail: Any = message_from_bytes(text, policy=policy.default)
            self.mails.append(mail)
            self.recipients += envelope.rcpt_tos
        return self.to_text


@contextmanager
def mail_server(port: int = 0) -> Iterator[Mailbox]:
    """Take mails by SMTP on a loopback port."""
    controllers = pytest.importorskip("aiosmtpd.controller")
    mailbox = Mailbox(port or free_port())
    controller = controllers.Controller(mailbox, hostname="127.0.0.1", port=mailbox.port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
