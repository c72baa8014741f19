"""Rules: what breaks one is held back, what stands is reported, what lessens it is done."""

from __future__ import annotations

from datetime import date

import attrs
import pytest
from tests.membership.planned_accounts import NOW, account, desired, planned, wanted

from cld_user_groups.membership import (
    Action,
    DesiredMember,
    Grant,
    Member,
    Plan,
    PlanError,
    Roles,
    Rule,
    Snapshot,
    StalePlan,
    adds_only,
    breaches_in,
    check_rules,
)
from cld_user_groups.membership.rules import role_principals
from cld_user_groups.membership.staleness import check_account, check_plan

ADMIN = Grant("Master admin", "cld::role::account::master_admin", "account", is_system=True)
UNREAD = "(the roles were not read)"


def rule(kind: str, *values: str, limit: int | None = None) -> Rule:
    return Rule(kind=kind, values=values, limit=limit, source="groups.yaml", line=2)


def roles(**grants: list[Grant]) -> Roles:
    """Return the roles of the groups A to D and of all users: by name, else none."""
    groups = {("group", f"g-{name}"): tuple(grants.get(name, ())) for name in "ABCD"}
    people = ("ann", "bob", "cyd", "dee", "eve")
    users = {("user", f"u-{name}"): tuple(grants.get(name, ())) for name in people}
    return Roles(known=groups | users)


def until(name: str) -> DesiredMember:
    return DesiredMember(email=f"{name}@example.com", until=date(2027, 1, 1))


def done(made: Plan) -> list[str]:
    """Return what a plan does: "+ann A" for an addition, "-ann A", "-A" for a deleted group."""
    signs = {Action.ADD_USER: "+", Action.REMOVE_USER: "-", Action.DELETE_GROUP: "-"}
    return [
        f"{signs.get(each.action, each.action)}"
        f"{each.user.id[2:] + ' ' if each.user else ''}{each.group.name}"
        for each in made.changes
    ]


MAX = rule("max_members", limit=2)
DOMAINS = rule("email_domains", "example.org", " Example.COM ")
UNTIL = rule("require_until")
APART = rule("not_together", "A", "B")
ONE = rule("max_members", limit=1)
WAITS = "waits for what is held back"
NO_ADMIN = rule("not_with_role", "master ADMIN")
GRANTED = roles(B=[ADMIN], eve=[ADMIN])


def group_a(*members: str | DesiredMember, **fields: object):
    return wanted("A", *members, line=5, **fields)


