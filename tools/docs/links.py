"""The links of the built site: each leads to a file of the site, and to an anchor that is there."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "site"
_LINKS = {
    "a": "href",
    "link": "href",
    "img": "src",
    "script": "src",
    "iframe": "src",
    "source": "src",
}


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: set[str] = set()
        self.anchors: set[str] = {"", "top"}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if link := values.get(_LINKS.get(tag, "")):
            self.links.append(link)
            if tag != "a":
                self.loads.add(link)
        if anchor := values.get("id"):
            self.anchors.add(anchor)


def broken_links(site: Path) -> list[str]:
    """Return the links of a site that lead nowhere, or load something from the network."""
    pages = {path: _Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}
    problems: list[str] = []
    for path, page in pages.items():
        for link in dict.fromkeys(page.links):
            url = urlsplit(link)
            name = path.relative_to(site)
            if url.scheme or url.netloc:
                if link in page.loads:
                    problems.append(f"{name}: {link}: would be loaded from the network")
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            if not target.is_file():
                problems.append(f"{name}: {link}: there is no such file")
            elif target in pages and unquote(url.fragment) not in pages[target].anchors:
                problems.append(f"{name}: {link}: there is no such anchor")
    return problems
