"""The page that a reader opens first, two clicks from each answer; and the drawings of pages."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.support.code_blocks import ROOT
from tools.drawings import DRAWINGS, drawing

HOME = ROOT / "docs/index.md"
_LINK = re.compile(r"\]\((?!https?:)([^)#]+\.md)(?:#[^)]*)?\)")


def links(page: Path) -> set[Path]:
    """Return the pages that the text of a page links to: the sidebar does not count."""
    found = {(page.parent / link).resolve() for link in _LINK.findall(page.read_text("utf-8"))}
    return {each for each in found if each.is_file()}


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("install", 'pip install "'),
        ("user_groups", "client.user_groups.list("),
        ("tutorial", "$ cld-user-groups plan groups.yaml"),
        ("how-to/restore-after-a-wrong-run", "cld-user-groups undo"),
        ("reference/errors", "| 420, 429 |"),
        ("how-to/proxies-and-certificates", "export HTTPS_PROXY="),
        ("how-to/offboard-a-leaver", "cld-user-groups offboard "),
        ("access-review", "cld-user-groups report --output "),
        ("ci", "uses: "),
        ("fleets", "--profile"),
        ("profiles", "--profile NAME"),
    ],
)
def test_question_is_answered_within_two_clicks_from_home(name: str, answer: str) -> None:
    page = ROOT / f"docs/{name}.md"
    first = links(HOME)
    assert page in first.union(*map(links, first))
    assert answer in page.read_text("utf-8")


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawing_is_what_the_tool_draws_and_stands_in_a_page(name: str) -> None:
    text = (ROOT / f"docs/{name}.svg").read_text("utf-8")
    assert text == drawing(name), "make drawings"
    shown = [
        page for page in (ROOT / "docs").rglob("*.md") if f"{name}.svg)" in page.read_text("utf-8")
    ]
    assert len(shown) == 1
    assert ET.fromstring(text).find("{http://www.w3.org/2000/svg}desc") is not None