@pytest.mark.parametrize(
    ("now", "file", "fields", "does", "held", "warned"),
    [
        pytest.param(
            {"A": ["ann"]}, [group_a("ann", "bob", "cyd", rules=(MAX,))], {}, ["+bob A"],
            ["`cyd@example.com` is not added to `A`: it would have 3 members, and may have 2; "
             "if it is meant, edit `max_members` in `groups.yaml`, line 2"], [],
            id="max_members creates",
        ),
        pytest.param(
            {"A": ["ann", "bob", "cyd"]}, [group_a("ann", "bob", "cyd", "dee", rules=(MAX,))], {},
            [], ["`dee@example.com` is not added to `A`: it would have 4 members, and may have 2"],
            ["`A` has 3 members, and may have 2"], id="max_members worsens",
        ),
        pytest.param(
            {"A": ["ann", "bob", "cyd"]}, [group_a("ann", "bob", "dee", rules=(MAX,))], {},
            ["+dee A", "-cyd A"], [], ["`A` has 3 members, and may have 2"],
            id="max_members stands, one for another",
        ),
        pytest.param(
            {"A": ["ann", "bob", "cyd", "eve"]}, [group_a("ann", "bob", "dee", rules=(MAX,))], {},
            ["+dee A", "-cyd A", "-eve A"], [], ["`A` has 3 members, and may have 2"],
            id="max_members lessens",
        ),
        pytest.param(
            {"A": ["ann", "bob", "cyd"]}, [group_a("ann", "bob", rules=(MAX,))], {},
            ["-cyd A"], [], [], id="max_members lifts",
        ),
        pytest.param(
            {"A": ["ann"]}, [group_a("ann", "bob", rules=(rule("email_domains", "le.com"),))], {},
            [], ["`bob@example.com` is not added to `A`: the e-mail is not in `le.com`"],
            ["in `A`, the e-mail is not in `le.com`: `ann@example.com`"],
            id="email_domains worsens, no suffix",
        ),
        pytest.param(
            {"A": []}, [group_a("ann")], {"rules": (rule("email_domains", "sub.example.com"),)},
            [], ["`ann@example.com` is not added to `A`: the e-mail is not in `sub.example.com`"],
            [], id="email_domains creates, a subdomain is not its parent",
        ),
        pytest.param(
            {"A": ["ann"]}, [group_a("ann", "bob")], {"rules": (DOMAINS,)}, ["+bob A"], [], [],
            id="email_domains is kept",
        ),
        pytest.param(
            {"A": ["ann", "bob"]}, [group_a("ann", rules=(rule("email_domains", "a.org"),))], {},
            ["-bob A"], [], ["in `A`, the e-mail is not in `a.org`: `ann@example.com`"],
            id="email_domains lessens",
        ),
        pytest.param(
            {"A": ["ann"]}, [group_a("ann", "bob", until("cyd"), rules=(UNTIL,))], {}, ["+cyd A"],
            ["`bob@example.com` is not added to `A`: no `until` is given"],
            ["in `A`, no `until` is given: `ann@example.com`"], id="require_until worsens",
        ),
        pytest.param(
            {"A": ["ann", "bob"]}, [group_a(until("ann"), mode="additive")], {"rules": (UNTIL,)},
            [], [], ["in `A`, no `until` is given: `bob@example.com`"],
            id="require_until stands, for who is not listed",
        ),
        pytest.param(
            {"A": ["ann", "bob"]}, [group_a(until("ann"))], {"rules": (UNTIL,)},
            ["-bob A"], [], [], id="require_until lifts",
        ),
        pytest.param(
            {"A": [], "B": ["ann"]}, [group_a("ann", "bob")], {"rules": (APART,)}, ["+bob A"],
            ["`ann@example.com` is not added to `A`: also in `B`"], [],
            id="not_together creates, with a group that the file does not name",
        ),
        pytest.param(
            {"A": ["ann"], "B": ["ann"]}, [group_a("ann"), wanted("C", "ann")],
            {"rules": (rule("not_together", "g-A", "B", "C"),)}, ["create_groupC"],
            ["`ann@example.com` is not added to `C`: also in `A`, `B`"],
            ["nobody may be in both `A` and `B`, and is: `ann@example.com`"],
            id="not_together worsens",
        ),
        pytest.param(
            {"A": [], "B": ["ann"]}, [group_a("ann"), wanted("B", allow_empty=True)],
            {"rules": (APART,)}, ["+ann A", "-ann B"], [], [],
            id="not_together is kept by who moves",
        ),
        pytest.param(
            {"A": ["ann", "bob"], "B": ["ann", "bob"]},
            [group_a("ann", "bob"), wanted("B", "ann")], {"rules": (APART,)}, ["-bob B"], [],
            ["nobody may be in both `A` and `B`, and is: `ann@example.com`"],
            id="not_together lessens",
        ),
        pytest.param(
            {"A": ["ann"], "B": ["ann"]}, [group_a("ann"), wanted("B", state="absent")],
            {"rules": (APART,)}, ["-B"], [], [], id="not_together lifts with a group",
        ),
        pytest.param(
            {"A": ["ann"], "B": ["bob"]}, [group_a("ann", "bob", "cyd", "eve", rules=(NO_ADMIN,))],
            {"roles": GRANTED}, ["+cyd A"],
            ["`bob@example.com` is not added to `A`: `Master admin` is held through `B`",
             "`eve@example.com` is not added to `A`: `Master admin` is held by the user"], [],
            id="not_with_role creates",
        ),
        pytest.param(
            {"A": ["ann"], "B": ["bob"]},
            [group_a("ann", rules=(NO_ADMIN,)), wanted("B", "ann", "bob", "cyd")],
            {"roles": GRANTED}, ["+cyd B"],
            ["`ann@example.com` is not added to `B`: for a member of `A`, `Master admin` is held "
             "through `B`"], [], id="not_with_role creates, in the other group",
        ),
        pytest.param(
            {"A": ["ann", "eve"], "B": ["ann"]}, [group_a("ann", rules=(NO_ADMIN,))],
            {"roles": GRANTED}, ["-eve A"], [],
            ["in `A`, `Master admin` is held through `B`: `ann@example.com`"],
            id="not_with_role lessens, and stands",
        ),
        pytest.param(
            {"A": ["ann"], "B": ["ann"]},
            [group_a("ann", rules=(NO_ADMIN,)), wanted("B", allow_empty=True)],
            {"roles": GRANTED}, ["-ann B"], [], [], id="not_with_role lifts",
        ),
        pytest.param(
            {"A": ["ann"], "B": ["bob"]},
            [group_a("bob", rules=(NO_ADMIN,), allow_empty=True), wanted("C", "cyd")], {},
            ["create_groupC", "+cyd C", "-ann A"],
            ["`bob@example.com` is not added to `A`: whether `master ADMIN` is held by the user is "
             f"not known {UNREAD}"], [], id="not_with_role creates where nothing is known",
        ),
        pytest.param(
            {"A": ["ann"]}, [group_a("ann", rules=(NO_ADMIN,)), wanted("C", "cyd")], {},
            ["create_groupC", "+cyd C"], [],
            [f"in `A`, whether `master ADMIN` is held by the user is not known {UNREAD}: "
             "`ann@example.com`"], id="not_with_role stands where nothing is known",
        ),
        pytest.param(
            {"A": ["bob"], "B": ["ann", "cyd"]},
            [group_a("ann", "bob", rules=(ONE,)), wanted("B", "cyd")], {}, [],
            ["it would have 2 members", WAITS], [],
            id="a removal waits for an addition: nobody loses access on the way",
        ),
        *(
            pytest.param(
                {"A": ["ann"], "B": ["ann", "bob"], "C": ["cyd"]},
                [group_a("ann"), wanted("B", "bob"), wanted("C", "ann", "cyd", **also)],
                {"rules": (APART,)}, ["-ann B"], [""], [],
                id="a removal that lessens a breach waits for nothing held back",
            )
            for also in ({"managed_by": "scim"}, {"rules": (ONE,)})
        ),
        pytest.param(
            {"A": ["ann"]}, [group_a("bob", rules=(UNTIL,))], {}, [],
            ["no `until` is given", WAITS], ["in `A`, no `until` is given: `ann@example.com`"],
            id="a group does not end empty for a rule",
        ),
        pytest.param(
            {"A": ["ann"]}, [group_a("bob", rules=(UNTIL,), allow_empty=True)], {}, ["-ann A"],
            ["no `until` is given"], [], id="a group may end empty for a rule",
        ),
        pytest.param(  # `ann` keeps her place, and `dee` does not get it
            {"A": ["ann", "bob"], "B": ["cyd"]},
            [group_a("bob", "dee", rules=(MAX,)), wanted("B", "cyd", "ann", rules=(ONE,))], {}, [],
            ["`dee@example.com` is not added", "`ann@example.com` is not added", WAITS], [],
            id="what is held back counts for no other rule",
        ),
        pytest.param(  # `D` stays as long as `ann` is not in `C`, so she may join `B`
            {"A": [], "B": [], "C": [], "D": ["ann"]},
            [wanted("C", "ann"), wanted("D", state="absent"), wanted("B", "ann")],
            {"rules": (rule("not_together", "A", "B", "C"), rule("not_together", "C", "D"))},
            ["+ann B"], ["to `C`", "`D`"], [],
            id="nobody is held back for what is held back itself",
        ),
        pytest.param(
            {"A": ["ann"], "B": []}, [group_a("ann", managed_by="scim"), wanted("B", "ann")], {},
            ["+ann B"], [], [], id="what a managed group has anyway is held by nothing",
        ),
        pytest.param(
            {"A": ["ann"], "B": ["bob", "cyd"]},
            [wanted("Old", "ann", "bob", id="g-A", managed_by="scim"),
             wanted("A", "cyd", allow_new=True), wanted("B", "cyd")], {}, [],
            ["is managed by", WAITS, WAITS], [],
            id="a name that a managed group has, and who is to be added to it, wait",
        ),
    ],
)  # fmt: skip
def test_a_rule_holds_back_only_what_breaks_it_more(now, file, fields, does, held, warned):
    snapshot = account(now, ["ann", "bob", "cyd", "dee", "eve"])
    of_file = {key: value for key, value in fields.items() if key != "roles"}
    if (known := fields.get("roles")) is not None:
        snapshot = attrs.evolve(snapshot, roles=known)
    made = planned(snapshot, *file, **of_file)
    assert done(made) == does
    assert does or made.breaches == ()
    assert len(made.held_back) == len(held), made.held_back
    for found, expected in zip(made.held_back, held, strict=True):
        assert expected in found
    found = [each for each in made.warnings if "not named" not in each]
    assert found == [f"groups.yaml:2: {each}" for each in warned]


