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
    """Return the cells of a column in rows that no filter hides; what is out of sight as well."""
    rows = found.locator("tbody tr:visible")
    return rows.locator(f":scope > :nth-child({position})").all_text_contents()


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


def entries(page: Page, section: str) -> Locator:
    """Return what lists in a section hold, seen or not."""
    return page.locator(f"section:has(> #{section}) .names > li:not(.muted)")


def fill(page: Page, text: str) -> None:
    """Type into the filter, which is reached by the first press of the tabulator."""
    page.keyboard.press("Tab")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type(text)


def test_it_requests_nothing_else(pages: Pages) -> None:
    pages.show(SMALL)
    assert len(pages.requests) == 1


def test_without_scripts_everything_is_there_and_no_idle_control(
    pages: Pages,
) -> None:
    page = pages.show(SMALL, javascript=False)
    assert len(column(table(page, "People"), 1)) == 40
    expect(entries(page, "memberships")).to_have_count(large(6, 40).memberships)
    expect(page.get_by_role("searchbox")).to_have_count(0)
    expect(page.get_by_role("button")).to_have_count(0)
    assert page.locator("svg[role=img]").is_visible()


def test_without_scripts_a_closed_group_can_be_opened(pages: Pages) -> None:
    page = pages.show(ROLES, javascript=False)
    group = page.locator("section:has(> #memberships) details", has_text="Designers")
    expect(group.locator("li").first).not_to_be_visible()
    group.locator("summary").click()
    expect(group.locator("li").first).to_be_visible()


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


def test_the_keyboard_filters_by_every_word_and_what_is_left_is_counted(pages: Pages) -> None:
    page = pages.show(SMALL)
    people = table(page, "People")
    fill(page, "BEN billing")
    names = column(people, 1)
    assert 0 < len(names) < 10
    assert all(name.startswith("Ben") for name in names)
    expect(page.get_by_role("status")).to_have_text(re.compile(r"^\d+ of \d+ entries$"))
    page.get_by_role("searchbox").fill("")
    assert len(column(people, 1)) == 40
    expect(page.get_by_role("status")).to_have_text("")


def test_a_filter_opens_the_groups_of_a_person_and_closes_them_again(pages: Pages) -> None:
    page = pages.show(ROLES)
    closed = page.locator("details:not([open])").count()
    fill(page, "ben fischer")
    seen = entries(page, "memberships").filter(visible=True).all_text_contents()
    assert {text.partition(":")[0] for text in seen} == {"Ben Fischer"}
    page.get_by_role("searchbox").fill("marketing since 2026-03-02 by ada@ops")
    shown = entries(page, "memberships").filter(visible=True)
    expect(shown.first).to_be_visible()
    assert {each.locator("xpath=ancestor::details").count() for each in shown.all()} == {1}
    expect(page.locator("section:has(> #memberships) details:visible summary")).to_have_count(1)
    page.get_by_role("searchbox").fill("")
    assert page.locator("details:not([open])").count() == closed
    expect(page.locator("[hidden]")).to_have_count(0)


def test_all_of_it_is_printed_even_what_is_closed_or_hidden_by_a_filter(pages: Pages) -> None:
    page = pages.show(ROLES)
    whole = printed(page)
    words = " ".join(" ".join(whole).split())
    for text in entries(page, "memberships").all_text_contents():
        assert text.partition(":")[0] in words
    fill(page, "nobody of that name")
    expect(page.get_by_role("status")).to_have_text(re.compile(r"^0 of \d+ entries$"))
    assert printed(page) == whole
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    assert printed(page) == whole


def test_each_sheet_has_the_account_the_date_and_its_number(pages: Pages) -> None:
    sheets = printed(pages.show(render_html(evolve(large(6, 40), account_id='a"} *<é\\'))))
    for number, text in enumerate(sheets, 1):
        assert 'Access review of account a"} *<é\\' in text
        assert "2026-06-01 12:00 UTC" in text
        assert f"Page {number} of {len(sheets)}" in text


