"""The scheduler: what starts when, and what a reply means for the rest. No I/O, no clock."""

from __future__ import annotations

import random
from collections.abc import Callable

import hypothesis.strategies as st
import pytest
from hypothesis import given

from cld_user_groups.membership.grants import GroupRef
from cld_user_groups.membership.model import Action, Change
from cld_user_groups.membership.pace import Reply, ReplyKind
from cld_user_groups.membership.result import Stop
from cld_user_groups.membership.scheduler import Scheduler

from .accounts import add, remove

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


def started(scheduler: Scheduler, now: float) -> list[int]:
    """Return what starts, the account having been read again where a pause makes that needed."""
    positions = scheduler.start(now)
    if positions or not scheduler.pace.must_read or scheduler.paused_until is not None:
        return positions
    scheduler.account_read(HOLDS, now)
    return scheduler.start(now)


def independent(count: int) -> list[Change]:
    return [change() for _ in range(count)]


def test_changes_start_in_the_plans_order_up_to_the_concurrency():
    scheduler = Scheduler(independent(5), concurrency=3)
    assert scheduler.start(NOW) == [0, 1, 2]
    assert scheduler.start(NOW) == []
    scheduler.finish(1, HOLDS, NOW)
    assert scheduler.start(NOW) == [3]


def test_a_change_waits_for_all_that_it_depends_on():
    scheduler = Scheduler([change(), change(), change(0, 1), change()])
    assert scheduler.start(NOW) == [0, 1, 3]
    scheduler.finish(1, HOLDS, NOW)
    assert scheduler.start(NOW) == []
    scheduler.finish(0, HOLDS, NOW)
    assert scheduler.start(NOW) == [2]


def test_a_failure_stops_what_depends_on_it_and_nothing_else():
    scheduler = Scheduler([change(), change(0), change(1), change()], concurrency=1)
    assert scheduler.start(NOW) == [0]
    scheduler.finish(0, FAILED, NOW)
    assert scheduler.start(NOW) == [3]
    scheduler.finish(3, HOLDS, NOW)
    assert scheduler.is_over
    assert scheduler.stopped is None


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


def test_a_key_without_permission_stops_after_one_write_of_each_kind():
    changes = [*(add("g", f"u{n}") for n in range(70)), *(remove("h", f"v{n}") for n in range(9))]
    scheduler = Scheduler(changes, concurrency=1)
    assert ending(scheduler, lambda _: REFUSED) == [0, 70]
    assert scheduler.stopped is Stop.UNAUTHORIZED


def test_a_key_without_permission_stops_after_two_people():
    changes = [add("g", "u0"), add("h", "u0"), add("g", "u1"), add("g", "u2")]
    scheduler = Scheduler(changes, concurrency=1)
    assert ending(scheduler, lambda _: REFUSED) == [0, 2]
    assert scheduler.stopped is Stop.UNAUTHORIZED


def test_a_removal_that_waits_for_somebody_new_accepts_anybody():
    changes = [add("g", "refused"), add("g", "joiner"), remove("g", "leaver", 0)]
    scheduler = Scheduler(changes, concurrency=1)
    assert scheduler.start(NOW) == [0]
    scheduler.finish(0, REJECTED, NOW)
    assert scheduler.start(NOW) == [1]
    scheduler.finish(1, HOLDS, NOW)
    assert scheduler.start(NOW) == [2]


def test_a_removal_does_not_start_where_nobody_new_is_in_its_group():
    changes = [add("g", "u0"), add("g", "u1"), add("h", "u2"), remove("g", "leaver", 0)]
    scheduler = Scheduler(changes)
    assert ending(scheduler, lambda position: HOLDS if position == 2 else REJECTED) == [0, 1, 2]


def test_401_stops_everything_and_lets_what_runs_end():
    scheduler = Scheduler(independent(4), concurrency=2)
    scheduler.start(NOW)
    scheduler.finish(0, Reply(kind=ReplyKind.FAILED, status_code=401), NOW)
    assert scheduler.start(NOW) == []
    assert not scheduler.is_over
    scheduler.finish(1, HOLDS, NOW)
    assert scheduler.is_over
    assert scheduler.stopped is Stop.UNAUTHORIZED