def test_a_place_in_the_same_file_is_its_line_alone():
    line = DesiredMember(email="ann@example.com", source="groups.yaml", line=7)
    made = planned(account({"A": []}, ["ann"]), group_a(line, rules=(UNTIL,)))
    assert made.held_back == (
        "groups.yaml:7: `ann@example.com` is not added to `A`: no `until` is given; if it is "
        "meant, edit `require_until` on line 2",
    )


@pytest.mark.parametrize(
    ("listed", "elsewhere", "why"),
    [
        (None, None, "the e-mail is not known"),
        (None, "bob@EXAMPLE.com ", ""),
        ("bob@example.com", "bob@other.com", "the e-mail is not in `example.org`, ` Example.COM `"),
        ("bob@examp\u0142e.com", None, "the e-mail is not in `example.org`, ` Example.COM `"),
    ],
)
def test_a_domain_is_that_of_every_email_that_a_user_is_known_by(listed, elsewhere, why):
    snapshot = account({"A": [], "B": []})
    bobs = [Member(id="u-bob", email=email) for email in (listed, elsewhere)]
    others = attrs.evolve(snapshot.groups[1], members=(bobs[1],))
    snapshot = attrs.evolve(snapshot, groups=(snapshot.groups[0], others), people=(bobs[0],))
    made = planned(snapshot, group_a(DesiredMember(id="u-bob")), rules=(DOMAINS,))
    assert bool(made.changes) == (not why)
    assert why in "".join(made.held_back)


