"""`plan --format html` in a browser."""

from __future__ import annotations

import pytest
from tests.membership.test_rendering import example

from cld_user_groups.membership import render_html

from .pages import PHONE, Pages, printed, sideways_scroll, violations

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(pages: Pages, dark: bool) -> None:
    assert violations(pages.show(render_html(example()), dark=dark)) == []


def test_nothing_scrolls_sideways_on_a_phone(pages: Pages) -> None:
    assert sideways_scroll(pages.show(render_html(example()), width=PHONE)) <= 0


def test_it_requests_nothing_else(pages: Pages) -> None:
    pages.show(render_html(example()))
    assert len(pages.requests) == 1


def test_it_prints_on_one_sheet(pages: Pages) -> None:
    (sheet,) = printed(pages.show(render_html(example())))
    assert "Rejected by the guards" in sheet
