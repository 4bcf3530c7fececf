"""One mail by SMTP, within a bound time, and whether it may have arrived if that fails.

As for the platform (docs/decisions/0014): what may have arrived is told by the phase the delivery
was in, never by an exception. Neither an address nor the server's answer gets into an error: both
may name a person.
"""

import smtplib
import threading
from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

# EMAIL_TIMEOUT bounds each wait for a byte; this bounds them all together. Sealing waits meanwhile.
DELIVER_SECONDS = 20.0


class NotDelivered(OSError):
    """The server did not take the mail. `may_have_arrived`: it may have, and did not say so."""

    def __init__(self, reason: str, *, may_have_arrived: bool) -> None:
        doubt = "; it may have arrived, and is not sent again" if may_have_arrived else ""
        super().__init__(f"the mail server did not take the mail: {reason}{doubt}")
        self.may_have_arrived = may_have_arrived


def deliver(*, subject: str, text: str, to: Sequence[str]) -> None:
    """Send one mail from ``EMAIL_FROM`` to all of `to`. Raises NotDelivered."""
    delivery = _Delivery(subject, text, to)
    # Resolving a name, or a server that sends a byte now and then, cannot be bounded otherwise.
    thread = threading.Thread(target=delivery.run, name="mail", daemon=True)
    thread.start()
    thread.join(DELIVER_SECONDS)
    delivery.finish()


class _Delivery:
    """A delivery under way, between the thread that makes it and the one that waits."""

    def __init__(self, subject: str, text: str, to: Sequence[str]) -> None:
        self._content = (subject, text, settings.EMAIL_FROM, list(to))
        self._lock = threading.Lock()
        self._sending = self._done = self._given_up = False
        self._failure = ""

    def run(self) -> None:
        """Connect, sign in, send."""
        try:
            server = get_connection()
            server.open()
            try:
                if self._begin():
                    headers = {"Auto-Submitted": "auto-generated"}  # RFC 3834: nobody is away
                    mail = EmailMessage(*self._content, connection=server, headers=headers)
                    server.send_messages([mail])
                    self._done = True
            finally:
                server.close()
        except smtplib.SMTPRecipientsRefused:  # before the content was sent
            self._refuse("it refused every recipient")
        except smtplib.SMTPResponseException as exc:
            self._answered(exc.smtp_code)
        except Exception as exc:  # noqa: BLE001  (whatever a server provokes)
            self._failure = type(exc).__name__

    def finish(self) -> None:
        """Keep the mail from being sent from now on. Raises NotDelivered where it was not."""
        with self._lock:
            self._given_up = True
            if not self._done:
                reason = self._failure or f"nothing within {DELIVER_SECONDS:.0f} seconds"
                raise NotDelivered(reason, may_have_arrived=self._sending)

    def _begin(self) -> bool:
        with self._lock:
            self._sending = not self._given_up
            return self._sending

    def _answered(self, code: int) -> None:
        if 400 <= code < 600:  # RFC 5321, 4.2.1: it said no, so it has not
            self._refuse(f"it answered {code}")
        else:
            self._failure = "what it answered is no SMTP"

    def _refuse(self, answer: str) -> None:
        with self._lock:
            self._failure, self._sending = answer, False