def test_who_leaves_waits_for_the_next_who_joins_not_for_who_is_held_back():
    for snapshot, group, rules in (
        (account({"A": ["ann"], "B": ["bob"]}, ["cyd"]), group_a("bob", "cyd"), (APART,)),
        (account({"A": ["ann"]}, ["bob", "cyd"]), group_a("bob", until("cyd")), (UNTIL,)),
    ):
        made = planned(snapshot, group, rules=rules)
        assert done(made) == ["+cyd A", "-ann A"]
        assert made.changes[1].depends_on == (0,)


def test_additions_alone_are_held_to_the_rules_again():
    snapshot = account({"A": ["ann", "bob"]}, ["cyd"])
    made = planned(snapshot, group_a("ann", "cyd", rules=(MAX,)))
    assert done(made) == ["+cyd A", "-bob A"]
    only = check_rules(adds_only(made), snapshot)
    assert only.changes == ()
    assert "it would have 3 members" in only.held_back[0]
    assert only.fingerprints == {}


@pytest.mark.parametrize(
    ("group", "needs"),
    [
        (wanted("A", "bob"), "to add `bob@example.com`; to remove `ann@example.com`"),
        (wanted("A", "bob", mode="additive"), "to add `bob@example.com`"),
        (wanted("A", state="absent", allow_empty=True), "to delete it"),
        (wanted("New", "ann", id="g-A"), "to rename it"),
        (wanted("New", mode="additive"), "to create it"),
    ],
)
def test_a_group_that_something_else_manages_is_never_written(group, needs):
    group = attrs.evolve(group, managed_by="scim", source="groups.yaml", line=3)
    made = planned(account({"A": ["ann"]}, ["bob"]), group)
    assert made.changes == ()
    assert made.held_back == (
        f"groups.yaml:3: `{group.name}` is managed by `scim`, and never written; the file needs "
        f"{needs}; make it so there, or leave `members` or `managed_by` out",
    )
    note = f"Managed elsewhere, and never written: `{group.name}` by `scim` (line 3)."
    assert note in made.notes
    assert made.managed == ({} if needs == "to create it" else {"g-A": "scim"})


NAMED = account({"Finance": ["ann"], "Auditors": ["ann"], "Ops": []})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("auditors ", "can be no group; did you mean `Auditors`?"),
        ("A\nB", "can be no group"),
        ("g-Finance", "means a group that its list names twice"),
    ],
)
def test_a_name_that_can_be_no_group_is_an_error(name, said):
    with pytest.raises(PlanError) as caught:
        planned(NAMED, wanted("Ops", "ann"), rules=(rule("not_together", "Finance", name),))
    shown = name.replace("\n", "\\n")
    assert str(caught.value) == f"groups.yaml:2: `{shown}` in `not_together` {said}"


def test_a_name_of_several_groups_is_an_error_that_gives_the_ids():
    twins = attrs.evolve(NAMED, groups=(*NAMED.groups, attrs.evolve(NAMED.groups[0], id="g-2")))
    with pytest.raises(
        PlanError, match="means several groups; give the ID, one of `g-Finance`, `g-2`"
    ):
        planned(twins, wanted("Ops", "ann"), rules=(rule("not_together", "Finance", "Ops"),))
    made = planned(twins, wanted("Ops", "ann"), rules=(rule("not_together", "g-2", "Ops"),))
    assert made.changes == ()


