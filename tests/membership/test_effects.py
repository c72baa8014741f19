"""What a plan gives and ends: as the account before and after it shows, and in every format."""

from __future__ import annotations

import html
import json
import re

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tests.membership.hostile import HOSTILE, Tags
from tests.membership.planned_accounts import (
    NOW,
    TODAY,
    USERS,
    account,
    account_and_file,
    applied,
    planned,
    some_of,
    wanted,
)

from cld_user_groups.membership import (
    Action,
    Change,
    Grant,
    Plan,
    Roles,
    Snapshot,
    adds_only,
    parse_plan,
    plan,
    plan_schema,
    render_html,
    render_json,
    render_markdown,
    render_text,
    with_effects,
)

EDITOR = Grant("Editor", "editor", "prodenv", "env1", is_system=True)
ADMIN = Grant("Master Admin", "cld::role::account::master_admin", "account", is_system=True)
FOLDER = Grant("Helper", "helper", "prodenv", "env1", (("folder_id", "fg38"),), is_content=True)
OTHER_FOLDER = attrs.evolve(FOLDER, within=(("folder_id", "fg39"),))
GRANTS = (EDITOR, ADMIN, FOLDER, OTHER_FOLDER)
REASON = "the Permissions API responded with status 500"


def granted(snapshot: Snapshot, **grants: tuple[Grant, ...] | None) -> Snapshot:
    """Return an account whose groups have roles; None where they are not known."""
    known = {("group", f"g-{name}"): each for name, each in grants.items() if each is not None}
    return attrs.evolve(snapshot, roles=Roles(known, REASON, 2))


SECTION = {
    "add": "from now on",
    "remove": "no longer",
    "delete": "no longer",
    "merge": "no longer",
}


def example(action: str, grants: tuple[Grant, ...] | None) -> Plan:
    """Return a plan that does something to the group "Team", of which Ann and Bob are members."""
    snapshot = account({"Team": ["ann", "bob"], "Rest": ["cyd"]}, others=["dee", "eve"])
    snapshot = granted(snapshot, Team=grants, Rest=())
    gone = wanted("Team", state="absent", allow_empty=True)
    groups = {
        "add": [wanted("Team", "dee", "eve", mode="additive")],
        "remove": [wanted("Team", allow_empty=True)],
        "delete": [gone],
        "rename": [wanted("Crew", id="g-Team", mode="additive")],
        "create": [wanted("New", "ann", "bob", allow_new=True)],
        "merge": [gone, wanted("Rest", "ann", "bob", mode="additive")],
    }
    return planned(snapshot, *groups[action])


