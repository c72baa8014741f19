"""docs/reference/messages.md has every message of the sources, each with what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.documents import ROOT
from tools import messages

PAGE = messages.PAGE.read_text("utf-8")


def test_each_message_of_the_sources_is_on_the_page() -> None:
    said = "write a row for each in docs/reference/messages.md, with what to do"
    assert messages.missing() == [], said


@pytest.mark.parametrize(
    "source",
    [
        'raise ValueError(f"{name} is surely no planet")',
        'problem(line, "is surely no planet", "choose another one")',
        'SAID = {1: ["is surely no planet"]}',
    ],
)
def test_a_new_message_is_named_with_its_place(tmp_path: Path, source: str) -> None:
    (tmp_path / "new.py").write_text(f'"""This is not a message."""\n{source}\n')
    (missing,) = messages.missing(tmp_path)
    assert missing.startswith("new.py:2: ")
    assert "is surely no planet" in missing


def rows() -> Iterator[list[str]]:
    """Yield the cells of the page's tables of messages."""
    for line in PAGE.splitlines():
        if line.startswith("| ") and not line.startswith(("| message", "| ---")):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]


def test_each_row_says_what_to_do() -> None:
    assert [row for row in rows() if len(row) not in (2, 3) or not all(row)] == []
    assert sum(1 for _ in rows()) > 200


def test_the_page_is_one_click_from_home() -> None:
    home = (ROOT / "docs/index.md").read_text("utf-8")
    assert "(reference/messages.md)" in home
