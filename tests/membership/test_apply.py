"""Applying a plan over the emulator, with threads and on an event loop."""

from __future__ import annotations

import base64
import os
import re
import signal
import threading
from collections.abc import Callable
from contextlib import closing, nullcontext
from datetime import UTC, date, datetime, timedelta
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
from attrs import evolve
from tests.support.waiting import held_by_another_process

from cld_user_groups import CldProvisioning, Security
from cld_user_groups.emulator import Emulator, EmulatorRequest, EmulatorResponse
from cld_user_groups.hooks import HookContext
from cld_user_groups.membership.applying import apply, apply_async
from cld_user_groups.membership.executor import ChangeResult, execute, execute_now
from cld_user_groups.membership.grants import GroupRef
from cld_user_groups.membership.journal import Ended, JournalError, Line, NoJournal
from cld_user_groups.membership.lock import AlreadyRunning, account_lock
from cld_user_groups.membership.model import Breach, Change, Rule
from cld_user_groups.membership.pace import Reply, ReplyKind
from cld_user_groups.membership.plan_file import parse_plan, render_json
from cld_user_groups.membership.result import Outcome, Progress, Result, Status, Stop
from cld_user_groups.membership.session import ApplySession, Receive, Wait
from cld_user_groups.membership.snapshot import read_account
from cld_user_groups.membership.staleness import GuardBreached, StalePlan, WrongAccount
from cld_user_groups.membership.state import state_directory

from .accounts import (
    SERVER,
    WRITES,
    add,
    async_client_of,
    client_of,
    client_over,
    create,
    delete,
    existing,
    group_of,
    plan_for,
    plan_of,
    remove,
    rename,
)
from .applied import Account, Clock, on_asyncio, statuses, with_threads

NEW = GroupRef(id=None, name="new")
DONE, FAILED, UNKNOWN, NOT_STARTED = map(Status, ("done", "failed", "unknown", "not_started"))
pytestmark = pytest.mark.usefixtures("waits")


def additions(*numbers: int) -> list[Change]:
    return [add("b", f"u{number}") for number in range(*numbers)]


def test_every_kind_of_change_is_made_journaled_and_verified(account):
    seen: list[Progress] = []
    leave = remove(existing("A", "id-a"), "u1", 2)
    changes = [create("new"), rename("a", "A"), add(NEW, "u1", 0), leave, delete("old", "u4")]
    result = account.apply(*changes, on_progress=seen.append)
    assert account.members == {"A": {"u2"}, "b": {"u3"}, "new": {"u1"}}
    assert statuses(result) == [DONE] * 5
    assert result.verified
    assert result.is_complete
    assert result.left == ()
    assert [progress.ended for progress in seen] == [1, 2, 3, 4, 5]
    journal = account.last_run(result.run)
    assert {outcome.position for outcome in journal.confirmed} == {0, 1, 2, 3, 4}
    assert all(outcome.request_id for outcome in journal.confirmed)
    created = next(outcome for outcome in journal.outcomes if outcome.position == 0)
    assert created.group_id == group_of(account.emulator, "new").id
    assert journal.end.verified


def test_a_run_costs_one_read_one_write_a_change_and_one_read(account):
    plan = account.plan(*additions(10, 30))
    account.emulator.calls.clear()
    account.run(plan)
    assert len(account.emulator.calls) == 22
    account.emulator.calls.assert_called("getUserGroups", times=2)


def test_a_plan_without_changes_reads_once_and_writes_nothing(account):
    plan = account.plan()
    account.emulator.calls.clear()
    result = account.run(plan)
    assert result.is_complete
    assert result.verified
    assert len(account.emulator.calls) == 1
    assert not list(account.folder.rglob("*.jsonl"))


def test_a_stale_plan_names_ten_differences_and_counts_the_others(account):
    groups = [account.emulator.add_group(f"group {number}") for number in range(12)]
    plan = account.plan(*(add(existing(group.name, group.id), "u1") for group in groups))
    for group in groups:
        account.emulator.add_member(group.id, "u9")
    with pytest.raises(StalePlan) as caught:
        account.run(plan)
    assert str(caught.value).count("has changed;") == 10
    assert str(caught.value).endswith("; and 2 more")


