"""The site's search, which finds numbers too: readers look for status codes such as 429.

Sphinx leaves numbers out twice: of the index, and of what a reader looks for.
"""

from __future__ import annotations

from pathlib import Path

from sphinx.search.en import SearchEnglish

_SKIPS_NUMBERS = r" || queryTerm.match(/^\d+$/)"


class SearchWithNumbers(SearchEnglish):  # type: ignore[misc]
    """The words of the index: as Sphinx chooses them, and numbers."""

    def word_filter(self, word: str) -> bool:
        """Return whether the index has a word."""
        return word.isdigit() or super().word_filter(word)


def search_numbers(site: Path) -> None:
    """Let the script of a site look for numbers."""
    script = site / "_static/searchtools.js"
    text = script.read_text("utf-8")
    if _SKIPS_NUMBERS not in text:
        raise ValueError(f"{script}: another version of Sphinx? {_SKIPS_NUMBERS!r} is not there")
    script.write_text(text.replace(_SKIPS_NUMBERS, ""), encoding="utf-8")
