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
    """
    if base is None:
        home = os.environ.get("XDG_STATE_HOME")
        base = Path(home) if home else Path.home() / ".local" / "state"
        base /= "cld-user-groups"
    return base / quote(account_id, safe="").replace(".", "%2E")


def make_private(directory: Path) -> None:
    """Create a directory that only its owner can read, and those above it.

    Args:
        directory: The directory.

    Raises:
        OSError: It cannot be created.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