@pytest.mark.parametrize(
    "interfere",
    [
        lambda emulator: emulator.add_member("id-a", "u9"),
        lambda emulator: emulator.add_group("new"),
        lambda emulator: emulator.remove_group("id-a"),
    ],
    ids=["group", "name", "deleted"],
)
def test_a_stale_plan_writes_nothing(account, interfere):
    plan = account.plan(create("new"), add("b", "u1"), remove("a", "u2"))
    interfere(account.emulator)
    before = account.members
    with pytest.raises(StalePlan, match="has changed since"):
        account.run(plan)
    assert account.members == before
    assert not list(account.folder.rglob("*.jsonl"))


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        ({"account_id": "other"}, WrongAccount),
        ({"breaches": (Breach(guard="max_removals", message="too many"),)}, GuardBreached),
        ({"expires_at": datetime.now(UTC) - timedelta(seconds=1)}, StalePlan),
        ({"fingerprints": {}}, ValueError),
    ],
)
def test_a_plan_that_must_not_be_applied_sends_nothing(account, spoil, error):
    plan = evolve(account.plan(add("a", "u9")), **spoil)
    account.emulator.calls.clear()
    with pytest.raises(error):
        account.run(plan)
    assert len(account.emulator.calls) == 0


@pytest.mark.parametrize(
    ("changes", "spoil", "error", "says"),
    [
        ([add("a", "u9")], {"today": date(2026, 1, 1)}, StalePlan, "memberships of 2026-01-01"),
        ([evolve(add("a", "u9"), until=date(2026, 1, 1))], {}, StalePlan, "ended on 2026-01-01"),
        ([add("a", "nobody")], {}, StalePlan, "no user has the id `nobody`"),
        ([add("b", "u9"), remove("b", "u3")], {}, ValueError, "could leave the group 'b' empty"),
    ],
    ids=["another day", "ended", "nobody", "order"],
)
def test_a_plan_that_was_loaded_is_held_to_all_that_the_command_checks(
    account, changes, spoil, error, says
):
    plan = evolve(account.plan(*changes), **spoil)
    before = account.members
    with pytest.raises(error, match=says):
        account.run(parse_plan(render_json(plan)))
    assert account.members == before


def test_an_addition_to_a_new_group_must_depend_on_its_creation(account):
    with pytest.raises(ValueError, match="does not depend on its creation"):
        account.apply(create("new"), add(NEW, "u1"))


@pytest.mark.parametrize("drop", ["before", "after", "during"])
@pytest.mark.parametrize(
    "change",
    [rename("a", "A"), add("a", "u9"), remove("a", "u1"), delete("old", "u4")],
    ids=lambda change: change.action.value,
)
def test_a_lost_response_is_looked_after_and_nothing_is_done_twice(account, drop, change):
    plan = account.plan(change)
    account.fail("*", status=None, times=1)  # the read before the first write
    for operation in WRITES:
        account.fail(operation, drop=drop)
    result = account.run(plan)
    assert statuses(result) == [DONE]
    assert result.verified


CREATION = [create("new"), add(NEW, "u1", 0)]
# What each operation responds; the changes; what becomes of them; whether the result is complete
# and verified, and its differences; who is in a group.
OPEN: dict[str, tuple[dict[str, dict[str, Any]], list[Change], list[Status], Any, Any]] = {
    "a creation whose response is lost is found and used": (
        {"createUserGroup": {"drop": "after"}}, CREATION, [DONE] * 2, (True, True, 0),
        {"new": {"u1"}}),
    "a creation that was lost stops what depends on it": (
        {"createUserGroup": {"drop": "before"}},
        [*CREATION, remove("a", "u1", 1), add("b", "u1")],
        [UNKNOWN, NOT_STARTED, NOT_STARTED, DONE], (False, False, 3), {"a": {"u1", "u2"}}),
    "a group that appears meanwhile is never adopted": (
        {"createUserGroup": {"status": 409}}, CREATION, [FAILED, NOT_STARTED], (False, False, 2),
        {}),
    "a group whose creation came twice is unknown and not adopted": (
        {"createUserGroup": {"status": 409, "apply": True}}, CREATION, [UNKNOWN, NOT_STARTED],
        (False, False, 2), {"new": set()}),
    "a 409 or 404 that a look contradicts is unknown": (
        {"addUserToUserGroup": {"status": 409}, "removeUserFromUserGroup": {"status": 404},
         "deleteUserGroup": {"status": 404}},
        [add("a", "u9"), remove("a", "u1"), delete("old", "u4")], [UNKNOWN] * 3,
        (False, False, 3), {}),
    "a 409 to a removal or a deletion is unknown": (
        {"removeUserFromUserGroup": {"status": 409},
         "deleteUserGroup": {"status": 409, "apply": True}},
        [remove("a", "u1"), delete("old", "u4")], [UNKNOWN] * 2, (False, False, 1), {}),
}  # fmt: skip


