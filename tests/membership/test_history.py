"""What the journals tell of a membership: since which run, who, why, until when, or why not."""

from __future__ import annotations

from datetime import date
from io import BytesIO

import pytest
from attrs import evolve

from cld_user_groups.membership import PlanFileError, parse_plan, plan, read_file, render_json
from cld_user_groups.membership.explaining import Listing, Verdict, explain, listing_of
from cld_user_groups.membership.grants import GroupRef
from cld_user_groups.membership.history import Period, history_of, read_history
from cld_user_groups.membership.journal import Ended, FileJournal, Intent
from cld_user_groups.membership.model import Action, Change, Desired, Member, Plan, Snapshot
from cld_user_groups.membership.result import Status
from cld_user_groups.membership.runs import Run

from .recorded import BEGINNING, created, deleted, joins, leaves, ref, renamed, run_of
from .test_past import snapshot_of

UNTIL = date(2026, 12, 31)


def told(period: Period) -> tuple[str | None, str | None, bool]:
    """Return which runs began and ended a period, and whether it is open."""
    since, ended = period.since, period.ended
    return since and since.run, ended and ended.run, period.is_open


def test_a_membership_is_told_with_run_time_author_reason_and_end():
    history = history_of([run_of(1, joins("u1", "g1", reason="JIRA-1", until=UNTIL))])
    period = history.current("g1", "u1")
    assert period.until == UNTIL
    since = period.since
    assert (since.run, since.by.user, since.reason) == ("run-1", "ada", "JIRA-1")
    assert (since.source, since.line, since.until) == ("groups.yaml", 7, UNTIL)
    assert since.at == run_of(1).header.started_at
    assert since.header.plan.digest.endswith("1")


JOINS, LEAVES = joins("u1", "g1"), leaves("u1", "g1")
ALREADY, UNKNOWN = Status.ALREADY, Status.UNKNOWN
PERIODS: dict[str, tuple[list[Run], list[tuple[str | None, str | None, bool]]]] = {
    "who left and came back has two periods": (
        [run_of(1, JOINS), run_of(2, LEAVES), run_of(3, JOINS)],
        [("run-1", "run-2", False), ("run-3", None, True)]),
    "removing whom no run added ends a period without a beginning": (
        [run_of(1, LEAVES)], [(None, "run-1", False)]),
    "a member who is found there already keeps the run that added him": (
        [run_of(1, JOINS), run_of(2, JOINS, status=ALREADY)], [("run-1", None, True)]),
    "who is added twice was removed elsewhere in between": (
        [run_of(1, JOINS), run_of(2, JOINS)], [("run-1", None, False), ("run-2", None, True)]),
    "who was removed already is told by the run that saw it": (
        [run_of(1, JOINS), run_of(2, LEAVES, status=ALREADY)], [("run-1", "run-2", False)]),
    "who was removed already and never added has no period": (
        [run_of(2, LEAVES, status=ALREADY)], []),
    "a removal that may have been applied ends nothing": (
        [run_of(1, JOINS), run_of(2, LEAVES, status=UNKNOWN)], [("run-1", None, True)]),
    "a deletion that may have been applied ends nothing": (
        [run_of(1, JOINS), run_of(2, deleted("g1", "u1", "u2"), status=UNKNOWN)],
        [("run-1", None, True)]),
    "the deletion of a group ends the period of a member": (
        [run_of(1, JOINS, joins("u2", "g2")), run_of(2, deleted("g1", "u3"))],
        [("run-1", "run-2", False)]),
}  # fmt: skip


@pytest.mark.parametrize(("runs", "periods"), PERIODS.values(), ids=PERIODS)
def test_a_membership_has_its_periods_in_any_order_of_runs(runs, periods):
    assert history_of([]).current("g1", "u1") is None
    for given in (runs, runs[::-1]):
        history = history_of(given)
        assert [told(period) for period in history.periods["g1", "u1"]] == periods
        assert (history.current("g1", "u1") is None) is (
            not any(is_open for *_, is_open in periods)
        )


@pytest.mark.parametrize(
    ("runs", "since", "restored"),
    [
        ([run_of(1, LEAVES), run_of(2, JOINS, source="undo of run-1")], None, "run-2"),
        ([run_of(1, JOINS), run_of(2, LEAVES), run_of(3, JOINS, source="undo of run-2")],
         "run-1", "run-3"),
        ([run_of(1, JOINS), run_of(2, LEAVES), run_of(3, JOINS, source="undo of run-2"),
          run_of(4, LEAVES, source="undo of run-3"), run_of(5, JOINS, source="undo of run-4")],
         "run-1", "run-5"),
        ([run_of(1, JOINS), run_of(2, LEAVES), run_of(3, JOINS)], "run-3", None),
    ],
)  # fmt: skip
def test_a_membership_that_an_undo_gave_back_is_not_one_since_the_undo(runs, since, restored):
    period = history_of(runs).current("g1", "u1")
    assert period is not None
    assert (period.since and period.since.run) == since
    assert (period.restored and period.restored.run) == restored


