"""The limiter of one process: what a refusal, a quota and a rate mean for the other calls."""

from __future__ import annotations

import os
import threading
import warnings
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cld_user_groups.limits import Hold, LocalLimiter, Ticket

from .conftest import Clock
from .responses import response, ticket

SLOWER = "the server has asked for fewer requests at once"
USED_UP = "the account's quota of requests is used up"
IN_FLIGHT = "requests in flight may use up the account's quota"


@pytest.fixture
def limiter(clock: Clock) -> LocalLimiter:
    """A limiter in its gentlest form."""
    return LocalLimiter(clock=clock)


@pytest.fixture
def counting(clock: Clock) -> LocalLimiter:
    """A limiter that stops before a refusal."""
    return LocalLimiter(reserve=0, clock=clock)


def admitted(limiter: LocalLimiter, count: int, patience: float = 30) -> list[Ticket]:
    """Let so many attempts be sent, and return them in flight."""
    sent = [ticket(patience) for _ in range(count)]
    assert [limiter.acquire(each) for each in sent] == [None] * count
    return sent


def observed(limiter: LocalLimiter, answer: httpx.Response, patience: float = 30) -> None:
    """Let one attempt be sent, and its response observed."""
    (sent,) = admitted(limiter, 1, patience)
    limiter.observe(sent, answer)


def refused(limiter: LocalLimiter, status: int = 429, retry_after: float = 10) -> None:
    """Let one attempt be refused."""
    observed(limiter, response(status, retry_after=retry_after))


def seconds(hold: Hold | None) -> float:
    return 0.0 if hold is None else round(hold.seconds, 2)


def asked(limiter: LocalLimiter, count: int, patience: float = 30) -> list[float]:
    """Let so many more ask, and return for how long each is held."""
    return [seconds(limiter.acquire(ticket(patience))) for _ in range(count)]


@pytest.mark.parametrize(("passed", "patience"), [(0, 10), (4, 30)])
@pytest.mark.parametrize(("status", "reason"), [(429, SLOWER), (420, USED_UP)])
def test_a_refusal_holds_the_others_for_as_long_as_the_server_asks(
    status: int, reason: str, passed: float, patience: float, limiter: LocalLimiter, clock: Clock
) -> None:
    refused(limiter, status)
    clock.now += passed
    assert limiter.acquire(ticket(patience)) == Hold(10 - passed, status, reason)


def test_a_refusal_of_another_account_holds_nobody(limiter: LocalLimiter) -> None:
    refused(limiter)
    assert limiter.acquire(ticket(account_id="other")) is None


def test_a_server_that_is_away_holds_nobody(limiter: LocalLimiter) -> None:
    observed(limiter, response(503, retry_after=9))
    assert limiter.acquire(ticket()) is None


UNTIMED = [response(429), response(420), response(429, left=9), response(420, left=0, reset_in=-9)]


@pytest.mark.parametrize("refusal", UNTIMED)
def test_an_untimed_refusal_holds_the_others_for_half_a_second(
    refusal: httpx.Response, limiter: LocalLimiter
) -> None:
    for each in admitted(limiter, 2):
        limiter.observe(each, refusal)
    hold = limiter.acquire(ticket())
    assert hold is not None
    assert (hold.seconds, hold.status_code) == (0.5, refusal.status_code)


@pytest.mark.parametrize(("status", "longest"), [(429, 8), (420, 60)])
def test_such_a_hold_doubles_while_what_is_sent_after_it_is_refused(
    status: int, longest: float, limiter: LocalLimiter, clock: Clock
) -> None:
    waiting, waits = admitted(limiter, 12, patience=1000), []
    for each in waiting[:2]:
        limiter.observe(each, response(status))
    for each in waiting:
        hold = limiter.acquire(each)
        assert hold is not None
        waits.append(seconds(hold))
        clock.now += hold.seconds
        assert limiter.acquire(each) is None
        limiter.observe(each, response(status))
    assert waits == [min(0.5 * 2**number, longest) for number in range(12)]


def test_after_a_success_an_untimed_refusal_holds_for_half_a_second_again(
    limiter: LocalLimiter, clock: Clock
) -> None:
    waiting = admitted(limiter, 2) + [ticket() for _ in range(3)]
    for each in waiting[:2]:
        limiter.observe(each, response(429))
    for each, expected, status in zip(waiting, [0.5, 1, 2], [429, 429, 200], strict=False):
        assert seconds(limiter.acquire(each)) == expected
        clock.now += expected
        assert limiter.acquire(each) is None
        limiter.observe(each, response(status))
    clock.now += 0.2
    observed(limiter, response(429))
    assert seconds(limiter.acquire(waiting[3])) == 0.5