def test_five_failures_in_a_row_stop_everything():
    scheduler = Scheduler(independent(20), concurrency=1)
    for reply in [FAILED] * 4 + [HOLDS] + [FAILED] * 3 + [REJECTED, FAILED]:
        (position,) = scheduler.start(NOW)
        scheduler.finish(position, reply, NOW)
    (position,) = scheduler.start(NOW)
    scheduler.finish(position, FAILED, NOW)
    assert scheduler.stopped is Stop.FAILURES
    assert scheduler.is_over


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


def test_a_request_that_the_client_repeated_halves_as_well():
    scheduler = Scheduler(independent(10), concurrency=4)
    scheduler.start(NOW)
    scheduler.finish(0, Reply(kind=ReplyKind.IN_PLACE, was_retried=True), NOW)
    assert scheduler.pace.at_once == 2


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


def test_a_delay_of_the_servers_own_is_kept_to():
    scheduler = Scheduler(independent(4), concurrency=1)
    scheduler.start(NOW)
    scheduler.finish(0, throttled(429, retry_after=0.4), NOW)
    assert scheduler.paused_until == NOW + 0.4


def test_a_used_up_quota_stops_the_run_where_it_may_not_wait():
    scheduler = Scheduler(independent(3), concurrency=1)
    scheduler.start(NOW)
    scheduler.finish(0, throttled(420, reset_at=NOW + 1800), NOW)
    assert scheduler.stopped is Stop.QUOTA
    assert scheduler.pace.reset_at == NOW + 1800
    assert scheduler.is_over


def test_a_used_up_quota_is_waited_for_where_the_run_may_wait():
    scheduler = Scheduler(independent(3), concurrency=1, max_wait=1800)
    scheduler.start(NOW)
    scheduler.finish(0, throttled(420, reset_at=NOW + 1800), NOW)
    assert scheduler.start(NOW + 1799) == []
    assert started(scheduler, NOW + 1800) == [0]


def test_all_waits_for_the_quota_together_stay_within_max_wait():
    scheduler = Scheduler(independent(3), concurrency=1, max_wait=5000)
    scheduler.start(NOW)
    scheduler.finish(0, throttled(420, retry_after=3600), NOW)
    assert started(scheduler, NOW + 3600) == [0]
    scheduler.finish(0, throttled(420, retry_after=3600), NOW + 3600)
    assert scheduler.stopped is Stop.QUOTA


def test_a_used_up_quota_without_a_reset_is_not_waited_for():
    scheduler = Scheduler(independent(3), concurrency=1, max_wait=5000)
    scheduler.start(NOW)
    scheduler.finish(0, throttled(420), NOW)
    assert scheduler.stopped is Stop.QUOTA


def test_a_quota_used_up_a_moment_after_its_reset_is_waited_for_again():
    scheduler = Scheduler(independent(3), concurrency=3, max_wait=60)
    assert scheduler.start(NOW) == [0, 1, 2]
    for position in (0, 1, 2):
        scheduler.finish(position, throttled(420, reset_at=NOW - 0.5), NOW)
    assert scheduler.stopped is None
    assert scheduler.start(NOW + 0.9) == []
    assert started(scheduler, NOW + 1) == [0]
    scheduler.finish(0, HOLDS, NOW + 1)
    assert scheduler.start(NOW + 1) == [1, 2]


def test_a_reset_that_never_comes_ends_the_run_within_max_wait():
    scheduler = Scheduler(independent(3), concurrency=1, max_wait=3600)
    now = NOW
    while not scheduler.is_over:
        now = scheduler.paused_until or now
        for position in started(scheduler, now):
            scheduler.finish(position, throttled(420, reset_at=NOW - 0.5), now)
    assert scheduler.stopped is Stop.QUOTA
    assert now - NOW == 1 + 2 + 4 + 8 + 16


def test_keep_quota_leaves_that_many_and_one_to_read_the_account_again():
    scheduler = Scheduler(independent(20), concurrency=16, keep_quota=5, remaining=10)
    assert scheduler.start(NOW) == [0, 1, 2, 3]
    for left, position in enumerate([0, 1, 2, 3]):
        scheduler.finish(position, Reply(kind=ReplyKind.IN_PLACE, remaining=9 - left), NOW)
    assert scheduler.start(NOW) == []
    assert scheduler.stopped is Stop.QUOTA


