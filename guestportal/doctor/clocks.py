"""This machine's clock beside that of another."""

from guestportal.doctor.findings import FAULT, OK, WARNING, Finding

# One-time codes live 30 seconds (RFC 6238), signed times must not be taken for forged ones.
FAULT_SECONDS = 30.0
WARNING_SECONDS = 2.0


def compared(*, whose: str, theirs: float, between: tuple[float, float]) -> Finding:
    """Return how far `theirs`, seconds since 1970, is from our own when it was asked for.

    `between`: our own before and after. What the way took is nobody's fault.
    """
    earliest, latest = between
    apart = max(earliest - theirs, theirs - latest, 0.0)
    name = f"clock of the {whose}"
    if apart <= WARNING_SECONDS:
        return Finding(name, OK, "is ours")
    state = FAULT if apart > FAULT_SECONDS else WARNING
    said = f"is {apart:,.0f} seconds {'behind' if theirs < earliest else 'ahead of'} ours"
    return Finding(
        name, state, said, "Run NTP on both machines (timedatectl says whether it does)."
    )
