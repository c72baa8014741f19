"""Where the journals and the lock of an account are kept on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote


def state_directory(account_id: str, base: Path | None = None) -> Path:
    """Return the directory of an account's journals and lock; it may not exist yet.

    Args:
        account_id: The account.
        base: The directory of all accounts. Default: `cld-user-groups` in XDG_STATE_HOME, else in
            `~/.local/state`.

    Raises:
        ValueError: This user has no home directory, and XDG_STATE_HOME is not set.
    """
    if base is None:
        home = os.environ.get("XDG_STATE_HOME")
        base = Path(home) if home else _home() / ".local" / "state"
        base /= "cld-user-groups"
    return base / quote(account_id, safe="").replace(".", "%2E")


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # in a container whose user has no entry in its passwd, for one
        message = "this user has no home directory for the journals: set XDG_STATE_HOME"
        raise ValueError(message) from None


def make_private(directory: Path) -> None:
    """Create a directory that only its owner can read, and those above it.

    Args:
        directory: The directory.

    Raises:
        OSError: It cannot be created.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def unwritable(error: OSError) -> OSError:
    """Return what to raise where something cannot be written there: the error, and what to do.

    Args:
        error: What the operating system says.
    """
    way_out = "let this user write there, or set XDG_STATE_HOME to another directory"
    return OSError(error.errno, f"{error.strerror or error}; {way_out}", error.filename)
