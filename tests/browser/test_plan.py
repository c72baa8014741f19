"""`plan --format html` in a browser."""

from __future__ import annotations

import pytest
from tests.membership.planned_accounts import account, planned, wanted
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


def test_print_keeps_groups_whole_and_ids_on_one_line(pages: Pages) -> None:
    users = [f"{'0bd' * 8}{number:03}" for number in range(7)]
    members = {f"group {number:02}": users[: 1 + number % 7] for number in range(40)}
    sheets = printed(pages.show(render_html(planned(account(members), *map(wanted, members)))))
    assert len(sheets) > 2
    for name, of_group in members.items():
        (sheet,) = (each for each in sheets if f"{name}\nChange" in each)
        section = sheet.partition(f"{name}\nChange")[2].partition("\ngroup")[0]
        assert section.count("u-0bd") == len(of_group)
        assert all(f"u-{each}" in section for each in of_group)
