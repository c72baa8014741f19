"""The base revision of the comparison, and its files in git."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

from .changes import CannotCompareError

_RELEASE = re.compile(r"v\d+\.\d+\.\d+")
LAST_RELEASE = "the last release"


class NothingToCompareError(Exception):
    """There is no base revision; the message has the reason."""


def default_base(root: Path, compared: tuple[str, ...]) -> tuple[str, str]:
    """Return the revision that users have, or had before this branch, and what it is."""
    head = _git(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if head is None:
        raise CannotCompareError("this is no git repository with a commit")
    is_as_committed = _git(root, "diff", "--quiet", "HEAD", "--", *compared) is not None
    tags = _git(root, "tag", "--merged", "HEAD", "--sort=-version:refname") or ""
    for tag in filter(_RELEASE.fullmatch, tags.split()):
        # One that is the commit at hand counts only if the compared files have changed since.
        if not is_as_committed or _git(root, "rev-parse", f"{tag}^{{commit}}") != head:
            return tag, LAST_RELEASE
    if (recorded := _recorded_baseline(root)) is not None:
        check_revision(root, recorded)
        return recorded, "the baseline in pyproject.toml"
    for branch in ("origin/main", "main"):
        fork = _git(root, "merge-base", "HEAD", branch)
        if fork is not None and fork != head:
            return fork.strip()[:12], f"where this branch left {branch}"
    if not is_as_committed:
        return "HEAD", "what is committed"
    if _is_shallow(root):
        raise CannotCompareError(
            "this clone is shallow and has neither a release nor a previous commit: "
            "`git fetch --unshallow --tags`"
        )
    # How much of main is new to users is not known.
    first = (_git(root, "rev-list", "--max-parents=0", "HEAD") or "").split()[-1]
    if first == head.strip():
        raise NothingToCompareError("this is the first commit")
    return first[:12], "the first commit: no release or baseline says what users have"


def _recorded_baseline(root: Path) -> str | None:
    project = root / "pyproject.toml"
    try:
        tables = tomllib.loads(project.read_text("utf-8") if project.is_file() else "")
    except tomllib.TOMLDecodeError as error:
        raise CannotCompareError(f"pyproject.toml: {error}") from None
    baseline = tables.get("tool", {}).get("contract-diff", {}).get("baseline")
    return None if baseline is None else str(baseline)


def check_revision(root: Path, revision: str) -> None:
    """Check that a revision is in the repository."""
    if _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") is None:
        hint = ": this clone is shallow, `git fetch --unshallow`" if _is_shallow(root) else ""
        raise CannotCompareError(f"{revision} is no commit of this repository{hint}")


def file_at(root: Path, revision: str, name: str) -> str | None:
    """Return the text of a file at a revision, None where it did not exist."""
    return _git(root, "show", f"{revision}:./{name}")


def extract(root: Path, revision: str, folders: tuple[str, ...], target: Path) -> None:
    """Write the folders that exist at a revision, as they are there, below a target."""
    if there := (_git(root, "ls-tree", "--name-only", revision, *folders) or "").split():
        command = ["git", "archive", "--format=tar", revision, *there]
        archive = subprocess.run(command, cwd=root, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-xf", "-", "-C", target], input=archive, check=True)


def _is_shallow(root: Path) -> bool:
    return (_git(root, "rev-parse", "--is-shallow-repository") or "").strip() == "true"


def _git(root: Path, *arguments: str) -> str | None:
    done = subprocess.run(
        ["git", *arguments], cwd=root, capture_output=True, text=True, encoding="utf-8", check=False
    )
    return None if done.returncode else done.stdout
