"""The scheduler: what starts when, and what a reply means for the rest. No I/O, no clock."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from cld_user_groups.membership.grants import GroupRef
from cld_user_groups.membership.model import Action, Change
from cld_user_groups.membership.pace import Reply, ReplyKind
from cld_user_groups.membership.result import Stop
from cld_user_groups.membership.scheduler import Scheduler

from .accounts import add, remove, rename

HOLDS = Reply(kind=ReplyKind.IN_PLACE)
FAILED = Reply(kind=ReplyKind.FAILED, status_code=500)
REJECTED = Reply(kind=ReplyKind.FAILED, status_code=400)
REFUSED = Reply(kind=ReplyKind.FAILED, status_code=403)
NOW = 1000.0


def change(*depends_on: int) -> Change:
    group = GroupRef(id="g", name="g")
    return Change(action=Action.CREATE_GROUP, group=group, depends_on=depends_on)


def throttled(
    status_code: int, retry_after: float | None = None, reset_at: float | None = None
) -> Reply:
    return Reply(
        kind=ReplyKind.THROTTLED,
        status_code=status_code,
        retry_after=retry_after,
        reset_at=reset_at,
        remaining=0 if status_code == 420 else None,
    )


def independent(count: int) -> list[Change]:
    return [change() for _ in range(count)]


def started(scheduler: Scheduler, now: float) -> list[int]:
    """Return what starts, the account having been read again where a pause makes that needed."""
    positions = scheduler.start(now)
    if positions or not scheduler.pace.must_read or scheduler.paused_until is not None:
        return positions
    scheduler.account_read(HOLDS, now)
    return scheduler.start(now)


def in_turn(*replies: Reply) -> list[Any]:
    """Return the steps in which changes start one at a time, each with its reply."""
    return [step for at, reply in enumerate(replies) for step in ([at], (at, reply))]


def placed(*remaining: int, **more: float) -> list[Any]:
    """Return the replies to the first changes, each with what is left of the quota."""
    replies = (Reply(kind=ReplyKind.IN_PLACE, remaining=left, **more) for left in remaining)
    return list(enumerate(replies))


OVER: dict[str, Any] = {"is_over": True, "stopped": None}
UNREAD = "the account could not be read again after a wait"
NO_RIGHT = {"is_over": True, "stopped": Stop.UNAUTHORIZED}
LATE, RESET = throttled(420, retry_after=30), throttled(420, reset_at=NOW + 1800)
ALL_ADDED = [*(add("g", f"u{n}") for n in range(70)), *(remove("h", f"v{n}") for n in range(9))]
OFTEN = [add("g", "u0"), add("h", "u0"), add("g", "u1"), add("g", "u2")]
JOIN_TO_LEAVE = [add("g", "refused"), add("g", "joiner"), remove("g", "leaver", 0)]
NOBODY_NEW = [add("g", "u0"), add("g", "u1"), add("h", "u2"), remove("g", "leaver", 0)]
HELD = [change(), change(), change(0), change(1), change(1)]
FOR_ITSELF = [add("h", "mover"), add("g", "joiner"), remove("g", "mover", 0)]
FOR_BOTH = [add("g", "joiner"), add("h", "leaver"), remove("g", "leaver", 0, 1)]
FOR_OTHERS = [add("h", "joiner"), add("g", "joiner"), remove("g", "leaver", 0)]
FOR_A_MEMBER = [add("g", "u0"), add("g", "u1"), rename("g", "new", 0)]
ROLES = [
    Change(action=Action.ASSIGN_ROLE, group=GroupRef(id="g", name="g")),
    Change(action=Action.DELETE_GROUP, group=GroupRef(id="h", name="h"), depends_on=(0,)),
    change(),
]
# The changes, the concurrency and other settings, and the steps: which changes start; a change
# and the reply to it; the reply to reading the account; the seconds since the start; a call; what
# the scheduler then has.
SCRIPTS: dict[str, tuple[list[Change], int, dict[str, float], list[Any]]] = {
    "changes start in the plan's order up to the concurrency": (
        independent(5), 3, {}, [[0, 1, 2], [], (1, HOLDS), [3]]),
    "a change waits for all that it depends on": (
        [change(), change(), change(0, 1), change()], 16, {},
        [[0, 1, 3], (1, HOLDS), [], (0, HOLDS), [2]]),
    "a failure stops what depends on it and nothing else": (
        [change(), change(0), change(1), change()], 1, {},
        [[0], (0, FAILED), [3], (3, HOLDS), OVER]),
    "a removal that waits for somebody new accepts anybody": (
        JOIN_TO_LEAVE, 1, {}, [[0], (0, REJECTED), [1], (1, HOLDS), [2]]),
    "a removal does not start where nobody new is in its group": (
        NOBODY_NEW, 16, {}, [[0, 1, 2], (0, REJECTED), (1, REJECTED), (2, HOLDS), [], OVER]),
    "a removal waits for its own person's addition elsewhere, not for anybody's": (
        FOR_ITSELF, 1, {}, [[0], (0, REJECTED), [1], (1, HOLDS), [], OVER]),
    "a removal that waits for somebody new waits for all else as well": (
        FOR_BOTH, 16, {}, [[0, 1], (0, HOLDS), [], (1, HOLDS), [2]]),
    "a removal that waits for an addition to another group waits for that one": (
        FOR_OTHERS, 1, {}, [[0], (0, REJECTED), [1], (1, HOLDS), [], OVER]),
    "only a removal accepts anybody's addition": (
        FOR_A_MEMBER, 1, {}, [[0], (0, REJECTED), [1], (1, HOLDS), [], OVER]),
    "what waits for a role starts though it could not be assigned": (
        ROLES, 1, {}, [[0], (0, REJECTED), [1]]),
    "a role takes two requests more, before and after it": (
        ROLES, 1, {"remaining": 3}, [[0], {"remaining": 1}]),
    "a role does not start where they are not left": (
        ROLES, 1, {"remaining": 2}, [[], {"stopped": Stop.QUOTA}]),
    "a deletion takes them where roles have to be read before it": (
        independent(1), 1, {"remaining": 4},
        [lambda run: run.unread.add(0), [0], {"remaining": 2},
         lambda run: run.roles_read(0, is_slow=False), {"unread": set(), "must_read": False},
         [0], {"remaining": 2}]),
    "roles that were read slowly make what was read old": (
        independent(1), 1, {},
        [lambda run: run.unread.add(0), [0], lambda run: run.roles_read(0, is_slow=True), [],
         {"must_read": True}, HOLDS, [0]]),
    "roles that were read quickly leave it as old as it is": (
        independent(2), 2, {},
        [[0, 1], (1, throttled(429, retry_after=30)), lambda run: run.roles_read(0, is_slow=False),
         30, [], {"must_read": True}]),
    "a key that was refused is tried with one change at a time": (
        ALL_ADDED, 3, {},
        [[0, 1, 2], (0, REFUSED), [], (1, REFUSED), [], (2, REFUSED), [70], (70, REFUSED), [],
         NO_RIGHT, {"detail": "the API responded with 403"}]),
    "a key that may not create a group may not create another": (
        independent(3), 1, {}, [[0], (0, REFUSED), [], NO_RIGHT]),
    "a key without permission stops after one write of each kind": (
        ALL_ADDED, 1, {}, [[0], (0, REFUSED), [70], (70, REFUSED), [], NO_RIGHT]),
    "a key without permission stops after two people": (
        OFTEN, 1, {}, [[0], (0, REFUSED), [2], (2, REFUSED), [], NO_RIGHT]),
    "401 stops everything and lets what runs end": (
        independent(4), 2, {},
        [[0, 1], (0, Reply(kind=ReplyKind.FAILED, status_code=401)), [], {"is_over": False},
         (1, HOLDS), NO_RIGHT, {"detail": "the API responded with 401"}]),
    "five failures in a row stop everything": (
        independent(20), 1, {},
        [*in_turn(*[FAILED] * 4, HOLDS, *[FAILED] * 3, REJECTED, FAILED, FAILED),
         {"is_over": True, "stopped": Stop.FAILURES},
         {"detail": "5 changes failed in a row"}]),
    "a request that the client repeated halves as well": (
        independent(10), 4, {},
        [[0, 1, 2, 3], (0, Reply(kind=ReplyKind.IN_PLACE, was_retried=True)), {"at_once": 2}]),
    "a delay of the server's own is kept to": (
        independent(4), 1, {},
        [[0], (0, throttled(429, retry_after=0.4)), {"paused_until": NOW + 0.4}]),
    "a used-up quota stops the run where it may not wait": (
        independent(3), 1, {},
        [[0], (0, RESET), {"is_over": True, "stopped": Stop.QUOTA, "reset_at": NOW + 1800},
         {"detail": "the quota of requests is used up"}]),
    "a used-up quota is waited for where the run may wait": (
        independent(3), 1, {"max_wait": 1800}, [[0], (0, RESET), 1799, [], 1800, [], HOLDS, [0]]),
    "all waits for the quota together stay within max_wait": (
        independent(3), 1, {"max_wait": 5000},
        [[0], (0, throttled(420, retry_after=3600)), 3600, [], HOLDS, [0],
         (0, throttled(420, retry_after=3600)), {"stopped": Stop.QUOTA}]),
    "a used-up quota without a reset is not waited for": (
        independent(3), 1, {"max_wait": 5000}, [[0], (0, throttled(420)), {"stopped": Stop.QUOTA}]),
    "a quota used up a moment after its reset is waited for again": (
        independent(3), 3, {"max_wait": 60},
        [[0, 1, 2], *((at, throttled(420, reset_at=NOW - 0.5)) for at in range(3)),
         {"stopped": None}, 0.9, [], 1, [], HOLDS, [0], (0, HOLDS), [1, 2]]),
    "keep_quota leaves that many and one to read the account again": (
        independent(20), 16, {"keep_quota": 5, "remaining": 10},
        [[0, 1, 2, 3], *placed(9, 8, 7, 6), [],
         {"stopped": Stop.QUOTA, "detail": "6 requests are left of the quota"}]),
    "responses that overtake each other do not renew the quota": (
        independent(20), 4, {"keep_quota": 1, "remaining": 8},
        [[0, 1, 2, 3], *placed(4, 5, 6, 7, reset_at=NOW + 60), [4, 5]]),
    "a reset in the past does not make the quota endless": (
        independent(20), 1, {"keep_quota": 5, "remaining": 8},
        [[0], *placed(6, reset_at=NOW - 30), [], {"stopped": Stop.QUOTA}]),
    "after the reset one request finds out what is left": (
        independent(20), 4, {"keep_quota": 5, "remaining": 6, "reset_at": NOW + 60, "max_wait": 60},
        [[], {"paused_until": NOW + 60}, 60, [], {"must_read": True}, 61,
         Reply(kind=ReplyKind.IN_PLACE, remaining=100, reset_at=NOW + 3660), [0, 1, 2, 3]]),
    "a quota used up when the account is read again is waited for": (
        independent(3), 1, {"max_wait": 60},
        [[0], (0, LATE), 30, [], throttled(420, retry_after=10), {"paused_until": NOW + 40},
         40, [], HOLDS, [0]]),
    "a quota used up when the account is read again stops what may not wait so long": (
        independent(3), 1, {"max_wait": 60},
        [[0], (0, LATE), 30, [], throttled(420, retry_after=100),
         {"stopped": Stop.QUOTA, "detail": "the quota of requests is used up"}]),
    "an account that may not be read again after a wait stops the run": (
        independent(3), 1, {"max_wait": 60},
        [[0], (0, LATE), 30, [], Reply(kind=ReplyKind.FAILED, status_code=401), NO_RIGHT,
         {"detail": UNREAD}]),
    "an account that is forbidden after a wait stops the run": (
        independent(3), 1, {"max_wait": 60},
        [[0], (0, LATE), 30, [], REFUSED, NO_RIGHT, {"detail": UNREAD}]),
    "an account that cannot be read again after a wait stops the run": (
        independent(3), 1, {"max_wait": 60},
        [[0], (0, LATE), 30, [], FAILED, {"is_over": True, "stopped": Stop.FAILURES},
         {"detail": UNREAD}]),
    "what is held back never starts, nor what depends on it": (
        HELD, 1, {}, [[0], (0, HOLDS), lambda run: run.hold_back([1, 2]), OVER]),
    "what is held back later adds to it": (
        HELD, 2, {},
        [[0, 1], lambda run: run.hold_back([2]), lambda run: run.hold_back([3, 4]),
         (0, HOLDS), (1, HOLDS), [], OVER]),
    "a short pause does not make what was read old": (
        independent(3), 1, {},
        [[0], (0, throttled(429, retry_after=4)), 4, [0], (0, throttled(429, retry_after=30)),
         34, [], {"must_read": True}]),
    "a requested stop starts nothing more": (
        independent(5), 2, {},
        [[0, 1], lambda run: run.stop(Stop.REQUESTED, "Ctrl-C"), (0, HOLDS), [], (1, HOLDS),
         {"is_over": True}]),
    "a change that was put back starts again first": (
        independent(5), 2, {}, [[0, 1], lambda run: run.put_back(0), [0]]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "concurrency", "settings", "steps"), SCRIPTS.values(), ids=SCRIPTS
)
def test_the_scheduler_starts_and_stops(changes, concurrency, settings, steps):
    scheduler, now = Scheduler(changes, concurrency=concurrency, **settings), NOW
    for step in steps:
        if isinstance(step, list):
            assert scheduler.start(now) == step
        elif isinstance(step, tuple):
            scheduler.finish(*step, now)
        elif isinstance(step, Reply):
            scheduler.account_read(step, now)
        elif isinstance(step, dict):
            for name, value in step.items():
                of = scheduler if hasattr(scheduler, name) else scheduler.pace
                assert (name, getattr(of, name)) == (name, value)
        elif callable(step):
            step(scheduler)
        else:
            now = NOW + step


def ending(scheduler: Scheduler, reply: Callable[[int], Reply]) -> list[int]:
    """Run to the end, and return what was started."""
    started: list[int] = []
    while not scheduler.is_over:
        for position in scheduler.start(NOW):
            started.append(position)
            scheduler.finish(position, reply(position), NOW)
    return started


@pytest.mark.parametrize("concurrency", [1, 16])
@pytest.mark.parametrize("reply", [REFUSED, REJECTED], ids=["403", "400"])
def test_people_who_cannot_be_added_keep_no_leaver_in(concurrency, reply):
    changes = [*(add("g", f"joiner{n}") for n in range(20)), remove("g", "leaver")]
    scheduler = Scheduler(changes, concurrency=concurrency)
    started = ending(scheduler, lambda position: HOLDS if position == 20 else reply)
    assert sorted(started) == list(range(21))
    assert scheduler.stopped is None


@pytest.mark.parametrize("first", [0, 1], ids=["the others after", "one before"])
def test_one_refused_person_of_seventy_holds_back_nobody_else(first):
    changes = [add("g", f"u{n}") for n in range(70)]
    scheduler = Scheduler(changes, concurrency=1)
    started = ending(scheduler, lambda position: REFUSED if position == first else HOLDS)
    assert len(started) == 70


def test_a_429_halves_what_runs_at_once_and_the_change_is_tried_again():
    scheduler = Scheduler(independent(100), concurrency=16)
    assert len(scheduler.start(NOW)) == 16
    scheduler.finish(0, throttled(429, retry_after=3), NOW)
    assert scheduler.pace.at_once == 8
    assert scheduler.start(NOW) == []
    assert scheduler.paused_until == NOW + 3
    for position in range(1, 16):
        scheduler.finish(position, HOLDS, NOW)
    assert scheduler.start(NOW + 3)[0] == 0


@pytest.mark.parametrize(
    ("status_code", "delays"), [(420, [1, 2, 4]), (429, [0.25, 0.5, 1])], ids=["420", "429"]
)
def test_a_server_that_asks_to_wait_no_seconds_is_given_some(status_code, delays):
    scheduler = Scheduler([change()], max_wait=60)
    now, pauses = NOW, []
    for _ in range(3):
        assert started(scheduler, now) == [0]
        scheduler.finish(0, throttled(status_code, retry_after=0, reset_at=NOW - 1), now)
        assert scheduler.paused_until is not None
        pauses.append(scheduler.paused_until - now)
        now = scheduler.paused_until
    assert pauses == delays


def test_requests_that_are_turned_away_together_halve_only_once():
    scheduler = Scheduler(independent(100), concurrency=16)
    for position in scheduler.start(NOW):
        scheduler.finish(position, throttled(429, retry_after=1), NOW)
    assert scheduler.pace.at_once == 8
    for position in scheduler.start(NOW + 1):
        scheduler.finish(position, throttled(429, retry_after=1), NOW + 1)
    assert scheduler.pace.at_once == 4


def test_what_runs_at_once_grows_by_one_a_round_up_to_the_concurrency():
    scheduler = Scheduler(independent(200), concurrency=4)
    for position in scheduler.start(NOW):
        scheduler.finish(position, throttled(429, retry_after=1), NOW)
    seen = []
    for _ in range(6):
        seen.append(scheduler.pace.at_once)
        for position in scheduler.start(NOW + 1):
            scheduler.finish(position, HOLDS, NOW + 1)
    assert seen == [2, 2, 3, 3, 4, 4] or seen == [2, 2, 3, 4, 4, 4]


@pytest.mark.parametrize("max_wait", [0, 3600])
def test_a_change_that_is_always_turned_away_stops_the_run(max_wait):
    scheduler = Scheduler([change()], max_wait=max_wait)
    now = NOW
    while not scheduler.is_over:
        assert started(scheduler, now) == [0]
        scheduler.finish(0, throttled(429), now)
        now = scheduler.paused_until or now
    assert scheduler.stopped is Stop.QUOTA
    assert 30 < now - NOW <= 64


@pytest.mark.parametrize("share", [0.1, 0.25])
def test_a_server_that_throttles_a_share_of_all_writes_gets_all_of_them(share):
    chance = random.Random(1)
    scheduler = Scheduler(independent(400))
    now, done = NOW, 0
    in_flight: list[tuple[float, int]] = []  # each takes 50 ms
    while not scheduler.is_over:
        in_flight += [(now + 0.05, position) for position in scheduler.start(now)]
        if not in_flight:
            assert scheduler.paused_until is not None
            now = scheduler.paused_until
            continue
        now, position = in_flight.pop(0)
        is_throttled = chance.random() < share
        done += not is_throttled
        reply = throttled(429, retry_after=0) if is_throttled else HOLDS
        scheduler.finish(position, reply, now)
    assert (scheduler.stopped, done) == (None, 400)
    assert now - NOW < 45


def test_an_accepted_write_ends_the_backoff_and_renews_its_time():
    scheduler = Scheduler(independent(40), concurrency=1)
    now = NOW
    for position in range(40):
        for delay in (0.25, 0.5, 1, 2):  # 150 s in all
            assert scheduler.start(now) == [position]
            scheduler.finish(position, throttled(429), now)
            assert scheduler.paused_until == now + delay
            now += delay
        assert scheduler.start(now) == [position]
        scheduler.finish(position, HOLDS, now)
    assert scheduler.is_over
    assert scheduler.stopped is None


def test_a_reset_that_never_comes_ends_the_run_within_max_wait():
    scheduler = Scheduler(independent(3), concurrency=1, max_wait=3600)
    now = NOW
    while not scheduler.is_over:
        now = scheduler.paused_until or now
        for position in started(scheduler, now):
            scheduler.finish(position, throttled(420, reset_at=NOW - 0.5), now)
    assert scheduler.stopped is Stop.QUOTA
    assert now - NOW == 1 + 2 + 4 + 8 + 16


@pytest.mark.parametrize(
    ("changes", "arguments"),
    [
        ([change(0)], {}),
        ([change(), change(2), change()], {}),
        ([change(-1)], {}),
        ([change()], {"concurrency": 0}),
        ([change()], {"keep_quota": -1}),
        ([change()], {"max_wait": float("nan")}),
    ],
)
def test_what_makes_no_sense_is_rejected(changes, arguments):
    with pytest.raises(ValueError, match=r"depends|must"):
        Scheduler(changes, **arguments)  # type: ignore[arg-type]


@st.composite
def graphs(draw: st.DrawFn) -> list[Change]:
    count = draw(st.integers(0, 12))
    return [
        change(
            *draw(st.sets(st.integers(0, position - 1), max_size=3) if position else st.just(()))
        )
        for position in range(count)
    ]


REPLIES = st.sampled_from(
    [
        HOLDS,
        HOLDS,
        FAILED,
        REJECTED,
        REFUSED,
        Reply(kind=ReplyKind.IN_PLACE, was_retried=True, remaining=3),
        throttled(429),
        throttled(429, retry_after=2),
        throttled(420, reset_at=NOW + 50),
        Reply(kind=ReplyKind.FAILED, status_code=401),
    ]
)


@given(
    graphs(),
    st.integers(1, 5),
    st.sampled_from([0, 2]),
    st.sampled_from([0.0, 100.0]),
    st.lists(REPLIES, max_size=60),
    st.integers(),
)
def test_whatever_is_replied_the_order_holds_and_the_run_ends(
    changes, concurrency, keep_quota, max_wait, replies, seed
):
    chance = random.Random(seed)
    scheduler = Scheduler(
        changes, concurrency=concurrency, keep_quota=keep_quota, max_wait=max_wait
    )
    now = NOW
    left = iter(replies)
    holds: set[int] = set()
    ended: set[int] = set()
    running: set[int] = set()
    for _ in range(1000):
        if scheduler.is_over:
            break
        for position in scheduler.start(now):
            assert position not in ended
            assert position not in running
            assert set(changes[position].depends_on) <= holds
            running.add(position)
        assert len(running) <= concurrency
        is_pause_over = scheduler.pace.must_read and scheduler.paused_until is None
        if not running and is_pause_over:
            scheduler.account_read(next(left, HOLDS), now)
        elif running:
            position = chance.choice(sorted(running))
            reply = next(left, HOLDS)
            running.discard(position)
            scheduler.finish(position, reply, now)
            if reply.kind is not ReplyKind.THROTTLED:
                ended.add(position)
            if reply.kind is ReplyKind.IN_PLACE:
                holds.add(position)
        elif not scheduler.is_over:
            assert scheduler.paused_until is not None
            assert scheduler.paused_until > now
            now = scheduler.paused_until
    assert scheduler.is_over
    if scheduler.stopped is None:
        blocked = set(range(len(changes))) - ended
        assert all(set(changes[position].depends_on) - holds for position in blocked)
