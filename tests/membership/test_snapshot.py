"""Reading an account: complete, checked, and with the fewest requests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import chain

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.membership import accounts
from tests.membership.accounts import async_client_of, client_over
from tests.membership.planned_accounts import NOW, TODAY, desired, wanted
from tests.support.transport import FakeTransport, json

from cld_user_groups.emulator import Emulator
from cld_user_groups.membership import (
    AccountError,
    Desired,
    DesiredMember,
    PlanError,
    Snapshot,
    export,
    plan,
    read_account,
    read_account_async,
    read_file,
)


def emulated(groups: Mapping[str, Iterable[str]], others: Iterable[str] = ()) -> Emulator:
    return accounts.emulated(groups, dict.fromkeys(chain(others, *groups.values())))


def read(
    transport: httpx.BaseTransport, file: Desired | None = None, today: date | None = TODAY
) -> Snapshot:
    with client_over(transport, retry_config=None) as client:
        return read_account(client, file, today)


def scripted(responses: Mapping[str, object], **headers: str) -> FakeTransport:
    """Return a transport that responds to each path with the JSON that is given for it."""

    def respond(request: httpx.Request) -> httpx.Response:
        return json(responses[request.url.path.partition("/accounts/acc")[2]], **headers)

    return FakeTransport(respond)


def group(group_id: str, name: str, users: object = ()) -> dict[str, object]:
    return {"id": group_id, "name": name, "users": users}


def test_an_account_is_read_with_one_request():
    emulator = emulated({"A": ["ann", "bob"], "B": []})
    snapshot = read(emulator.transport())
    assert snapshot.account_id == "acc"
    assert [(g.id, g.name, [m.email for m in g.members]) for g in snapshot.groups] == [
        ("id-A", "A", ["ann@example.com", "bob@example.com"]),
        ("id-B", "B", []),
    ]
    assert len(emulator.calls) == 1


def test_sync_and_async_read_the_same():
    emulator = emulated({"A": ["ann"]}, others=["bob"])
    file = desired(wanted("A", "bob", DesiredMember(id="ann"), DesiredMember(id="nobody")))
    one = read(emulator.transport(), file)
    other = asyncio.run(read_account_async(async_client_of(emulator), file, TODAY))
    assert (one.groups, one.people, one.missing_ids) == (
        other.groups,
        other.people,
        other.missing_ids,
    )
    assert [member.email for member in one.people] == ["bob@example.com"]
    assert one.missing_ids == ("nobody",)


def test_a_group_of_which_nothing_is_said_is_read_never_taken_for_empty():
    silent = {"id": "g2", "name": "B"}
    transport = scripted(
        {
            "/user_groups": {"user_groups": [group("g1", "A", []), silent]},
            "/user_groups/g2/users": {"users": [{"id": "u1", "email": "a@b.example"}]},
        }
    )
    snapshot = read(transport)
    assert [len(found.members) for found in snapshot.groups] == [0, 1]
    paths = [line.partition("/accounts/acc")[2] for line in transport.lines]
    assert paths == ["/user_groups?extended_details=true", "/user_groups/g2/users"]


def test_the_requests_that_are_left_are_read_from_the_headers():
    headers = {"X_FeatureRateLimit_Remaining": "41"}
    transport = scripted({"/user_groups": {"user_groups": []}}, **headers)
    assert read(transport).requests_left == 41
    assert read(scripted({"/user_groups": {"user_groups": []}})).requests_left is None


def test_a_response_that_contradicts_itself_is_rejected():
    listed = [group("g1", "A"), group("g1", "B"), group("  ", "C"), group("g2", "D", [{"id": " "}])]
    with pytest.raises(AccountError) as caught:
        read(scripted({"/user_groups": {"user_groups": listed}}))
    assert [problem.message for problem in caught.value.problems] == [
        "two groups in the response have the ID `g1`",
        "the group `C` has no ID in the response",
        "a user in `D` has no ID in the response",
    ]


def test_two_groups_of_one_name_and_a_user_listed_twice_are_read():
    users = [{"id": "u1"}, {"id": "u1"}]
    listed = [group("g1", "A", users), group("g2", "A", users)]
    snapshot = read(scripted({"/user_groups": {"user_groups": listed}}))
    assert [len(found.members) for found in snapshot.groups] == [1, 1]
    assert snapshot.groups[0].members[0] is snapshot.groups[1].members[0]


def test_an_id_is_not_called_unknown_where_the_filter_was_ignored():
    transport = scripted(
        {
            "/user_groups": {"user_groups": []},
            "/users": {"users": [{"id": "u7", "email": "x@example.com"}]},
        }
    )
    file = desired(wanted("A", DesiredMember(id="u9")))
    assert read(transport, file).missing_ids == ()


def looked_up(emulator: Emulator) -> list[list[str]]:
    """Return the e-mails and IDs of each look-up."""
    queries = [call.query_items for call in emulator.calls if call.path.endswith("/acc/users")]
    return [[value for name, value in query if name in ("emails", "ids")] for query in queries]


def test_who_is_to_be_added_is_looked_up_and_who_is_a_member_is_not():
    emulator = emulated({"A": ["ann"], "B": ["bob"]}, others=["cyd"])
    file = desired(
        wanted("A", "ann", "bob"),
        wanted("C", "bob", previously=("B",)),
        wanted("B2", "bob", id="id-B"),
        wanted("X", "cyd", DesiredMember(id="ann", email="ann@example.com")),
        wanted("Y", "bob", state="absent"),
    )
    read(emulator.transport(), file)
    assert looked_up(emulator) == [["bob@example.com", "cyd@example.com"]]


def test_a_second_user_of_an_email_is_seen_before_one_of_them_is_added():
    emulator = emulated({"A": ["ann"], "B": []}, others=[])
    emulator.add_user_account("Ann Two", email="ANN@example.com")
    stays = desired(wanted("A", "ann"))
    assert plan(read(emulator.transport(), stays), stays, TODAY, now=NOW).changes == ()
    joins = desired(wanted("B", "ann"))
    snapshot = read(emulator.transport(), joins)
    with pytest.raises(PlanError, match=r"2 users have the e-mail `ann@example\.com`"):
        plan(snapshot, joins, TODAY, now=NOW)


def test_an_email_beside_an_id_is_looked_up_unless_a_listing_shows_both():
    emulator = emulated({"A": ["ann", "bob"]}, others=["cyd", "dee", "eve"])
    file = desired(
        wanted(
            "A",
            DesiredMember(id="ann", email="ann@example.com"),  # is shown
            DesiredMember(id="bob", email="cyd@example.com"),  # somebody else in no group
            DesiredMember(id="dee", email="dee@example.com"),  # agrees
            DesiredMember(id="eve", email="gone@example.com"),  # nobody's e-mail
        )
    )
    snapshot = read(emulator.transport(), file)
    emails = [f"{name}@example.com" for name in ("cyd", "dee", "gone")]
    assert looked_up(emulator)[0] == emails
    assert looked_up(emulator)[-1] == ["eve"]
    made = plan(snapshot, file, TODAY, now=NOW)
    assert [change.user.id for change in made.changes] == ["dee"]
    assert len([held for held in made.held_back if "the e-mail of the ID" in held]) == 2


def test_nobody_is_looked_up_whose_membership_has_ended():
    emulator = emulated({"A": []})
    ended = DesiredMember(email="gone@example.com", until=date(2026, 11, 21))
    read(emulator.transport(), desired(wanted("A", ended)))
    assert len(emulator.calls) == 1


@settings(max_examples=15)
@given(st.integers(0, 210), st.integers(0, 210))
def test_reads_are_three_at_most_and_one_for_each_100_unknown_emails(emails, ids):
    emulator = emulated({"A": ["ann"]}, others=[f"p{number}" for number in range(emails + ids)])
    members = [f"p{number}" for number in range(emails)]
    by_id = [DesiredMember(id=f"p{number}") for number in range(emails, emails + ids)]
    file = desired(wanted("A", "ann", *members, *by_id))
    snapshot = read(emulator.transport(), file)
    lookups = -(-ids // 100) if ids <= 200 else 0
    assert len(emulator.calls) == 1 + lookups + -(-emails // 100) <= 3 + -(-emails // 100)
    made = plan(snapshot, file, TODAY, now=NOW)
    assert len(made.changes) == emails + ids


def test_a_file_that_was_exported_leads_to_nothing(tmp_path):
    emulator = emulated({"A": ["ann", "bob"], "no": ["ann"], "Empty": []})
    (tmp_path / "groups.yaml").write_text(export(read(emulator.transport())))
    file = read_file(tmp_path / "groups.yaml")
    snapshot = read(emulator.transport(), file)
    assert plan(snapshot, file, TODAY, now=NOW).changes == ()
