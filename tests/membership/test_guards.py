"""Guards: what a plan may take away, and exactly what a human must say to let it take more."""

from __future__ import annotations

from datetime import date

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.membership.planned_accounts import account, planned, wanted

from cld_user_groups.membership import (
    DesiredGroup,
    DesiredMember,
    GuardLimits,
    Member,
    Snapshot,
    check_guards,
)
from cld_user_groups.membership.grants import GroupRef


def people(count: int, first: int = 0) -> list[str]:
    return [f"p{number:04}" for number in range(first, first + count)]


def refused(snapshot: Snapshot, *groups: DesiredGroup, **fields: object) -> list[str]:
    """Return the guards that the plan of a file does not pass."""
    return [breach.guard for breach in planned(snapshot, *groups, **fields).breaches]


@pytest.mark.parametrize(
    ("members", "removed", "expected"),
    [
        (3, 2, []),
        (4, 3, ["max_removals_per_group"]),
        (8, 2, []),
        (12, 3, []),
        (11, 3, ["max_removals_per_group"]),
        (40, 10, []),
        (40, 11, ["max_removals", "max_removals_per_group"]),
        (90, 10, []),
        (90, 11, ["max_removals"]),
        (200, 20, []),
        (200, 21, ["max_removals"]),
    ],
)
def test_a_quarter_of_a_group_or_two_a_tenth_of_all_or_ten_may_be_removed(
    members, removed, expected
):
    snapshot = account({"A": people(members), "Unnamed": people(1_000)})
    assert refused(snapshot, wanted("A", *people(members)[removed:])) == expected


def test_removals_of_all_groups_count_together():
    snapshot = account({name: people(8) for name in "ABCDEF"})
    groups = [wanted(name, *people(6, 2)) for name in "ABCDEF"]
    assert refused(snapshot, *groups[:5]) == []
    assert refused(snapshot, *groups) == ["max_removals"]


@pytest.mark.parametrize(
    ("members", "group", "expected"),
    [
        (5, wanted("A", *people(5, 5)), ["max_removals_per_group"]),  # all are exchanged
        (1, wanted("A"), ["empties_group"]),
        (2, wanted("A"), ["empties_group"]),
        (2, wanted("A", allow_empty=True), []),
        (8, wanted("A", *people(1), allow_empty=True), ["max_removals_per_group"]),
        (4, wanted("A", *people(2), *people(2, 5)), []),  # half are exchanged
        (1, wanted("A", state="absent"), ["deletes_members"]),
        (8, wanted("A", state="absent"), ["deletes_members"]),
        (8, wanted("A", state="absent", allow_empty=True), []),
        (0, wanted("A", state="absent"), []),
        (11, wanted("A", state="absent", allow_empty=True), ["max_removals"]),
    ],
)
def test_a_group_is_not_emptied_exchanged_or_deleted_without_being_told(members, group, expected):
    snapshot = account({"A": people(members)}, others=people(5, 5))
    assert refused(snapshot, group) == expected


def test_a_group_that_may_be_emptied_allows_it_for_no_other():
    snapshot = account({"A": people(1), "B": people(1)})
    assert refused(snapshot, wanted("A", allow_empty=True), wanted("B")) == ["empties_group"]


def test_memberships_of_groups_that_a_file_names_count_though_they_stay():
    groups = {"A": people(100), "B": people(100), "Unnamed": people(1_000)}
    snapshot = account(groups)
    made = planned(snapshot, wanted("A", *people(100)[12:]), wanted("B", *people(100)))
    assert made.breaches == ()
    uncounted = attrs.evolve(made, memberships=None)  # then those of the groups that it touches
    (breach,) = check_guards(uncounted, snapshot)
    assert breach.message.startswith("12 of 100 memberships end; 10 may; ")
    assert (breach.guard, breach.removals, breach.limit) == ("max_removals", 12, 10)


def test_a_file_can_set_the_limits():
    snapshot = account({"A": people(100)})
    group = wanted("A", *people(100)[30:])
    assert refused(snapshot, group) == ["max_removals", "max_removals_per_group"]
    limits = GuardLimits(max_removals=30, max_removals_per_group=0.3)
    assert refused(snapshot, group, guards=limits) == []
    none = GuardLimits(max_removals=0)
    assert refused(snapshot, wanted("A", *people(99)), guards=none) == ["max_removals"]


