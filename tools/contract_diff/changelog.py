"""Check that the changelog mentions the breaking changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .changes import DOCUMENT, EVERY_OPERATION, GENERATED, PUBLIC, Change, Kind

_SECTION = re.compile(r"^## +(?P<title>[^\n]*)\n(?P<body>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_UNRELEASED = re.compile(r"\[?unreleased\b", re.IGNORECASE)
_ENTRY = re.compile(r"^[-*] .*(?:\n(?![-*] |#).*)*", re.MULTILINE)
_IS_BREAKING = re.compile(r"\W*breaking\b", re.IGNORECASE)


def untold(found: Sequence[Change], old: str, new: str) -> list[tuple[str, ...]]:
    """Return the names of which an entry must have one, for each breaking change without an entry.

    An entry counts that the new changelog has and the old one has not.
    """
    was_told = set(_breaking_entries(old, older=""))
    entries = [each for each in _breaking_entries(new, older=old) if each not in was_told]
    breaking = dict.fromkeys(_names_of(each) for each in found if each.kind is Kind.BREAKING)
    return [
        names
        for names in breaking
        if not any(_names(entry, name) for entry in entries for name in names)
    ]


def _names_of(change: Change) -> tuple[str, ...]:
    """Return the names by which an entry can refer to a change: the schema's or the operation's."""
    subject = "openapi.yaml" if change.subject == DOCUMENT else change.subject
    if subject.startswith(PUBLIC):
        subject = ""  # a module is too much to be named in place of what has changed in it
    if subject.startswith(GENERATED):
        # A generated module is known by its last name, which is the operation's or the schema's.
        subject = subject.rpartition(".")[2].removeprefix(GENERATED)
    return tuple(filter(None, (change.schema, subject)))


def _names(entry: str, name: str) -> bool:
    """Return whether an entry names something, which it does in backticks."""
    if name == EVERY_OPERATION:
        return name in " ".join(entry.lower().split())
    pattern = re.compile(rf"(?<!\w){re.escape(_bare(name))}(?!\w)")
    return any(pattern.search(_bare(span)) for span in re.findall(r"`([^`]+)`", entry))


def _bare(text: str) -> str:
    """Return a text in which an operation, its module and a class of one name are the same."""
    return " ".join(text.lower().replace("_", "").split())


def _breaking_entries(changelog: str, older: str) -> Iterator[str]:
    """Return the entries under Changed or Removed that bear the mark, or whose heading does."""
    titles = {each["title"] for each in _SECTION.finditer(older)}
    for section in _SECTION.finditer(changelog):
        if section["title"] in titles and not _UNRELEASED.match(section["title"]):
            continue  # a release that the older changelog has tells of older changes
        for part in re.split(r"^### ", section["body"], flags=re.MULTILINE)[1:]:
            heading, _, body = part.partition("\n")
            if re.match(r"(?:changed|removed)\b", heading, re.IGNORECASE):
                for entry in _ENTRY.findall(body):
                    if "breaking" in heading.lower() or _IS_BREAKING.match(entry[1:]):
                        yield entry.strip()
