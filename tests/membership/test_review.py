"""The access review: what it says of groups and people, and what it asks a reviewer to look at."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import evolve
from jsonschema import Draft202012Validator
from tests.membership.accounts import client_of, client_over
from tests.membership.planned_accounts import account, desired, wanted
from tests.membership.recorded import BEGINNING, deleted, joins, leaves, renamed, run_of
from tests.membership.reviewed import large, reviewed

from cld_user_groups.emulator import Emulator
from cld_user_groups.membership import (
    Change,
    DesiredMember,
    FileError,
    Grant,
    Group,
    History,
    Roles,
    Snapshot,
    Status,
    history_of,
    read_history,
    review_schema,
)
from cld_user_groups.membership.review import (
    COLUMNS,
    Event,
    Finding,
    Kind,
    Membership,
    Person,
    Review,
    State,
    compare,
    digest_of,
    keep,
    last_before,
    last_until,
    load_earlier,
    read_people,
    render_json,
    rows,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = NOW.date()


def made(
    snapshot: Snapshot, *people: Person, changes: Iterable[Change] = (), **fields: Any
) -> Review:
    history = history_of([run_of(1, *changes)]) if changes else History()
    return reviewed(snapshot, *people, **{"history": history, "now": NOW, **fields})


def person(name: str, state: State = State.ACTIVE, seen: int | None = 1) -> Person:
    """Return a person who was last seen so many days ago."""
    login = None if seen is None else NOW - timedelta(days=seen)
    return Person(id=f"u-{name}", email=f"{name}@example.com", state=state, last_login=login)


def found(review: Review) -> list[tuple[Kind, str | None, str | None]]:
    return [(each.kind, each.user_id, each.group_id) for each in review.findings]


def test_groups_and_people_are_in_the_order_of_their_names():
    snapshot = account({"b": ["dee", "ann"], "A": []})
    review = made(snapshot, person("zoe"), person("bob"))
    assert [group.name for group in review.groups] == ["A", "b"]
    assert [each.id for each in review.people] == ["u-ann", "u-bob", "u-dee", "u-zoe"]
    assert [each.user_id for each in review.groups[1].members] == ["u-ann", "u-dee"]
    assert review.memberships == 2


def test_a_membership_has_its_run_who_ran_it_why_and_its_last_day():
    change = joins("u-ann", "g-A", reason="JIRA-1", until=date(2027, 1, 31))
    review = made(account({"A": ["ann", "bob"]}), changes=[change])
    known, unknown = review.groups[0].members
    assert known == Membership(
        user_id="u-ann",
        email="ann@example.com",
        since=datetime(2026, 3, 2, 12, tzinfo=UTC),
        run="run-1",
        by="ada@ops",
        reason="JIRA-1",
        source="groups.yaml:7",
        until=date(2027, 1, 31),
    )
    assert unknown == Membership(user_id="u-bob", email="bob@example.com")


def test_the_file_says_why_where_no_journal_does_and_its_last_day_counts():
    earlier = joins("u-ann", "g-A", reason="JIRA-1", until=date(2027, 1, 31))
    ann = DesiredMember(email="ANN@example.com", reason="file", until=date(2027, 2, 28), line=3)
    bob = DesiredMember(id="u-bob", reason="file", source="groups.yaml", line=4)
    file = desired(wanted("A", ann, bob))
    review = made(account({"A": ["ann", "bob"]}), changes=[earlier], desired=file)
    first, second = review.groups[0].members
    assert (first.reason, first.source, first.until) == (
        "JIRA-1",
        "groups.yaml:7",
        date(2027, 2, 28),
    )
    assert (second.reason, second.source, second.since) == ("file", "groups.yaml:4", None)


@pytest.mark.parametrize("names", [{"id": "g-A"}, {"previously": ("A",)}])
def test_the_file_s_group_is_found_by_its_id_and_by_a_previous_name(names):
    file = desired(wanted("New name", DesiredMember(id="u-ann", reason="file"), **names))
    review = made(account({"A": ["ann"]}), desired=file)
    assert review.groups[0].members[0].reason == "file"


@pytest.mark.parametrize(
    ("state", "kind"),
    [(State.PENDING, Kind.PENDING_MEMBER), (State.DISABLED, Kind.DISABLED_MEMBER)],
)
def test_who_cannot_log_in_but_is_in_a_group_is_found_once(state, kind):
    snapshot = account({"A": ["ann"], "B": ["ann"]})
    assert found(made(snapshot, person("ann", state))) == [(kind, "u-ann", None)]


@pytest.mark.parametrize("state", State)
def test_who_is_in_no_group_is_found_as_that_alone(state):
    assert found(made(account({}), person("ann", state))) == [(Kind.WITHOUT_GROUP, "u-ann", None)]


@pytest.mark.parametrize(
    ("seen", "kinds"),
    [(89, []), (90, [Kind.NOT_SEEN]), (None, [Kind.LAST_LOGIN_UNKNOWN])],
)
def test_who_was_not_seen_for_long_is_found_and_a_login_may_be_unknown(seen, kinds):
    review = made(account({"A": ["ann"]}), person("ann", seen=seen))
    assert [each.kind for each in review.findings] == kinds


def test_the_days_can_be_chosen():
    snapshot = account({"A": ["ann"]})
    change = joins("u-ann", "g-A", until=TODAY + timedelta(days=31))
    review = made(snapshot, person("ann", seen=7), changes=[change], unseen_days=7, ending_days=31)
    assert {each.kind for each in review.findings} == {Kind.NOT_SEEN, Kind.ENDING}


@pytest.mark.parametrize(
    ("days", "kinds"),
    [(-1, [Kind.OVERDUE]), (0, [Kind.ENDING]), (30, [Kind.ENDING]), (31, [])],
)
def test_a_membership_that_ends_soon_or_should_have_ended_is_found(days, kinds):
    until = TODAY + timedelta(days=days)
    review = made(
        account({"A": ["ann"]}), person("ann"), changes=[joins("u-ann", "g-A", until=until)]
    )
    assert list(review.findings) == [
        Finding(kind=kind, user_id="u-ann", group_id="g-A", on=until) for kind in kinds
    ]


def test_last_days_are_compared_with_the_day_of_the_snapshot():
    until = date(2026, 3, 31)
    past = evolve(account({"A": ["ann"]}), taken_at=datetime(2026, 3, 2, 13, tzinfo=UTC))
    review = made(past, person("ann"), changes=[joins("u-ann", "g-A", until=until)])
    assert [each.kind for each in review.findings] == [Kind.ENDING]


def test_a_group_without_members_is_found():
    assert found(made(account({"A": []}))) == [(Kind.WITHOUT_MEMBERS, None, "g-A")]


OWNER = Grant("Master Admin", "cld::role::account::master_admin", "account", is_system=True)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({("group", "g-A"): (), ("group", "g-B"): (OWNER,)}, [("dee", True), ("ann", None)]),
        (
            {("group", "g-A"): (), ("group", "g-B"): (OWNER,), ("user", "u-ann"): ()},
            [("dee", True), ("ann", False)],
        ),
        ({("user", "u-ann"): (), ("user", "u-dee"): ()}, [("ann", None), ("dee", None)]),
        ({("user", "u-dee"): (OWNER,)}, [("dee", True), ("ann", None)]),
        ({}, [("ann", None), ("dee", None)]),
    ],
    ids=["through a group", "known of all", "a group is not known", "own", "nothing is known"],
)
def test_a_disabled_person_with_full_control_comes_before_others(known, expected):
    people = [person(name, State.DISABLED) for name in ("ann", "dee")]
    snapshot = evolve(account({"A": ["ann"], "B": ["dee"]}), roles=Roles(known))
    found = [each for each in made(snapshot, *people).findings if each.kind is Kind.DISABLED_MEMBER]
    assert [(each.user_id, each.full_control) for each in found] == [
        (f"u-{name}", weight) for name, weight in expected
    ]


def test_the_role_of_an_administrator_in_the_account_is_full_control_too():
    people = [person("ann"), evolve(person("dee"), role="master_admin")]
    findings = made(account({}), *people).findings
    assert [(each.user_id, each.full_control) for each in findings] == [
        ("u-dee", True),
        ("u-ann", None),
    ]


def test_a_list_of_users_that_may_not_be_complete_is_noted():
    review = made(account({}), complete=False)
    (note,) = review.notes
    assert not review.complete
    assert "people who are in no group may be missing" in note


def test_a_journal_that_cannot_be_read_is_noted(tmp_path):
    (tmp_path / "20260101T000000Z-aaaa.jsonl").write_text("{}\n")
    assert "20260101T000000Z-aaaa" in made(account({}), history=read_history(tmp_path)).notes[0]


# What has changed


def test_a_comparison_names_what_came_what_went_and_what_was_renamed():
    before = account({"Old": ["ann", "bob"], "Gone": ["cyd"]})
    after = account({"Old": ["ann", "dee"], "New": ["eve"]})
    after = evolve(after, groups=(evolve(after.groups[0], name="Renamed"), after.groups[1]))
    changes = compare(before.groups, after, to="the report of 2026-08-22", at=NOW)
    found = [
        (each.group.name, each.event, each.old_name, each.user and each.user.email)
        for each in changes.differences
    ]
    assert found == [
        ("Gone", Event.GROUP_REMOVED, None, None),
        ("Gone", Event.MEMBER_REMOVED, None, "cyd@example.com"),
        ("New", Event.GROUP_ADDED, None, None),
        ("New", Event.MEMBER_ADDED, None, "eve@example.com"),
        ("Renamed", Event.GROUP_RENAMED, "Old", None),
        ("Renamed", Event.MEMBER_ADDED, None, "dee@example.com"),
        ("Renamed", Event.MEMBER_REMOVED, None, "bob@example.com"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([], {}),
        ([run_of(1, leaves("u-bob", "g-Old"))], {"bob": "run-1"}),
        ([run_of(2, joins("u-dee", "g-Old"), renamed("g-Old", "Old", "New"))],
         {"dee": "run-2", "Old": "run-2"}),
        ([run_of(2, renamed("g-Old", "Old", "Other"))], {}),
        # Before the state that is compared with, or reverted since by somebody else.
        ([run_of(0, leaves("u-bob", "g-Old"))], {}),
        ([run_of(1, leaves("u-bob", "g-Old")), run_of(2, joins("u-bob", "g-Old"))], {}),
        ([run_of(1, leaves("u-bob", "g-Old"), status=Status.ALREADY)], {}),
        ([run_of(1, leaves("u-bob", "g-Old"), status=Status.UNKNOWN)], {}),
        ([run_of(1, deleted("g-Gone", "u-cyd"))], {"cyd": "run-1", "Gone": "run-1"}),
    ],
)  # fmt: skip
def test_changes_have_the_run_that_made_them_as_far_as_journals_know(runs, expected):
    before = account({"Old": ["bob"], "Gone": ["cyd"]})
    after = account({"Old": ["dee"]})
    after = evolve(after, groups=(evolve(after.groups[0], name="New"),))
    at = BEGINNING + timedelta(hours=1)
    changes = compare(before.groups, after, to="it", at=at, history=history_of(runs))
    found = {
        each.user.id[2:] if each.user else each.old_name or each.group.name: each.run
        for each in changes.differences
        if each.run
    }
    assert found == expected
    assert {each.by for each in changes.differences} <= {"ada@ops", None}


def test_nothing_has_changed_between_an_account_and_its_own_report(tmp_path):
    snapshot = account({"A": ["ann", "bob"], "B": []})
    (tmp_path / "review.json").write_text(render_json(made(snapshot)))
    earlier = load_earlier(tmp_path / "review.json")
    assert (earlier.account_id, earlier.made_at) == ("acc", NOW)
    assert compare(earlier.groups, snapshot, to="it", at=NOW).differences == ()


def test_the_document_matches_its_schema():
    Draft202012Validator.check_schema(review_schema())
    validator = Draft202012Validator(review_schema())
    validator.validate(json.loads(render_json(large(6, 40))))
    validator.validate(json.loads(render_json(made(account({"A": []})))))


def test_the_digest_is_that_of_the_document_without_its_line():
    review = large(6, 40)
    lines = render_json(review).splitlines(keepends=True)
    others = "".join(line for line in lines if not line.startswith('  "digest"'))
    assert sha256(others.encode()).hexdigest() == json.loads("".join(lines))["digest"]
    assert digest_of(review) == json.loads("".join(lines))["digest"]
    assert digest_of(review) != digest_of(evolve(review, ending_days=31))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "truncated"),
        (b"[]", "Expected `object`"),
        (b'{"format": "cld-user-groups/plan/1", "account": "a", "made_at": '
         b'"2026-01-01T00:00:00Z", "groups": []}', "plan/1"),
        (b'{"format": "cld-user-groups/review/1", "account": "a", "made_at": '
         b'"2026-01-01T00:00:00", "groups": []}', "no time zone"),
        (b'{"format": "cld-user-groups/review/1", "account": "a", "made_at": '
         b'"2026-01-01T00:00:00Z", "groups": [{"id": 1, "name": "A"}]}', "groups[0].id"),
    ],
)  # fmt: skip
def test_what_is_no_report_is_rejected_with_the_reason(tmp_path, content, why):
    path = tmp_path / "report.json"
    path.write_bytes(content)
    with pytest.raises(FileError) as caught:
        load_earlier(path)
    assert why in str(caught.value)


# The reports that are kept


def kept(state: Path, day: int, hour: int = 12, groups: str = "A") -> None:
    at = datetime(2026, 11, day, hour, tzinfo=UTC)
    keep(made(account({name: [] for name in groups}), now=at), state)


def test_the_last_report_of_an_earlier_day_is_found(tmp_path):
    assert last_before(tmp_path, TODAY) is None
    kept(tmp_path, 3)
    kept(tmp_path, 7, groups="AB")
    kept(tmp_path, 22)
    earlier = last_before(tmp_path, TODAY)
    assert (earlier.made_at.day, len(earlier.groups)) == (7, 2)


def test_the_last_report_of_a_day_is_the_one_that_is_kept(tmp_path):
    kept(tmp_path, 3, hour=1, groups="A")
    kept(tmp_path, 3, hour=2, groups="AB")
    assert len(last_until(tmp_path, date(2026, 11, 3)).groups) == 2
    (path,) = (tmp_path / "reviews").iterdir()
    assert (path.name, path.stat().st_mode & 0o777) == ("2026-11-03.json", 0o600)


def test_the_report_of_a_day_or_before_is_found_or_those_there_are_named(tmp_path):
    kept(tmp_path, 3)
    assert last_until(tmp_path, date(2026, 11, 5)).made_at.day == 3
    with pytest.raises(FileError, match="kept: 2026-11-03"):
        last_until(tmp_path, date(2026, 11, 2))


def test_a_file_that_is_no_kept_report_is_left_alone(tmp_path):
    kept(tmp_path, 3)
    (tmp_path / "reviews" / "notes.json").write_text("mine")
    assert last_until(tmp_path, TODAY).made_at.day == 3


# People, as the API has them


def test_people_are_read_page_by_page_with_their_role_state_and_last_login():
    emulator = Emulator(users=(), groups=())
    for number in range(150):
        emulator.add_user_account(f"P {number}", email=f"p{number}@example.com")
    emulator.add_user_account("Q", email="q@example.com", pending=True, role="developer")
    people = read_people(client_of(emulator), account({}))
    (pending,) = [each for each in people.found if each.state is State.PENDING]
    assert (len(people.found), people.complete) == (151, True)
    assert (pending.name, pending.role, pending.last_login) == ("Q", "developer", None)


def test_who_is_on_no_page_is_looked_up_and_the_list_called_incomplete():
    users = [{"id": "u-ann", "enabled": True}, {"id": "u-bob", "enabled": False}, {"id": "u-cyd"}]

    def respond(request: httpx.Request) -> httpx.Response:
        query = request.url.params
        shown = [user for user in users if user["id"] in query.get_list("ids")]
        return httpx.Response(200, json={"users": shown or users[2:] * (query["page"] == "1")})

    with client_over(httpx.MockTransport(respond)) as client:
        people = read_people(client, account({"A": ["ann", "bob"]}))
    states = {each.id: each.state for each in people.found}
    assert states == {"u-ann": State.ACTIVE, "u-bob": State.DISABLED, "u-cyd": State.UNKNOWN}
    assert not people.complete


def test_members_unknown_to_the_list_of_users_are_in_the_review():
    client = client_of(Emulator(users=(), groups=()))
    snapshot = account({"A": ["ann"]})
    (ann,) = read_people(client, snapshot).found
    assert (ann.id, ann.email, ann.state) == ("u-ann", "ann@example.com", State.UNKNOWN)


def test_pages_that_are_repeated_do_not_show_that_the_list_is_complete():
    client = client_of(Emulator(users_paging="ignored"))
    people = read_people(client, account({}))
    assert (len(people.found), people.complete) == (5, False)


# Rows


def test_memberships_empty_groups_and_people_without_one_are_a_row_each():
    snapshot = account({"A": ["ann"], "B": []})
    review = made(
        snapshot,
        person("ann", State.DISABLED),
        person("bob"),
        changes=[joins("u-ann", "g-A", reason="JIRA-1", until=TODAY)],
    )
    table = [dict(zip(COLUMNS, row, strict=True)) for row in rows(review)]
    assert [(row["group"], row["email"], row["findings"]) for row in table] == [
        ("A", "ann@example.com", "disabled_member; ending"),
        ("B", None, "without_members"),
        (None, "bob@example.com", "without_group"),
    ]
    assert (table[0]["reason"], table[0]["until"]) == ("JIRA-1", "2026-11-22")


def test_groups_of_a_file_have_its_owners():
    snapshot = account({"A": ["ann"], "B": ["ann"], "C": ["ann"]})
    owned = [evolve(wanted(name, "ann"), owner=owner) for name, owner in ("Az", "By")]
    review = made(snapshot, desired=desired(*owned))
    assert [group.owner for group in review.groups] == ["z", "y", None]


def test_a_name_of_several_groups_says_nobody_s_owner():
    snapshot = evolve(account({}), groups=(Group(id="1", name="A"), Group(id="2", name="A")))
    owned = evolve(wanted("A", "ann"), owner="z")
    assert [group.owner for group in made(snapshot, desired=desired(owned)).groups] == [None, None]


def test_a_membership_that_ended_and_began_again_has_the_later_run():
    runs = [
        run_of(1, joins("u-ann", "g-A", reason="first")),
        run_of(2, leaves("u-ann", "g-A")),
        run_of(3, joins("u-ann", "g-A", reason="second")),
    ]
    review = made(account({"A": ["ann"]}), history=history_of(runs))
    assert review.groups[0].members[0].reason == "second"
