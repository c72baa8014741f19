"""Applying a plan over the emulator, with threads and on an event loop."""

from __future__ import annotations

import base64
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing, nullcontext
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from attrs import evolve

from cld_user_groups import CldProvisioning, Security, utils
from cld_user_groups.emulator import Emulator, EmulatorRequest, EmulatorResponse
from cld_user_groups.hooks import HookContext
from cld_user_groups.membership.applying import apply, apply_async
from cld_user_groups.membership.checks import GuardBreached, StalePlan, WrongAccount
from cld_user_groups.membership.executor import ChangeResult, execute, execute_now
from cld_user_groups.membership.journal import Ended, JournalError, Line, NoJournal
from cld_user_groups.membership.lock import AlreadyRunning, account_lock
from cld_user_groups.membership.model import Breach, Change, GroupRef, Outcome, Plan, Status, Stop
from cld_user_groups.membership.plan_file import parse_plan, render_json
from cld_user_groups.membership.runs import load_run, read_journal
from cld_user_groups.membership.scheduler import Reply, ReplyKind
from cld_user_groups.membership.session import Progress, Receive, Result, Session, Wait
from cld_user_groups.membership.snapshot import read_account
from cld_user_groups.membership.state import state_directory
from cld_user_groups.membership.undo import undo_plan

from .accounts import (
    SERVER,
    add,
    async_client_of,
    client_of,
    create,
    delete,
    emulated,
    existing,
    group_of,
    members,
    plan_for,
    plan_of,
    remove,
    rename,
)

Apply = Callable[..., Result]
NEW = GroupRef(id=None, name="new")
WRITES = (
    "createUserGroup",
    "updateUserGroup",
    "addUserToUserGroup",
    "removeUserFromUserGroup",
    "deleteUserGroup",
)
pytestmark = pytest.mark.usefixtures("waits")


def apply_on_asyncio(emulator: Emulator, plan: Plan, **options: Any) -> Result:
    async def run() -> Result:
        async with async_client_of(emulator) as client:
            return await apply_async(client, plan, **options)

    return anyio.run(run)


def apply_on_trio(emulator: Emulator, plan: Plan, **options: Any) -> Result:
    async def run() -> Result:
        async with async_client_of(emulator) as client:
            return await apply_async(client, plan, **options)

    return anyio.run(run, backend="trio")


def apply_with_threads(emulator: Emulator, plan: Plan, **options: Any) -> Result:
    with client_of(emulator) as client:
        return apply(client, plan, **options)


@pytest.fixture(params=[apply_with_threads, apply_on_asyncio, apply_on_trio])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Apply:
    chosen = request.param

    def run_it(emulator: Emulator, plan: Plan, **options: Any) -> Result:
        result: Result = chosen(emulator, plan, state_dir=tmp_path, **options)
        return result

    return run_it


@pytest.fixture
def emulator() -> Emulator:
    users = [f"u{number}" for number in range(40)]
    return emulated({"a": ["u1", "u2"], "b": ["u3"], "old": ["u4"]}, users)


@pytest.fixture
def client(emulator: Emulator) -> CldProvisioning:
    return client_of(emulator)


def statuses(result: Result) -> list[Status]:
    return [outcome.status for outcome in result.outcomes]


def test_every_kind_of_change_is_made_journaled_and_verified(
    run: Apply, emulator: Emulator, client: CldProvisioning, tmp_path: Path
) -> None:
    plan = plan_for(
        client,
        create("new"),
        rename("a", "A"),
        add(NEW, "u1", 0),
        remove(existing("A", "id-a"), "u1", 2),
        delete("old", "u4"),
    )
    seen: list[Progress] = []
    result = run(emulator, plan, on_progress=seen.append)
    assert members(emulator) == {"A": {"u2"}, "b": {"u3"}, "new": {"u1"}}
    assert statuses(result) == [Status.DONE] * 5
    assert result.verified
    assert result.is_complete
    assert result.left == ()
    assert [progress.ended for progress in seen] == [1, 2, 3, 4, 5]
    journal = load_run(state_directory("acc", tmp_path), result.run)
    assert {outcome.position for outcome in journal.confirmed} == {0, 1, 2, 3, 4}
    assert all(outcome.request_id for outcome in journal.confirmed)
    created = next(outcome for outcome in journal.outcomes if outcome.position == 0)
    assert created.group_id == group_of(emulator, "new").id
    assert journal.end is not None
    assert journal.end.verified


def test_a_run_costs_one_read_one_write_a_change_and_one_read(
    run: Apply, emulator: Emulator, client: CldProvisioning
) -> None:
    plan = plan_for(client, *(add("b", f"u{number}") for number in range(10, 30)))
    emulator.calls.clear()
    run(emulator, plan)
    assert len(emulator.calls) == 22
    emulator.calls.assert_called("getUserGroups", times=2)


