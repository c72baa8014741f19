"""Texts that try to be more than text, and what an HTML document is made of."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from hypothesis import strategies as st
from markdown_it import MarkdownIt

HOSTILE = st.sampled_from(
    [
        "\x1b[2J\x1b]0;title\x07", "a\rb", "a\nb", "\u202edrow", "\u2028", "<script>a</script>",
        "<img src=x onerror=a>", "&amp;", "`code`", "``", "*b*", "[a](http://x)", "![a](b)", "@me",
        "# h", "- a", "a|b", "http://x.example", '"', "'", "\\", " ", "",
    ]
) | st.text(st.characters(exclude_categories=["Cs"]), max_size=10)  # fmt: skip


class Tags(HTMLParser):
    """The elements and the attributes that a document has.

    Args:
        text: The document.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def assert_no_markup(markdown: str, ours: str) -> None:
    """Hold that what comes from outside is no markup in a Markdown document.

    Args:
        markdown: The document.
        ours: A pattern of the texts that are no code: our own words, and nothing else.
    """
    allowed = {"heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline"}
    allowed |= {"bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"}
    inline = {"text", "code_inline", "strong_open", "strong_close", "softbreak"}
    for token in MarkdownIt().parse(markdown):
        assert token.type in allowed, token
        for child in token.children or ():
            assert child.type in inline, child
            if child.type == "text":
                assert re.fullmatch(ours, child.content, re.ASCII), child.content
