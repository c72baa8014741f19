"""Texts that try to be more than text, and what an HTML document is made of."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import strategies as st

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
