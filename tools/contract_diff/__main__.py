"""Classify the changes of openapi.yaml, generated/ and the public names of overlay/ for users.

Compares the files as they are with a git revision. Exits with 1 if there is a breaking change that
CHANGELOG.md does not mention: since that revision it must have gained an entry under Changed or
Removed that begins with **Breaking** and names the operation, the schema or the method, in
backticks. Exits with 2 if it could not compare.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import changelog, document, python, revisions, rules
from .changes import CannotCompareError, Change, Kind

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = "openapi.yaml"
PACKAGES = ("generated", "overlay", python.REFERENCE)
CHANGELOG = "CHANGELOG.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the changes and return the exit status."""
    parser = argparse.ArgumentParser(prog="contract-diff", description=__doc__)
    parser.add_argument("--base", help="the git revision (default: that of users)")
    parser.add_argument("--root", type=Path, default=ROOT, help="the project (default: this)")
    options = parser.parse_args(arguments)
    root: Path = options.root
    try:
        base, what, found = changes(root, options.base)
    except revisions.NothingToCompareError as error:
        print(f"contract-diff: nothing to compare with: {error}")
        return 0
    except CannotCompareError as error:
        print(f"contract-diff: {error}", file=sys.stderr)
        return 2
    print(report(found, f"{base} ({what})" if what else base), end="")
    path = root / CHANGELOG
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    missing = changelog.untold(found, revisions.file_at(root, base, CHANGELOG) or "", text)
    for names in missing:
        print(
            f"contract-diff: {CHANGELOG} does not tell users of a breaking change: under "
            f"Unreleased, Changed or Removed needs an entry since {base} that begins with "
            f"**Breaking** and names {' or '.join(f'`{name}`' for name in names)}",
            file=sys.stderr,
        )
    return 1 if missing else 0


def changes(root: Path, base: str | None = None) -> tuple[str, str, list[Change]]:
    """Return the revision that a project is compared with, what it is, and all that has changed."""
    if base is None:
        base, what = revisions.default_base(root, (DOCUMENT, *PACKAGES, CHANGELOG))
    else:
        revisions.check_revision(root, base)
        what = ""
    old = revisions.file_at(root, base, DOCUMENT)
    if old is None:
        raise revisions.NothingToCompareError(f"{DOCUMENT} did not exist at {base}")
    try:
        new = (root / DOCUMENT).read_text(encoding="utf-8")
        before, after = document.load(old, f"{DOCUMENT} at {base}"), document.load(new, DOCUMENT)
        found = rules.changes(before, after)
        sent = document.sent_only(before) & document.sent_only(after)
    except OSError as error:
        raise CannotCompareError(f"{DOCUMENT} cannot be read: {error.strerror}") from None
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        raise CannotCompareError(
            f"{DOCUMENT} has a value of the wrong type ({error}): `make check` says where"
        ) from error
    with tempfile.TemporaryDirectory() as folder:
        revisions.extract(root, base, PACKAGES, Path(folder))
        found += python.changes(Path(folder), root, sent)
    return base, what, found


def report(found: Sequence[Change], base: str) -> str:
    """Return the changes as lines for a person, those of one operation or module together."""
    if not found:
        return f"nothing has changed for users since {base}\n"
    lines: list[str] = []
    for subject in dict.fromkeys(change.subject for change in found):
        lines.append(subject)
        own = [change for change in found if change.subject == subject]
        for change in sorted(own, key=lambda change: list(Kind).index(change.kind)):
            schema = f"  ({change.schema})" if change.schema else ""
            lines.append(f"  {change.kind:<8}  {change.text}{schema}")
    counts = [f"{sum(each.kind is kind for each in found)} {kind}" for kind in Kind]
    return "\n".join([*lines, f"{', '.join(counts)} since {base}", ""])


if __name__ == "__main__":
    sys.exit(main())