def test_a_share_is_not_lost_to_rounding():
    snapshot = account({"A": people(100)})
    limits = GuardLimits(max_removals=100, max_removals_per_group=0.29)
    assert refused(snapshot, wanted("A", *people(100)[29:]), guards=limits) == []


def test_a_message_says_exactly_what_would_be_needed():
    snapshot = account({"A": people(28)})
    made = planned(snapshot, wanted("A", people(1)[0]))
    (total, share) = made.breaches
    assert total.message == (
        "27 of 28 memberships end; 10 may; if that is right, allow exactly 27: --allow-removals 27."
    )
    assert share.message == (
        "`A` loses 27 of 28 members; 7 may be removed (25%); if that is right, allow exactly 27: "
        "--allow-removals 27."
    )
    assert (share.group, share.removals, share.limit) == (made.changes[0].group, 27, 7)


@pytest.mark.parametrize(
    ("members", "fields", "guard", "expected"),
    [
        (1, {"state": "absent"}, "deletes_members", "is deleted with 1 member in it"),
        (2, {"state": "absent"}, "deletes_members", "is deleted with 2 members in it"),
        (2, {}, "empties_group", "loses all its members"),
    ],
)
def test_a_message_says_what_an_emptied_group_would_need(members, fields, guard, expected):
    snapshot = account({"A": people(members)})
    of_file = planned(snapshot, wanted("A", **fields))
    in_file = "say `allow_empty: true` for it in the file, or, "
    for made, hint in ((of_file, in_file), (attrs.evolve(of_file, digest=""), "")):
        (breach,) = check_guards(made, snapshot)
        assert breach.message == (
            f"`A` {expected}; {hint}if that is right, allow exactly {members}: "
            f"--allow-removals {members}."
        )
        found = (breach.guard, breach.group, breach.removals)
        assert found == (guard, made.changes[0].group, members)


@pytest.mark.parametrize("group", [wanted("A"), wanted("A", state="absent")])
def test_a_group_that_is_gone_had_at_least_those_whom_a_plan_removes(group):
    made = planned(account({"A": people(2)}), group)
    assert check_guards(made, account({})) == made.breaches


def test_a_group_that_others_have_joined_since_is_not_deleted_either():
    made = planned(account({"A": people(2)}), wanted("A", state="absent"))
    (breach,) = check_guards(made, account({"A": people(5)}))
    assert breach.guard == "deletes_members"


def test_an_allowance_holds_for_exactly_that_many_removals():
    snapshot = account({"A": people(28)})
    made = planned(snapshot, wanted("A", people(1)[0]))
    assert check_guards(made, snapshot, allow_removals=27) == ()
    for other in (0, 26, 28, 1_000):
        breaches = check_guards(made, snapshot, allow_removals=other)
        assert [breach.guard for breach in breaches] == [b.guard for b in made.breaches]
        assert f"{other} removals were allowed, and the plan has 27" in breaches[0].message


@pytest.mark.parametrize(
    "pattern",
    ["u-p0000", "p0000@example.com", " P0000@Example.com", "*@example.com", "p000[0-9]@*"],
)
def test_members_who_are_protected_stay_and_are_noted(pattern):
    snapshot = account({"A": people(1), "B": ["p9999"]})
    group = wanted("A", "p9999")
    made = planned(snapshot, group, protect=(pattern,))
    assert made.removals == 0
    assert made.breaches == ()
    assert made.notes == ("`p0000@example.com` is protected, and stays in `A`.",)


def test_a_group_with_a_protected_member_is_not_deleted_by_any_allowance():
    snapshot = account({"A": people(2)})
    made = planned(
        snapshot, wanted("A", state="absent", allow_empty=True), protect=("p0001@example.com",)
    )
    assert [breach.guard for breach in made.breaches] == ["protected"]
    assert "p0001@example.com" in made.breaches[0].message
    assert [b.guard for b in check_guards(made, snapshot, allow_removals=2)] == ["protected"]


def test_a_breach_names_all_members_who_are_protected():
    snapshot = account({"A": people(3)})
    names = ("p0000@example.com", "p0001@example.com")
    (breach,) = planned(
        snapshot, wanted("A", state="absent", allow_empty=True), protect=names
    ).breaches
    assert breach.message == (
        "`A` loses members who are protected: `p0000@example.com`, `p0001@example.com`."
    )
    assert (breach.group, breach.removals) == (GroupRef(id="g-A", name="A"), 2)


