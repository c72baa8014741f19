"""Plans as people read them: complete, and with nothing in them that is not text."""

from __future__ import annotations

import re
from functools import cache

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.membership.hostile import HOSTILE, Tags, assert_no_markup
from tests.membership.planned_accounts import NOW, account, example, planned, wanted

from cld_user_groups.membership import (
    DesiredMember,
    Group,
    GroupRef,
    Member,
    Plan,
    Snapshot,
    render_html,
    render_json,
    render_markdown,
    render_text,
)
from cld_user_groups.membership.grants import RoleCount, RoleEffects
from cld_user_groups.membership.rendering import said_once


def test_text_shows_the_difference_by_group_the_guards_and_the_requests():
    assert render_text(example(40)) == (
        "Plan for account acc, from groups.yaml\n"
        "\n"
        "+ New  create; not in the account; line 12\n"
        "    + bob@example.com  line 0\n"
        "\n"
        "~ Photographers  rename from Old; by its previous name; line 9\n"
        "    + eve@example.com  JIRA-12; people.csv:3\n"
        "\n"
        "  Kept\n"
        "    - dee@example.com  not listed; line 6\n"
        "\n"
        "- Gone  delete, with 1 member; to be absent; line 4\n"
        "    - bob@example.com\n"
        "\n"
        "1 group to create, 1 group to rename, 2 memberships to add, 1 membership to remove "
        "and 1 group to delete. 2 memberships would end in total.\n"
        "6 requests needed; 40 left of the quota.\n"
        "Note: Roles and shares depend on the ID of a group, and end with it; `undo` gives back "
        "roles only with --restore-roles, and no shares: `Gone`.\n"
        "Rejected by the guards; nothing is written:\n"
        "  `Gone` is deleted with 1 member in it; say `allow_empty: true` for it in the file, or, "
        "if that is right, allow exactly 2: --allow-removals 2.\n"
    )


def test_a_deletion_is_shown_beside_a_rename_of_the_same_group():
    made = example(40)
    group, *_, deletion = (each.group for each in made.changes if each.group.name != "New")
    assert deletion.name == "Gone"
    changes = [attrs.evolve(each, group=group) for each in made.changes if each.group == deletion]
    renamed = attrs.evolve(made, changes=(made.changes[1], *changes))
    for rendered in (render_text(renamed), render_markdown(renamed), render_html(renamed)):
        assert re.search("rename from `?Old`?; delete, with 1 member", rendered)


def test_every_rendering_shows_warnings_and_what_is_held_back():
    made = attrs.evolve(example(40), warnings=("a warning",), held_back=("an accident",))
    assert "Warning: a warning\nHeld back:\n  an accident\n" in render_text(made)
    assert "## Held back\n\n- `an accident`\n\n## Warnings\n\n- `a warning`" in render_markdown(
        made
    )
    for shown in (render_html(made), render_json(made)):
        assert "an accident" in shown
        assert "a warning" in shown


def test_a_plan_of_which_all_is_held_back_does_not_say_that_all_matches():
    made = planned(account({"A": ["ann"]}), wanted("a", "ann"))
    for render in (render_text, render_markdown, render_html):
        assert "Nothing to do: all that is left is held back." in render(made)


def long(*, count: int = 30) -> Plan:
    """Return a plan of several groups, of which half are refused, and which names all of a kind."""
    names = [f"p{number}" for number in range(9)]
    groups = {f"Team {number} | x": names for number in range(count)}
    lost = [wanted(name, *names[: 4 if at % 2 else 8], line=at) for at, name in enumerate(groups)]
    return planned(account(groups, others=["eve"]), *lost, wanted("New", "eve", line=99))


