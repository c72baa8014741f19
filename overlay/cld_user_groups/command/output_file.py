"""The files that commands write: not over what a person has written or edited."""

from __future__ import annotations

import errno
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from . import membership

# How many digests of files that were written are kept.
_KEPT = 1000


class OutputFile:
    """A file that a command writes, but not over what a person has written or edited.

    The digests of what this user's commands wrote are kept beside the journals. A file of groups
    in YAML carries its own too, for it is kept in repositories, and checked out elsewhere.
    """

    def __init__(self, path: Path, account_id: str, *, force: bool) -> None:
        self._path = path
        self._digests = membership.state_directory(account_id) / "written"
        if not force and path.is_file() and (content := path.read_bytes()):
            if sha256(content).hexdigest() in self._known() or _carries_digest(content):
                return
            what = (
                "it was not written by this command here, or was edited since: write to another "
                "file, or replace it with --force"
            )
            raise FileExistsError(errno.EEXIST, what, str(path))

    def write(self, text: str) -> None:
        """Write the file, whole or not at all."""
        data, state = text.encode(), membership.state
        if self._path.suffix.lower() in (".yaml", ".yml"):
            data = b"# cld-user-groups, sha256 %s\n" % sha256(data).hexdigest().encode() + data
        state.write_file(self._path, data)
        known = [*self._known(), sha256(data).hexdigest()]
        with suppress(OSError):  # then the file is not replaced without --force
            state.make_private(self._digests.parent)
            state.replace_file(self._digests, "\n".join(dict.fromkeys(known[-_KEPT:])).encode())

    def _known(self) -> list[str]:
        try:
            return self._digests.read_text("ascii").split()
        except (OSError, ValueError):
            return []


def _carries_digest(content: bytes) -> bool:
    """Return whether the first line is the digest of the others."""
    first, _, others = content.partition(b"\n")
    return first == b"# cld-user-groups, sha256 " + sha256(others).hexdigest().encode()
