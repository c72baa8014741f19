"""The site that `make docs` builds, as people read it: on a desk and on a phone, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import expect

from .pages import DESKTOP, PHONE, Pages, sideways_scroll, violations

pytestmark = pytest.mark.browser
SITE = Path(__file__).resolve().parents[2] / "site"
#: A landing page, prose with a transcript, wide tables, and what each generator makes.
KINDS = [
    "index.html",
    "tutorial.html",
    "command.html",
    "faults.html",
    "user_groups.html",
    "file-format.html",
    "reference/commands.html",
    "reference/commands/plan.html",
    "reference/http-api.html",
    "reference/python/client.html",
    "reference/python/membership.html",
    "explanation/costs.html",
    "search.html",
]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Write nothing to the output of the tests."""


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The address of the site, as a server of plain files serves it."""
    assert (SITE / "index.html").exists(), "the site is not built: make docs"
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(SITE))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", KINDS)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    pages: Pages, site: str, name: str, dark: bool
) -> None:
    page = pages.open(f"{site}/{name}", dark=dark)
    for width in (DESKTOP, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        assert violations(page) == []
        assert sideways_scroll(page) <= 0


def test_nothing_is_loaded_from_elsewhere(pages: Pages, site: str) -> None:
    for name in KINDS:
        pages.open(f"{site}/{name}")
    assert [url for url in pages.requests if not url.startswith((site, "data:"))] == []


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("maybe_applied", "Why a write is never duplicated"),
        ("allow-removals", "The guards"),
        ("CLOUDINARY_ACCOUNT_URL", "Environment variables"),
        ("404", "Errors"),
        ("409", "The emulator"),
        ("420", "Errors"),
        ("429", "Many workers, one quota"),
    ],
)
def test_search_finds(pages: Pages, site: str, text: str, title: str) -> None:
    page = pages.open(f"{site}/index.html")
    page.locator("input.sidebar-search").fill(text)
    page.keyboard.press("Enter")
    expect(page.locator("ul.search li a", has_text=title).first).to_be_visible()


@pytest.mark.parametrize(
    ("name", "code", "copied"),
    [
        ("index.html", "list(extended_details=True)", "from cld_user_groups import "),
        ("tutorial.html", "pip install", "python3 -m venv .venv\n. .venv/bin/activate\npip "),
        ("tutorial.html", "To undo:", "cld-user-groups apply groups.yaml\n"),
    ],
)
def test_button_copies_code_without_prompts_and_output(
    pages: Pages, site: str, name: str, code: str, copied: str
) -> None:
    page = pages.open(f"{site}/{name}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = page.locator("div.highlight", has_text=code).first.locator("button")
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_text("Copied")
    text: str = page.evaluate("navigator.clipboard.readText()")
    assert text.startswith(copied)
    assert "To undo:" not in text
    assert not text.startswith("$")


OF_THE_COMMAND = """
commands-for-a-file commands-for-people-and-groups completion doctor exit-codes formats
global-options in-a-plan interruption options-of-apply-and-undo
roles-of-a-group-that-comes-back runs-at-the-same-time what-groups-grant what-the-account-sends
"""


@pytest.mark.parametrize(
    ("old", "now"),
    [
        ("reference/commands.html#cld-user-groups-plan", ""),
        ("reference/commands.html#options-of-the-emulator", ""),
        (
            "reference/commands.html#cmdoption-cld-user-groups-plan-out",
            "reference/commands/plan.html#cmdoption-cld-user-groups-plan-out",
        ),
        (
            "reference/commands.html#cld-user-groups-runs-prune",
            "reference/commands/runs.html#cld-user-groups-runs-prune",
        ),
        *((f"command.html#{name}", "") for name in OF_THE_COMMAND.split()),
        ("many-workers.html#figures", ""),
        ("many-workers.html#estimates-for-a-thousand-workers-and-a-thousand-accounts", ""),
        ("fleets.html#cost", ""),
    ],
)
def test_old_address_leads_where_its_text_is_now(
    pages: Pages, site: str, old: str, now: str
) -> None:
    page = pages.open(f"{site}/{old}")
    page.wait_for_url(f"{site}/{now or old}")
    expect(page.locator(f"[id='{old.partition('#')[2]}']")).to_be_attached()


@pytest.mark.parametrize("name", KINDS)
def test_text_can_be_read_without_scripts(pages: Pages, site: str, name: str) -> None:
    page = pages.open(f"{site}/{name}", javascript=False)
    expect(page.get_by_role("heading", level=1).first).to_be_visible()
    links = page.locator(".sidebar-tree a", has_text="Tutorial")
    expect(links.first).to_be_visible()
    assert len(page.locator("article").inner_text()) > 20


def test_reader_may_choose_dark_pages(pages: Pages, site: str) -> None:
    page = pages.open(f"{site}/index.html")
    for _ in range(2):  # from the reader's system to light or dark, and to the other
        page.locator(".content-icon-container .theme-toggle").click()
    page.reload()  # the choice is kept
    assert page.evaluate("document.body.dataset.theme") in ("light", "dark")


def test_menu_opens_on_a_phone(pages: Pages, site: str) -> None:
    page = pages.open(f"{site}/index.html", width=PHONE)
    page.locator("header label.nav-overlay-icon").click()
    expect(page.locator(".sidebar-tree a", has_text="Tutorial").first).to_be_in_viewport()
