"""Say what a change of openapi.yaml means for users, operation by operation.

Compares the file as it is with the one at a git ref. Ends in 1 if there is a breaking change that
CHANGELOG.md does not tell users about: its Unreleased section must have changed since the ref, and
under Changed or Removed have an entry that is marked "Breaking" and names the operation or the
schema.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    # For mypy this folder is a package; for Python it is where it finds modules.
    from tools.openapi_changes import Change, Kind, changes
else:
    from openapi_changes import Change, Kind, changes

ROOT = Path(__file__).resolve().parent.parent
DESCRIPTION = "openapi.yaml"
CHANGELOG = "CHANGELOG.md"

_ENTRY = re.compile(r"^[-*] .*(?:\n(?![-*] |#).*)*", re.MULTILINE)
_IS_BREAKING = re.compile(r"\W*breaking\b", re.IGNORECASE)


class NothingToCompareError(Exception):
    """There is nothing to compare with; the message says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the changes and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", required=True, help="the git ref to compare with")
    parser.add_argument("--root", type=Path, default=ROOT, help="the project (default: this)")
    options = parser.parse_args(arguments)
    root: Path = options.root
    base: str = options.base
    try:
        old = read_at(root, base, DESCRIPTION)
    except NothingToCompareError as reason:
        print(f"contract-diff: nothing to compare with: {reason}")
        return 0
    except LookupError as reason:
        print(f"contract-diff: {reason}", file=sys.stderr)
        return 2
    new = (root / DESCRIPTION).read_text(encoding="utf-8")
    found = changes(yaml.safe_load(old), yaml.safe_load(new))
    print(report(found, base, is_same_text=old == new), end="")
    missing = untold(found, changelog_at(root, base), read_changelog(root))
    for change in missing:
        names = " or ".join(filter(None, (change.operation, change.schema)))
        print(
            f"contract-diff: {CHANGELOG} does not tell users of a breaking change: under "
            f"Unreleased, Changed or Removed needs an entry since {base} that begins with "
            f"**Breaking** and names {names}",
            file=sys.stderr,
        )
    return 1 if missing else 0


def read_at(root: Path, ref: str, name: str) -> str:
    """Return a file as it is at a git ref.

    Raises:
        NothingToCompareError: The file is not there, or the clone does not reach back to the ref.
        LookupError: There is no such ref.
    """
    if _git(root, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}") is None:
        if (_git(root, "rev-parse", "--is-shallow-repository") or "").strip() == "true":
            raise NothingToCompareError(
                f"this clone is shallow and does not have {ref}; fetch more of it"
            )
        raise LookupError(f"{ref} is no commit of this repository")
    text = _git(root, "show", f"{ref}:./{name}")
    if text is None:
        raise NothingToCompareError(f"{name} did not exist at {ref}")
    return text


def _git(root: Path, *arguments: str) -> str | None:
    done = subprocess.run(
        ["git", *arguments], cwd=root, capture_output=True, text=True, encoding="utf-8", check=False
    )
    return None if done.returncode else done.stdout


def changelog_at(root: Path, ref: str) -> str:
    """Return the changelog at a ref, empty where there was none."""
    try:
        return read_at(root, ref, CHANGELOG)
    except NothingToCompareError:
        return ""


def read_changelog(root: Path) -> str:
    """Return the changelog as it is, empty where there is none."""
    path = root / CHANGELOG
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def report(found: Sequence[Change], base: str, *, is_same_text: bool) -> str:
    """Return the changes as lines for a person, those of one operation together."""
    if not found:
        what = "has not changed" if is_same_text else "has changed in comments and layout only"
        return f"{DESCRIPTION} {what} since {base}\n"
    lines: list[str] = []
    for operation in dict.fromkeys(change.operation for change in found):
        lines.append(operation)
        own = [change for change in found if change.operation == operation]
        for change in sorted(own, key=lambda change: list(Kind).index(change.kind)):
            schema = f"  ({change.schema})" if change.schema else ""
            lines.append(f"  {change.kind:<8}  {change.text}{schema}")
    counts = [f"{sum(each.kind is kind for each in found)} {kind}" for kind in Kind]
    return "\n".join([*lines, f"{', '.join(counts)} since {base}", ""])


def untold(found: Sequence[Change], old_changelog: str, new_changelog: str) -> list[Change]:
    """Return the breaking changes that the changelog does not tell of, one an operation."""
    entries: list[str] = []
    if unreleased(old_changelog) != unreleased(new_changelog):
        entries = list(breaking_entries(unreleased(new_changelog)))
    missing = [
        change
        for change in found
        if change.kind is Kind.BREAKING
        and not any(
            _names(entry, name)
            for entry in entries
            for name in (change.operation, change.schema)
            if name
        )
    ]
    return list({(change.operation, change.schema): change for change in missing}.values())


def _names(entry: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", entry) is not None


def unreleased(changelog: str) -> str:
    """Return the Unreleased section of a changelog in the Keep a Changelog form."""
    found = re.search(
        r"^## \[?unreleased\]?[^\n]*\n(.*?)(?=^## |\Z)",
        changelog,
        re.MULTILINE | re.DOTALL | re.IGNORECASE,
    )
    return found[1].strip() if found else ""


def breaking_entries(section: str) -> Iterator[str]:
    """Return the entries under Changed or Removed that are marked as breaking.

    The mark begins the entry, or stands in the heading, for all entries under it.
    """
    for part in re.split(r"^### ", section, flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        if not re.match(r"(?:changed|removed)\b", heading, re.IGNORECASE):
            continue
        is_marked = "breaking" in heading.lower()
        for entry in _ENTRY.findall(body):
            if is_marked or _IS_BREAKING.match(entry[1:]):
                yield entry


if __name__ == "__main__":
    sys.exit(main())
