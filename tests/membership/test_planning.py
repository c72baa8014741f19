"""Plans of single cases: which group is meant, who is who, and what waits for what."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from tests.membership.planned_accounts import NOW, TODAY, account, applied, desired, planned, wanted

from cld_user_groups.membership import (
    Action,
    DesiredGroup,
    DesiredMember,
    FileError,
    Group,
    GuardLimits,
    Member,
    Plan,
    PlanError,
    Snapshot,
    adds_only,
    fingerprint,
    plan,
)
from cld_user_groups.membership.planning import check_clocks, check_is_for

DAY_AGO = TODAY - timedelta(days=1)


def shape(made: Plan) -> list[str]:
    """Return each change of a plan in short, with the positions of those that it waits for."""
    found: list[str] = []
    for change in made.changes:
        user = [change.user.id] if change.user else []
        waits = [f"<{needed}" for needed in change.depends_on]
        found.append(" ".join((change.action.partition("_")[0], change.group.name, *user, *waits)))
    return found


def refusal(snapshot: Snapshot, *groups: DesiredGroup, **fields: object) -> list[str]:
    with pytest.raises(PlanError) as caught:
        planned(snapshot, *groups, **fields)
    return [f"{at.message}; {at.hint}" if at.hint else at.message for at in caught.value.problems]


def entry(name: str, email: str, **fields: object) -> DesiredMember:
    """Return an entry with the ID of one person and the e-mail of another."""
    return DesiredMember(id=f"u-{name}", email=f"{email}@example.com", **fields)


LONG_AGO = {"until": date(2020, 1, 1)}
#: The account, the groups of the file, the changes, and what is held back.
PLANS: dict[str, tuple[Snapshot, list[DesiredGroup], list[str], list[str]]] = {
    "changes come in the order make before break": (
        account({"Old": ["ann"], "Gone": ["bob"], "Kept": ["cyd", "dee"]}, ["eve"]),
        [wanted("Gone", state="absent", allow_empty=True), wanted("Kept", "cyd", "ann"),
         wanted("Renamed", "ann", "eve", previously=("Old",)), wanted("New", "bob", "dee")],
        ["create New", "rename Renamed", "add Kept u-ann", "add Renamed u-eve",
         "add New u-bob <0", "add New u-dee <0", "remove Kept u-dee <5", "delete Gone <4"], []),
    "a group that loses all waits for someone unless it may be empty": (
        account({"A": ["ann", "bob"], "B": ["ann", "bob"]}, ["cyd", "dee"]),
        [wanted("A", "cyd", "dee"), wanted("B", "cyd", allow_empty=True)],
        ["add A u-cyd", "add A u-dee", "add B u-cyd",
         "remove A u-ann <0", "remove A u-bob <0", "remove B u-ann", "remove B u-bob"], []),
    "a removal waits for the person's additions and one to the group": (
        account({"A": ["ann"]}, ["bob"]),
        [wanted("A", "bob"), wanted("B", "ann"), wanted("C", "ann")],
        ["create B", "create C", "add A u-bob", "add B u-ann <0", "add C u-ann <1",
         "remove A u-ann <2 <3 <4"], []),
    "a new group waits for a rename to free its name": (
        account({"A": ["ann"]}, ["bob"]), [wanted("B", "ann", id="g-A"), wanted("A", "bob")],
        ["rename B", "create A <0", "add A u-bob <1"], []),
    "a chain of renames is put in order": (
        account({name: [] for name in "ABC"}),
        [wanted(new, id=f"g-{old}", allow_empty=True) for new, old in ("BA", "CB", "DC")],
        ["rename D", "rename C <0", "rename B <1"], []),
    "a previous name is ignored once the group has its new name": (
        account({"A": ["ann"], "B": ["ann"]}), [wanted("B", "ann", previously=("A",))], [], []),
    "nobody needs to know a person whose membership has ended": (
        account({"A": ["ann"]}),
        [wanted("A", "ann", DesiredMember(email="gone@example.com", **LONG_AGO))], [], []),
    "an ended membership whose ID and e-mail disagree removes nobody": (
        account({"A": ["ann", "bob", "cyd"]}),
        [wanted("A", entry("ann", "bob", **LONG_AGO), mode="additive")], [], [".*"]),
    "an entry with nobody's ID and a known e-mail is held back": (
        account({"A": ["cyd"]}, ["ann"]), [wanted("A", "cyd", entry("gone", "ann"))], [],
        [".*write only the ID or only the e-mail.*"]),
    "whoever a held entry may mean loses nothing anywhere": (
        account({"A": ["bob", "cyd"], "B": ["ann", "cyd"], "C": ["bob"], "D": ["dee", "eve"]}),
        [wanted("A", entry("ann", "bob")), wanted("B", "dee"), wanted("C", state="absent"),
         wanted("D", "dee")],
        ["add B u-dee", "remove A u-cyd", "remove B u-cyd", "remove D u-eve"],
        [".*", "the removal of `bob@example.com` from `A` waits for what is held back",
         "the removal of `ann@example.com` from `B` waits for what is held back",
         "the deletion of `C` waits for what is held back"]),
    "a held entry leaves a group its last members": (
        account({"A": ["cyd"]}, ["ann", "bob"]), [wanted("A", entry("ann", "bob"))], [],
        [".*", "the removal of `cyd@example.com` from `A` waits for what is held back"]),
    "a new look of a group's name is held back and the rest is done": (
        account({"A": ["ann"], "B": ["bob"]}, ["cyd"]),
        [wanted("b", "ann", "cyd", id="g-A"), wanted("A", "bob"), wanted("c ", state="absent"),
         wanted("b ", state="absent")],
        ["add A u-cyd"], ["`b ` is .*", "`b` is .*", "the group `A` waits for what is .*"]),
    "a name with a comma of which a part exists is created": (
        account({"Sales": ["ann", "bob"]}, ["dee"]),
        [wanted("Sales, EMEA", "ann", "dee"), wanted("Sales", "ann", "bob")],
        ["create Sales, EMEA", "add Sales, EMEA u-ann <0", "add Sales, EMEA u-dee <0"], []),
    "a name of which a part exists and loses its people is held back": (
        account({"Sales": ["ann", "bob"]}),
        [wanted("Sales, Sails", "ann"), wanted("Sales", "bob")], [],
        [".*`Sales` exists; list each by itself.*", ".*"]),
}  # fmt: skip


@pytest.mark.parametrize(("snapshot", "groups", "changes", "held"), PLANS.values(), ids=PLANS)
def test_a_plan_has_these_changes_and_holds_back_the_rest(snapshot, groups, changes, held):
    made = planned(snapshot, *groups)
    assert shape(made) == changes
    assert made.breaches == ()
    assert len(made.held_back) == len(held)
    assert all(map(re.fullmatch, held, made.held_back)), made.held_back
    if not held:
        names = {each.name for each in applied(snapshot, made).groups}
        assert {each.name for each in groups if each.state == "present"} <= names


def test_a_change_says_why_and_where():
    snapshot = account({"A": ["ann", "bob"]}, others=["cyd"])
    ended = DesiredMember(
        email="bob@example.com", until=date(2026, 11, 21), reason="left", source="x.csv", line=7
    )
    new = DesiredMember(email="cyd@example.com", reason="JIRA-12", source="x.csv", line=8)
    made = planned(snapshot, wanted("A", ended, new, source="groups.yaml", line=3))
    assert [(c.reason, c.source, c.line) for c in made.changes] == [
        ("JIRA-12", "x.csv", 8),
        ("not listed", "groups.yaml", 3),
        ("ended on 2026-11-21: left", "x.csv", 7),
    ]


@pytest.mark.parametrize("mode", ["exact", "additive"])
def test_until_is_the_last_day_of_a_membership(mode):
    until = DesiredMember(email="ann@example.com", until=TODAY)
    file = desired(wanted("A", until, "bob", mode=mode))
    snapshot = account({"A": ["ann", "bob"]})
    assert plan(snapshot, file, TODAY, now=NOW).changes == ()
    (change,) = plan(snapshot, file, TODAY + timedelta(days=1), now=NOW).changes
    assert (change.action, change.user.id) == (Action.REMOVE_USER, "u-ann")


def test_an_ended_membership_of_an_e_mail_of_two_users_removes_neither():
    twins = tuple(Member(id=name, email="ann@example.com") for name in ("u-1", "u-2"))
    group = Group(id="g-A", name="A", members=twins)
    snapshot = Snapshot(account_id="acc", groups=(group,), taken_at=NOW)
    ended = DesiredMember(email="Ann@example.com", until=date(2020, 1, 1))
    assert refusal(snapshot, wanted("A", ended, mode="additive")) == [
        "2 users have the e-mail `Ann@example.com`; give the `id`: `u-1`, `u-2`"
    ]


def test_a_plan_names_what_must_hold_for_it():
    snapshot = account({"A": ["ann"], "B": ["ann"]}, others=["bob"], requests_left=40)
    made = planned(snapshot, wanted("A", "ann", "bob"), wanted("B", "ann"), account="acc")
    assert (made.account_id, made.source, made.digest) == ("acc", "groups.yaml", "0" * 64)
    assert (made.created_at, made.expires_at) == (NOW, NOW + timedelta(hours=24))
    assert made.fingerprints == {"g-A": fingerprint(snapshot.groups[0])}
    assert (made.requests_left, made.memberships) == (40, 2)


def test_a_fingerprint_changes_with_id_name_and_members_not_their_order():
    ann, bob = Member(id="1"), Member(id="2")
    group = Group(id="g", name="A", members=(ann, bob))
    assert fingerprint(group) == fingerprint(Group(id="g", name="A", members=(bob, ann)))
    others = [
        Group(id="h", name="A", members=(ann, bob)),
        Group(id="g", name="B", members=(ann, bob)),
        Group(id="g", name="A", members=(ann,)),
        Group(id="g", name="A", members=(Member(id="1,2"),)),
    ]
    assert len({fingerprint(group), *map(fingerprint, others)}) == 5


def test_a_file_for_another_account_is_rejected():
    assert refusal(account({}), account="other") == [
        "the file is for the account `other`, not `acc`"
    ]


def test_an_id_pins_a_group_so_that_another_name_is_a_rename():
    made = planned(account({"A": ["ann"]}), wanted("B", "ann", id="g-A"))
    (change,) = made.changes
    assert (change.action, change.group.name, change.old_name) == ("rename_group", "B", "A")


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([wanted("C", "ann", id="x")], "the account has no group with the id `x`"),
        ([wanted("C", "ann", previously=("A", "B"))],
         "several groups have a previous name of it: `A`, `B`; give its `id`"),
        ([wanted("A", "ann"), wanted("C", "ann", previously=("A",))],
         "`A` is the previous name of `C`, and the group of line 0 as well"),
        ([wanted("B", "ann", id="g-A")],
         "another group is called `B` already; its id is `g-B`"),
        ([wanted("B", "ann", id="g-A"), wanted("B", "ann", id="g-B")],
         "another group is called `B` already; its id is `g-B`"),
        ([wanted("C\u202e", "ann", id="g-A")],
         "a bidi control character (U+202E) in the name of a group: `C\\u202e`"),
        ([wanted("X", state="absent", id="g-A")],
         "the group to be deleted is called `A` in the account; correct the name or the id"),
        ([wanted("A", "zed")],
         "no user has the e-mail `zed@example.com`; is it spelt as in the account?"),
        ([wanted("A", DesiredMember(id="u-ann"), "ann")],
         "`ann@example.com` occurs twice in `A`, first as `u-ann` on line 0"),
        ([wanted("A", DesiredMember(id="nobody"))], "no user has the id `nobody`"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_account_is_rejected(groups, expected):
    snapshot = account({"A": ["ann"], "B": ["bob"]}, missing_ids=("nobody",))
    assert refusal(snapshot, *groups) == [expected]


def test_everything_that_does_not_fit_is_reported_at_once_with_its_line():
    members = [
        DesiredMember(email=f"{name}@example.com", source="groups.yaml", line=line)
        for name, line in (("x", 4), ("y", 5))
    ]
    with pytest.raises(PlanError) as caught:
        planned(account({}), wanted("A", *members, line=3), wanted("B", id="z", line=6))
    assert [at.line for at in caught.value.problems if at.source == "groups.yaml"] == [4, 5]
    assert len(caught.value.problems) == 3


def test_what_is_wrong_in_a_file_comes_before_what_is_in_files_it_includes():
    def at(source: str, line: int, name: str) -> DesiredMember:
        return DesiredMember(email=f"{name}@example.com", source=source, line=line)

    members = (at("a.yaml", 1, "x"), at("groups.yaml", 9, "y"), at("z.yaml", 1, "z"))
    with pytest.raises(PlanError) as caught:
        planned(account({}), wanted("A", *members))
    assert [where.source for where in caught.value.problems] == ["groups.yaml", "a.yaml", "z.yaml"]
    twisted = [
        DesiredMember(id=f"u-{name}", email=f"{other}@example.com", source=source, line=line)
        for name, other, source, line in (
            ("ann", "bob", "a.yaml", 1), ("bob", "ann", "groups.yaml", 9))
    ]  # fmt: skip
    made = planned(account({"A": []}, ["ann", "bob"]), wanted("A", *twisted))
    assert [text.partition(": ")[0] for text in made.held_back] == ["groups.yaml:9", "a.yaml:1"]


def test_two_users_of_one_email_are_an_error_unless_the_id_is_given():
    twins = (Member(id="1", email="x@b.example"), Member(id="2", email="X@B.example "))
    snapshot = Snapshot(account_id="acc", groups=(), people=twins, taken_at=NOW)
    by_email = wanted("A", DesiredMember(email="x@b.example"))
    assert refusal(snapshot, by_email) == [
        "2 users have the e-mail `x@b.example`; give the `id`: `1`, `2`"
    ]
    by_id = wanted("A", DesiredMember(id="2", email="x@b.example"))
    assert shape(planned(snapshot, by_id))[1] == "add A 2 <0"


def test_an_id_that_was_not_looked_up_is_taken_as_it_is():
    made = planned(account({"A": []}), wanted("A", DesiredMember(id="u9")))
    assert shape(made) == ["add A u9"]
    assert made.notes == ("1 ID was not looked up, and may be no user's.",)


def test_the_time_must_be_aware():
    with pytest.raises(ValueError, match="now must be an aware datetime"):
        plan(account({}), desired(), TODAY, now=NOW.replace(tzinfo=None))


def test_a_plan_is_valid_for_a_day_at_most():
    day = timedelta(hours=24)
    made = plan(account({}), desired(), TODAY, now=NOW, expires_after=day)
    assert (made.created_at, made.expires_at, made.today) == (NOW, NOW + day, TODAY)
    with pytest.raises(ValueError, match="at most 24 hours, not 1 day, 0:00:01"):
        plan(account({}), desired(), TODAY, now=NOW, expires_after=day + timedelta(seconds=1))


def test_a_plan_takes_the_guards_and_who_is_protected_from_the_file():
    limits = GuardLimits(max_removals=7, max_removals_per_group=0.5)
    made = planned(account({"A": ["ann"]}), wanted("A", "ann"), guards=limits, protect=("u-ann",))
    assert (made.limits, made.protect) == (limits, ("u-ann",))


@pytest.mark.parametrize(
    "fields", [{"account": "other"}, {"protect": ("owner",)}], ids=["account", "protect"]
)
def test_a_problem_of_a_whole_file_names_the_file(fields):
    with pytest.raises(PlanError, match=r"^groups\.yaml: "):
        planned(account({"A": []}), wanted("A"), **fields)


def test_two_clocks_on_different_days_decide_no_membership():
    tomorrow = NOW + timedelta(days=1)
    snapshot = account({"A": ["ann"]}, server_time=tomorrow)
    ending = DesiredMember(id="u-ann", until=TODAY, source="a.yaml", line=3)
    others = [DesiredMember(id="u-ann", until=until) for until in (None, tomorrow.date(), DAY_AGO)]
    check_clocks(desired(wanted("A", *others)), snapshot, TODAY)
    check_clocks(desired(wanted("A", ending)), account({"A": ["ann"]}), TODAY)
    for day, at in ((TODAY, snapshot), (tomorrow.date(), account({}, server_time=NOW))):
        with pytest.raises(PlanError) as caught:
            check_clocks(desired(wanted("A", *others, ending)), at, day)
        assert str(caught.value) == (
            f"a.yaml:3: whether `until: {TODAY}` has passed is not known: it is {day} (UTC) on "
            f"this machine, and {at.server_day(day)} on the server; correct the clock, or give the "
            "day with `plan --today`"
        )


def test_a_file_of_another_account_is_rejected_before_the_account_is_read():
    for file in (None, desired(), desired(account="acc")):
        check_is_for(file, "acc")
    with pytest.raises(FileError) as caught:
        check_is_for(desired(account="other"), "acc")
    assert str(caught.value) == ("groups.yaml: the file is for the account `other`, not `acc`")


def test_notes_name_all_groups_that_are_managed_elsewhere_or_deleted():
    made = planned(
        account({"A": [], "B": [], "C": [], "D": []}),
        wanted("A", managed_by="scim", mode="additive", line=2),
        wanted("B", managed_by="okta", mode="additive", line=4),
        wanted("C", state="absent"),
        wanted("D", state="absent"),
    )
    assert made.notes == (
        "Managed elsewhere, and never written: `A` by `scim` (line 2), `B` by `okta` (line 4).",
        "Roles and shares depend on the ID of a group, and end with it; `undo` gives back roles "
        "only with --restore-roles, and no shares: `C`, `D`.",
    )


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("AB", "1 of 2 groups of the account is not named, and left alone: `B`"),
        ("ABC", "2 of 3 groups of the account are not named, and left alone: `B`, `C`"),
    ],
)
def test_groups_that_the_file_does_not_name_are_a_warning(names, said):
    made = planned(account(dict.fromkeys(names, ())), wanted("A"))
    assert made.warnings == (f"groups.yaml: {said}",)


def test_a_changed_email_of_a_member_is_a_warning():
    made = planned(account({"A": ["ann"]}), wanted("A", entry("ann", "old")))
    assert (made.changes, made.held_back) == ((), ())
    assert made.warnings == (
        "the e-mail of the ID `u-ann` is `ann@example.com`, not `old@example.com`; "
        "correct the e-mail, or leave it out",
    )


@pytest.mark.parametrize("mode", ["exact", "additive"])
@pytest.mark.parametrize("email", ["bob", "dee", "nobody"], ids=["member", "user", "nobody"])
def test_an_entry_whose_id_and_email_disagree_is_held_back(email, mode):
    snapshot = account({"A": ["cyd"], "B": ["ann", "bob"]}, others=["dee"])
    made = planned(snapshot, wanted("A", "cyd", entry("ann", email), mode=mode))
    assert made.changes == ()
    (held,) = made.held_back
    assert f"the e-mail of the ID `u-ann` is `ann@example.com`, not `{email}@example.com`" in held


@pytest.mark.parametrize("name", ["a ", "A\u200b", "A\ufe0f", "\u3164A", "A\u034f"])
def test_a_new_name_that_looks_like_an_existing_one_is_held_back(name):
    snapshot = account({"A": ["ann"], "B": ["ann", "bob"]})
    made = planned(snapshot, wanted(name, "ann", allow_new=True), wanted("B", "bob"))
    assert made.changes == ()
    assert "is not in the account, but `A` is; use that, or give `previously:`" in made.held_back[0]
    assert made.held_back[1].startswith("the removal of `ann@example.com` from `B` waits")


@pytest.mark.parametrize("name", ["A, B", "a;B", "A ; New", "B,A,"])
def test_several_groups_in_one_name_are_held_back(name):
    snapshot = account({"A": ["ann", "bob", "eve"], "B": ["cyd"]}, others=["dee"])
    groups = (wanted("A", "bob", "eve"), wanted("B", "cyd", "dee"), wanted("New", "dee"))
    made = planned(snapshot, wanted(name, "ann"), *groups)
    assert shape(made) == ["create New", "add B u-dee", "add New u-dee <0"]
    assert "looks like several groups in one" in made.held_back[0]
    meant = planned(snapshot, wanted(name, "ann", allow_new=True), *groups)
    assert f"create {name}" in shape(meant)
    (removal,) = (change for change in meant.changes if change.action is Action.REMOVE_USER)
    assert (removal.group.name, removal.user.id) == ("A", "u-ann")


CROWD = [f"p{number}" for number in range(21)]


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("Legal & Compliance", CROWD),
        ("Legal & Compliance", [*CROWD, *(f"q{number}" for number in range(30))]),
        ("Lawyers", [*CROWD[:18], "q1"]),
        ("Legl", CROWD[:20]),
    ],
)
def test_a_new_group_with_the_members_of_an_unnamed_one_is_held_back(name, members):
    snapshot = account(
        {"Legal": CROWD, "Other": ["p0", "ann"]}, others=[f"q{number}" for number in range(30)]
    )
    made = planned(snapshot, wanted(name, *members), wanted("Other", "ann"))
    assert made.changes == ()
    assert f"`{name}` has the members of `Legal`, which the file does not name" in made.held_back[0]
    assert "if it was renamed: `previously: [Legal]`" in made.held_back[0]
    meant = planned(snapshot, wanted(name, *members, allow_new=True), wanted("Other", "ann"))
    assert (meant.held_back, meant.counts()["create_group"]) == ((), 1)


@pytest.mark.parametrize(
    "groups",
    [
        [wanted("Compliance", *CROWD), wanted("Legal", *CROWD)],
        [wanted("Compliance", *CROWD), wanted("Legal", state="absent", allow_empty=True)],
        [wanted("Compliance", *CROWD, previously=("Legal",))],
        [wanted("Compliance", *CROWD[:5])],
        [wanted("Chiefs", "boss")],
        [wanted("All", *CROWD, "boss", "ann", *(f"q{number}" for number in range(30)))],
    ],
)
def test_a_new_group_that_only_shares_people_with_others_is_created(groups):
    others = [f"q{number}" for number in range(30)]
    snapshot = account({"Legal": CROWD, "Owners": ["boss"], "Few": ["boss", "ann"]}, others=others)
    made = planned(snapshot, *groups)
    assert made.held_back == ()
    assert made.counts()["create_group"] + made.counts()["rename_group"] == 1


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Desing", "Design"),
        ("Marketting", "Marketing"),
        ("Market ing team", None),
        ("Team 8", None),
    ],
)
def test_a_new_name_near_an_existing_one_is_a_warning(name, near):
    snapshot = account({"Design": ["ann"], "Marketing": ["bob"], "Team 7": ["cyd"]})
    kept = [wanted(each.name, each.members[0].name.lower()) for each in snapshot.groups]
    made = planned(snapshot, wanted(name, "cyd"), *kept)
    assert made.counts()["create_group"] == 1
    if near or name.startswith("Market"):
        near = near or "Marketing"
        assert made.warnings == (f"`{name}` is a new group; did you mean `{near}`?",)
    else:
        assert made.warnings == ()


def test_a_plan_says_how_many_groups_the_file_does_not_name():
    snapshot = account({name: ["ann"] for name in "ABCDEFGH"})
    assert planned(snapshot, wanted("A", "ann")).warnings == (
        "groups.yaml: 7 of 8 groups of the account are not named, and left alone: "
        "`B`, `C`, `D`, `E`, `F` and 2 more",
    )
    assert planned(account({"A": ["ann"]}), wanted("A", "ann")).warnings == ()


@pytest.mark.parametrize(
    ("protected", "warning"),
    [
        ("dam-bot@exmaple.com", "; did you mean `dam-bot@example.com`?"),
        ("*@example.org", ""),
        ("0" * 30, ""),
        ("[a-c]x@example.com", ""),
        ("DAM-bot@example.com ", None),
        ("*@example.com", None),
        ("U-dam-bot", None),
        ("u-*", None),
        ("[cd]am-bot@example.com", None),
    ],
)
def test_an_entry_of_protect_that_matches_nobody_is_a_warning(protected, warning):
    made = planned(account({"A": ["dam-bot"]}), wanted("A", "dam-bot"), protect=(protected,))
    said = f"groups.yaml: `{protected}` in `protect` matches nobody in a group{warning}"
    assert made.warnings == (() if warning is None else (said,))


@pytest.mark.parametrize("protected", ["dam-bot", "DAM", "owner"])
def test_an_entry_of_protect_that_is_neither_email_nor_id_is_an_error(protected):
    assert refusal(account({"A": ["ann"]}), wanted("A", "ann"), protect=(protected,)) == [
        f"`{protected}` in `protect` is no e-mail, no glob and no user's ID; write an e-mail, an "
        "ID, or a glob such as `*@example.com`"
    ]


def test_two_groups_of_one_name_can_only_be_told_apart_by_id():
    twins = (Group(id="1", name="A"), Group(id="2", name="A", members=(Member(id="u"),)))
    snapshot = Snapshot(account_id="acc", groups=twins, taken_at=NOW)
    assert refusal(snapshot, wanted("A", state="absent")) == [
        "the account has 2 groups called `A`; give the `id`, one of `1`, `2`"
    ]
    (change,) = planned(snapshot, wanted("A", id="1", state="absent")).changes
    assert change.group.id == "1"


@pytest.mark.parametrize("group_id", [None, "g-X"])
def test_a_group_that_is_absent_already_is_noted(group_id):
    made = planned(account({"A": []}), wanted("X", state="absent", id=group_id))
    assert made.changes == ()
    assert made.notes == ("The group `X` is absent already.",)


def test_a_rename_waits_for_a_deletion_to_free_its_name():
    snapshot = account({"A": ["ann"], "B": ["bob"]})
    groups = (wanted("A", state="absent", id="g-A"), wanted("A", "bob", "ann", id="g-B"))
    made = planned(snapshot, *groups)
    assert shape(made) == ["add A u-ann", "delete A <0", "rename A <1"]
    kept = adds_only(made)
    assert shape(kept) == ["add A u-ann"]
    assert kept.notes[-1].startswith("rename_group of `A` is left out")


def test_a_plan_of_additions_keeps_the_notes_that_are_not_about_a_deletion():
    made = planned(
        account({"A": ["ann", "bob", "cyd"], "B": ["bob"], "C": []}),
        wanted("A", state="absent", id="g-A"),
        wanted("A", "ann", id="g-B"),
        wanted("C", managed_by="scim", mode="additive"),
    )
    assert [breach.guard for breach in made.breaches] == ["deletes_members"]
    assert len(made.notes) == 2
    kept = adds_only(made)
    assert kept.breaches == ()
    assert kept.notes == (
        "Managed elsewhere, and never written: `C` by `scim` (line 0).",
        "rename_group of `A` is left out: it needs a change that takes something away.",
    )


def test_an_exchange_of_names_is_rejected():
    snapshot = account({"A": ["ann"], "B": ["bob"]})
    groups = (wanted("B", "ann", id="g-A"), wanted("A", "bob", id="g-B"))
    with pytest.raises(PlanError, match=r"^groups\.yaml:0: "):
        planned(snapshot, *groups)
    assert refusal(snapshot, *groups) == [
        f"`{name}` waits for a name that waits for it; "
        "give one of the groups another name first, in a run of its own"
        for name in "BA"
    ]