@pytest.mark.parametrize("patience", [0, 30])
def test_one_caller_alone_is_not_held_by_a_refusal_without_a_length(
    patience: float, limiter: LocalLimiter, clock: Clock
) -> None:
    for _ in range(10):
        observed(limiter, response(429), patience)
        clock.now += 0.01
    observed(limiter, response(200), patience)


def test_others_wait_for_the_one_alone_and_its_success_ends_the_hold(limiter: LocalLimiter) -> None:
    observed(limiter, response(429))
    (alone,), other = admitted(limiter, 1), ticket()
    assert seconds(limiter.acquire(other)) == 0.5
    limiter.observe(alone, response(200))
    assert limiter.acquire(other) is None


@pytest.mark.parametrize(
    ("refusal", "patience", "expected"),
    [
        (response(420, left=0, reset_in=20, skew=-86400), 30, 20),  # on the server's clock
        (response(420, retry_after=86400), 1e6, 3600),  # believed for an hour at most
    ],
)
def test_how_long_a_refusal_holds(
    refusal: httpx.Response, patience: float, expected: float, limiter: LocalLimiter
) -> None:
    observed(limiter, refusal)
    assert asked(limiter, 1, patience) == [expected]


def test_a_caller_who_has_waited_is_not_held_again(limiter: LocalLimiter, clock: Clock) -> None:
    refused(limiter)
    clock.now += 10
    assert limiter.acquire(ticket()) is None


def test_one_call_after_another_is_not_paced(limiter: LocalLimiter, clock: Clock) -> None:
    refused(limiter)
    waiting = ticket()
    limiter.acquire(waiting)
    clock.now += 10
    assert limiter.acquire(waiting) is None
    limiter.observe(waiting, response(200))
    clock.now += 0.01
    assert limiter.acquire(ticket()) is None


def test_waiting_callers_are_released_one_after_another_and_ever_faster(
    limiter: LocalLimiter, clock: Clock
) -> None:
    refused(limiter)
    tickets = [ticket() for _ in range(41)]
    slots = [seconds(limiter.acquire(each)) for each in tickets]
    assert slots[0] == 10
    assert slots == sorted(slots)
    assert (slots[10], slots[20], slots[40]) == (10.76, 11.25, 11.92)
    for each, slot in zip(tickets, slots, strict=True):
        clock.now = 1000 + slot + 0.01
        assert limiter.acquire(each) is None


def test_a_newcomer_queues_behind_those_who_wait(limiter: LocalLimiter, clock: Clock) -> None:
    refused(limiter)
    asked(limiter, 100)
    clock.now += 10
    assert asked(limiter, 1) == [pytest.approx(2.99, abs=0.01)]


def test_a_call_that_cannot_wait_is_not_paced(limiter: LocalLimiter, clock: Clock) -> None:
    refused(limiter)
    asked(limiter, 100)
    clock.now += 10
    assert limiter.acquire(ticket(patience=0)) is None


def test_a_call_that_cannot_wait_for_a_long_queue_is_told_why_and_skips_it(
    limiter: LocalLimiter,
) -> None:
    refused(limiter, retry_after=0.5)
    asked(limiter, 100)
    for _ in range(2):
        hold = limiter.acquire(ticket(patience=0.9))
        assert hold is not None
        assert (round(hold.seconds, 2), hold.status_code, hold.reason) == (3.49, 429, SLOWER)


def test_a_place_in_the_queue_is_not_lost_by_running_out_of_patience(
    limiter: LocalLimiter, clock: Clock
) -> None:
    refused(limiter)
    waiting = ticket()
    limiter.acquire(waiting)
    clock.now += 9.5
    waiting.patience = 0
    assert seconds(limiter.acquire(waiting)) == 0.5


def test_a_place_in_a_queue_that_is_over_is_none_in_the_next(
    limiter: LocalLimiter, clock: Clock
) -> None:
    refused(limiter)
    late = ticket()
    limiter.acquire(late)
    clock.now += 60  # as on a machine that was asleep
    admitted(limiter, 1)
    refused(limiter)
    assert seconds(limiter.acquire(late)) == 10