def test_a_membership_of_a_group_that_came_back_is_as_old_as_it_was():
    back = evolve(joins("u1", "g2"), group=GroupRef(id="g2", name=ref("g1").name))
    history = history_of(
        [
            run_of(1, joins("u1", "g1")),
            run_of(2, deleted("g1", "u1")),
            run_of(3, back, source="undo of run-2"),
        ]
    )
    period = history.current("g2", "u1")
    assert period is not None
    assert (period.since and period.since.run, period.restored and period.restored.run) == (
        "run-1",
        "run-3",
    )


def test_the_deletion_of_a_group_ends_the_periods_of_all_its_members_alone():
    history = history_of([run_of(1, JOINS, joins("u2", "g2")), run_of(2, deleted("g1", "u3"))])
    assert told(history.periods["g1", "u3"][0]) == (None, "run-2", False)
    assert history.current("g2", "u2") is not None


def test_a_group_is_told_by_the_name_that_it_had_last():
    history = history_of([run_of(1, joins("u1", "g1")), run_of(2, renamed("g1", "G1", "New"))])
    assert history.groups["g1"] == GroupRef(id="g1", name="New")
    assert history.periods["g1", "u1"][0].group.name == "New"


def test_what_failed_or_was_not_sent_is_no_step():
    for status in (Status.FAILED, Status.NOT_STARTED):
        history = history_of([run_of(1, joins("u1", "g1"), created("g2"), status=status)])
        assert (history.steps, history.periods, history.groups) == ({}, {}, {})


def test_an_addition_maybe_applied_begins_a_period_that_says_so():
    history = history_of([run_of(1, joins("u1", "g1"), status=Status.UNKNOWN)])
    period = history.current("g1", "u1")
    assert period.since.status is Status.UNKNOWN


def test_a_removal_that_may_have_been_applied_is_a_step():
    history = history_of([run_of(1, JOINS), run_of(2, LEAVES, status=UNKNOWN)])
    assert [step.status for step in history.steps["g1", "u1"]] == [Status.DONE, UNKNOWN]


def test_a_deletion_that_may_have_been_applied_begins_nothing_either():
    unknown = run_of(2, deleted("g1", "u1", "u2"), status=UNKNOWN)
    assert history_of([run_of(1, JOINS), unknown]).periods["g1", "u2"] == ()
    assert history_of([unknown, run_of(3, deleted("g1"))]).periods["g1", "u2"] == ()


def test_who_was_added_already_is_told_by_the_run_that_saw_it():
    found = history_of([run_of(1, JOINS, status=ALREADY)]).current("g1", "u1")
    assert found.since.status is ALREADY


def test_a_change_whose_group_never_got_an_id_is_left_out():
    lost = Change(action=Action.CREATE_GROUP, group=GroupRef(id=None, name="N"))
    assert history_of([run_of(1, lost, status=Status.UNKNOWN)]).groups == {}


def test_journals_are_read_and_one_that_cannot_be_is_named(tmp_path):
    change = joins("u1", "g1", reason="JIRA-1", until=UNTIL)
    plan = Plan(
        account_id="acc",
        source="groups.yaml",
        digest="d" * 64,
        created_at=BEGINNING,
        expires_at=BEGINNING,
        changes=(change,),
    )
    journal = FileJournal(tmp_path, plan, BEGINNING)
    journal.add(Intent(at=BEGINNING, position=0, change=change))
    journal.add(Ended(at=BEGINNING, position=0, status=Status.DONE, group_id="g1"))
    journal.flush()
    journal.close()
    (tmp_path / "20990101T000000.jsonl").write_text("nonsense\n")
    history = read_history(tmp_path)
    (period,) = history.periods["g1", "u1"]
    assert period.group == ref("g1")
    assert (period.since.run, period.until) == (journal.run, UNTIL)
    assert [summary.id for summary in history.unreadable] == ["20990101T000000"]