def test_a_long_plan_begins_with_a_table_of_its_groups():
    made = long()
    refused = {breach.group.key for breach in made.breaches if breach.group}
    text, markdown, html = render_text(made), render_markdown(made), render_html(made)
    assert text.splitlines()[2:5] == [
        "GROUP        CHANGE  ADD  REMOVE  GUARDS",
        "New          create    1       0  passed",
        "Team 0 | x             0       1  passed",
    ]
    (start,) = re.findall(r"(?s)(\| Group .*?)\n\n", markdown)
    assert "| `Team 1 \\| x` |  | 0 | 5 | refused |" in start
    for rendered in (text, start, html):
        assert len(re.findall(r"\brefused(?=\W*(\||<|\n))", rendered)) == len(refused) == 15
    links = re.findall(r'href="#(group-\d+)"', html)
    assert len(links) == 31
    assert links == re.findall(r'id="(group-\d+)"', html)
    for name in ("Team 1 | x", "New"):
        assert text.count(f"\n{name} ") == 1
        assert text.count(name) >= 2


def test_a_long_plan_says_once_which_groups_grant_nothing():
    made, none = long(), RoleCount(roles=0, full_control=0, people=0)
    touched = tuple(dict.fromkeys(each.group for each in made.changes if each.group.id))
    roles = RoleEffects(
        requests=0,
        begin=none,
        end=none,
        effects=(),
        global_only=touched,
        not_known=(),
        not_known_because=None,
        own_roles="known",
    )
    made = attrs.evolve(made, roles=roles)
    names = ", ".join(f"Team {number} | x" for number in range(5))
    for text in (render_text(made), render_text(made, summary=True), render_markdown(made)):
        assert f"Groups that grant no global role: {names} and 25 other groups." in text
        assert "New groups, which grant no role: New." in text
        assert "it grants no global role" not in text


def test_a_plan_of_one_group_or_of_few_changes_has_no_table():
    one = planned(account({"A": [f"p{number}" for number in range(40)]}), wanted("A", "p0"))
    for made in (one, long(count=3), example(40)):
        assert "GUARDS" not in render_text(made)
        assert "| Guards |" not in render_markdown(made)
        assert "href" not in render_html(made)


def test_a_summary_has_all_but_each_change():
    made = attrs.evolve(long(), warnings=("a warning",), held_back=("an accident",), notes=("so",))
    for render in (render_text, render_markdown):
        whole, summary = render(made).splitlines(), render(made, summary=True).splitlines()
        left_out = "\n".join(line for line in whole if line not in summary)
        assert [line for line in summary if line not in whole] == []
        assert len(re.findall(r"p\d@example.com|eve@example.com", left_out)) == 91
        assert "@example.com" not in "\n".join(summary)
        assert not re.search("warning|accident|Rejected|allow|needed|so$", left_out)
    assert "GUARDS" in render_text(example(40), summary=True)
    assert "- bob" not in render_text(example(40), summary=True)


ADVICE = "if it is meant, edit `a; b` on line 3"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([f"{each}; {ADVICE}" for each in "ab"], [f"{each}; {ADVICE}" for each in "ab"]),
        ([f"{each}; {ADVICE}" for each in "abc"], [*"abc", f"For these 3: {ADVICE}"]),
        ([f"{each}; x; y" for each in "abc"], [*"abc", "For these 3: x; y"]),
        (["a; x; y", "b; z; y", "c; z; y"], ["a; x", "b; z", "c; z", "For these 3: y"]),
        (["y", "a; y", "b; y"], ["y", "a", "b", "For these 3: y"]),
        ([f"`{each}; b` is new" for each in "abc"], [f"`{each}; b` is new" for each in "abc"]),
        (["same"] * 3, ["same"] * 3),
    ],
)
def test_advice_is_given_once_and_nothing_else_is_lost(texts, expected):
    assert said_once(texts) == expected


def test_html_has_names_beside_emails_and_the_id_last():
    text = render_html(example(40), names={"u-bob": "Bob <b>", "u-eve": ""})
    assert "<td>bob@example.com<small>Bob &lt;b&gt;</small></td>" in text
    assert "<td>eve@example.com</td>" in text
    assert text.count('<td class="muted">u-bob</td></tr>') == 2
    unnamed = render_html(example(40), names={"u-bob": "bob@example.com"})
    assert "<td>bob@example.com</td>" in unnamed


