"""Whether a file outside the database can be written, and outlives the machine's next start."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

FSTAB, MOUNTS = Path("/etc/fstab"), Path("/proc/self/mounts")
_IN_MEMORY = {"tmpfs", "ramfs", "devtmpfs"}


def unfit(*, path: Path) -> str:
    """Return why no line can be written there, or none that stays; empty where one can."""
    folder = path.parent
    if not folder.is_dir():
        return f"the folder {folder} is gone"
    if point := _not_mounted(folder):
        return f"{point} is in fstab and not mounted"
    if _file_system(folder) in _IN_MEMORY:
        return f"{folder} is in memory, and gone with the next start of the machine"
    if not os.access(path if path.exists() else folder, os.W_OK):
        return f"{path} may not be written by this user"
    return ""


def owner_root_stands_for(*, path: Path) -> str:
    """Return whose folder holds `path` where we are root and it is not ours; else nothing.

    Root may write everywhere, and what root makes its owner may not write.
    """
    if os.geteuid() != 0 or not path.parent.is_dir():
        return ""
    owner = path.parent.stat().st_uid
    if owner == 0:
        return ""
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        return str(owner)


def _not_mounted(folder: Path) -> str:
    """Return the place above `folder` where fstab has a disk and the machine has none."""
    points = [Path(fields[1]) for fields in _lines(FSTAB) if fields[1].startswith("/")]
    above = [point for point in points if folder.is_relative_to(point)]
    return next((str(point) for point in above if not point.is_mount()), "")


def _file_system(folder: Path) -> str:
    """Return the kind of file system that holds `folder`, empty where nobody says."""
    real = folder.resolve()
    held = [fields for fields in _lines(MOUNTS) if real.is_relative_to(fields[1])]
    return max(held, key=lambda fields: len(fields[1]), default=["", "", ""])[2]


def _lines(table: Path) -> Iterator[list[str]]:
    """Yield the fields of each line: device, place, kind (fstab(5), proc(5))."""
    try:
        text = table.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        fields = [field.replace("\\040", " ") for field in line.split()]
        if len(fields) >= 3 and not fields[0].startswith("#"):
            yield fields
