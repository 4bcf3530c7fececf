"""Which Python the figures were made with."""

import os
import platform
import sys
import sysconfig
from datetime import UTC, datetime
from pathlib import Path


def heading() -> str:
    """Return what stands above every measurement: when, on what, with which interpreter."""
    today = datetime.now(UTC).date().isoformat()
    cores, load = os.cpu_count(), os.getloadavg()[0]
    return f"{today}, {platform.machine()}, {cores} cores, load before {load:.1f}; {interpreter()}"


def interpreter() -> str:
    """Return the implementation, the version, and whether its build was profile-guided."""
    name = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{name} ({_program()}), {'profile-guided' if guided() else 'plain'} build"


def guided() -> bool:
    """Tell whether it was built with profile-guided optimisation.

    Debian's packages are, by `make profile-opt`, which leaves no trace in the build's own words.
    """
    arguments = sysconfig.get_config_var("CONFIG_ARGS") or ""
    distributions = Path("/etc/debian_version").exists() and sys.base_prefix == "/usr"
    return "--enable-optimizations" in arguments or distributions


def _program() -> str:
    return os.path.realpath(sys.executable)
