"""Pages in a browser: opened as people open them, and what is checked on every one of them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request
from pypdf import PdfReader

PHONE = 360
DESKTOP = 1280


class Pages:
    """Opens pages, each in a browser profile of its own, and collects what they complain about.

    Args:
        browser: The browser.
        folder: Where documents are written before they are opened.
    """

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser = browser
        self._folder = folder
        self._contexts: list[BrowserContext] = []
        self.errors: list[str] = []
        self.requests: list[str] = []

    def open(
        self, url: str, *, dark: bool = False, width: int = DESKTOP, javascript: bool = True
    ) -> Page:
        """Open the page at an address.

        Args:
            url: The address.
            dark: Whether the reader prefers dark pages.
            width: The width of the window, in CSS pixels.
            javascript: Whether scripts run.
        """
        context = self._browser.new_context(
            color_scheme="dark" if dark else "light",
            viewport={"width": width, "height": 900},
            java_script_enabled=javascript,
        )
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._on_request)
        page.goto(url)
        return page

    def show(
        self, document: str, *, dark: bool = False, width: int = DESKTOP, javascript: bool = True
    ) -> Page:
        """Write an HTML document to a file, and open that, as `open` does."""
        path = self._folder / f"page-{len(self._contexts)}.html"
        path.write_text(document, encoding="utf-8")
        return self.open(path.as_uri(), dark=dark, width=width, javascript=javascript)

    def close(self) -> None:
        """Close all pages, and fail if one of them has reported an error."""
        for context in self._contexts:
            context.close()
        assert self.errors == []

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _on_request(self, request: Request) -> None:
        self.requests.append(request.url)


def violations(page: Page) -> list[str]:
    """Return what axe finds: each rule, why, and where."""
    return [
        f"{found['id']}: {found['help']}: {[node['target'] for node in found['nodes']][:5]}"
        for found in Axe().run(page).response["violations"]
    ]


def sideways_scroll(page: Page) -> int:
    """Return by how many pixels a page is wider than its window."""
    found: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return found


def printed(page: Page) -> list[str]:
    """Print a page on A4, and return the text of each sheet."""
    pdf = page.pdf(format="A4", prefer_css_page_size=True)
    return [sheet.extract_text() for sheet in PdfReader(BytesIO(pdf)).pages]