@pytest.mark.parametrize(
    ("faults", "changes", "expected", "ends", "members"), OPEN.values(), ids=OPEN
)
def test_what_a_response_leaves_open_is_reported_as_the_account_shows_it(
    account, faults, changes, expected, ends, members
):
    for operation, fault in faults.items():
        account.fail(operation, **fault)
    result = account.apply(*changes)
    assert statuses(result) == expected
    assert (result.is_complete, result.verified, len(result.differences)) == ends
    assert members.items() <= account.members.items()
    creations = sum(change.group == NEW and change.user is None for change in changes)
    account.emulator.calls.assert_called("createUserGroup", times=creations)


def test_a_group_of_others_is_not_taken_for_one_whose_response_was_lost(account):
    emulator = account.emulator
    emulator.fail("createUserGroup", drop="before")
    # Between the read and the creation, with a member in it.
    original = emulator.handle

    def handle(request: EmulatorRequest) -> EmulatorResponse:
        if request.method == "POST" and request.raw_path.endswith(b"/user_groups"):
            emulator.add_group("new", users=["u5"])
        return original(request)

    emulator.handle = handle  # type: ignore[method-assign]
    result = account.apply(create("new"), add(NEW, "u1", 0))
    assert statuses(result) == [UNKNOWN, NOT_STARTED]
    assert account.members["new"] == {"u5"}
    assert set(result.differences) == {
        "the group 'new' exists, and this run is not known to have created it"
    }


def test_a_write_that_was_delivered_twice_is_unknown_and_complete(account):
    for operation in WRITES:
        status = 404 if operation.startswith(("remove", "delete")) else 409
        account.fail(operation, status=status, apply=True)
    join = add(existing("A", "id-a"), "u9")
    result = account.apply(rename("a", "A"), join, remove("b", "u3"), delete("old", "u4"))
    assert statuses(result) == [UNKNOWN] * 4
    assert result.verified
    assert result.is_complete
    assert statuses(account.last_run(result.run)) == [UNKNOWN] * 4


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("is_applied", [True, False])
def test_an_error_that_the_account_contradicts_at_the_end_is_unknown(account, status, is_applied):
    account.fail("deleteUserGroup", status=status, apply=is_applied)
    result = account.apply(add("a", "u9"), delete("old", "u4"))
    expected = {DONE, UNKNOWN if is_applied else FAILED}
    assert set(statuses(result)) == set(statuses(account.last_run(result.run))) == expected
    assert result.verified is is_applied


LATE = [create("new"), rename("a", "A"), add("a", "u9"), remove("a", "u1"), delete("old", "u4")]


@pytest.mark.parametrize("status", [503, 504])
@pytest.mark.parametrize("change", LATE, ids=lambda change: change.action.value)
def test_what_a_gateway_may_have_forwarded_is_unknown_undone_if_it_came(one, change, status):
    account = evolve(one, client=client_of(one.emulator, retries=None))
    before = account.members
    for operation in WRITES:
        account.fail(operation, status=status, times=None)
    result = account.apply(change)
    assert statuses(result) == [UNKNOWN]  # although a look does not show it
    assert result.verified is False
    assert account.last_run().unconfirmed
    account.emulator.clear_faults()
    # The gateway's delivery, which no run knows of.
    late = Outcome(position=0, change=change, status=NOT_STARTED, group_id=change.group.id)
    assert execute_now(account.client, execute(late)).outcome.status is DONE
    inverse = account.undo(allow_removals=account.undo().removals)
    assert any("not confirmed by the journal, but" in note for note in inverse.notes)
    assert account.run(inverse).is_complete
    assert account.members == before


def test_an_unknown_user_fails_alone_and_says_why(account):
    result = account.apply(add("a", "nobody"), add("a", "u9"))
    assert statuses(result) == [FAILED, DONE]
    assert "User not found" in result.outcomes[0].error
    assert result.differences == ("nobody@example.com is not in the group 'a'",)


@pytest.mark.parametrize("status", [401, 403])
def test_rejected_credentials_stop_the_run_without_another_request(account, status):
    plan = account.plan(*additions(10, 30))
    account.fail("addUserToUserGroup", status=status, times=None)
    account.emulator.calls.clear()
    result = account.run(plan, concurrency=2)
    assert result.stopped is Stop.UNAUTHORIZED
    assert result.verified is None
    assert len(account.emulator.calls) <= 1 + 2


def test_an_account_that_contradicts_itself_is_reported_as_not_verified(account):
    twice = '{"id": "x", "name": "x", "users": []}'
    body = f'{{"user_groups": [{twice}, {twice}]}}'

    def break_the_account(_: Progress) -> None:
        account.fail("getUserGroups", status=200, body=body)

    result = account.apply(add("a", "u9"), on_progress=break_the_account)
    assert statuses(result) == [DONE]
    assert result.verified is None
    assert result.is_complete


