"""The command line, shared by `manage.py genesys_sandbox` and `python -m`."""

import argparse
import asyncio
from pathlib import Path

import sandbox
from sandbox.faults import Fault, InvalidFaultScript, parse_script
from sandbox.guest_api.guests import GuestApi
from sandbox.messenger.messenger import Messenger
from sandbox.platforms import Platform, Platforms, endpoints
from sandbox.server import serve
from sandbox.service import Service

PLATFORMS: tuple[type[Platform], ...] = (GuestApi, Messenger)
SUMMARY = "Run a stand-in for the platform on loopback. Changes nothing: all it knows is in memory."
EPILOG = sandbox.__doc__ or ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sandbox's options, then each platform's."""
    add = parser.add_argument
    add("--port", type=_port, default=0, metavar="N", help="default 0: a free one")
    add("--latency-ms", type=_whole, default=0, metavar="N", help="wait before each answer")
    rate = (
        "API calls one OAuth client may make, in bursts of max(2, N/60); the platform grants 300. "
        "Default 0: no limit"
    )
    add("--rate-per-minute", type=_whole, default=0, metavar="N", help=rate)
    burst = "bursts of so many calls instead; the platform itself counts by the minute"
    add("--burst", type=_whole, default=0, metavar="N", help=burst)
    add("--faults", type=_faults, default=(), metavar="FILE", help="JSON fault script, see below")
    add("--client-id", metavar="ID", help="the only one accepted; default: any")
    add("--client-secret", metavar="SECRET", help="the only one accepted; default: any")
    scopes = "space-separated scopes that the client may have; default: what it asks for"
    add("--grant-scopes", type=str.split, metavar="SCOPES", help=scopes)
    lifetime = "lifetime of an access token, %(default)s"
    add("--token-seconds", type=_whole, default=3600, metavar="N", help=lifetime)
    for platform in PLATFORMS:
        platform.add_arguments(add=add)


def run(options: argparse.Namespace) -> None:
    """Serve as the options say until SIGINT or SIGTERM. Raises OSError where the port is taken."""
    platforms = Platforms(platforms=PLATFORMS, options=options)
    latency = options.latency_ms / 1000
    service = Service(platforms=platforms, latency=latency, faults=options.faults)
    asyncio.run(serve(service=service, port=options.port, announce=_announce))


def _announce(address: str) -> None:
    """Tell a parent process where to go; it reads this line."""
    print(f"genesys sandbox on {address}", flush=True)  # noqa: T201


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError("a whole number from 0")
    return int(text)


def _port(text: str) -> int:
    if (port := _whole(text)) > 65535:
        raise argparse.ArgumentTypeError("a port from 0 to 65535")
    return port


def _faults(path: str) -> tuple[Fault, ...]:
    try:
        return parse_script(text=Path(path).read_bytes(), endpoints=endpoints(platforms=PLATFORMS))
    except (OSError, InvalidFaultScript) as exc:
        raise argparse.ArgumentTypeError(f"{path}: {exc}") from exc
