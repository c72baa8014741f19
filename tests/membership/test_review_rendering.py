"""Reviews as people read them: complete, and with nothing in them that is not text."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import date, datetime, timedelta, timezone
from functools import cache

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from tests.membership.hostile import HOSTILE, Tags, assert_no_markup
from tests.membership.planned_accounts import account, desired, wanted
from tests.membership.recorded import joins, run_of
from tests.membership.reviewed import NOW, large, reviewed

from cld_user_groups.membership import Grant, Group, Member, Roles, Rule, Snapshot, history_of
from cld_user_groups.membership.review import (
    Comparison,
    Origin,
    Person,
    Review,
    State,
    compare,
    digest_of,
    render_html,
    render_markdown,
    render_text,
)

RENDERERS = [render_text, render_markdown, render_html]


def small() -> Review:
    """Return the review of two groups and three people."""
    snapshot = account({"Designers": ["ann", "bob"], "Interns": []})
    change = joins("u-ann", "g-Designers", reason="JIRA-1", until=date(2026, 6, 15))
    people = [
        Person(id="u-ann", email="ann@example.com", name="Ann", state=State.ACTIVE, last_login=NOW),
        Person(id="u-bob", email="bob@example.com", name="Bob", state=State.DISABLED),
        Person(id="u-cyd", email="cyd@example.com", state=State.ACTIVE, last_login=NOW),
    ]
    before = account({"Designers": ["bob", "dee"], "Interns": []})
    return reviewed(
        evolve(snapshot, taken_at=NOW),
        *people,
        history=history_of([run_of(1, change)]),
        changes=compare(before.groups, snapshot, to="the report of 2026-03-01", at=NOW),
    )


def test_text_has_what_to_look_at_what_has_changed_and_who_is_in_what():
    assert render_text(small()) == (
        "Access review of account acc\n"
        "Made on 2026-06-01 12:00 UTC.\n"
        "2 groups, 3 people and 2 memberships. 5 findings to look at.\n"
        "Thresholds: not seen for 90 days; ends within 30 days\n"
        "Read: all 2 groups and all 3 people that the account lists; roles were not read\n"
        "Not in it: roles; who made changes elsewhere, and when\n"
        f"SHA-256: {digest_of(small())}\n"
        "\n"
        "Disabled, and still in groups (1)\n"
        "  bob@example.com  Designers\n"
        "\n"
        "Memberships that end within 30 days (1)\n"
        "  ann@example.com  Designers  until 2026-06-15\n"
        "\n"
        "Last login unknown (1)\n"
        "  bob@example.com  Designers\n"
        "\n"
        "In no group (1)\n"
        "  cyd@example.com\n"
        "\n"
        "Groups without members (1)\n"
        "  Interns\n"
        "\n"
        "Nothing to report: Invited, not joined yet, and already in groups; Memberships past their "
        "last day; Not seen for 90 days.\n"
        "\n"
        "Changes since the report of 2026-03-01 (2)\n"
        "  Designers: added: ann@example.com\n"
        "  Designers: removed: dee@example.com\n"
        "\n"
        "Designers (2)\n"
        "  ann@example.com  since 2026-03-02  by ada@ops  JIRA-1  groups.yaml:7  until 2026-06-15\n"
        "  bob@example.com\n"
        "\n"
        "Interns (0)\n"
    )


@pytest.mark.parametrize("render", RENDERERS)
def test_every_format_has_every_person_group_reason_run_and_day(render):
    text = render(small())
    for part in ("ann@example.com", "bob@example.com", "cyd@example.com", "Designers", "Interns"):
        assert part in text
    for part in ("2026-03-02", "by ada@ops", "JIRA-1", "groups.yaml:7", "2026-06-15"):
        assert part in text
    for part in ("the report of 2026-03-01", "dee@example.com", "Not seen for 90 days"):
        assert part in text


@pytest.mark.parametrize("render", RENDERERS)
def test_every_format_says_what_it_is_compared_with_or_with_nothing(render):
    nothing = Comparison(to="the report of 2026-03-01", at=NOW)
    assert "Nothing has changed since the report of 2026-03-01." in render(
        evolve(small(), changes=nothing)
    )
    first = render(evolve(small(), changes=None))
    assert "There is no earlier report to compare with." in first


@pytest.mark.parametrize("render", RENDERERS)
def test_every_format_says_which_run_it_is_as_of_and_has_the_notes(render):
    text = render(evolve(small(), as_of="run-1", notes=("Mind the gap.",)))
    assert "as they were right after the run" in text
    assert "run-1" in text
    assert "Mind the gap." in text


ORIGIN = Origin(
    server="https://api.example.com", by="ada@ops", api_key="***wxyz", version="1.2", roles="groups"
)
GRANTED = large(6, 40, roles=True)
OWN = {("user", person.id): () for person in GRANTED.people[:39]}


@pytest.mark.parametrize("render", RENDERERS)
@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (GRANTED, "all 6 groups and all 40 people that the account lists; what 6 of 6 groups"),
        (
            evolve(GRANTED, complete=False),
            "lists; some people who are in no group may be missing; what 6 of",
        ),
        (
            evolve(GRANTED, as_of="run-1"),
            "the groups as the journals record them, and the people that",
        ),
        (evolve(GRANTED, roles=Roles({}, "why")), "what 0 of 6 groups grant"),
        (
            evolve(GRANTED, roles=Roles(OWN, "why")),
            "folders and collections; the own roles of 1 person",
        ),
    ],
)
def test_the_head_says_who_made_it_and_what_was_read_and_what_was_not(render, made, sentence):
    made = evolve(made, origin=ORIGIN)
    text = render(made)
    for part in (sentence, "ada@ops, API key ***wxyz, cld-user-groups 1.2", ORIGIN.server):
        assert part in text
    for part in ("not seen for 90 days; ends within 30 days", digest_of(made)):
        assert part in text


@pytest.mark.parametrize("render", RENDERERS)
def test_findings_say_of_how_many_full_control_is_known(render):
    first, *others = GRANTED.people
    text = render(reviewed(account({}), evolve(first, role="admin"), *others))
    assert "In no group (40, 1 with full control)" in text
    # And once beside the person; a table on a page has its title in three places.
    assert text.count("full control") == (4 if render is render_html else 2)


@pytest.mark.parametrize("render", RENDERERS)
def test_that_nobody_s_last_login_is_known_is_said_once(render):
    people = (Person(id="u-ann"), Person(id="u-bob"))
    text = render(reviewed(account({"A": ["ann", "bob"]}), *people))
    assert "the API returned no last login for anyone" in text
    assert "Last login unknown (2)" not in text


def test_an_account_without_anybody_has_a_report_too():
    made = reviewed(Snapshot(account_id="acc", groups=(), taken_at=NOW))
    assert "0 groups, 0 people and 0 memberships" in render_text(made)
    assert "Nobody is in a group." in render_html(made)


@st.composite
def hostile_reviews(draw: st.DrawFn) -> Review:
    """Return a review in which every text that comes from outside is hostile."""
    text = draw(HOSTILE)
    ids = HOSTILE.filter(str.strip)
    member = Member(id=draw(ids), email=draw(st.none() | HOSTILE), name=draw(st.none() | HOSTILE))
    group = Group(id=draw(ids), name=draw(HOSTILE), members=(member,))
    others = (Group(id="2", name=draw(HOSTILE)), Group(id="3", name=text, members=(member,)))
    rule = Rule(kind="not_with_role", values=(text,), source=draw(HOSTILE))
    grant = Grant(text, "master_admin", "prodenv", text, ((text, text),), is_system=True)
    known = {("group", each): (grant,) for each in (group.id, "3")}
    snapshot = Snapshot(
        account_id=draw(HOSTILE),
        groups=(group, *others),
        taken_at=NOW,
        roles=Roles(known, reason="it is not known"),
    )
    change = joins(member.id, group.id, reason=text, until=date(2026, 6, 15))
    run = run_of(1, evolve(change, source=draw(HOSTILE)))
    person = Person(id=member.id, email=draw(st.none() | HOSTILE), name=text, role=draw(HOSTILE))
    before = (evolve(group, name=draw(HOSTILE), members=(Member(id=draw(ids), email=text),)),)
    return reviewed(
        snapshot,
        person,
        evolve(person, id=f"{person.id}2", state=State.DISABLED),
        history=history_of([run]),
        as_of=text,
        desired=desired(
            evolve(wanted(group.name, id=group.id), managed_by=text, owner=text, rules=(rule,)),
        ),
        changes=compare(before, snapshot, to=text, at=NOW),
        notes=(text,),
    )


@cache
def ours() -> list[Tags]:
    """Return what documents have in which each text is harmless: with all parts, and with few."""
    whole = evolve(large(6, 40, roles=True), notes=("a note",))
    return [Tags(render_html(each)) for each in (whole, evolve(small(), changes=None))]


# In one test, since it takes longer to draw a review than to render it.
@given(hostile_reviews())
def test_no_text_from_outside_is_more_than_text_in_any_format(made):
    page = render_html(made)
    assert render_text(made).replace("\n", "").isprintable()
    assert page.replace("\n", "").isprintable()
    assert_no_markup(render_markdown(made), r"[\w ,.;:()#-]*")
    assert Tags(page).tags <= set.union(*(each.tags for each in ours()))
    assert Tags(page).attributes <= set.union(*(each.attributes for each in ours()))


def digests(text: str, element: str) -> list[str]:
    """Return the policy's digest of each element of this name."""
    contents = re.findall(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
    assert text.count(f"<{element}") == len(contents) == 1
    return [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in contents]


def test_html_stands_alone_and_only_its_own_style_and_script_may_run():
    text = render_html(small())
    assert not re.search(r"<link|src=|url\(|@import|href=\"[^#]| style=| on\w+=", text)
    (script,), (style,) = digests(text, "script"), digests(text, "style")
    assert (
        'http-equiv="Content-Security-Policy" content="default-src &#x27;none&#x27;; '
        f"style-src &#x27;sha256-{style}&#x27;; script-src &#x27;sha256-{script}&#x27;; "
        'base-uri &#x27;none&#x27;; form-action &#x27;none&#x27;"'
    ) in text


def test_html_labels_every_field_and_every_picture():
    text = render_html(small())
    assert text.count('role="img" aria-label=') == text.count('role="img"') == 1
    fields = re.findall(r'<input type="text"[^>]*>', text)
    unlabelled = [field for field in fields if "aria-label" not in field]
    assert len(unlabelled) == text.count("<label>Reviewer") + 3 == 4  # in the labels of the end
    assert 'aria-label="Remark on Designers"' in text


def test_times_are_those_of_utc():
    zone = timezone(timedelta(hours=2))
    text = render_text(evolve(small(), made_at=datetime(2026, 6, 1, 1, 30, tzinfo=zone)))
    assert "2026-05-31 23:30 UTC" in text