def test_a_used_up_quota_ends_the_run_with_what_is_left(account):
    plan = account.plan(*additions(10, 30))
    account.emulator.set_quota(100, 8)
    result = account.run(plan, concurrency=3)
    assert result.stopped is Stop.QUOTA
    assert result.resume_at is not None
    assert len(result.left) == 13
    assert {outcome.status for outcome in result.left} == {NOT_STARTED}


def test_keep_quota_leaves_that_many_requests(account):
    plan = account.plan(*additions(10, 30))
    account.emulator.set_quota(100, 20)
    assert account.run(plan, keep_quota=10).stopped is Stop.QUOTA
    limit = account.client.user_groups.with_raw_response.list().rate_limit
    assert limit.remaining is not None
    assert limit.remaining >= 9


@pytest.mark.parametrize(
    ("ahead", "quota", "options"),
    [
        (0, (15, 8), {"max_wait": 3 * 3600, "concurrency": 4}),
        # A clock that is a little ahead does not end a wait before the reset.
        (0.5, (100, 20), {"max_wait": 2 * 3600, "keep_quota": 4}),
    ],
    ids=["same clock", "clock ahead"],
)
def test_a_run_waits_for_the_quota_where_it_may(one, ahead, quota, options):
    plan = one.plan(*additions(10, 30))
    clock = one.emulator.clock
    one.emulator.set_quota(*quota)
    waited: list[float] = []
    progress: list[Progress] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        clock.advance(seconds=seconds)

    options |= {"sleep": sleep, "now": lambda: clock.now() + timedelta(seconds=ahead)}
    assert one.run(plan, on_progress=progress.append, **options).is_complete
    assert sum(waited) > 0
    assert any(step.waiting_until is not None for step in progress)


def test_a_429_that_outlasts_the_client_is_waited_for_and_tried_again(one):
    clock = Clock()
    for first, way in ((10, with_threads), (20, on_asyncio)):
        plan = one.plan(*additions(first, first + 10))
        one.fail("addUserToUserGroup", status=429, headers={"retry-after": "40"})
        sleep: Any = clock.sleep if way is with_threads else clock.sleep_async
        assert evolve(one, way=way).run(plan, now=clock.now, sleep=sleep).is_complete
        assert clock.slept >= 39
        clock.slept = 0


@pytest.mark.parametrize(("seconds", "announced"), [(0.3, 0), (0.99, 0), (1, 1), (60, 1)])
def test_waits_are_announced_at_most_once_a_second(one, seconds, announced):
    now = datetime.now(UTC)
    seen: list[Progress] = []
    session = ApplySession(
        account_id="acc",
        plan=one.plan(add("a", "u9")),
        snapshot=read_account(one.client),
        journal=NoJournal(),
        max_wait=60,
        on_progress=seen.append,
        now=lambda: now,
        counted=lambda: nullcontext(lambda: 0),
    )
    held = Reply(kind=ReplyKind.THROTTLED, status_code=429, retry_after=seconds)
    with closing(session.steps()) as steps:
        step: Any = next(steps)
        waits: list[float] = []
        while isinstance(step, Wait) or not waits:
            waits += [step.seconds] if isinstance(step, Wait) else []
            (outcome,) = session._outcomes
            is_received = isinstance(step, Receive)
            step = steps.send([(0, ChangeResult(outcome, held))] if is_received else None)
    assert sum(waits) == pytest.approx(seconds, abs=0.002)
    assert len(seen) == announced


@pytest.mark.parametrize("concurrency", [16, 30])
def test_as_many_changes_are_in_flight_as_the_concurrency_says(one, monkeypatch, concurrency):
    together = threading.Barrier(concurrency, timeout=30)
    inner = one.emulator.transport()

    def handle(_: object, request: httpx.Request) -> httpx.Response:
        if request.method != "GET":
            together.wait()  # passes only where so many are in flight at once
        return inner.handle_request(request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle)
    with CldProvisioning(Security("k", "s"), "acc", server_url=SERVER) as client:
        plan = plan_for(client, *additions(9, 9 + concurrency))
        assert apply(client, plan, state_dir=one.folder, concurrency=concurrency).is_complete


class Waited:
    """Another admin acts while a run waits for the quota, after its first change."""

    def __init__(self, account: Account, act: Callable[[Emulator], object]) -> None:
        self.account = account
        self.act: Callable[[Emulator], object] | None = act

    def __call__(self, seconds: float) -> None:
        self.account.emulator.clock.advance(seconds=seconds)
        if self.act is not None:
            self.act(self.account.emulator)
            self.act = None

    def run(self, *changes: Change, **spoil: Any) -> Result:
        """Apply changes with a wait after the first one."""
        plan = evolve(self.account.plan(*changes), **spoil)
        emulator = self.account.emulator
        emulator.set_quota(100, 2)
        emulator.calls.clear()
        options: dict[str, Any] = {"now": emulator.clock.now, "sleep": self, "concurrency": 1}
        return self.account.run(plan, max_wait=7200, **options)


