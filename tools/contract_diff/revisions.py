"""The base revision of the comparison, and its files in git."""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
from pathlib import Path

_RELEASE = re.compile(r"v\d+\.\d+\.\d+")
_MAIN_BRANCHES = ("origin/main", "main")


class NothingToCompareError(Exception):
    """There is no base revision; the message has the reason."""


class UnknownRevisionError(Exception):
    """The revision is not in this repository; the message has a remedy."""


def default_base(root: Path, compared: tuple[str, ...]) -> tuple[str, str]:
    """Return the revision that users have, or had before this branch, and what it is.

    The last release; else where this branch left main; else the previous commit. A release that
    is the commit at hand counts only if the compared files have changed since.

    Raises:
        NothingToCompareError: This is the first commit.
        UnknownRevisionError: The clone is shallow and has none of them.
    """
    head = _git(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if head is None:
        raise UnknownRevisionError("this is no git repository with a commit")
    is_as_committed = _git(root, "diff", "--quiet", "HEAD", "--", *compared) is not None
    tags = _git(root, "tag", "--merged", "HEAD", "--sort=-version:refname") or ""
    for tag in tags.split():
        is_at_hand = _git(root, "rev-parse", f"{tag}^{{commit}}") == head
        if _RELEASE.fullmatch(tag) and not (is_at_hand and is_as_committed):
            return tag, "the last release"
    for branch in _MAIN_BRANCHES:
        fork = _git(root, "merge-base", "HEAD", branch)
        if fork is not None and fork != head:
            return fork.strip()[:12], f"where this branch left {branch}"
    if _git(root, "rev-parse", "--verify", "--quiet", "HEAD^") is not None:
        return "HEAD^", "the previous commit"
    if _is_shallow(root):
        raise UnknownRevisionError(
            "this clone is shallow and has neither a release nor a previous commit: "
            "`git fetch --unshallow --tags`"
        )
    raise NothingToCompareError("this is the first commit")


def check_revision(root: Path, revision: str) -> None:
    """Check that a revision is in the repository.

    Raises:
        UnknownRevisionError: It is not.
    """
    if _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") is None:
        hint = ": this clone is shallow, `git fetch --unshallow`" if _is_shallow(root) else ""
        raise UnknownRevisionError(f"{revision} is no commit of this repository{hint}")


def file_at(root: Path, revision: str, name: str) -> str | None:
    """Return the text of a file at a revision, None where it did not exist."""
    return _git(root, "show", f"{revision}:./{name}")


def extract(root: Path, revision: str, folder: str, target: Path) -> bool:
    """Write a folder as it is at a revision below a target; False where it did not exist."""
    if _git(root, "rev-parse", "--verify", "--quiet", f"{revision}:./{folder}") is None:
        return False
    archive = subprocess.run(
        ["git", "archive", "--format=tar", revision, folder],
        cwd=root,
        capture_output=True,
        check=True,
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(target, filter="data")
    return True


def _is_shallow(root: Path) -> bool:
    return (_git(root, "rev-parse", "--is-shallow-repository") or "").strip() == "true"


def _git(root: Path, *arguments: str) -> str | None:
    done = subprocess.run(
        ["git", *arguments], cwd=root, capture_output=True, text=True, encoding="utf-8", check=False
    )
    return None if done.returncode else done.stdout
