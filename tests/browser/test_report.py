"""`report --format html` in a browser: seen, used by keyboard, without scripts, and printed."""

from __future__ import annotations

import re

import pytest
from attrs import evolve
from playwright.sync_api import Locator, Page, expect
from tests.membership.reviewed import large

from cld_user_groups.membership.review import render_html

from .pages import PHONE, Pages, printed, sideways_scroll, violations

pytestmark = pytest.mark.browser

SMALL = render_html(large(6, 40))
LARGE = render_html(large(40, 300))
GRANTED = large(12, 60, roles=True)
ROLES = render_html(GRANTED)


def table(page: Page, name: str) -> Locator:
    """Return the table whose caption begins so."""
    return page.get_by_role("table", name=re.compile(f"^{re.escape(name)}"))


def column(found: Locator, position: int) -> list[str]:
    """Return the cells of a column as they are seen."""
    rows = found.locator("tbody tr:visible")
    return rows.locator(f":scope > :nth-child({position})").all_inner_texts()


@pytest.mark.parametrize("document", [SMALL, ROLES], ids=["plain", "roles"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(pages: Pages, document: str, dark: bool) -> None:
    assert violations(pages.show(document, dark=dark)) == []


@pytest.mark.parametrize("document", [SMALL, ROLES], ids=["plain", "roles"])
def test_axe_finds_nothing_on_a_phone_and_nothing_scrolls_sideways(
    pages: Pages, document: str
) -> None:
    page = pages.show(document, width=PHONE)
    assert violations(page) == []
    assert sideways_scroll(page) <= 0


def test_it_requests_nothing_else(pages: Pages) -> None:
    pages.show(SMALL)
    assert len(pages.requests) == 1


def test_without_scripts_everything_is_there_and_no_idle_control(
    pages: Pages,
) -> None:
    page = pages.show(SMALL, javascript=False)
    assert len(column(table(page, "People"), 1)) == 40
    expect(page.get_by_role("searchbox")).to_have_count(0)
    expect(page.get_by_role("button")).to_have_count(0)
    assert page.locator("svg[role=img]").is_visible()


def test_the_keyboard_sorts_both_ways_and_the_not_known_stays_last(
    pages: Pages,
) -> None:
    page = pages.show(SMALL)
    people = table(page, "People")
    header = people.get_by_role("columnheader", name="Last login")
    header.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(header).to_have_attribute("aria-sort", "ascending")
    up = column(people, 5)
    known = [text for text in up if text != "unknown"]
    assert known == sorted(known)
    assert set(up[len(known) :]) == {"unknown"}
    page.keyboard.press("Space")
    expect(header).to_have_attribute("aria-sort", "descending")
    assert column(people, 5) == [*sorted(known, reverse=True), *up[len(known) :]]


def test_one_column_at_a_time_is_sorted(pages: Pages) -> None:
    people = table(pages.show(SMALL), "People")
    for name in ("Role", "E-mail"):
        people.get_by_role("button", name=name).click()
    expect(people.locator("[aria-sort]")).to_have_text(["E-mail"])
    assert column(people, 2) == sorted(column(people, 2))


def test_the_keyboard_filters_by_every_word_and_rows_left_are_counted(pages: Pages) -> None:
    page = pages.show(SMALL)
    people = table(page, "People")
    page.get_by_role("searchbox", name="People").focus()
    page.keyboard.type("BEN billing")
    names = column(people, 1)
    assert 0 < len(names) < 10
    assert all(name.startswith("Ben") for name in names)
    expect(page.get_by_text(f"{len(names)} of 40 rows")).to_be_visible()
    page.get_by_role("searchbox", name="People").fill("")
    assert len(column(people, 1)) == 40


def test_all_of_it_is_printed_even_where_a_filter_hides_rows(pages: Pages) -> None:
    page = pages.show(SMALL)
    whole = printed(page)
    page.get_by_role("searchbox", name="Memberships").fill("nobody of that name")
    expect(page.get_by_text(re.compile(r"^0 of \d+ rows"))).to_be_visible()
    assert printed(page) == whole


def test_printed_sheets_have_heads_and_the_sign_off_has_its_own(
    pages: Pages,
) -> None:
    sheets = printed(pages.show(LARGE, dark=True))
    assert 55 <= len(sheets) <= 80
    members = "Group Person E-mail State Since Why Until"
    (first,) = [number for number, text in enumerate(sheets) if "Memberships (" in text]
    (people,) = [number for number, text in enumerate(sheets) if "People (300)" in text]
    assert all(members in " ".join(sheets[at].split()) for at in range(first, people))
    assert "Filter" not in "".join(sheets)
    (sign_off,) = [number for number, text in enumerate(sheets) if "To sign on paper" in text]
    assert "People (" not in sheets[sign_off]
    assert all(word in sheets[-1] for word in ("Reviewer", "Date", "Signature"))


def test_the_picture_is_as_many_panels_as_keep_its_names_readable(pages: Pages) -> None:
    page = pages.show(LARGE)
    panels = page.locator("svg[role=img]")
    expect(panels).to_have_count(6)  # 300 people at 50 a panel, less those in no group
    for panel in panels.all():
        text = panel.locator("text").last
        assert text.evaluate("each => getComputedStyle(each).fontSize") == "10px"
        scale = panel.evaluate(
            "each => each.getBoundingClientRect().width / each.viewBox.baseVal.width"
        )
        assert scale == pytest.approx(1)
        box = panel.bounding_box()
        assert box is not None
        assert box["width"] < 1000


@pytest.mark.parametrize(
    "name",
    ["Northwind, editors in München", "WWWWWWWWWWWWWWWWWW", "営業本部メディア編集チーム東京"],
)
def test_nothing_of_the_picture_is_cut_off(pages: Pages, name: str) -> None:
    made = large(6, 40)
    groups = [evolve(group, name=f"{number}{name}") for number, group in enumerate(made.groups)]
    people = [evolve(person, name=name) for person in made.people]
    page = pages.show(render_html(evolve(made, groups=tuple(groups), people=tuple(people))))
    outside = page.evaluate(
        """() => [...document.querySelectorAll("svg[role=img] text")].filter((text) => {
            const inner = text.getBoundingClientRect();
            const outer = text.closest("svg").getBoundingClientRect();
            return inner.left < outer.left - 1 || inner.right > outer.right + 1
                || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1;
        }).map((text) => text.textContent)"""
    )
    assert outside == []


def test_a_decision_for_each_group_can_be_made_with_the_keyboard(pages: Pages) -> None:
    page = pages.show(SMALL)
    decision = page.get_by_role("radiogroup", name="Decision on Designers")
    decision.get_by_role("radio", name="Keep").focus()
    page.keyboard.press("ArrowDown")
    expect(decision.get_by_role("radio", name="Change")).to_be_checked()
    page.keyboard.press("Tab")
    expect(page.get_by_role("textbox", name="Remark on Designers")).to_be_focused()


def test_roles_are_whole_in_print_and_without_scripts(pages: Pages) -> None:
    page = pages.show(ROLES, javascript=False)
    granted = column(table(page, "Groups (12)"), 3)
    held = column(table(page, "Roles of people"), 4)
    assert len(granted) == 12
    assert granted.count("not known") == 1
    assert len(held) == sum(len(found.holders) for found in GRANTED.access)
    text = "".join("".join(printed(page)).split())
    for cell in {*granted, *held}:
        assert "".join(cell.split()) in text
    assert text.count("PersonE-mailHowRole") >= 2  # the head of each sheet


def test_full_control_stands_out_in_a_colour_and_in_print(pages: Pages) -> None:
    page = pages.show(ROLES)
    high = page.locator("table.grants strong").first
    plain = page.locator("table.grants li", has_text="Media Editor").first
    colour = "each => getComputedStyle(each).color + getComputedStyle(each).fontWeight"
    assert high.evaluate(colour) != plain.evaluate(colour)
    assert "(full control)" in high.inner_text()


def test_people_can_be_filtered_by_a_role(pages: Pages) -> None:
    page = pages.show(ROLES)
    page.get_by_role("searchbox", name="Roles of people").fill("full control")
    held = column(table(page, "Roles of people"), 4)
    assert held
    assert all("Master Admin" in text for text in held)