def fill(emulator: Emulator) -> None:
    for number in range(10, 18):
        emulator.add_member("id-old", f"u{number}")


def promote(emulator: Emulator) -> None:
    emulator.update_user_account("u1", email="boss@example.com")


def joins(user: str, group: str = "old") -> Callable[[Emulator], object]:
    return lambda emulator: emulator.add_member(group_of(emulator, group).id, user)


def apart(*groups: GroupRef) -> dict[str, Any]:
    return {"rules": (Rule(kind="not_together", groups=groups),)}


TWO = [add("a", "u9"), add("b", "u9")]
EXCHANGE = [add("a", "u8"), add("a", "u9"), remove("a", "u1"), remove("a", "u2")]
AT_MOST_TWO = {"rules": (Rule(kind="max_members", groups=(existing("a"),), limit=2),)}
OF_BOSS = {"protect": ("boss@*",)}
# What another admin does; the changes; what else the plan has; what becomes of the changes; the
# error of the first that is held back; who is in a group.
WAITS: dict[str, tuple[Any, list[Change], dict[str, Any], list[Status], str, dict[str, Any]]] = {
    "only the group that others change is left alone": (
        fill, [*TWO, remove("a", "u1"), delete("old", "u4")], {}, [DONE] * 3 + [NOT_STARTED],
        "held back: somebody else has changed the group 'old'",
        {"a": {"u2", "u9"}, "old": {"u4", *(f"u{number}" for number in range(10, 18))}}),
    "a group that was deleted": (
        lambda emulator: emulator.remove_group("id-b"), TWO, {}, [DONE, NOT_STARTED], ".*", {}),
    "a group that was renamed": (
        lambda emulator: emulator.rename_group("id-b", "c"),
        TWO, {}, [DONE, NOT_STARTED], ".*", {}),
    "a group that was emptied": (
        lambda emulator: emulator.remove_member("id-b", "u3"),
        TWO, {}, [DONE, NOT_STARTED], ".*", {}),
    "a name that is taken by then is not created": (
        lambda emulator: emulator.add_group("new"),
        [create("first"), create("new"), add(NEW, "u1", 1)], {},
        [DONE, NOT_STARTED, NOT_STARTED], ".*", {"new": set()}),
    "a plan that has expired goes no further": (  # after an hour
        lambda emulator: emulator.clock.advance(seconds=3600),
        TWO, {}, [DONE, NOT_STARTED], ".*the plan has expired.*", {}),
    "a member whose e-mail is protected by then stays": (
        promote, [add("a", "u9"), remove("a", "u1")], OF_BOSS, [DONE, NOT_STARTED], ".*", {}),
    "a rule is checked again, also of a group that the plan does not change": (
        joins("u9"), [*TWO, add("b", "u8")], apart(existing("b"), existing("old")),
        [DONE, NOT_STARTED, DONE],
        "held back: `u9@example.com` is not added to `b`: also in `old`", {}),
    "a group may grow as far as it was to, though the run has made it larger": (
        lambda _: None, EXCHANGE, AT_MOST_TWO, [DONE] * 4, "", {"a": {"u8", "u9"}}),
    "a group is not held as large as the run made it": (
        promote, EXCHANGE, AT_MOST_TWO | OF_BOSS, [DONE, NOT_STARTED, NOT_STARTED, DONE],
        ".*it would have 3 members, and may have 2.*", {}),
    "who is held back, as somebody else changed a group, makes room for nobody": (
        joins("u20"), [add("a", "u9"), add("b", "u4"), remove("old", "u4", 1)],
        apart(existing("old"), existing("b")), [DONE, NOT_STARTED, NOT_STARTED],
        ".*also in `old`.*", {"b": {"u3"}}),
    "a group that the run has created is that of the rule": (
        joins("u8", "new"), [create("new"), add("a", "u8")], apart(NEW, existing("a")),
        [DONE, NOT_STARTED], ".*also in `new`.*", {}),
}  # fmt: skip