def test_those_released_too_fast_are_released_more_slowly_the_next_time(
    limiter: LocalLimiter, clock: Clock
) -> None:
    refused(limiter, retry_after=1)
    tickets = [ticket() for _ in range(60)]
    for each in tickets:
        limiter.acquire(each)
    clock.now += 1
    for _ in range(200):  # 20 of them are released in the second after
        clock.now += 0.005
        if limiter.acquire(tickets[0]) is None:
            limiter.observe(tickets.pop(0), response(200))
    limiter.acquire(tickets[0])
    clock.now += 0.1
    refused_one = tickets.pop(0)
    assert limiter.acquire(refused_one) is None
    limiter.observe(refused_one, response(429, retry_after=1))
    assert len(tickets) == 60 - 16
    waits = [seconds(limiter.acquire(each)) for each in tickets]
    # As many a second as the server took until then, which it took 1.1 s for: not 10 and soon 20.
    assert waits[:3] == [1, 1.07, 1.14]
    assert waits[16] == pytest.approx(2.1, abs=0.1)


def test_a_queue_whose_first_one_is_refused_keeps_its_rate(
    limiter: LocalLimiter, clock: Clock
) -> None:
    refused(limiter, retry_after=1)
    tickets = [ticket() for _ in range(30)]
    before = [seconds(limiter.acquire(each)) for each in tickets]
    clock.now += 1
    assert limiter.acquire(tickets[0]) is None
    limiter.observe(tickets[0], response(429, retry_after=1))
    assert [seconds(limiter.acquire(each)) for each in tickets[1:]] == before[:-1]


def test_many_refusals_of_what_was_in_flight_are_one_hold(limiter: LocalLimiter) -> None:
    for each in admitted(limiter, 20):
        limiter.observe(each, response(429, retry_after=5))
    assert asked(limiter, 11)[-1] == 5.76


@pytest.mark.parametrize(("first", "second"), [(10, 3), (3, 10)])
def test_what_was_in_flight_may_prolong_a_hold_but_not_shorten_it(
    first: float, second: float, limiter: LocalLimiter
) -> None:
    (early,) = admitted(limiter, 1)
    refused(limiter, retry_after=first)
    limiter.observe(early, response(429, retry_after=second))
    assert asked(limiter, 1) == [10]


def test_a_call_that_cannot_wait_is_sent_now_and_then_to_probe(
    limiter: LocalLimiter, clock: Clock
) -> None:
    refused(limiter, 420, retry_after=1800)
    sent_at: list[float] = []
    for second in range(300):
        clock.now = 1000 + second
        probe = ticket(patience=0 if second % 2 else 30)
        if limiter.acquire(probe) is None:
            limiter.observe(probe, response(420, retry_after=1800 - second))
            sent_at.append(second)
    assert sent_at == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]


def test_whoever_cannot_wait_is_told_why(limiter: LocalLimiter) -> None:
    refused(limiter, 420)
    admitted(limiter, 1, patience=9)  # to see whether it still stands
    assert limiter.acquire(ticket(patience=9)) == Hold(10, 420, USED_UP)


def test_a_hold_that_no_longer_stands_ends_with_the_first_success(limiter: LocalLimiter) -> None:
    refused(limiter, 420, retry_after=1800)
    (probe,) = admitted(limiter, 1)
    assert limiter.acquire(ticket()) is not None
    limiter.observe(probe, response(200))
    assert limiter.acquire(ticket()) is None


@pytest.mark.parametrize(("retry_after", "expected"), [(5, 5), (None, 1800)])
def test_a_probe_that_is_refused_says_anew_how_long_or_changes_nothing(
    retry_after: float | None, expected: float, limiter: LocalLimiter
) -> None:
    refused(limiter, retry_after=1800)
    observed(limiter, response(429, retry_after=retry_after))
    assert asked(limiter, 1) == [expected]


def test_a_success_that_was_in_flight_when_the_hold_began_does_not_end_it(
    limiter: LocalLimiter,
) -> None:
    (early,) = admitted(limiter, 1)
    refused(limiter)
    limiter.observe(early, response(200))
    assert asked(limiter, 1) == [10]


def test_the_default_does_not_act_on_what_is_left(limiter: LocalLimiter) -> None:
    observed(limiter, response(200, left=0))
    assert limiter.acquire(ticket()) is None