def test_color_changes_nothing_but_the_color():
    plain = render_text(example(40))
    colored = render_text(example(40), color=True)
    assert "\x1b[" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain != colored


def test_a_plan_with_nothing_to_do_says_so():
    made = planned(account({"A": ["ann"]}), wanted("A", "ann"))
    for render in (render_text, render_markdown, render_html):
        assert "Nothing to do: the account matches the file." in render(made)
        assert "needed" not in render(made)


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (None, "6 requests needed; how many are left of the quota is not known."),
        (6, "6 requests needed; 6 left of the quota."),
        (5, "6 requests needed; 5 left of the quota. That is not enough."),
    ],
)
def test_the_requests_that_are_left_are_told(left, expected):
    made = attrs.evolve(example(40), requests_left=left)
    for render in (render_text, render_markdown, render_html):
        assert expected in render(made)


@st.composite
def hostile_plans(draw: st.DrawFn) -> Plan:
    """Return a plan in which every text that comes from outside is hostile."""
    gone = Member(id=draw(HOSTILE.filter(str.strip)), email=draw(st.none() | HOSTILE))
    groups = (
        Group(id="1", name=draw(HOSTILE), members=(gone,)),
        Group(id="2", name=draw(HOSTILE), members=(gone,)),
        Group(id="3", name=draw(HOSTILE), members=(gone,)),
    )
    snapshot = Snapshot(account_id=draw(HOSTILE), groups=groups, taken_at=NOW)
    text = draw(HOSTILE)
    new = DesiredMember(id=draw(HOSTILE.filter(str.strip)), reason=text, source=text, line=1)
    made = planned(
        snapshot,
        wanted("new", new, id="1", reason=text),
        wanted(groups[1].name, id="2", allow_empty=True),
        wanted(groups[2].name, id="3", state="absent", reason=text),
    )
    changes = tuple(
        attrs.evolve(each, group=GroupRef(id="1", name=f"new {text}"))
        if each.group.name == "new"
        else each
        for each in made.changes
    )
    texts = (text,)
    return attrs.evolve(
        made, source=text, changes=changes, notes=texts, warnings=texts, held_back=(f"!{text}",)
    )


@cache
def ours() -> Tags:
    return Tags(render_html(attrs.evolve(example(40), notes=("a note",))))


# In one test, since it takes longer to draw a plan than to render it.
@given(hostile_plans(), st.booleans())
def test_no_text_from_outside_is_more_than_text_in_any_format(made, color):
    text = re.sub(r"\x1b\[[0-9;]+m", "", render_text(made, color=color))
    page = render_html(made)
    assert text.replace("\n", "").isprintable()
    assert page.replace("\n", "").isprintable()
    assert_no_markup(render_markdown(made), r"[\w ,.;:]*")
    assert Tags(page).tags <= ours().tags
    assert Tags(page).attributes <= ours().attributes


def test_html_escapes_accounts_files_and_ids():
    hostile = '<b title="x">&'
    member = DesiredMember(id=hostile)
    snapshot = Snapshot(account_id=hostile, groups=(), taken_at=NOW)
    text = render_html(attrs.evolve(planned(snapshot, wanted("A", member)), source=hostile))
    assert "<b" not in text.replace("<body", "")
    assert text.count("&lt;b title=&quot;x&quot;&gt;&amp;") == 5


def test_html_stands_alone_and_runs_nothing():
    text = render_html(example(40))
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert not re.search(r"<script|<link|src=|href=|url\(|@import", text)
    assert "default-src &#x27;none&#x27;; style-src &#x27;sha256-" in text
    assert text.count('<table class="changes">') == text.count("<caption>") == 4
    assert text.count('scope="col"') == 4 * 5
