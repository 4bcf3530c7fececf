"""Files that are for their owner alone to read, whatever the umask."""

import os

# For open()'s `opener`: a file that is new is made so, one that is there is left as it is.
OWNER_ONLY = 0o600
FOLDER_OWNER_ONLY = 0o700


def private(path: str, flags: int) -> int:
    """Open `path` as `open` asks for; to be its `opener`. Raises OSError."""
    return os.open(path, flags, OWNER_ONLY)