def test_a_plan_without_changes_reads_once_and_writes_nothing(
    run: Apply, emulator: Emulator, client: CldProvisioning, tmp_path: Path
) -> None:
    plan = plan_for(client)
    emulator.calls.clear()
    result = run(emulator, plan)
    assert result.is_complete
    assert result.verified
    assert len(emulator.calls) == 1
    assert not list(tmp_path.rglob("*.jsonl"))


def interfere_with_group(emulator: Emulator) -> None:
    with client_of(emulator) as other:
        other.user_groups.add_user(group_id="id-a", user_id="u9")


def interfere_with_name(emulator: Emulator) -> None:
    emulator.add_group("new")


def interfere_by_deleting(emulator: Emulator) -> None:
    with client_of(emulator) as other:
        other.user_groups.delete(group_id="id-a")


@pytest.mark.parametrize(
    "interfere", [interfere_with_group, interfere_with_name, interfere_by_deleting]
)
def test_a_stale_plan_writes_nothing(
    run: Apply,
    emulator: Emulator,
    client: CldProvisioning,
    interfere: Callable[[Emulator], None],
    tmp_path: Path,
) -> None:
    plan = plan_for(client, create("new"), add("b", "u1"), remove("a", "u2"))
    interfere(emulator)
    before = members(emulator)
    with pytest.raises(StalePlan, match="has changed since"):
        run(emulator, plan)
    assert members(emulator) == before
    assert not list(tmp_path.rglob("*.jsonl"))


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        ({"account_id": "other"}, WrongAccount),
        ({"breaches": (Breach(guard="max_removals", message="too many"),)}, GuardBreached),
        ({"expires_at": datetime.now(UTC) - timedelta(seconds=1)}, StalePlan),
        ({"fingerprints": {}}, ValueError),
    ],
)
def test_a_plan_that_must_not_be_applied_sends_nothing(
    run: Apply,
    emulator: Emulator,
    client: CldProvisioning,
    spoil: dict[str, Any],
    error: type[Exception],
) -> None:
    plan = evolve(plan_for(client, add("a", "u9")), **spoil)
    emulator.calls.clear()
    with pytest.raises(error):
        run(emulator, plan)
    assert len(emulator.calls) == 0


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
    run: Apply,
    emulator: Emulator,
    client: CldProvisioning,
    changes: list[Change],
    spoil: dict[str, Any],
    error: type[Exception],
    says: str,
) -> None:
    plan = evolve(plan_for(client, *changes), **spoil)
    before = members(emulator)
    with pytest.raises(error, match=says):
        run(emulator, parse_plan(render_json(plan)))
    assert members(emulator) == before


def test_an_addition_to_a_new_group_must_depend_on_its_creation(
    run: Apply, emulator: Emulator, client: CldProvisioning
) -> None:
    with pytest.raises(ValueError, match="does not depend on its creation"):
        run(emulator, plan_for(client, create("new"), add(NEW, "u1")))


@pytest.mark.parametrize("drop", ["before", "after", "during"])
@pytest.mark.parametrize(
    "change",
    [rename("a", "A"), add("a", "u9"), remove("a", "u1"), delete("old", "u4")],
    ids=lambda change: change.action.value,
)
def test_a_lost_response_is_looked_after_and_nothing_is_done_twice(
    run: Apply, emulator: Emulator, client: CldProvisioning, drop: Any, change: Any
) -> None:
    plan = plan_for(client, change)
    emulator.fail("*", status=None, times=1)  # the read before the first write
    for operation in WRITES:
        emulator.fail(operation, drop=drop)
    result = run(emulator, plan)
    assert statuses(result) == [Status.DONE]
    assert result.verified


def test_a_creation_whose_response_is_lost_is_found_and_used(
    run: Apply, emulator: Emulator, client: CldProvisioning
) -> None:
    plan = plan_for(client, create("new"), add(NEW, "u1", 0))
    emulator.fail("createUserGroup", drop="after")
    result = run(emulator, plan)
    assert statuses(result) == [Status.DONE] * 2
    assert members(emulator)["new"] == {"u1"}
    emulator.calls.assert_called("createUserGroup", times=1)


def test_a_creation_that_was_lost_stops_what_depends_on_it(
    run: Apply, emulator: Emulator, client: CldProvisioning
) -> None:
    plan = plan_for(client, create("new"), add(NEW, "u1", 0), remove("a", "u1", 1), add("b", "u1"))
    emulator.fail("createUserGroup", drop="before")
    result = run(emulator, plan)
    assert statuses(result) == [
        Status.UNKNOWN,
        Status.NOT_STARTED,
        Status.NOT_STARTED,
        Status.DONE,
    ]
    assert not result.verified
    assert len(result.differences) == 3
    assert members(emulator)["a"] == {"u1", "u2"}


def test_a_group_that_appears_meanwhile_is_never_adopted(
    run: Apply, emulator: Emulator, client: CldProvisioning
) -> None:
    plan = plan_for(client, create("new"), add(NEW, "u1", 0))
    emulator.fail("createUserGroup", status=409)
    assert statuses(run(emulator, plan)) == [Status.FAILED, Status.NOT_STARTED]


