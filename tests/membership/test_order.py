"""The order of changes: what waits for what."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cld_user_groups.membership import Action, Change, GroupRef, UserRef
from cld_user_groups.membership.order import in_order, make_before_break, select, with_dependents

_RANKS = list(Action)


@st.composite
def changes_that_wait(draw: st.DrawFn) -> list[Change]:
    """Return changes that may depend on each other in any way, in circles too."""
    count = draw(st.integers(0, 8))
    waits = st.lists(st.integers(0, max(0, count - 1)), max_size=2, unique=True)
    group = GroupRef(id="g", name="G")
    return [
        Change(action=action, group=group, depends_on=tuple(draw(waits)))
        for action in draw(st.lists(st.sampled_from(Action), min_size=count, max_size=count))
    ]


@given(changes_that_wait())
def test_the_next_change_is_the_first_by_action_that_waits_for_nothing(changes):
    left, expected = dict(enumerate(changes)), []
    while free := [at for at, each in left.items() if not set(each.depends_on) & left.keys()]:
        expected.append(min(free, key=lambda at: (_RANKS.index(changes[at].action), at)))
        del left[expected[-1]]
    assert in_order(changes) == expected


@given(changes_that_wait(), st.data())
def test_what_depends_on_a_change_is_all_that_cannot_be_done_without_it(changes, data):
    order = in_order(changes)
    left_out = data.draw(st.sets(st.sampled_from(order))) if order else set()
    done: set[int] = set()
    for at in order:
        if at not in left_out and done.issuperset(changes[at].depends_on):
            done.add(at)
    assert with_dependents(changes, left_out).isdisjoint(done)
    assert with_dependents(changes, left_out) >= set(order) - done


@given(changes_that_wait())
def test_changes_that_are_selected_depend_on_the_same_changes(changes):
    order = in_order(changes)
    for at, change in zip(order, select(changes, order), strict=True):
        assert sorted(order[needed] for needed in change.depends_on) == sorted(
            changes[at].depends_on
        )
        assert change.depends_on == tuple(sorted(change.depends_on))


@st.composite
def steps_of_an_undo(draw: st.DrawFn) -> list[Change]:
    """Return steps that depend on earlier ones, about two people and two groups."""
    steps: list[Change] = []
    for position in range(draw(st.integers(0, 8))):
        earlier = st.sets(st.integers(0, position - 1), max_size=2) if position else st.just(set())
        steps.append(
            Change(
                action=draw(st.sampled_from([Action.ADD_USER, Action.REMOVE_USER])),
                group=GroupRef(id=draw(st.sampled_from("gh")), name="G"),
                user=UserRef(id=draw(st.sampled_from("uv"))),
                line=position,
                depends_on=tuple(sorted(draw(earlier))),
            )
        )
    return steps


@given(steps_of_an_undo(), st.integers(1, 2))
def test_an_undo_keeps_its_steps_and_lets_people_join_before_they_leave(steps, members):
    ordered = make_before_break(steps, {"g": members, "h": members})
    assert sorted(each.line or 0 for each in ordered) == list(range(len(steps)))
    place = {each.line: at for at, each in enumerate(ordered)}
    for step in steps:
        needed = {place[before] for before in step.depends_on}
        assert needed <= set(ordered[place[step.line]].depends_on)
    for at, leave in enumerate(ordered):
        assert all(needed < at for needed in leave.depends_on)
        for join_at, join in enumerate(ordered):
            if join.action is Action.ADD_USER and leave.leavers == (join.user,):
                waits_for_leaver = at in with_needed(ordered, join_at)
                assert waits_for_leaver or join_at in leave.depends_on


def with_needed(changes: tuple[Change, ...], position: int) -> set[int]:
    """Return all that a change waits for, directly or not."""
    needed = set(changes[position].depends_on)
    return needed.union(*(with_needed(changes, at) for at in needed))