@pytest.mark.parametrize(
    ("act", "changes", "spoil", "expected", "error", "members"), WAITS.values(), ids=WAITS
)
def test_after_a_wait_the_account_is_read_and_checked_again(
    one, act, changes, spoil, expected, error, members
):
    result = Waited(one, act).run(*changes, **spoil)
    assert statuses(result) == expected
    assert result.is_complete is (error == "")
    first = next((each.error for each in result.outcomes if each.status is NOT_STARTED), "")
    assert re.fullmatch(error, first)
    assert members.items() <= one.members.items()
    # Before, after the wait, and after all.
    one.emulator.calls.assert_called("getUserGroups", times=3)


def test_after_a_wait_past_midnight_nobody_is_added_whose_last_day_it_was(one):
    now = one.emulator.clock.now()
    until = now.date()
    ends, stays = evolve(add("b", "u9"), until=until), evolve(add("b", "u8"), until=date.max)
    waited = Waited(one, lambda emulator: emulator.clock.advance(seconds=24 * 3600))
    result = waited.run(add("a", "u9"), ends, stays, expires_at=now + timedelta(days=2))
    assert statuses(result) == [DONE, NOT_STARTED, DONE]
    assert f"has ended on {until}" in result.outcomes[1].error


@pytest.mark.parametrize("refused_with", [None, 403])
def test_after_a_wait_roles_are_read_again(account, refused_with):
    emulator = account.emulator
    rule = Rule(kind="not_with_role", groups=(existing("b"),), values=("Master Admin",))
    plan = evolve(account.plan(add("a", "u9"), add("b", "u9")), rules=(rule,))
    emulator.set_quota(100, 4)

    def grant(seconds: float) -> None:
        emulator.clock.advance(seconds=seconds)
        emulator.roles.refused_with = refused_with
        emulator.roles.assign("id-a", "cld::role::account::master_admin")

    async def grant_async(seconds: float) -> None:
        grant(seconds)

    sleep = grant if account.way is with_threads else grant_async
    options: dict[str, Any] = {"now": emulator.clock.now, "sleep": sleep, "concurrency": 1}
    result = account.run(plan, max_wait=7200, **options)
    assert statuses(result) == [DONE, NOT_STARTED]
    why = "is not known" if refused_with else "`Master Admin` is held through `a`"
    assert why in result.outcomes[1].error
    assert account.members["b"] == {"u3"}
    # Both times for two scopes; what is read at the end needs no roles.
    emulator.calls.assert_called("inspectMultiple", times=3 if refused_with else 4)


@pytest.fixture
def other_run(account: Account) -> Callable[[Callable[[], object]], None]:
    """Return what holds the account's lock for a while, and acts at the end."""

    def hold(act: Callable[[], object]) -> None:
        held = threading.Event()

        def run() -> None:
            with account_lock(state_directory("acc", account.folder), "acc"):
                held.set()
                threading.Event().wait(0.3)
                act()

        threading.Thread(target=run).start()
        held.wait()

    return hold


def test_after_the_wait_for_another_run_the_account_is_read_again(account, other_run):
    snapshot = read_account(account.client)
    plan = plan_of(snapshot, delete("old", "u4"))
    other_run(lambda: account.emulator.add_member("id-old", "u5"))
    with pytest.raises(StalePlan, match="'old' has changed"):
        account.run(plan, snapshot=snapshot, lock_wait=60)


def test_the_second_run_waits_for_the_first_where_it_may(account, other_run):
    plan = account.plan(add("a", "u9"))
    other_run(lambda: None)
    assert account.run(plan, lock_wait=60).is_complete


def test_a_wait_for_another_run_that_is_no_number_is_no_wait(account):
    plan = account.plan(add("a", "u9"))
    with account_lock(state_directory("acc", account.folder), "acc"):
        with pytest.raises(AlreadyRunning):
            account.run(plan, lock_wait=float("nan"))


@pytest.mark.parametrize("count", [1, 2])
def test_a_caller_who_handles_signals_says_how_often_a_run_was_interrupted(one, count):
    plan = one.plan(*additions(10, 20))
    one.emulator.set_quota(100, 5)
    clock = Clock()
    options: dict[str, Any] = {"now": clock.now, "sleep": clock.sleep}
    options["interrupts"] = lambda: count if clock.slept else 0
    with nullcontext() if count == 1 else pytest.raises(KeyboardInterrupt):
        result = one.run(plan, max_wait=7200, concurrency=1, **options)
        assert result.stopped is Stop.REQUESTED
    assert 0 < clock.slept <= 1
    assert len(one.last_run().confirmed) == len(one.members["b"]) - 1


