"""Why a user is in a group, or is not."""

from __future__ import annotations

from datetime import date
from io import BytesIO

import pytest

from cld_user_groups.membership import read_file
from cld_user_groups.membership.explaining import Listing, Verdict, explain, listing_of
from cld_user_groups.membership.grants import GroupRef
from cld_user_groups.membership.history import history_of
from cld_user_groups.membership.model import Desired, Member
from cld_user_groups.membership.result import Status

from .recorded import joins, leaves, ref, run_of
from .test_past import snapshot_of

USER = Member(id="u1", email="u1@example.com")
JOINS, LEAVES = joins("u1", "g1"), leaves("u1", "g1")
UNKNOWN = Status.UNKNOWN
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