def test_a_group_of_others_is_not_taken_for_one_whose_response_was_lost(
    run: Apply, emulator: Emulator, client: CldProvisioning
) -> None:
    plan = plan_for(client, create("new"), add(NEW, "u1", 0))
    emulator.fail("createUserGroup", drop="before")
    # Between the read and the creation, with a member in it.
    original = emulator.handle

    def handle(request: EmulatorRequest) -> EmulatorResponse:
        if request.method == "POST" and request.raw_path.endswith(b"/user_groups"):
            emulator.add_group("new", users=["u5"])
        return original(request)

    emulator.handle = handle  # type: ignore[method-assign]
    result = run(emulator, plan)
    assert statuses(result) == [Status.UNKNOWN, Status.NOT_STARTED]
    assert members(emulator)["new"] == {"u5"}
    assert set(result.differences) == {
        "the group 'new' exists, and this run is not known to have created it"
    }


def test_a_409_or_404_that_a_look_contradicts_is_unknown(
    run: Apply, emulator: Emulator, client: CldProvisioning
) -> None:
    plan = plan_for(client, add("a", "u9"), remove("a", "u1"), delete("old", "u4"))
    emulator.fail("addUserToUserGroup", status=409)
    emulator.fail("removeUserFromUserGroup", status=404)
    emulator.fail("deleteUserGroup", status=404)
    result = run(emulator, plan)
    assert statuses(result) == [Status.UNKNOWN] * 3
    assert not result.is_complete


def test_a_write_that_was_delivered_twice_is_unknown_and_complete(
    run: Apply, emulator: Emulator, client: CldProvisioning, tmp_path: Path
) -> None:
    plan = plan_for(
        client,
        rename("a", "A"),
        add(existing("A", "id-a"), "u9"),
        remove("b", "u3"),
        delete("old", "u4"),
    )
    emulator.fail("updateUserGroup", status=409, apply=True)
    emulator.fail("addUserToUserGroup", status=409, apply=True)
    emulator.fail("removeUserFromUserGroup", status=404, apply=True)
    emulator.fail("deleteUserGroup", status=404, apply=True)
    result = run(emulator, plan)
    assert statuses(result) == [Status.UNKNOWN] * 4
    assert result.verified
    assert result.is_complete
    journal = load_run(state_directory("acc", tmp_path), result.run)
    assert [outcome.status for outcome in journal.outcomes] == [Status.UNKNOWN] * 4


def test_a_group_whose_creation_was_delivered_twice_is_unknown_and_not_adopted(
    run: Apply, emulator: Emulator, client: CldProvisioning
) -> None:
    plan = plan_for(client, create("new"), add(NEW, "u1", 0))
    emulator.fail("createUserGroup", status=409, apply=True)
    result = run(emulator, plan)
    assert statuses(result) == [Status.UNKNOWN, Status.NOT_STARTED]
    assert members(emulator)["new"] == set()


LATE = [create("new"), rename("a", "A"), add("a", "u9"), remove("a", "u1"), delete("old", "u4")]


@pytest.mark.parametrize("status", [503, 504])
@pytest.mark.parametrize("change", LATE, ids=lambda change: change.action.value)
def test_what_a_gateway_may_have_forwarded_stays_unknown_although_a_look_does_not_show_it(
    emulator: Emulator, tmp_path: Path, change: Change, status: int
) -> None:
    client = client_of(emulator, retries=None)
    for operation in WRITES:
        emulator.fail(operation, status=status, times=None)
    result = apply(client, plan_for(client, change), state_dir=tmp_path)
    assert statuses(result) == [Status.UNKNOWN]
    assert result.verified is False
    run = load_run(state_directory("acc", tmp_path))
    assert run.unconfirmed


@pytest.mark.parametrize("status", [503, 504])
@pytest.mark.parametrize("change", LATE, ids=lambda change: change.action.value)
def test_undo_reverts_what_a_gateway_forwarded_seconds_later(
    emulator: Emulator, tmp_path: Path, change: Change, status: int
) -> None:
    client = client_of(emulator, retries=None)
    before = members(emulator)
    for operation in WRITES:
        emulator.fail(operation, status=status, times=None)
    apply(client, plan_for(client, change), state_dir=tmp_path)
    emulator.clear_faults()
    # The gateway's delivery, which no run knows of.
    late = Outcome(position=0, change=change, status=Status.NOT_STARTED, group_id=change.group.id)
    assert execute_now(client, execute(late)).outcome.status is Status.DONE
    done = load_run(state_directory("acc", tmp_path))
    inverse = undo_plan(done, read_account(client), now=datetime.now(UTC))
    inverse = undo_plan(
        done, read_account(client), now=datetime.now(UTC), allow_removals=inverse.removals
    )
    assert any("not confirmed by the journal, but" in note for note in inverse.notes)
    assert apply(client, inverse, state_dir=tmp_path).is_complete
    assert members(emulator) == before