def as_text(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", page))


FORMATS = {
    "text": render_text,
    "markdown": lambda made: render_markdown(made).replace("`", ""),
    "html": lambda made: as_text(render_html(made)),
}
each_format = pytest.mark.parametrize("render", FORMATS.values(), ids=FORMATS)
each_action = pytest.mark.parametrize(
    "action", ["add", "remove", "delete", "rename", "create", "merge"]
)


@each_format
@each_action
@pytest.mark.parametrize(
    "grants", [(EDITOR,), (ADMIN,), (FOLDER,), (), None], ids=["one", "full", "content", "no", "?"]
)
def test_a_plan_says_under_each_group_what_it_gives_or_ends(render, action, grants):
    made = example(action, grants)
    shown = render(made)
    said = [line for line in shown.splitlines() if "through this group" in line]
    if grants and action in SECTION:
        (line,) = said
        of_others = "; of 2 it is not known whether they keep it" if line.count("fg38") else ""
        of_others = of_others if action == "merge" else ""
        assert line.strip(" -*").endswith(
            f"through this group {SECTION[action]}: {grants[0].text}, 2 people{of_others}"
        )
        assert ("(full control)" in line) is (grants == (ADMIN,))
    else:
        assert not said
    moves = action in SECTION
    assert ("it grants no global role" in shown) is ((grants == () and moves) or action == "merge")
    assert ("a new group grants no role" in shown) is (action == "create")
    assert shown.count(REASON) == (grants is None and moves)
    folders = "Roles in folders and collections are known only"
    knows_content = grants in ((FOLDER,), None) and action != "merge"
    assert (folders in shown) is (moves and not knows_content)
    effects = json.loads(render_json(made))["roles"]["effects"]
    assert [(each["effect"], each["text"], each["people"]) for each in effects] == [
        ("begins" if action == "add" else "ends", grant.text, 2) for grant in grants or () if moves
    ]


@each_action
@pytest.mark.parametrize("grants", [GRANTS, (), None])
def test_the_effects_are_in_the_json_and_come_back(action, grants):
    made = example(action, grants)
    document = json.loads(render_json(made))
    Draft202012Validator(plan_schema()).validate(document)
    assert parse_plan(render_json(made)) == made
    assert document["roles"]["requests"] == 2


def test_a_plan_whose_roles_were_not_read_says_nothing_of_them():
    snapshot = account({"Team": ["ann", "bob"]})
    made = planned(snapshot, wanted("Team", state="absent", allow_empty=True))
    assert made.roles is None
    assert "roles" not in json.loads(render_json(made))
    assert parse_plan(render_json(made)) == made
    for render in FORMATS.values():
        assert "through this group" not in render(made)
        assert "not known whether" not in render(made)


def test_who_keeps_a_role_is_said_with_the_group_as_it_will_be_called():
    snapshot = account({"A": ["ann", "bob", "cyd"], "B": ["ann"], "C": ["bob"]})
    snapshot = granted(snapshot, A=(EDITOR,), B=(EDITOR,), C=(attrs.evolve(EDITOR, where="env2"),))
    gone = wanted("A", state="absent", allow_empty=True)
    made = planned(snapshot, gone, wanted("Bees", id="g-B", mode="additive"))
    assert f"no longer: {EDITOR.text}, 3 people; 1 keeps it through Bees\n" in render_text(made)
    assert "Roles that end: 1 role, for 2 people.\n" in render_text(made)
    both = planned(snapshot, gone, wanted("B", state="absent", allow_empty=True))
    assert f"no longer: {EDITOR.text}, 3 people\n" in render_text(both)
    assert "Roles that end: 1 role, for 3 people.\n" in render_text(both)


def test_own_roles_count_only_where_they_were_read():
    snapshot = account({"A": ["ann", "bob", "cyd"]})
    gone = wanted("A", state="absent", allow_empty=True)
    groups = {("group", "g-A"): (ADMIN,)}
    people = {("user", "u-ann"): (ADMIN,), ("user", "u-bob"): ()}
    read = attrs.evolve(snapshot, roles=Roles(groups | people, "it did not say", 2))
    shown = render_text(planned(read, gone))
    assert "3 people; 1 keeps it as an own role; of 1 it is not known whether they" in shown
    assert shown.count("themselves is not known: it did not say.") == 1
    assert "Roles that end: 1 role, 1 with full control, for 1 person, perhaps more." in shown
    unread = attrs.evolve(snapshot, roles=Roles(groups, "", 2))
    shown = render_text(planned(unread, gone))
    assert "Roles that end: 1 role, 1 with full control, for 3 people.\n" in shown
    assert shown.count("themselves is not known: --roles=people reads that.") == 1


def test_own_roles_that_nobody_asked_for_are_not_counted_as_not_known():
    snapshot = account({"A": ["ann", "bob", "cyd"]})
    known = {("group", "g-A"): (ADMIN,), ("user", "u-ann"): (ADMIN,)}
    read = attrs.evolve(
        snapshot, roles=Roles(known, requests=2)
    )  # as the rules of a file need them
    made = planned(read, wanted("A", state="absent", allow_empty=True))
    (effect,) = made.roles.effects
    assert (effect.people, effect.own, effect.not_known) == (3, 1, 0)
    assert made.roles.own_roles == "not_read"


@each_format
def test_that_many_groups_are_not_known_is_said_once(render):
    names = [f"Group {number:03}" for number in range(40)]
    snapshot = account({name: [*USERS] for name in names})
    snapshot = attrs.evolve(snapshot, roles=Roles(reason=REASON, requests=1))
    groups = (wanted(name, *USERS[1:]) for name in names)
    shown = render(planned(snapshot, *groups))
    assert shown.count("not known") == 1 + shown.count("left of the quota is not known")
    assert f"{names[4]} and 35 other groups: {REASON}." in shown


def test_only_additions_have_effects_of_their_own():
    snapshot = account({"A": ["ann", "bob"], "B": []}, others=["bob"])
    snapshot = granted(snapshot, A=(EDITOR,), B=(ADMIN,))
    full = planned(snapshot, wanted("A", "ann"), wanted("B", "bob"))
    left = adds_only(full)
    assert left.roles is None
    assert [each.effect for each in with_effects(left, snapshot).roles.effects] == ["begins"]


@given(HOSTILE, HOSTILE)
@settings(max_examples=30)
def test_names_of_roles_and_groups_are_never_markup_or_control(name, role):
    hostile = attrs.evolve(ADMIN, role=role)
    snapshot = account({"A": ["ann"], "B": ["ann"]})
    groups = (attrs.evolve(each, name=name + each.name) for each in snapshot.groups)
    snapshot = granted(attrs.evolve(snapshot, groups=tuple(groups)), A=(hostile,), B=(hostile,))
    made = planned(snapshot, wanted(name + "A", id="g-A", state="absent", allow_empty=True))
    plain = planned(
        granted(account({"A": ["ann"], "B": ["ann"]}), A=(ADMIN,), B=(ADMIN,)),
        wanted("A", state="absent", allow_empty=True),
    )
    assert len(render_text(made).splitlines()) == len(render_text(plain).splitlines())
    assert Tags(render_html(made)).tags == Tags(render_html(plain)).tags


_grants = some_of(GRANTS)
_grants_if_known = st.none() | _grants
_new_grants = st.just(()) | _grants


@st.composite
def cases(draw: st.DrawFn) -> tuple[Snapshot, Plan]:
    snapshot, file = draw(account_and_file())
    known = {
        ("group", group.id): grants
        for group in snapshot.groups
        if (grants := draw(_grants_if_known)) is not None
    }
    if draw(st.booleans()):
        for user in USERS:
            if (grants := draw(_grants_if_known)) is not None:
                known["user", f"u-{user}"] = grants
    snapshot = attrs.evolve(snapshot, roles=Roles(known, REASON, 2))
    made = plan(snapshot, file, TODAY, now=NOW)
    deleted = {each.group for each in made.changes if each.action is Action.DELETE_GROUP}
    given = [
        Change(action=Action.ASSIGN_ROLE, group=group, role=grant)
        for group in dict.fromkeys(each.group for each in made.changes)
        if group not in deleted
        for grant in draw(_new_grants)
    ]
    made = attrs.evolve(made, changes=(*made.changes, *given))
    return snapshot, with_effects(made, snapshot)


@attrs.frozen
class State:
    """An account, what is known of its roles, and the roles that a plan has assigned, by group."""

    account: Snapshot
    known: Roles
    assigned: dict[str, set[Grant]]


def has(at: State, user: str, grant: Grant, without: str = "") -> bool | None:
    """Return whether a user has a grant in an account; None where that is not known."""
    known = at.known
    groups = [
        group.id
        for group in at.account.groups
        if group.id != without and any(member.id == user for member in group.members)
    ]
    if any(grant in at.assigned.get(group, ()) for group in groups):
        return True
    sources = [
        known.known.get(("group", group)) for group in groups if not group.startswith("new-")
    ]
    if any(kind == "user" for kind, _ in known.known):
        sources.append(known.known.get(("user", user)))
    if any(grant in source for source in sources if source is not None):
        return True
    are_told = [
        source is not None and (not grant.is_content or FOLDER in source or OTHER_FOLDER in source)
        for source in sources
    ]
    return False if all(are_told) else None


def members(at: Snapshot, group_id: str) -> set[str]:
    return {member.id for group in at.groups if group.id == group_id for member in group.members}


def split(users: set[str], at: State, grant: Grant, group_id: str) -> list[int]:
    """Return how many users have a grant elsewhere, of how many that is not known, and not."""
    found = [has(at, user, grant, group_id) for user in users]
    return [found.count(True), found.count(None), found.count(False)]


def expected_effects(was: State, will: State) -> dict[tuple[str, str, str], list[int]]:
    """Return how the people whom each role of each group is about are split."""
    expected = {}
    ids = dict.fromkeys(group.id for at in (was, will) for group in at.account.groups)
    for group_id in ids:
        before, after = members(was.account, group_id), members(will.account, group_id)
        granted = set(was.known.of(group_id) or ())
        for grant in granted | will.assigned.get(group_id, set()):
            is_new = grant not in granted
            gain, lose = (after, set()) if is_new else (after - before, before - after)
            if gain:
                found = split(gain, was, grant, "" if is_new else group_id)
                expected[group_id, "begins", grant.text] = found
            if lose:
                expected[group_id, "ends", grant.text] = split(lose, will, grant, group_id)
    return expected


@given(cases())
@settings(max_examples=300)
def test_what_ends_and_what_is_kept_is_what_the_planned_state_gives(case):
    before, made = case
    if not made.changes:
        assert made.roles is None
        return
    known = before.roles
    memberships = [each for each in made.changes if each.role is None]
    after = applied(before, attrs.evolve(made, changes=tuple(memberships)))
    assigned = {}
    for each in made.changes:
        if each.role is not None:
            group_id = each.group.id or f"new-{each.group.name}"
            assigned.setdefault(group_id, set()).add(each.role)
    was_state, will_state = State(before, known, {}), State(after, known, assigned)
    said = {}
    for each in made.roles.effects:
        elsewhere = sum(other.people for other in each.through) + each.own
        split_up = [elsewhere, each.not_known, each.people - elsewhere - each.not_known]
        group_id = each.group.id or f"new-{each.group.name}"
        said[group_id, each.effect, each.text] = split_up
        at = will_state if each.effect == "ends" else was_state
        for other in each.through:
            other_id = other.group.id or f"new-{other.group.name}"
            (group,) = (group for group in at.account.groups if group.id == other_id)
            grants = {*(known.of(other_id) or ()), *at.assigned.get(other_id, ())}
            assert each.text in {grant.text for grant in grants}
            assert other.group.name in {group.name, *(each.name for each in after.groups)}
    assert said == expected_effects(was_state, will_state)
    pairs = [(f"u-{user}", grant) for user in USERS for grant in GRANTS]
    changed = {
        "begin": [
            pair
            for pair in pairs
            if has(was_state, *pair) is False and has(will_state, *pair) is True
        ],
        "end": [
            pair
            for pair in pairs
            if has(was_state, *pair) is True and has(will_state, *pair) is False
        ],
    }
    for name, found in changed.items():
        count = getattr(made.roles, name)
        roles = {grant for _, grant in found}
        assert (count.roles, count.people, count.full_control) == (
            len(roles),
            len({user for user, _ in found}),
            int(ADMIN in roles),
        )
    unknown = {group.id for group in made.roles.not_known}
    assert all(known.of(group_id) is None for group_id in unknown)
    moved = {g.id for g in before.groups if members(before, g.id) != members(after, g.id)}
    assert {group_id for group_id in moved if known.of(group_id) is None} <= unknown