def test_responses_that_overtake_each_other_do_not_renew_the_quota():
    scheduler = Scheduler(independent(20), concurrency=4, keep_quota=1, remaining=8)
    assert scheduler.start(NOW) == [0, 1, 2, 3]
    for position, remaining in [(0, 4), (1, 5), (2, 6), (3, 7)]:
        reply = Reply(kind=ReplyKind.IN_PLACE, remaining=remaining, reset_at=NOW + 60)
        scheduler.finish(position, reply, NOW)
    assert len(scheduler.start(NOW)) == 2


def test_after_the_reset_one_request_finds_out_what_is_left():
    scheduler = Scheduler(
        independent(20), concurrency=4, keep_quota=5, remaining=6, reset_at=NOW + 60, max_wait=60
    )
    assert scheduler.start(NOW) == []
    assert scheduler.paused_until == NOW + 60
    assert scheduler.start(NOW + 60) == []
    assert scheduler.pace.must_read
    reply = Reply(kind=ReplyKind.IN_PLACE, remaining=100, reset_at=NOW + 3660)
    scheduler.account_read(reply, NOW + 61)
    assert scheduler.start(NOW + 61) == [0, 1, 2, 3]


def test_a_quota_used_up_when_the_account_is_read_again_is_waited_for():
    scheduler = Scheduler(independent(3), concurrency=1, max_wait=60)
    scheduler.start(NOW)
    scheduler.finish(0, throttled(420, retry_after=30), NOW)
    assert scheduler.start(NOW + 30) == []
    scheduler.account_read(throttled(420, retry_after=10), NOW + 30)
    assert scheduler.paused_until == NOW + 40
    assert started(scheduler, NOW + 40) == [0]


@pytest.mark.parametrize(("status_code", "why"), [(401, Stop.UNAUTHORIZED), (500, Stop.FAILURES)])
def test_an_account_that_cannot_be_read_again_after_a_wait_stops_the_run(status_code, why):
    scheduler = Scheduler(independent(3), concurrency=1, max_wait=60)
    scheduler.start(NOW)
    scheduler.finish(0, throttled(420, retry_after=30), NOW)
    assert scheduler.start(NOW + 30) == []
    scheduler.account_read(Reply(kind=ReplyKind.FAILED, status_code=status_code), NOW + 30)
    assert scheduler.is_over
    assert scheduler.stopped is why


def test_what_is_held_back_never_starts_nor_what_depends_on_it():
    scheduler = Scheduler([change(), change(), change(0), change(1), change(1)], concurrency=1)
    scheduler.start(NOW)
    scheduler.finish(0, HOLDS, NOW)
    scheduler.hold_back([1, 2])
    assert scheduler.is_over


def test_a_short_pause_does_not_make_what_was_read_old():
    scheduler = Scheduler(independent(3), concurrency=1)
    scheduler.start(NOW)
    scheduler.finish(0, throttled(429, retry_after=4), NOW)
    assert scheduler.start(NOW + 4) == [0]
    scheduler.finish(0, throttled(429, retry_after=30), NOW + 4)
    assert scheduler.start(NOW + 34) == []
    assert scheduler.pace.must_read


def test_a_reset_in_the_past_does_not_make_the_quota_endless():
    scheduler = Scheduler(independent(20), concurrency=1, keep_quota=5, remaining=8)
    scheduler.start(NOW)
    reply = Reply(kind=ReplyKind.IN_PLACE, remaining=6, reset_at=NOW - 30)
    scheduler.finish(0, reply, NOW)
    assert scheduler.start(NOW) == []
    assert scheduler.stopped is Stop.QUOTA


def test_a_requested_stop_starts_nothing_more():
    scheduler = Scheduler(independent(5), concurrency=2)
    scheduler.start(NOW)
    scheduler.stop(Stop.REQUESTED, "Ctrl-C")
    scheduler.finish(0, HOLDS, NOW)
    assert scheduler.start(NOW) == []
    scheduler.finish(1, HOLDS, NOW)
    assert scheduler.is_over


def test_a_change_that_was_put_back_starts_again_first():
    scheduler = Scheduler(independent(5), concurrency=2)
    assert scheduler.start(NOW) == [0, 1]
    scheduler.put_back(0)
    assert scheduler.start(NOW) == [0]


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