def test_an_unknown_user_fails_alone_and_says_why(
    run: Apply, emulator: Emulator, client: CldProvisioning
) -> None:
    result = run(emulator, plan_for(client, add("a", "nobody"), add("a", "u9")))
    assert statuses(result) == [Status.FAILED, Status.DONE]
    assert "User not found" in result.outcomes[0].error
    assert result.differences == ("nobody@example.com is not in the group 'a'",)


@pytest.mark.parametrize("status", [401, 403])
def test_rejected_credentials_stop_the_run_without_another_request(
    run: Apply, emulator: Emulator, client: CldProvisioning, status: int
) -> None:
    plan = plan_for(client, *(add("b", f"u{number}") for number in range(10, 30)))
    emulator.fail("addUserToUserGroup", status=status, times=None)
    emulator.calls.clear()
    result = run(emulator, plan, concurrency=2)
    assert result.stopped is Stop.UNAUTHORIZED
    assert result.verified is None
    assert len(emulator.calls) <= 1 + 2


def test_an_account_that_contradicts_itself_afterwards_is_reported_as_not_verified(
    run: Apply, emulator: Emulator, client: CldProvisioning
) -> None:
    plan = plan_for(client, add("a", "u9"))
    twice = '{"id": "x", "name": "x", "users": []}'
    body = f'{{"user_groups": [{twice}, {twice}]}}'

    def break_the_account(_: Progress) -> None:
        emulator.fail("getUserGroups", status=200, body=body)

    result = run(emulator, plan, on_progress=break_the_account)
    assert statuses(result) == [Status.DONE]
    assert result.verified is None
    assert result.is_complete


def test_a_used_up_quota_ends_the_run_with_what_is_left(
    run: Apply, emulator: Emulator, client: CldProvisioning
) -> None:
    plan = plan_for(client, *(add("b", f"u{number}") for number in range(10, 30)))
    emulator.set_quota(100, 8)
    result = run(emulator, plan, concurrency=3)
    assert result.stopped is Stop.QUOTA
    assert result.resume_at is not None
    assert len(result.left) == 13
    assert {outcome.status for outcome in result.left} == {Status.NOT_STARTED}


def test_keep_quota_leaves_that_many_requests(
    run: Apply, emulator: Emulator, client: CldProvisioning
) -> None:
    plan = plan_for(client, *(add("b", f"u{number}") for number in range(10, 30)))
    emulator.set_quota(100, 20)
    result = run(emulator, plan, keep_quota=10)
    assert result.stopped is Stop.QUOTA
    with client_of(emulator) as other:
        limit = other.user_groups.with_raw_response.list().rate_limit
    assert limit.remaining is not None
    assert limit.remaining >= 9


def test_a_clock_that_is_a_little_ahead_does_not_end_a_wait_before_the_reset(
    emulator: Emulator, client: CldProvisioning, tmp_path: Path
) -> None:
    plan = plan_for(client, *(add("b", f"u{number}") for number in range(10, 30)))
    emulator.set_quota(100, 20)

    def sleep(seconds: float) -> None:
        emulator.clock.advance(seconds=seconds)

    result = apply(
        client,
        plan,
        state_dir=tmp_path,
        keep_quota=4,
        max_wait=2 * 3600,
        sleep=sleep,
        now=lambda: emulator.clock.now() + timedelta(milliseconds=500),
    )
    assert result.is_complete


def test_a_run_waits_for_the_quota_where_it_may(emulator: Emulator, tmp_path: Path) -> None:
    client = client_of(emulator)
    plan = plan_for(client, *(add("b", f"u{number}") for number in range(10, 30)))
    emulator.set_quota(15, 8)
    waited = timedelta()
    progress: list[Progress] = []

    def sleep(seconds: float) -> None:
        nonlocal waited
        waited += timedelta(seconds=seconds)
        emulator.clock.advance(seconds=seconds)

    result = apply(
        client,
        plan,
        state_dir=tmp_path,
        max_wait=3 * 3600,
        concurrency=4,
        sleep=sleep,
        now=emulator.clock.now,
        on_progress=progress.append,
    )
    assert result.is_complete
    assert waited > timedelta(0)
    assert any(step.waiting_until is not None for step in progress)


class Clock:
    """A clock that goes on by what is slept."""

    def __init__(self) -> None:
        self.slept = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        utils.wait(seconds)  # which the fixture `waits` records: the limiter's clock goes on

    async def sleep_async(self, seconds: float) -> None:
        self.slept += seconds
        await utils.wait_async(seconds)