@pytest.mark.parametrize(("reserve", "left"), [(0, 0), (1, 1), (50, 50), (50, 49)])
def test_with_a_reserve_it_stops_before_a_refusal(reserve: int, left: int, clock: Clock) -> None:
    limiter = LocalLimiter(reserve=reserve, clock=clock)
    observed(limiter, response(200, left=left))
    told = f"{left} requests are left of the account's quota, and {reserve} are reserved"
    for patience in (0, 30, 3600):
        assert limiter.acquire(ticket(patience)) == Hold(1800, 420, told if left else USED_UP)


def test_a_quota_is_used_up_until_it_resets(counting: LocalLimiter, clock: Clock) -> None:
    observed(counting, response(200, left=0))
    clock.now += 1799.5
    assert counting.acquire(ticket()) == Hold(0.5, 420, USED_UP)
    clock.now += 0.5
    admitted(counting, 2)


def test_requests_in_flight_count_as_used(clock: Clock) -> None:
    limiter = LocalLimiter(reserve=2, clock=clock)
    observed(limiter, response(200, left=5))
    sent = admitted(limiter, 3)
    assert limiter.acquire(ticket()) == Hold(0.05, 420, IN_FLIGHT)
    limiter.observe(sent[0], None)  # it was never sent
    assert limiter.acquire(ticket()) is None


def test_an_attempt_ends_once(counting: LocalLimiter) -> None:
    observed(counting, response(200, left=3))
    first, _ = admitted(counting, 2)
    for _ in range(2):
        counting.observe(first, None)
    admitted(counting, 2)
    assert counting.acquire(ticket()) == Hold(0.05, 420, IN_FLIGHT)


def test_an_old_response_does_not_raise_what_is_left(counting: LocalLimiter) -> None:
    early, late = admitted(counting, 2)
    counting.observe(late, response(200, left=0))
    counting.observe(early, response(200, left=1))
    assert counting.acquire(ticket()) is not None


def test_a_response_of_the_new_hour_raises_what_is_left(counting: LocalLimiter) -> None:
    (early,) = admitted(counting, 1)
    observed(counting, response(200, left=0, reset_in=5))
    counting.observe(early, response(200, left=400, reset_in=3600))
    assert counting.acquire(ticket()) is None


def test_a_reset_that_comes_late_is_waited_for_a_second_at_a_time(
    counting: LocalLimiter, clock: Clock
) -> None:
    late = response(200, left=0, reset_in=5)
    observed(counting, late)
    clock.now += 5
    observed(counting, late)
    assert asked(counting, 1) == [1]


def test_without_a_date_a_reset_is_compared_with_the_time_here(counting: LocalLimiter) -> None:
    answer = response(200, left=0)
    del answer.headers["Date"]
    reset = datetime.now(UTC) + timedelta(seconds=100)
    answer.headers["X-FeatureRateLimit-Reset"] = format_datetime(reset, usegmt=True)
    observed(counting, answer)
    assert 90 < asked(counting, 1)[0] <= 100


@pytest.mark.parametrize(
    "lacking",
    [
        {"X-FeatureRateLimit-Remaining": None},
        {"X-FeatureRateLimit-Reset": ""},
        {"X-FeatureRateLimit-Reset": "soon"},
        dict.fromkeys(f"X-FeatureRateLimit-{name}" for name in ("Limit", "Remaining", "Reset")),
    ],
)
def test_headers_that_are_not_whole_change_nothing(
    lacking: dict[str, str | None], counting: LocalLimiter
) -> None:
    answer = response(200, left=9, reset_in=3600)
    for name, value in lacking.items():
        del answer.headers[name]
        if value is not None:
            answer.headers[name] = value
    (early,) = admitted(counting, 1)
    observed(counting, response(200, left=0))
    counting.observe(early, answer)
    assert asked(counting, 1) == [1800]


def test_a_reset_in_the_past_says_nothing(counting: LocalLimiter) -> None:
    for _ in range(3):
        observed(counting, response(200, left=0, reset_in=-5))


def test_a_reset_in_a_second_is_waited_for(counting: LocalLimiter) -> None:
    observed(counting, response(200, left=0, reset_in=1))
    assert asked(counting, 1) == [1]


def test_bursts_are_paced(clock: Clock) -> None:
    limiter = LocalLimiter(per_second=5, clock=clock)
    assert asked(limiter, 12) == [0, 0, 0, 0, 0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4]