def test_an_email_of_the_plan_protects_though_the_account_has_another():
    snapshot = account({"A": people(3)})
    made = planned(snapshot, wanted("A", *people(2, 1)))
    made = attrs.evolve(made, protect=("p0000@example.com",))
    renamed = attrs.evolve(snapshot.groups[0].members[0], email="new@example.com")
    group = attrs.evolve(snapshot.groups[0], members=(renamed, *snapshot.groups[0].members[1:]))
    (breach,) = check_guards(made, attrs.evolve(snapshot, groups=(group,)))
    assert breach.guard == "protected"


def test_a_plan_without_removals_passes():
    snapshot = account({"A": []}, others=people(50))
    limits = GuardLimits(max_removals=0, max_removals_per_group=0)
    assert refused(snapshot, wanted("A", *people(50)), guards=limits) == []


def test_memberships_that_have_ended_count_as_removals():
    until = date(2026, 11, 21)
    ended = [DesiredMember(email=f"{name}@example.com", until=until) for name in people(4)]
    found = refused(account({"A": people(4)}), wanted("A", *ended))
    assert found == ["empties_group", "max_removals_per_group"]


@given(
    st.dictionaries(
        st.sampled_from("ABC"), st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1
    )
)
def test_a_plan_passes_only_within_all_limits(sizes):
    sizes = {name: (max(pair), min(pair)) for name, pair in sizes.items()}
    snapshot = account({name: people(before) for name, (before, _) in sizes.items()})
    made = planned(snapshot, *[wanted(name, *people(after)) for name, (_, after) in sizes.items()])
    removals = {name: before - after for name, (before, after) in sizes.items()}
    total = sum(before for before, _ in sizes.values())
    within = sum(removals.values()) <= max(10, total // 10) and all(
        removals[name] <= max(2, before // 4) and not (before and not after)
        for name, (before, after) in sizes.items()
    )
    assert (made.breaches == ()) is within


def nameless(*groups: str) -> Snapshot:
    """Return an account in which these groups show Ann without her e-mail."""
    snapshot = account({"A": ["ann", "bob", "cyd"], "B": ["ann"]})
    unknown = {group.id: (Member(id="u-ann"), *group.members[1:]) for group in snapshot.groups}
    shown = [
        attrs.evolve(group, members=unknown[group.id]) if group.name in groups else group
        for group in snapshot.groups
    ]
    return attrs.evolve(snapshot, groups=tuple(shown))


def test_an_email_that_one_listing_lacks_protects_by_that_of_another():
    made = planned(nameless("A"), wanted("A", "bob", "cyd"), protect=("ann@example.com",))
    assert (made.changes, made.breaches) == ((), ())
    assert made.notes == ("`u-ann` is protected, and stays in `A`.",)


@pytest.mark.parametrize("pattern", ["ann@example.com", "a*"])
def test_who_has_no_email_may_be_the_protected_one(pattern):
    snapshot = nameless("A", "B")
    made = planned(snapshot, wanted("A", "bob", "cyd"), protect=(pattern,))
    assert made.changes == ()
    (note,) = made.notes
    assert note == "`u-ann` may be protected, for its e-mail is not known, and stays in `A`."
    deletion = planned(snapshot, wanted("A", state="absent"), protect=(pattern,))
    assert "protected" in [breach.guard for breach in deletion.breaches]


def test_an_id_protects_nobody_else_whose_email_is_not_known():
    made = planned(nameless("A", "B"), wanted("A", "bob", "cyd"), protect=("u-bob",))
    assert len(made.changes) == 1


def test_an_email_that_only_the_list_of_users_has_protects():
    made = planned(
        attrs.evolve(nameless("A", "B"), people=account({}, ["ann"]).people),
        wanted("A", "bob", "cyd"),
        protect=("ann@example.com",),
    )
    assert made.notes == ("`u-ann` is protected, and stays in `A`.",)


def test_who_has_another_email_in_another_listing_is_not_the_protected_one():
    made = planned(nameless("A"), wanted("A", "bob", "cyd"), protect=("bob@example.com",))
    assert [change.user.id for change in made.changes] == ["u-ann"]


def test_each_entry_of_protect_that_matches_nobody_is_reported():
    snapshot = account({"A": ["ann", "bob"]})
    made = planned(snapshot, wanted("A", "ann", "bob"), protect=("ann@example.com", "x@y.z", "q*"))
    assert [text for text in made.warnings if "`protect`" in text] == [
        f"groups.yaml: `{entry}` in `protect` matches nobody in a group"
        for entry in ("x@y.z", "q*")
    ]
