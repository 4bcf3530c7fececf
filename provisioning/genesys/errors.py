"""What can go wrong with the platform.

    PlatformError
    ├── Rejected       the platform will not have this request (4xx)
    ├── Refused        the platform will not have this guest (400, 403 or 422 on the guest itself)
    ├── Credentials    it will not have us: wrong client, inactive account, missing scope
    ├── Protocol       it answered nonsense
    ├── Busy           a rate limit, its or ours
    ├── Unavailable    no connection, 5xx, or the gate is closed
    └── TimedOut       the deadline or the read timeout passed

No message holds a body, a token or an address. What a reviewer needs to ask the vendor (status,
code, correlation id) are attributes.
"""


class PlatformError(Exception):
    """The platform did not do what we asked.

    `arrived`: the request may have been acted on, so a guest may exist.
    `sent`: what is known of the visitor went out, whatever came of it.
    `retry_after`: seconds after which another try makes sense, where known.
    `status`, `platform_code`, `correlation_id`: what the platform said of it.
    `code`: our stable name for this kind of failure.
    `remedy`: what an operator can do, where known.
    """

    code = "platform_unavailable"

    def __init__(
        self,
        message: str,
        *,
        arrived: bool = False,
        retry_after: float | None = None,
        status: int | None = None,
        platform_code: str = "",
        correlation_id: str = "",
        remedy: str = "",
    ) -> None:
        super().__init__(message)
        self.arrived = arrived
        self.sent = False
        self.retry_after = retry_after
        self.status = status
        self.platform_code = platform_code
        self.correlation_id = correlation_id
        self.remedy = remedy


class Rejected(PlatformError):
    """A 4xx that no repetition will cure."""

    code = "platform_rejected"


class Refused(Rejected):
    """A 400, 403 or 422 on the guest itself (a 403 that names a scope is `Credentials`)."""


class Credentials(PlatformError):
    """Our client id, secret, account or scopes are not accepted."""

    code = "platform_credentials"


class Protocol(PlatformError):
    """An answer outside the documented shape: HTML, truncated JSON, a redirect, a hostile id."""

    code = "platform_protocol"


class Busy(PlatformError):
    """A rate limit, the platform's or our own, leaves no room before the deadline."""

    code = "platform_busy"


class Unavailable(PlatformError):
    """No connection, a 5xx, or a gate closed by those."""


class TimedOut(PlatformError):
    """The time for this init is up."""

    code = "platform_timeout"
