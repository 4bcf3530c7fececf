"""The command line, shared by `manage.py genesys_sandbox` and `python -m`."""

import argparse
import asyncio
from pathlib import Path

import sandbox
from sandbox.faults import Fault, FaultScriptError, parse_script
from sandbox.oauth import OAuthRules
from sandbox.platform import Platform, PlatformRules
from sandbox.server import serve
from sandbox.service import Service

SUMMARY = "Run a stand-in for the platform on loopback. Changes nothing: all it knows is in memory."
EPILOG = sandbox.__doc__ or ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sandbox's options."""
    add = parser.add_argument
    add("--port", type=_port, default=0, metavar="N", help="default 0: a free one")
    add("--latency-ms", type=_whole, default=0, metavar="N", help="wait before each answer")
    add(
        "--rate-per-minute",
        type=_whole,
        default=0,
        metavar="N",
        help="API calls one OAuth client may make, in bursts of max(2, N/60); the platform grants "
        "300. Default 0: no limit",
    )
    add("--faults", type=_faults, default=(), metavar="FILE", help="JSON fault script, see below")
    add("--guests-path", default=PlatformRules.guests_path, metavar="PATH", help="%(default)s")
    add("--client-id", metavar="ID", help="the only one accepted; default: any")
    add("--client-secret", metavar="SECRET", help="the only one accepted; default: any")
    add(
        "--grant-scopes",
        metavar="SCOPES",
        help="space-separated scopes that the client may have; default: what it asks for",
    )
    add(
        "--token-seconds",
        type=_whole,
        default=OAuthRules.lifetime,
        metavar="N",
        help="lifetime of an access token, %(default)s",
    )
    add("--refuse-declined", action="store_true", help="answer 403 to guests without consent")


def run(options: argparse.Namespace) -> None:
    """Serve as the options say until SIGINT or SIGTERM.

    Raises:
        OSError: the port is taken.
    """
    scopes = options.grant_scopes
    oauth = OAuthRules(
        client_id=options.client_id,
        client_secret=options.client_secret,
        grantable=None if scopes is None else tuple(scopes.split()),
        lifetime=options.token_seconds,
    )
    rules = PlatformRules(
        oauth=oauth,
        guests_path=options.guests_path,
        rate_per_minute=options.rate_per_minute,
        refuse_declined=options.refuse_declined,
    )
    service = Service(
        platform=Platform(rules=rules),
        latency=options.latency_ms / 1000,
        faults=options.faults,
    )
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
        return parse_script(text=Path(path).read_bytes())
    except (OSError, FaultScriptError) as exc:
        raise argparse.ArgumentTypeError(f"{path}: {exc}") from exc
