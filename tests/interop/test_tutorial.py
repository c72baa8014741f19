"""docs/tutorial.md, followed word by word from a fresh clone of what is committed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.docs.transcript import ROOT, Reader, clone, comparable, steps

pytestmark = pytest.mark.interop


def test_who_follows_the_tutorial_word_by_word_gets_what_it_shows(tmp_path: Path) -> None:
    clone(tmp_path)
    reader = Reader(tmp_path)
    try:
        for step in steps((ROOT / "docs/tutorial.md").read_text("utf-8")):
            assert comparable(reader.do(step)) == comparable(step.text), step.name
    finally:
        reader.close()