def test_the_end_that_a_file_asks_for_is_in_plan_saved_plan_and_journal():
    text = "version: 1\ngroups: {G: {members: [{email: u1@example.com, until: 2026-12-31}]}}"
    member = Member(id="u1", email="u1@example.com")
    snapshot = Snapshot(account_id="acc", groups=(), people=(member,), taken_at=BEGINNING)
    desired = read_file("-", stdin=BytesIO(text.encode()))
    made = plan(snapshot, desired, BEGINNING.date(), now=BEGINNING)
    assert [change.until for change in made.changes] == [None, UNTIL]
    assert parse_plan(render_json(made)) == made
    removal = evolve(made, changes=(evolve(leaves("u1", "g1"), until=UNTIL),))
    with pytest.raises(PlanFileError, match="until must be there for an addition only"):
        parse_plan(render_json(removal))


USER = Member(id="u1", email="u1@example.com")
MAYBE_LEFT = run_of(2, LEAVES, status=UNKNOWN)


@pytest.mark.parametrize(
    ("is_member", "runs", "verdict", "run"),
    [
        (True, [run_of(1, JOINS)], Verdict.MADE_BY_RUN, "run-1"),
        (True, [run_of(1, JOINS, status=UNKNOWN)], Verdict.MADE_BY_RUN, "run-1"),
        (True, [run_of(1, JOINS, status=Status.ALREADY)], Verdict.MADE_BY_RUN, "run-1"),
        (True, [], Verdict.MADE_ELSEWHERE, None),
        (True, [run_of(1, JOINS), run_of(2, LEAVES)], Verdict.MADE_ELSEWHERE, None),
        (True, [run_of(1, JOINS), MAYBE_LEFT], Verdict.MADE_BY_RUN, "run-1"),
        (False, [run_of(1, JOINS), run_of(2, LEAVES)], Verdict.ENDED_BY_RUN, "run-2"),
        (False, [run_of(2, LEAVES)], Verdict.ENDED_BY_RUN, "run-2"),
        (False, [run_of(1, JOINS), MAYBE_LEFT], Verdict.ENDED_BY_RUN, "run-2"),
        (False, [run_of(1, JOINS)], Verdict.ENDED_ELSEWHERE, None),
        (False, [run_of(1, JOINS, status=UNKNOWN)], Verdict.NEVER_MADE, None),
        (False, [run_of(1, LEAVES, status=UNKNOWN)], Verdict.NEVER_MADE, None),
        (False, [run_of(1, joins("u2", "g1"))], Verdict.NEVER_MADE, None),
    ],
)
def test_the_account_decides_and_the_journals_explain(is_member, runs, verdict, run):
    snapshot = snapshot_of({"g1": ("G1", {"u1"} if is_member else set())})
    explained = explain(snapshot, history_of(runs), ref("g1"), USER)
    assert (explained.is_member, explained.verdict) == (is_member, verdict)
    assert (explained.step and explained.step.run) == run
    assert explained.listing is None


def desired(members: str, more: str = "") -> Desired:
    text = f"version: 1\ngroups:\n  G1:\n    {more}\n    members: [{members}]\n"
    return read_file("-", stdin=BytesIO(text.encode()))


@pytest.mark.parametrize(
    ("file", "wanted", "line"),
    [
        (desired("U1@example.com"), True, 5),
        (desired("{id: u1, until: 2027-01-31}"), True, 5),
        (desired("{email: u1@example.com, until: 2027-01-30}"), False, 5),
        (desired("{id: u9, email: u1@example.com}"), False, None),
        (desired("u2@example.com"), False, None),
        (desired("u2@example.com", "mode: additive"), None, None),
    ],
)
def test_a_file_wants_the_membership_or_not_or_leaves_it(file, wanted, line):
    listing = listing_of(file, GroupRef(id="g1", name="G1"), USER, date(2027, 1, 31))
    assert listing.is_wanted is wanted
    assert (listing.member and listing.member.line) == line


def test_a_file_names_a_group_by_id_by_name_or_by_a_previous_one():
    for more, group_id, name in (
        ("id: g1", "g1", "Old"),
        ("previously: [Old]", "g1", "Old"),
        ("reason: none", "g2", "G1"),
    ):
        file = desired("u1@example.com", more)
        assert listing_of(file, GroupRef(id=group_id, name=name), USER).is_wanted
    assert listing_of(desired("u1@example.com", "id: g2"), ref("g1"), USER) == Listing()


def test_a_file_that_wants_the_group_absent_does_not_want_the_membership():
    text = "version: 1\ngroups: {G1: {state: absent}}"
    file = read_file("-", stdin=BytesIO(text.encode()))
    assert listing_of(file, ref("g1"), USER).is_wanted is False
