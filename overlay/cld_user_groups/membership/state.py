"""Where this user keeps the journals and the lock of an account; how files are written."""

from __future__ import annotations

import logging
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from .problems import naming_file

_ROOT = "cld-user-groups"
_OTHERS = 0o077
_CALLS = "calls.jsonl"
_LARGEST_LOG = 4 * 1024 * 1024


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
        base /= _ROOT
    return base / quote(account_id, safe="").replace(".", "%2E")


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # in a container whose user has no entry in its passwd, for one
        message = "this user has no home directory for the journals: set XDG_STATE_HOME"
        raise ValueError(message) from None


def make_private(directory: Path) -> None:
    """Create a directory that only its owner can enter, and those above it, or make it one.

    Where it is open to others and belongs to somebody else, a warning is logged.
    """
    for missing in reversed([each for each in directory.parents if not each.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    directory.mkdir(mode=0o700, exist_ok=True)
    for each in (directory, directory.parent):
        is_ours = each == directory or each.name == _ROOT
        if is_ours and os.name != "nt" and each.stat().st_mode & _OTHERS:
            try:
                each.chmod(0o700)
            except OSError as error:
                logging.getLogger("cld_user_groups").warning(
                    "%s is open to other users, and cannot be made private: %s", each, error
                )


def write_file(path: Path, data: bytes) -> None:
    """Write a file: whole, or not at all. A link, a device or a pipe is written to.

    A new file is for its owner alone; one that exists keeps its mode.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG | 0o600
    if stat.S_ISREG(mode):
        replace_file(path, data, stat.S_IMODE(mode))
        return
    with naming_file(path):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)


def replace_file(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Put a new file in the place of another, whole or not at all, also in that of a link."""
    unfinished = path.with_name(f".{secrets.token_hex(8)}.unfinished")
    try:
        try:
            handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            unfinished.chmod(mode)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def unwritable(error: OSError) -> OSError:
    """Return what to raise where something cannot be written there: the error, and what to do."""
    hint = "let this user write there, or set XDG_STATE_HOME to another directory"
    return OSError(error.errno, f"{error.strerror or error}; {hint}", error.filename)


def assistant_folder(state: Path) -> Path:
    """Return an assistant's folder: not the journals' own, in which each file is a run."""
    make_private(state / "assistant")
    return state / "assistant"


def log_call(state: Path, fields: Mapping[str, Any]) -> None:
    """Add a call to an assistant's log, which only its owner can read; put a full log aside."""
    path = assistant_folder(state) / _CALLS
    if path.exists() and path.stat().st_size > _LARGEST_LOG:
        path.replace(path.with_suffix(".old"))
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "ab") as file:
        file.write(msgspec.json.encode({"at": datetime.now(UTC), **fields}) + b"\n")


def logged_calls(state: Path) -> Iterator[dict[str, Any]]:
    """Yield the calls of the log, the latest first, without a line that a crash cut off."""
    path = state / "assistant" / _CALLS
    for line in reversed(path.read_bytes().splitlines() if path.exists() else []):
        try:
            yield msgspec.json.decode(line, type=dict[str, Any])
        except ValueError:
            continue
