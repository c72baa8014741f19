"""What the theme's pages lack for people who use a keyboard or a screen reader, as axe finds it."""

from __future__ import annotations

import re
from pathlib import Path

#: What is found in a page, and what takes its place.
_CHANGES = {
    # The captions of the sidebar are headings without a level.
    r'(?<=<p class="caption" role="heading")(?=>)': ' aria-level="2"',
    # Two landmarks of one kind have to be told apart.
    r'(?<=<aside class="sidebar-drawer")(?=>)': ' aria-label="Pages"',
    r'<aside class="(toc-drawer[^"]*)">': r'<aside class="\1" aria-label="On this page">',
    # What scrolls sideways must be reachable without a mouse.
    r"<pre>": '<pre tabindex="0">',
    r'<div class="(table-wrapper[^"]*)">': r'<div class="\1" tabindex="0">',
    # A long signature is a list of definitions without terms.
    r"<dl>\s*((?:<dd>(?:(?!<dl).)*?</dd>\s*)+)</dl>": r'<span class="rows">\1</span>',
    r'<dd>(<(?:em|span) class="(?:sig-param|optional).*?)</dd>': r"<span>\1</span>",
    # The search has a heading only once it has a result.
    r'(?=<div id="search-results">)': "<h1>Search</h1>\n",
}


def make_accessible(site: Path) -> None:
    """Change the pages of a site in place."""
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        for pattern, replacement in _CHANGES.items():
            text = re.sub(pattern, replacement, text, flags=re.DOTALL)
        page.write_text(text, encoding="utf-8")