def test_a_name_that_no_group_has_is_a_warning_with_the_nearest():
    made = planned(NAMED, wanted("Ops", "ann"), rules=(rule("not_together", "Auditor", "Ops"),))
    assert done(made) == ["+ann Ops"]
    assert made.warnings[-1] == (
        "groups.yaml:2: `Auditor` in `not_together` is no group: nobody is kept apart from it; did "
        "you mean `Auditors`?"
    )


def test_a_group_goes_by_the_name_that_the_file_gives_it():
    """Its new name, its old one, that of a new group, and that of one that is to be absent."""
    for names in (("Ledger", "New"), ("Finance", "New"), ("g-Finance", "New")):
        made = planned(
            NAMED,
            wanted("Ledger", "ann", previously=("Finance",)),
            wanted("New", "ann", allow_new=True),
            wanted("Gone", state="absent"),
            rules=(rule("not_together", *names, "Gone"),),
        )
        assert "also in `Ledger`" in made.held_back[0]
        assert not any("is no group" in each for each in made.warnings)


def test_a_role_that_nothing_has_is_a_warning():
    snapshot = attrs.evolve(account({"A": ["ann"]}), roles=GRANTED)
    made = planned(snapshot, group_a("ann", rules=(rule("not_with_role", "Master admn"),)))
    (warning,) = [each for each in made.warnings if "not_with_role" in each]
    assert "`Master admn` in `not_with_role` is no role that was read" in warning
    assert "did you mean `Master admin`?" in warning


def test_roles_are_read_for_the_members_of_groups_with_such_a_rule():
    snapshot = account({"A": ["ann"], "B": ["bob", "cyd"]})
    file = desired(group_a("bob", rules=(NO_ADMIN,)), wanted("B", "bob"))
    assert role_principals(snapshot, file) == [
        ("group", "g-A"), ("group", "g-B"), ("user", "u-ann"), ("user", "u-bob"),
    ]  # fmt: skip
    assert role_principals(snapshot, desired(group_a("bob", rules=(MAX,)))) == []


def later(snapshot: Snapshot, **groups: list[str]) -> Snapshot:
    found = account(groups)
    return attrs.evolve(snapshot, groups=found.groups)


def test_rules_are_checked_again_before_the_first_write():
    snapshot = account({"A": ["bob"], "B": []}, ["ann"])
    made = planned(snapshot, group_a("ann", "bob"), rules=(APART,))
    check_account(made, snapshot)
    with pytest.raises(StalePlan, match="is not added to `A`: also in `B`"):
        check_account(made, later(snapshot, A=["bob"], B=["ann"]))


def test_a_plan_that_was_edited_to_change_a_managed_group_is_rejected():
    snapshot = account({"A": ["bob"]}, ["ann"])
    made = attrs.evolve(planned(snapshot, group_a("ann", "bob")), managed={"g-A": "scim"})
    with pytest.raises(Exception, match="the group `A` is managed by `scim`, and never written"):
        check_plan(made, "acc", NOW)


def test_an_undo_is_held_to_the_rules_of_a_file():
    """A plan that is of no file: with the rules and the managed groups of one."""
    snapshot = account({"A": ["ann", "bob"], "B": ["bob"], "C": ["cyd"]}, ["dee"])
    undo = planned(
        snapshot, wanted("A", "ann", "bob", "dee"), wanted("B", "ann", "bob"), wanted("C")
    )
    file = desired(
        group_a("ann", "bob", rules=(MAX,)),
        wanted("C", managed_by="saml"),
        wanted("B", until("ann"), rules=(UNTIL,)),
    )
    made = check_rules(undo, snapshot, file)
    assert done(made) == ["+ann B"]
    assert made.changes[0].until == date(2027, 1, 1)
    assert len(made.held_back) == 2
    assert made.managed == {"g-C": "saml"}
    assert made.fingerprints.keys() == {"g-B"}
    check_account(made, snapshot)


def test_the_account_as_it_is_is_compared_with_the_rules():
    snapshot = account({"A": ["ann", "bob", "cyd"], "B": ["ann"]})
    found = breaches_in(snapshot, desired(group_a("dee", rules=(MAX,)), rules=(APART,)))
    assert list(map(str, found)) == [
        "groups.yaml:2: nobody may be in both `A` and `B`, and is: `ann@example.com`",
        "groups.yaml:2: `A` has 3 members, and may have 2",
    ]