def test_a_paced_call_goes_in_its_slot_or_at_once_if_it_cannot_wait(clock: Clock) -> None:
    limiter = LocalLimiter(per_second=1, clock=clock)
    admitted(limiter, 1)
    second = ticket()
    assert limiter.acquire(second) == Hold(1, 429, "at most 1 requests may start in a second")
    assert asked(limiter, 1, patience=0.5) == [2]  # which takes no slot
    assert asked(limiter, 1) == [2]
    admitted(limiter, 1, patience=0)
    clock.now += 1
    assert limiter.acquire(second) is None


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"reserve": -1}, ValueError),
        ({"reserve": 1.5}, TypeError),
        ({"reserve": True}, TypeError),
        ({"per_second": 0}, ValueError),
    ],
)
def test_arguments_are_validated(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        LocalLimiter(**options)


def test_threads_share_one_count(counting: LocalLimiter) -> None:
    observed(counting, response(200, left=500))
    counts: list[int] = []
    threads = [
        threading.Thread(target=lambda: counts.append(asked(counting, 200).count(0)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 500


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_what_a_process_has_in_flight_is_not_in_flight_in_its_fork(counting: LocalLimiter) -> None:
    observed(counting, response(200, left=5))
    early = admitted(counting, 3)
    counting.forget_parent()  # what a fork does in the new process
    own = [each for each in (ticket() for _ in range(9)) if counting.acquire(each) is None]
    assert len(own) == 5
    for each in [*early, *own]:
        counting.observe(each, None)
    assert asked(counting, 9).count(0) == 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_process_that_was_forked_while_a_thread_held_the_lock_goes_on(clock: Clock) -> None:
    is_held, is_over = threading.Event(), threading.Event()
    main = threading.get_ident()

    def slow_elsewhere() -> float:
        if threading.get_ident() != main:
            is_held.set()
            is_over.wait(10)
        return clock()

    limiter = LocalLimiter(reserve=0, clock=slow_elsewhere)
    other = threading.Thread(target=limiter.acquire, args=[ticket()])
    other.start()
    assert is_held.wait(10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of other threads, in newer Pythons
        pid = os.fork()
    if pid == 0:
        os._exit(0 if limiter.acquire(ticket()) is None else 1)
    is_over.set()
    other.join()
    assert os.waitpid(pid, 0)[1] == 0


OUTCOMES = st.sampled_from(
    [
        None,
        response(200),
        response(503),
        response(200, left=3),
        response(200, left=400, reset_in=3600),
        response(429),
        response(429, retry_after=10),
        response(420, left=0, reset_in=5),
        response(420, retry_after=1e9),
    ]
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 0.001, 0.3, 5, 2000]),  # seconds that pass
        st.booleans(),  # whether a call asks, or a response arrives
        st.sampled_from([0, 0.5, 30, 1e6]),  # how long that call can wait
        OUTCOMES,
        st.integers(0, 9),  # which of those that wait, or are in flight
    ),
    max_size=60,
)


@given(STEPS, st.sampled_from([None, 0, 3]), st.sampled_from([None, 5]))
def test_whoever_waits_for_as_long_as_it_is_told_is_sent_in_the_end(
    steps: list[tuple[float, bool, float, httpx.Response | None, int]],
    reserve: int | None,
    per_second: float | None,
) -> None:
    clock = Clock()
    limiter = LocalLimiter(reserve=reserve, per_second=per_second, clock=clock)
    waiting, in_flight = [ticket()], [ticket()]
    for passes, asks, patience, outcome, which in steps:
        clock.now += passes
        if asks:
            asking = [*waiting, ticket(patience)][which % (len(waiting) + 1)]
            hold = limiter.acquire(asking)
            waiting = [each for each in waiting if each is not asking]
            (waiting if hold else in_flight).append(asking)
            assert hold is None or 0 < hold.seconds <= 3600 + len(steps)
        elif in_flight:
            limiter.observe(in_flight.pop(which % len(in_flight)), outcome)
    for each in in_flight:
        limiter.observe(each, None)
    for each in waiting:
        each.patience = 1e7
        waits = 0
        while (hold := limiter.acquire(each)) is not None:
            clock.now += hold.seconds
            waits += 1
            assert waits < 20
        limiter.observe(each, None)