@pytest.mark.parametrize("status", [420, 429])
def test_a_throttled_request_is_not_repeated_by_each_call_for_itself(account, status):
    headers = {  # a quota that is not used up, so that it does not say how long to wait
        "x-featureratelimit-remaining": "5",
        "x-featureratelimit-reset": "Fri, 01 Jan 2100 00:00:00 GMT",
        **({"retry-after": "3600"} if status == 429 else {}),
    }
    account.fail("addUserToUserGroup", status=status, headers=headers, times=None)
    result = account.apply(*additions(10, 20))
    assert result.stopped is Stop.QUOTA
    assert set(statuses(result)) == {NOT_STARTED}
    sent = [call for call in account.emulator.calls if call.operation_id == "addUserToUserGroup"]
    assert len(sent) <= 10  # each at most once


def test_a_client_without_retries_stays_one(one):
    account = evolve(one, client=client_of(one.emulator, retries=None))
    account.fail("addUserToUserGroup", status=503)
    assert statuses(account.apply(add("b", "u9"))) == [UNKNOWN]
    account.emulator.calls.assert_called("addUserToUserGroup", times=1)


def no_space(*_: object) -> int:
    raise OSError(28, "No space left on device")


def test_a_journal_that_cannot_be_started_sends_nothing(one, monkeypatch):
    monkeypatch.setattr(os, "write", no_space)
    with pytest.raises(JournalError, match="No space left"):
        one.apply(add("a", "u9"))
    assert one.members["a"] == {"u1", "u2"}


@pytest.mark.parametrize(("fails_at", "says"), [(2, "disk full"), (3, "disk full"), (4, "")])
def test_a_journal_that_fails_midway_stops_the_run_before_the_next_write(account, fails_at, says):
    flushed = 0

    class Full(NoJournal):
        def flush(self) -> None:
            nonlocal flushed
            flushed += 1
            if flushed >= fails_at:
                raise JournalError(says)

    result = account.apply(*additions(10, 20), journal=Full(), concurrency=1)
    assert result.stopped is Stop.JOURNAL
    assert len(account.members["b"]) == 1 + (fails_at - 1)
    assert statuses(result).count(DONE) == fails_at - 1


def test_the_last_outcomes_are_on_disk_before_the_account_is_read_again(account):
    plan = account.plan(add("a", "u9"), add("b", "u9"))
    account.emulator.calls.clear()
    pending: list[Line] = []
    flushed: list[Line] = []
    requests_when_flushed: list[int] = []

    class Recorded(NoJournal):
        def add(self, line: Line) -> None:
            pending.append(line)

        def flush(self) -> None:
            flushed.extend(pending)
            pending.clear()
            if sum(isinstance(line, Ended) for line in flushed) == 2:
                requests_when_flushed.append(len(account.emulator.calls))

    assert account.run(plan, journal=Recorded()).is_complete
    assert min(requests_when_flushed) == 3  # one read and two writes; not yet the last read


class Slow:
    """A hook that lets the other tasks of an event loop run, after the addition of one user."""

    async def after_response(self, context: HookContext, response: httpx.Response) -> None:
        for _ in range(100 if context.user_id == "u10" else 0):
            await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_change_that_ends_after_those_that_started_with_it_is_not_lost(one, backend):
    async def run() -> Result:
        async with async_client_of(one.emulator, hooks=[Slow()]) as client:
            with anyio.fail_after(30):
                return await apply_async(client, plan, state_dir=one.folder)

    plan = one.plan(*additions(10, 14))
    assert anyio.run(run, backend=backend).is_complete


def test_an_interrupt_of_the_second_read_leaves_a_complete_journal(one):
    plan = one.plan(add("a", "u9"))
    reads = 0

    class Interrupted:
        def before_request(self, context: HookContext, request: httpx.Request) -> None:
            nonlocal reads
            reads += context.operation_id == "getUserGroups"
            if reads == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evolve(one, client=client_of(one.emulator, hooks=[Interrupted()])).run(plan)
    assert statuses(one.last_run()) == [DONE]
    assert stopped(one) is Stop.ABANDONED


def stopped(account: Account) -> Stop | None:
    """Return why the last run ended early, as its journal says."""
    end = account.last_run().end
    return end.stopped


def test_a_first_interrupt_lets_flights_end_and_starts_nothing_more(one):
    def interrupt(progress: Progress) -> None:
        if progress.ended == 3:
            signal.raise_signal(signal.SIGINT)

    result = one.apply(*additions(10, 30), concurrency=4, on_progress=interrupt)
    assert result.stopped is Stop.REQUESTED
    done = statuses(result).count(DONE)
    assert 3 <= done <= 8
    assert len(one.members["b"]) == 1 + done
    assert statuses(result).count(NOT_STARTED) == 20 - done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_interrupt_ends_the_run_and_records_what_is_in_flight(one):
    plan = one.plan(*additions(10, 30))
    blocked = threading.Event()

    class Slow:
        def before_request(self, context: Any, request: Any) -> None:
            if request.url.path.endswith("/u11"):
                blocked.wait(60)

    def interrupt(progress: Progress) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    slow = evolve(one, client=client_of(one.emulator, hooks=[Slow()]))
    with pytest.raises(KeyboardInterrupt):
        slow.run(plan, concurrency=2, on_progress=interrupt)
    run = one.last_run()
    blocked.set()
    assert stopped(one) is Stop.ABANDONED
    assert [outcome.change.user.id for outcome in run.unconfirmed if outcome.change.user] == ["u11"]
    with account_lock(state_directory("acc", one.folder), "acc"):
        pass  # it was released


