"""What one process tells whoever is held: how long, with which status code, and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cld_user_groups.limits import Hold, LocalLimiter

from .conftest import Clock
from .responses import response, ticket
from .test_local import learned, observed, refused, seconds

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


@pytest.mark.parametrize(("status", "reason"), [(429, SLOWER), (420, USED_UP)])
def test_whoever_waits_is_told_why(status: int, reason: str, limiter: LocalLimiter) -> None:
    refused(limiter, status, retry_after=10)
    assert limiter.acquire(ticket(patience=10)) == Hold(10, status, reason)


def test_whoever_cannot_wait_is_told_why(limiter: LocalLimiter) -> None:
    refused(limiter, 420, retry_after=10)
    assert limiter.acquire(ticket(patience=9)) is None  # to see whether it still stands
    assert limiter.acquire(ticket(patience=9)) == Hold(10, 420, USED_UP)


def test_whoever_cannot_wait_for_a_long_line_is_told_why_and_takes_no_place(
    limiter: LocalLimiter,
) -> None:
    refused(limiter, retry_after=0.5)
    for _ in range(100):
        limiter.acquire(ticket())
    for _ in range(2):
        hold = limiter.acquire(ticket(patience=0.9))
        assert hold is not None
        assert (round(hold.seconds, 2), hold.status_code, hold.reason) == (3.49, 429, SLOWER)


def test_a_place_in_the_line_is_not_lost_by_running_out_of_patience(
    limiter: LocalLimiter, clock: Clock
) -> None:
    refused(limiter, retry_after=10)
    waiting = ticket()
    limiter.acquire(waiting)
    clock.now += 9.5
    waiting.patience = 0
    assert seconds(limiter.acquire(waiting)) == 0.5


def test_one_call_after_another_is_not_paced(limiter: LocalLimiter, clock: Clock) -> None:
    refused(limiter, retry_after=10)
    waiting = ticket()
    limiter.acquire(waiting)
    clock.now += 10
    assert limiter.acquire(waiting) is None
    limiter.observe(waiting, response(200))
    clock.now += 0.01
    assert limiter.acquire(ticket()) is None


def test_a_probe_that_is_refused_says_anew_how_long(limiter: LocalLimiter) -> None:
    refused(limiter, retry_after=1800)
    observed(limiter, response(429, retry_after=5), patience=30)
    assert seconds(limiter.acquire(ticket())) == 5


def test_a_probe_that_is_refused_without_a_word_changes_nothing(limiter: LocalLimiter) -> None:
    refused(limiter, retry_after=1800)
    observed(limiter, response(429), patience=30)
    assert seconds(limiter.acquire(ticket())) == 1800


def test_what_was_in_flight_does_not_shorten_a_hold(limiter: LocalLimiter) -> None:
    early = ticket()
    limiter.acquire(early)
    refused(limiter, retry_after=10)
    limiter.observe(early, response(429, retry_after=3))
    assert seconds(limiter.acquire(ticket())) == 10


def test_what_was_in_flight_may_prolong_a_hold(limiter: LocalLimiter) -> None:
    early = ticket()
    limiter.acquire(early)
    refused(limiter, retry_after=3)
    limiter.observe(early, response(429, retry_after=10))
    assert seconds(limiter.acquire(ticket())) == 10


def test_others_wait_for_the_one_who_was_alone_and_its_success_ends_the_hold(
    limiter: LocalLimiter,
) -> None:
    observed(limiter, response(429))
    alone, other = ticket(), ticket()
    assert limiter.acquire(alone) is None
    assert seconds(limiter.acquire(other)) == 0.5
    limiter.observe(alone, response(200))
    assert limiter.acquire(other) is None


def test_after_a_success_a_refusal_that_does_not_say_how_long_holds_for_half_a_second_again(
    limiter: LocalLimiter, clock: Clock
) -> None:
    waiting = [ticket() for _ in range(5)]
    for each in waiting[:2]:
        limiter.acquire(each)
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


def test_an_attempt_ends_once(counting: LocalLimiter) -> None:
    learned(counting, 3)
    first, second = ticket(), ticket()
    assert (counting.acquire(first), counting.acquire(second)) == (None, None)
    for _ in range(2):
        counting.observe(first, None)
    assert counting.acquire(ticket()) is None
    assert counting.acquire(ticket()) is None
    assert counting.acquire(ticket()) == Hold(0.05, 420, IN_FLIGHT)


def test_what_is_reserved_is_told(clock: Clock) -> None:
    limiter = LocalLimiter(reserve=1, clock=clock)
    learned(limiter, 1)
    reason = "1 requests are left of the account's quota, and 1 are reserved"
    assert limiter.acquire(ticket()) == Hold(1800, 420, reason)


def test_a_quota_is_used_up_until_it_resets(counting: LocalLimiter, clock: Clock) -> None:
    learned(counting, 0)
    clock.now += 1799.5
    assert counting.acquire(ticket()) == Hold(0.5, 420, USED_UP)
    clock.now += 0.5
    assert [counting.acquire(ticket()) for _ in range(2)] == [None, None]


def test_a_reset_that_comes_late_is_waited_for_a_second_at_a_time(
    counting: LocalLimiter, clock: Clock
) -> None:
    late = response(200, left=0, reset_in=5)
    observed(counting, late)
    clock.now += 5
    observed(counting, late)
    assert seconds(counting.acquire(ticket())) == 1


def test_without_a_date_a_reset_is_compared_with_the_time_here(counting: LocalLimiter) -> None:
    answer = response(200, left=0)
    del answer.headers["Date"]
    reset = datetime.now(UTC) + timedelta(seconds=100)
    answer.headers["X-FeatureRateLimit-Reset"] = format_datetime(reset, usegmt=True)
    observed(counting, answer)
    assert 90 < seconds(counting.acquire(ticket())) <= 100


def _without_remaining() -> httpx.Response:
    answer = response(200, left=9, reset_in=3600)
    del answer.headers["X-FeatureRateLimit-Remaining"]
    return answer


def _with_reset(text: str) -> httpx.Response:
    answer = response(200, left=9)
    answer.headers["X-FeatureRateLimit-Reset"] = text
    return answer


@pytest.mark.parametrize(
    "answer", [_without_remaining(), _with_reset(""), _with_reset("soon"), response(200)]
)
def test_headers_that_are_not_whole_change_nothing(
    answer: httpx.Response, counting: LocalLimiter
) -> None:
    early = ticket()
    counting.acquire(early)
    learned(counting, 0)
    counting.observe(early, answer)
    assert seconds(counting.acquire(ticket())) == 1800


def test_a_reset_in_the_past_says_nothing(counting: LocalLimiter) -> None:
    for _ in range(3):
        observed(counting, response(200, left=0, reset_in=-5))


def test_a_reset_in_a_second_is_waited_for(counting: LocalLimiter) -> None:
    learned(counting, 0, reset_in=1)
    assert seconds(counting.acquire(ticket())) == 1


def test_a_pace_is_told(clock: Clock) -> None:
    limiter = LocalLimiter(per_second=1, clock=clock)
    limiter.acquire(ticket())
    reason = "at most 1 requests may start in a second"
    assert limiter.acquire(ticket()) == Hold(1, 429, reason)


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