def test_a_429_that_outlasts_the_client_is_waited_for_and_tried_again(
    emulator: Emulator, client: CldProvisioning, tmp_path: Path
) -> None:
    clock = Clock()
    for first, run in ((10, apply_with_threads), (20, apply_on_asyncio)):
        plan = plan_for(client, *(add("b", f"u{first + number}") for number in range(10)))
        emulator.fail("addUserToUserGroup", status=429, headers={"retry-after": "40"})
        sleep: Any = clock.sleep if run is apply_with_threads else clock.sleep_async
        result = run(emulator, plan, state_dir=tmp_path, now=clock.now, sleep=sleep)
        assert result.is_complete
        assert clock.slept >= 39
        clock.slept = 0


@pytest.mark.parametrize(("seconds", "announced"), [(0.3, 0), (0.99, 0), (1, 1), (60, 1)])
def test_waits_are_announced_at_most_once_a_second(
    client: CldProvisioning, seconds: float, announced: int
) -> None:
    now = datetime.now(UTC)
    snapshot = read_account(client)
    seen: list[Progress] = []
    session = Session(
        account_id="acc",
        plan=plan_of(snapshot, add("a", "u9")),
        snapshot=snapshot,
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
def test_as_many_changes_are_in_flight_as_the_concurrency_says(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, concurrency: int
) -> None:
    together = threading.Barrier(concurrency, timeout=30)
    inner = emulator.transport()

    class Together(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.method != "GET":
                together.wait()  # passes only where so many are in flight at once
            return inner.handle_request(request)

    monkeypatch.setattr(
        CldProvisioning, "_make_httpx_client", lambda _: httpx.Client(transport=Together())
    )
    with CldProvisioning(Security("k", "s"), "acc", server_url=SERVER) as client:
        plan = plan_for(client, *(add("b", f"u{number + 9}") for number in range(concurrency)))
        assert apply(client, plan, state_dir=tmp_path, concurrency=concurrency).is_complete


class Waited:
    """Another admin acts, and a time passes, while a run waits for the quota."""

    def __init__(self, emulator: Emulator, act: Callable[[], object], seconds: float = 0.0) -> None:
        self.emulator = emulator
        self.act: Callable[[], object] | None = act
        self.seconds = seconds

    def __call__(self, seconds: float) -> None:
        self.emulator.clock.advance(seconds=seconds)
        if self.act is not None:
            self.emulator.clock.advance(seconds=self.seconds)
            self.act()
            self.act = None

    def run(self, client: CldProvisioning, plan: Plan, tmp_path: Path, **options: Any) -> Result:
        options |= {"now": self.emulator.clock.now, "sleep": self, "concurrency": 1}
        return apply(client, plan, state_dir=tmp_path, max_wait=7200, **options)


def test_a_group_that_others_change_during_a_wait_is_left_alone_and_no_other(
    emulator: Emulator, client: CldProvisioning, tmp_path: Path
) -> None:
    def fill() -> None:
        for number in range(10, 18):
            emulator.add_member("id-old", f"u{number}")

    plan = plan_for(client, add("a", "u9"), add("b", "u9"), remove("a", "u1"), delete("old", "u4"))
    emulator.set_quota(100, 2)
    emulator.calls.clear()
    result = Waited(emulator, fill).run(client, plan, tmp_path)
    assert statuses(result) == [Status.DONE] * 3 + [Status.NOT_STARTED]
    assert result.outcomes[3].error == "held back: somebody else has changed the group 'old'"
    assert not result.is_complete
    assert members(emulator)["a"] == {"u2", "u9"}
    assert len(members(emulator)["old"]) == 9
    emulator.calls.assert_called("getUserGroups", times=3)  # before, after the wait, and after


@pytest.mark.parametrize(
    "act",
    [
        lambda emulator: emulator.remove_group("id-b"),
        lambda emulator: emulator.rename_group("id-b", "c"),
        lambda emulator: emulator.remove_member("id-b", "u3"),
    ],
    ids=["deleted", "renamed", "emptied"],
)
def test_after_a_wait_a_group_is_compared_whole(
    emulator: Emulator, client: CldProvisioning, tmp_path: Path, act: Callable[[Emulator], object]
) -> None:
    plan = plan_for(client, add("a", "u9"), add("b", "u9"))
    emulator.set_quota(100, 2)
    result = Waited(emulator, lambda: act(emulator)).run(client, plan, tmp_path)
    assert statuses(result) == [Status.DONE, Status.NOT_STARTED]


def test_after_a_wait_a_name_that_is_taken_by_then_is_not_created(
    emulator: Emulator, client: CldProvisioning, tmp_path: Path
) -> None:
    plan = plan_for(client, create("first"), create("new"), add(NEW, "u1", 1))
    emulator.set_quota(100, 2)
    result = Waited(emulator, lambda: emulator.add_group("new")).run(client, plan, tmp_path)
    assert statuses(result) == [Status.DONE, Status.NOT_STARTED, Status.NOT_STARTED]
    assert members(emulator)["new"] == set()


def test_after_a_wait_a_plan_that_has_expired_goes_no_further(
    emulator: Emulator, client: CldProvisioning, tmp_path: Path
) -> None:
    plan = plan_for(client, add("a", "u9"), add("b", "u9"))  # which expires after an hour
    emulator.set_quota(100, 2)
    result = Waited(emulator, lambda: None, seconds=3600).run(client, plan, tmp_path)
    assert statuses(result) == [Status.DONE, Status.NOT_STARTED]
    assert "the plan has expired" in result.outcomes[1].error


def test_after_a_wait_past_midnight_nobody_is_added_whose_last_day_it_was(
    emulator: Emulator, client: CldProvisioning, tmp_path: Path
) -> None:
    now = emulator.clock.now()
    until = now.date()
    ends, stays = evolve(add("b", "u9"), until=until), evolve(add("b", "u8"), until=date.max)
    plan = plan_for(client, add("a", "u9"), ends, stays)
    plan = evolve(plan, expires_at=now + timedelta(days=2))
    emulator.set_quota(100, 2)
    result = Waited(emulator, lambda: None, seconds=24 * 3600).run(client, plan, tmp_path)
    assert statuses(result) == [Status.DONE, Status.NOT_STARTED, Status.DONE]
    assert f"has ended on {until}" in result.outcomes[1].error


def test_after_a_wait_a_member_whose_email_is_protected_by_then_stays(
    emulator: Emulator, client: CldProvisioning, tmp_path: Path
) -> None:
    plan = evolve(plan_for(client, add("a", "u9"), remove("a", "u1")), protect=("boss@*",))
    emulator.set_quota(100, 2)

    def promote() -> None:
        emulator.update_user_account("u1", email="boss@example.com")

    result = Waited(emulator, promote).run(client, plan, tmp_path)
    assert statuses(result) == [Status.DONE, Status.NOT_STARTED]


def test_after_the_wait_for_another_run_the_account_is_read_again(
    run: Apply, emulator: Emulator, client: CldProvisioning, tmp_path: Path
) -> None:
    snapshot = read_account(client)
    plan = plan_of(snapshot, delete("old", "u4"))
    held = threading.Event()

    def other_run() -> None:
        with account_lock(state_directory("acc", tmp_path), "acc"):
            held.set()
            threading.Event().wait(0.3)
            emulator.add_member("id-old", "u5")

    thread = threading.Thread(target=other_run)
    thread.start()
    held.wait()
    with pytest.raises(StalePlan, match="'old' has changed"):
        run(emulator, plan, snapshot=snapshot, lock_wait=60)
    thread.join()


@pytest.mark.parametrize("count", [1, 2])
def test_a_caller_who_handles_signals_says_how_often_a_run_was_interrupted(
    emulator: Emulator, client: CldProvisioning, tmp_path: Path, count: int
) -> None:
    plan = plan_for(client, *(add("b", f"u{number}") for number in range(10, 20)))
    emulator.set_quota(100, 5)
    clock = Clock()
    options: dict[str, Any] = {"now": clock.now, "sleep": clock.sleep, "state_dir": tmp_path}
    options["interrupts"] = lambda: count if clock.slept else 0
    with nullcontext() if count == 1 else pytest.raises(KeyboardInterrupt):
        result = apply(client, plan, max_wait=7200, concurrency=1, **options)
        assert result.stopped is Stop.REQUESTED
    assert 0 < clock.slept <= 1
    run = load_run(state_directory("acc", tmp_path))
    assert len(run.confirmed) == len(members(emulator)["b"]) - 1


@pytest.mark.parametrize("status", [420, 429])
def test_a_throttled_request_is_not_repeated_by_each_call_for_itself(
    run: Apply, emulator: Emulator, client: CldProvisioning, status: int
) -> None:
    plan = plan_for(client, *(add("b", f"u{number}") for number in range(10, 20)))
    headers = {  # a quota that is not used up, so that it does not say how long to wait
        "x-featureratelimit-remaining": "5",
        "x-featureratelimit-reset": "Fri, 01 Jan 2100 00:00:00 GMT",
        **({"retry-after": "3600"} if status == 429 else {}),
    }
    emulator.fail("addUserToUserGroup", status=status, headers=headers, times=None)
    result = run(emulator, plan)
    assert result.stopped is Stop.QUOTA
    assert {outcome.status for outcome in result.outcomes} == {Status.NOT_STARTED}
    sent = [call for call in emulator.calls if call.operation_id == "addUserToUserGroup"]
    assert len(sent) <= 10  # each at most once


def test_a_client_without_retries_stays_one(emulator: Emulator, tmp_path: Path) -> None:
    with client_of(emulator, retries=None) as client:
        plan = plan_for(client, add("b", "u9"))
        emulator.fail("addUserToUserGroup", status=503)
        result = apply(client, plan, state_dir=tmp_path)
    assert [outcome.status for outcome in result.outcomes] == [Status.UNKNOWN]
    emulator.calls.assert_called("addUserToUserGroup", times=1)


def no_space(_: int) -> None:
    raise OSError(28, "No space left on device")


def test_a_journal_that_cannot_be_started_sends_nothing(
    emulator: Emulator,
    client: CldProvisioning,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = plan_for(client, add("a", "u9"))
    monkeypatch.setattr("cld_user_groups.membership.journal._sync", no_space)
    with pytest.raises(JournalError, match="No space left"):
        apply(client, plan, state_dir=tmp_path)
    assert members(emulator)["a"] == {"u1", "u2"}


@pytest.mark.parametrize("fails_at", [2, 3, 4])
def test_a_journal_that_fails_on_the_way_stops_the_run_before_the_next_write(
    run: Apply, emulator: Emulator, client: CldProvisioning, fails_at: int
) -> None:
    plan = plan_for(client, *(add("b", f"u{number}") for number in range(10, 20)))
    flushed = 0

    class Full(NoJournal):
        def flush(self) -> None:
            nonlocal flushed
            flushed += 1
            if flushed >= fails_at:
                raise JournalError("disk full")

    result = run(emulator, plan, journal=Full(), concurrency=1)
    assert result.stopped is Stop.JOURNAL
    assert len(members(emulator)["b"]) == 1 + (fails_at - 1)
    assert statuses(result).count(Status.DONE) == fails_at - 1


def test_the_last_outcomes_are_on_disk_before_the_account_is_read_again(
    run: Apply, emulator: Emulator, client: CldProvisioning
) -> None:
    plan = plan_for(client, add("a", "u9"), add("b", "u9"))
    emulator.calls.clear()
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
                requests_when_flushed.append(len(emulator.calls))

    assert run(emulator, plan, journal=Recorded()).is_complete
    assert min(requests_when_flushed) == 3  # one read and two writes; not yet the last read


def test_an_interrupt_while_the_account_is_read_again_leaves_a_complete_journal(
    emulator: Emulator, client: CldProvisioning, tmp_path: Path
) -> None:
    plan = plan_for(client, add("a", "u9"))
    reads = 0

    class Interrupted:
        def before_request(self, context: HookContext, request: httpx.Request) -> None:
            nonlocal reads
            reads += context.operation_id == "getUserGroups"
            if reads == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(client_of(emulator, hooks=[Interrupted()]), plan, state_dir=tmp_path)
    run = load_run(state_directory("acc", tmp_path))
    assert [outcome.status for outcome in run.outcomes] == [Status.DONE]
    assert run.end is not None
    assert run.end.stopped is Stop.ABANDONED


def test_a_first_interrupt_lets_what_is_in_flight_end_and_starts_nothing_more(
    emulator: Emulator, client: CldProvisioning, tmp_path: Path
) -> None:
    plan = plan_for(client, *(add("b", f"u{number}") for number in range(10, 30)))

    def interrupt(progress: Progress) -> None:
        if progress.ended == 3:
            signal.raise_signal(signal.SIGINT)

    result = apply(client, plan, state_dir=tmp_path, concurrency=4, on_progress=interrupt)
    assert result.stopped is Stop.REQUESTED
    done = statuses(result).count(Status.DONE)
    assert 3 <= done <= 8
    assert len(members(emulator)["b"]) == 1 + done
    assert statuses(result).count(Status.NOT_STARTED) == 20 - done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_interrupt_ends_the_run_at_once_and_records_what_is_in_flight(
    emulator: Emulator, client: CldProvisioning, tmp_path: Path
) -> None:
    plan = plan_for(client, *(add("b", f"u{number}") for number in range(10, 30)))
    blocked = threading.Event()

    class Slow:
        def before_request(self, context: Any, request: Any) -> None:
            if request.url.path.endswith("/u11"):
                blocked.wait(60)

    def interrupt(progress: Progress) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        apply(
            client_of(emulator, hooks=[Slow()]),
            plan,
            state_dir=tmp_path,
            concurrency=2,
            on_progress=interrupt,
        )
    run = load_run(state_directory("acc", tmp_path))
    blocked.set()
    assert run.end is not None
    assert run.end.stopped is Stop.ABANDONED
    assert [outcome.change.user.id for outcome in run.unconfirmed if outcome.change.user] == ["u11"]
    with account_lock(state_directory("acc", tmp_path), "acc"):
        pass  # it was released


def test_a_cancelled_run_records_what_was_in_flight(emulator: Emulator, tmp_path: Path) -> None:
    plan = plan_for(client_of(emulator), *(add("b", f"u{number}") for number in range(10, 30)))
    emulator.fail("addUserToUserGroup", status=None, delay=20, times=None)

    async def cancelled() -> None:
        async with async_client_of(emulator) as client:
            with anyio.move_on_after(0.5) as scope:
                await apply_async(client, plan, state_dir=tmp_path, concurrency=3)
            assert scope.cancelled_caught

    anyio.run(cancelled)
    run = load_run(state_directory("acc", tmp_path))
    assert run.end is not None
    assert run.end.stopped is Stop.ABANDONED
    assert len(run.unconfirmed) == 3


def test_an_error_of_the_progress_callback_ends_the_run_and_reaches_the_caller(
    run: Apply, emulator: Emulator, client: CldProvisioning, tmp_path: Path
) -> None:
    def fail(progress: Progress) -> None:
        raise ZeroDivisionError

    plan = plan_for(client, *(add("b", f"u{number}") for number in range(10, 30)))
    with pytest.raises((ZeroDivisionError, ExceptionGroup)):
        run(emulator, plan, on_progress=fail, concurrency=1)
    assert load_run(state_directory("acc", tmp_path)).end is not None


def test_people_who_are_refused_hold_back_nobody_else(
    run: Apply, emulator: Emulator, client: CldProvisioning
) -> None:
    joiners = (add("a", f"u{number}") for number in range(10, 16))
    plan = plan_for(client, *joiners, remove("a", "u1"), add("b", "u20"))
    for number in range(10, 16):
        status = 403 if number % 2 else 400
        emulator.fail("addUserToUserGroup", status=status, user_id=f"u{number}", times=None)
    result = run(emulator, plan, concurrency=1)
    assert statuses(result) == [Status.FAILED] * 6 + [Status.DONE] * 2
    assert result.stopped is None
    assert result.verified is False


def test_many_failures_in_a_row_stop_the_run(
    run: Apply, emulator: Emulator, client: CldProvisioning
) -> None:
    plan = plan_for(client, *(add("b", f"u{number}") for number in range(10, 40)))
    emulator.fail("addUserToUserGroup", status=501, times=None)
    result = run(emulator, plan, concurrency=1)
    assert result.stopped is Stop.FAILURES
    assert statuses(result).count(Status.FAILED) == 5


def test_without_retries_nothing_is_lost_or_done_twice(
    emulator: Emulator, client: CldProvisioning, tmp_path: Path
) -> None:
    plan = plan_for(client, add("a", "u9"), remove("a", "u1"))
    emulator.fail("addUserToUserGroup", drop="after")
    emulator.fail("removeUserFromUserGroup", drop="after")
    result = apply(client_of(emulator, retries=None), plan, state_dir=tmp_path)
    assert statuses(result) == [Status.DONE] * 2


def test_a_write_that_is_applied_after_all_is_found_by_the_last_read(
    emulator: Emulator, client: CldProvisioning, tmp_path: Path
) -> None:
    plan = plan_for(client, add("a", "u9"))
    emulator.fail("addUserToUserGroup", drop="after")
    emulator.fail("getUsersInUserGroup", status=500)  # the look fails
    result = apply(client_of(emulator, retries=None), plan, state_dir=tmp_path)
    assert statuses(result) == [Status.DONE]
    run = read_journal(next(tmp_path.rglob("*.jsonl")))
    assert run.outcomes[0].status is Status.DONE


def test_only_one_run_an_account_at_a_time_and_the_second_says_who(
    run: Apply, emulator: Emulator, client: CldProvisioning, tmp_path: Path
) -> None:
    plan = plan_for(client, add("a", "u9"))
    directory = state_directory("acc", tmp_path)
    program = f"""
import pathlib, sys
from cld_user_groups.membership.lock import account_lock
with account_lock(pathlib.Path({str(directory)!r}), "acc"):
    print("held", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyRunning, match=f"process {other.pid}, since 2"):
            run(emulator, plan)
        assert members(emulator)["a"] == {"u1", "u2"}
        other.kill()
        other.wait()
    assert run(emulator, plan, lock_wait=5).is_complete  # a killed process holds nothing


def test_the_second_run_waits_for_the_first_where_it_may(
    run: Apply, emulator: Emulator, client: CldProvisioning, tmp_path: Path
) -> None:
    plan = plan_for(client, add("a", "u9"))
    held = threading.Event()

    def hold() -> None:
        with account_lock(state_directory("acc", tmp_path), "acc"):
            held.set()
            threading.Event().wait(0.3)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    assert run(emulator, plan, lock_wait=60).is_complete
    holder.join()


def test_no_credential_reaches_the_journal_even_where_the_server_echoes_it(tmp_path: Path) -> None:
    emulator = Emulator(api_key="the-key", api_secret="the-secret")
    token = base64.b64encode(b"the-key:the-secret").decode()
    message = f"you sent Basic {token}, the-secret"
    emulator.fail("addUserToUserGroup", status=400, message=message)
    client = CldProvisioning(
        account_id="acc",
        security=Security("the-key", "the-secret"),
        server_url=SERVER,
        client=httpx.Client(transport=emulator.transport()),
    )
    group = emulator.groups[0]
    plan = plan_for(client, add(existing(group.name, group.id), emulator.users[-1].id))
    assert statuses(apply(client, plan, state_dir=tmp_path)) == [Status.FAILED]
    text = next(tmp_path.rglob("*.jsonl")).read_text()
    assert "you sent" in text
    assert token not in text
    assert "the-secret" not in text