def test_a_cancelled_run_records_what_was_in_flight(one):
    plan = one.plan(*additions(10, 30))
    one.fail("addUserToUserGroup", status=None, delay=20, times=None)

    class Ends:
        def on_error(self, context: Any, error: BaseException) -> None:
            with pytest.raises(AlreadyRunning):  # no other run begins while a request is in flight
                account_lock(state_directory("acc", one.folder), "acc").__enter__()

    async def cancelled() -> None:
        async with async_client_of(one.emulator, hooks=[Ends()]) as client:
            with anyio.move_on_after(0.5) as scope:
                await apply_async(client, plan, state_dir=one.folder, concurrency=3)
            assert scope.cancelled_caught

    anyio.run(cancelled)
    assert stopped(one) is Stop.ABANDONED
    assert len(one.last_run().unconfirmed) == 3
    with account_lock(state_directory("acc", one.folder), "acc"):
        pass  # it was released


def test_an_error_of_the_progress_callback_ends_the_run_and_is_raised(account):
    def fail(progress: Progress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):  # by itself, also on an event loop
        account.apply(*additions(10, 30), on_progress=fail, concurrency=1)
    assert stopped(account) is Stop.ABANDONED


def test_people_who_are_refused_hold_back_nobody_else(account):
    for number in range(10, 16):
        status = 403 if number % 2 else 400
        account.fail("addUserToUserGroup", status=status, user_id=f"u{number}", times=None)
    joiners = [add("a", f"u{number}") for number in range(10, 16)]
    result = account.apply(*joiners, remove("a", "u1"), add("b", "u20"), concurrency=1)
    assert statuses(result) == [FAILED] * 6 + [DONE] * 2
    assert result.stopped is None
    assert result.verified is False


def test_many_failures_in_a_row_stop_the_run(account):
    account.fail("addUserToUserGroup", status=501, times=None)
    result = account.apply(*additions(10, 40), concurrency=1)
    assert result.stopped is Stop.FAILURES
    assert statuses(result).count(FAILED) == 5


@pytest.mark.parametrize("look", ["succeeds", "fails"])
def test_without_retries_nothing_is_lost_or_done_twice(one, look):
    account = evolve(one, client=client_of(one.emulator, retries=None))
    plan = account.plan(add("a", "u9"), remove("b", "u3"))
    account.fail("addUserToUserGroup", drop="after")
    account.fail("removeUserFromUserGroup", drop="after")
    if look == "fails":  # then the last read finds that it was applied after all
        account.fail("getUsersInUserGroup", status=500, times=2)
    assert statuses(account.run(plan)) == [DONE] * 2
    assert statuses(account.last_run()) == [DONE] * 2


def test_only_one_run_an_account_at_a_time_and_the_second_says_who(account):
    plan = account.plan(add("a", "u9"))
    directory = state_directory("acc", account.folder)
    with held_by_another_process(
        account_lock.__module__, "account_lock", directory, "acc"
    ) as other:
        with pytest.raises(AlreadyRunning, match=f"process {other.pid}, since 2"):
            account.run(plan)
        assert account.members["a"] == {"u1", "u2"}
        other.kill()
        other.wait()
    assert account.run(plan, lock_wait=5).is_complete  # a killed process holds nothing


def test_no_credential_reaches_the_journal_even_where_the_server_echoes_it(tmp_path):
    emulator = Emulator(api_key="the-key", api_secret="the-secret")
    token = base64.b64encode(b"the-key:the-secret").decode()
    message = f"you sent Basic {token}, the-secret"
    emulator.fail("addUserToUserGroup", status=400, message=message)
    client = client_over(emulator.transport(), security=Security("the-key", "the-secret"))
    group = emulator.groups[0]
    account = Account(emulator, client, tmp_path)
    change = add(existing(group.name, group.id), emulator.users[-1].id)
    assert statuses(account.apply(change)) == [FAILED]
    text = next(tmp_path.rglob("*.jsonl")).read_text()
    assert "you sent" in text
    assert token not in text
    assert "the-secret" not in text