def test_heads_stay_in_sight_below_the_filter(pages: Pages) -> None:
    page = pages.show(LARGE)
    people = table(page, "People")
    people.locator("tbody tr").nth(200).scroll_into_view_if_needed()
    head = people.get_by_role("columnheader", name="E-mail").bounding_box()
    bar = page.locator(".filter").bounding_box()
    assert head is not None
    assert bar is not None
    assert bar["y"] == 0
    assert head["y"] == pytest.approx(bar["height"], abs=1)


def test_printed_sheets_have_heads_and_the_sign_off_has_its_own(
    pages: Pages,
) -> None:
    sheets = printed(pages.show(LARGE, dark=True))
    assert 25 <= len(sheets) <= 36
    head = "Person E-mail Role State Last login Groups"
    (first,) = [number for number, text in enumerate(sheets) if "People (300)" in text]
    (last,) = [number for number, text in enumerate(sheets) if "To sign on paper" in text]
    assert all(head in " ".join(sheets[at].split()) for at in range(first, last))
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


NEXT_FRAME = "new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"


@pytest.fixture(scope="module")
def huge() -> str:
    """The page of 5,000 people in 400 groups, a hundred thousand memberships."""
    return render_html(large(400, 5000, spread=14))


def test_a_large_account_is_loaded_and_filtered_without_waiting(pages: Pages, huge: str) -> None:
    assert len(huge.encode()) < 10_000_000
    page = pages.show(huge)
    watch = page.context.new_cdp_session(page)
    # Of the processor, not of the clock: other programs run beside the tests.
    watch.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy() -> float:
        metrics = watch.send("Performance.getMetrics")["metrics"]
        return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))

    page.reload()
    page.evaluate(NEXT_FRAME)
    assert busy() < 5
    assert entries(page, "memberships").count() > 90_000
    assert page.locator("svg[role=img]").count() == 12
    left_out = page.locator("#picture + p").text_content() or ""
    assert "the 120 largest of 400 groups, and 200 of 4,865 people in groups" in left_out
    assert "Shown are" not in LARGE
    for words in ("ben adler", "", "jira-12", "", "b", ""):
        before = busy()
        page.get_by_role("searchbox").evaluate(
            "(field, words) => { field.value = words; field.dispatchEvent(new Event('input')); }",
            words,
        )
        page.evaluate(NEXT_FRAME)
        assert busy() - before < 1, words


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
    held = entries(page, "access").all_text_contents()
    assert len(granted) == 12
    assert granted.count("not known") == 1
    assert len(held) == sum(len(found.holders) for found in GRANTED.access)
    text = "".join("".join(printed(page)).split())
    roles = page.locator("section:has(> #access) summary").all_text_contents()
    for cell in {*granted, *held, *roles}:
        assert "".join(cell.split()) in text


def test_full_control_stands_out_in_a_colour_and_in_print(pages: Pages) -> None:
    page = pages.show(ROLES)
    high = page.locator("table.grants strong").first
    plain = page.locator("table.grants li", has_text="Media Editor").first
    colour = "each => getComputedStyle(each).color + getComputedStyle(each).fontWeight"
    assert high.evaluate(colour) != plain.evaluate(colour)
    assert "(full control)" in (high.text_content() or "")


def test_people_can_be_filtered_by_a_role(pages: Pages) -> None:
    page = pages.show(ROLES)
    fill(page, "full control through")
    roles = page.locator("section:has(> #access) details:visible")
    expect(roles.locator("li:visible").first).to_be_visible()
    assert all("Master Admin" in text for text in roles.locator("summary").all_text_contents())


def test_namesakes_are_told_apart_in_the_picture_and_in_groups(pages: Pages) -> None:
    made = large(6, 40)
    people = [evolve(each, name="Ann Adler") for each in made.people[:2]]
    page = pages.show(render_html(evolve(made, people=(*people, *made.people[2:]))))
    names = page.locator("svg[role=img] text").all_text_contents()
    for person in people:
        assert person.email in names
        assert person.email in " ".join(entries(page, "memberships").all_text_contents())
    assert "Ann Adler" not in names
