"""The limiter of one process: what a refusal, a quota and a pace mean for the other calls."""

from __future__ import annotations

import os
import threading
import warnings
from typing import Any

import httpx
import pytest

from cld_user_groups.limits import Hold, LocalLimiter

from .conftest import Clock
from .responses import response, ticket


def refused(limiter: LocalLimiter, status: int = 429, retry_after: float = 10) -> None:
    """Let one attempt be refused."""
    sent = ticket()
    assert limiter.acquire(sent) is None
    limiter.observe(sent, response(status, retry_after=retry_after))


def observed(limiter: LocalLimiter, answer: httpx.Response, patience: float = 30) -> None:
    """Let one attempt be sent, and its response observed."""
    sent = ticket(patience)
    assert limiter.acquire(sent) is None
    limiter.observe(sent, answer)


def seconds(hold: Hold | None) -> float:
    return 0.0 if hold is None else round(hold.seconds, 2)


@pytest.mark.parametrize("status", [420, 429])
def test_a_refusal_holds_the_others_for_as_long_as_the_server_asks(
    status: int, clock: Clock
) -> None:
    limiter = LocalLimiter(clock=clock)
    refused(limiter, status)
    clock.now += 4
    hold = limiter.acquire(ticket())
    assert hold is not None
    assert (hold.seconds, hold.status_code) == (6, status)


def test_a_refusal_of_another_account_holds_nobody(clock: Clock) -> None:
    limiter = LocalLimiter(clock=clock)
    refused(limiter)
    assert limiter.acquire(ticket(account_id="other")) is None


def test_a_server_that_is_away_holds_nobody(clock: Clock) -> None:
    limiter = LocalLimiter(clock=clock)
    observed(limiter, response(503, retry_after=9))
    assert limiter.acquire(ticket()) is None


UNTIMED = [response(429), response(420), response(429, left=9), response(420, left=0, reset_in=-9)]


@pytest.mark.parametrize("refusal", UNTIMED)
def test_a_refusal_that_does_not_say_how_long_holds_the_others_for_half_a_second(
    refusal: httpx.Response, clock: Clock
) -> None:
    limiter = LocalLimiter(clock=clock)
    early = [ticket(), ticket()]
    for each in early:
        limiter.acquire(each)
    for each in early:
        limiter.observe(each, refusal)
    hold = limiter.acquire(ticket())
    assert hold is not None
    assert (hold.seconds, hold.status_code) == (0.5, refusal.status_code)


@pytest.mark.parametrize(("status", "longest"), [(429, 8), (420, 60)])
def test_such_a_hold_doubles_while_what_is_sent_after_it_is_refused(
    status: int, longest: float, clock: Clock
) -> None:
    limiter = LocalLimiter(clock=clock)
    waiting, waits = [ticket(1000) for _ in range(12)], []
    for each in waiting:
        limiter.acquire(each)
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


@pytest.mark.parametrize("patience", [0, 30])
def test_one_caller_alone_is_not_held_by_a_refusal_that_does_not_say_how_long(
    patience: float, clock: Clock
) -> None:
    limiter = LocalLimiter(clock=clock)
    for _ in range(10):
        observed(limiter, response(429), patience)
        clock.now += 0.01
    observed(limiter, response(200), patience)


def test_a_reset_is_measured_on_the_servers_clock(clock: Clock) -> None:
    limiter = LocalLimiter(clock=clock)
    sent = ticket()
    limiter.acquire(sent)
    limiter.observe(sent, response(420, left=0, reset_in=20, skew=-86400))
    assert seconds(limiter.acquire(ticket())) == 20


def test_a_refusal_is_believed_for_an_hour_at_most(clock: Clock) -> None:
    limiter = LocalLimiter(clock=clock)
    refused(limiter, 420, retry_after=86400)
    assert seconds(limiter.acquire(ticket(patience=1e6))) == 3600


def test_a_caller_who_has_waited_is_not_held_again(clock: Clock) -> None:
    limiter = LocalLimiter(clock=clock)
    refused(limiter, retry_after=10)
    clock.now += 10
    assert limiter.acquire(ticket()) is None


def test_waiting_callers_are_let_out_one_after_another_and_ever_faster(clock: Clock) -> None:
    limiter = LocalLimiter(clock=clock)
    refused(limiter, retry_after=10)
    tickets = [ticket() for _ in range(41)]
    slots = [seconds(limiter.acquire(each)) for each in tickets]
    assert slots[0] == 10
    assert slots == sorted(slots)
    assert (slots[10], slots[20], slots[40]) == (10.76, 11.25, 11.92)
    for each, slot in zip(tickets, slots, strict=True):
        clock.now = 1000 + slot + 0.01
        assert limiter.acquire(each) is None


def test_a_newcomer_stands_behind_those_who_wait(clock: Clock) -> None:
    limiter = LocalLimiter(clock=clock)
    refused(limiter, retry_after=10)
    for _ in range(100):
        limiter.acquire(ticket())
    clock.now += 10
    assert seconds(limiter.acquire(ticket())) == pytest.approx(2.99, abs=0.01)


def test_a_call_that_cannot_wait_is_not_paced(clock: Clock) -> None:
    limiter = LocalLimiter(clock=clock)
    refused(limiter, retry_after=10)
    for _ in range(100):
        limiter.acquire(ticket())
    clock.now += 10
    assert limiter.acquire(ticket(patience=0)) is None


def test_those_let_out_too_fast_are_let_out_more_slowly_the_next_time(clock: Clock) -> None:
    limiter = LocalLimiter(clock=clock)
    refused(limiter, retry_after=1)
    tickets = [ticket() for _ in range(60)]
    for each in tickets:
        limiter.acquire(each)
    clock.now += 1
    for _ in range(200):  # 20 of them are let out in the second after
        clock.now += 0.005
        if limiter.acquire(tickets[0]) is None:
            last = tickets.pop(0)
            limiter.observe(last, response(200))
    limiter.acquire(tickets[0])
    clock.now += 0.1
    refused_one = tickets.pop(0)
    assert limiter.acquire(refused_one) is None
    limiter.observe(refused_one, response(429, retry_after=1))
    let_out = 60 - len(tickets)
    assert let_out == 16
    waits = [seconds(limiter.acquire(each)) for each in tickets]
    # As many a second as the server took until then, which it took 1.1 s for: not 10 and soon 20.
    assert waits[:3] == [1, 1.07, 1.14]
    assert waits[let_out] == pytest.approx(2.1, abs=0.1)


def test_a_line_whose_first_one_is_refused_keeps_its_pace(clock: Clock) -> None:
    limiter = LocalLimiter(clock=clock)
    refused(limiter, retry_after=1)
    tickets = [ticket() for _ in range(30)]
    before = [seconds(limiter.acquire(each)) for each in tickets]
    clock.now += 1
    assert limiter.acquire(tickets[0]) is None
    limiter.observe(tickets[0], response(429, retry_after=1))
    assert [seconds(limiter.acquire(each)) for each in tickets[1:]] == before[:-1]


def test_many_refusals_of_what_was_in_flight_are_one_hold(clock: Clock) -> None:
    limiter = LocalLimiter(clock=clock)
    sent = [ticket() for _ in range(20)]
    for each in sent:
        limiter.acquire(each)
    for each in sent:
        limiter.observe(each, response(429, retry_after=5))
    waiting = [ticket() for _ in range(11)]
    assert [seconds(limiter.acquire(each)) for each in waiting][-1] == 5.76


def test_a_call_that_cannot_wait_is_sent_now_and_then_to_see_whether_the_refusal_stands(
    clock: Clock,
) -> None:
    limiter = LocalLimiter(clock=clock)
    refused(limiter, 420, retry_after=1800)
    sent_at: list[float] = []
    for second in range(300):
        clock.now = 1000 + second
        probe = ticket(patience=0 if second % 2 else 30)
        if limiter.acquire(probe) is None:
            limiter.observe(probe, response(420, retry_after=1800 - second))
            sent_at.append(second)
    assert sent_at == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]


def test_a_hold_that_no_longer_stands_ends_with_the_first_success(clock: Clock) -> None:
    limiter = LocalLimiter(clock=clock)
    refused(limiter, 420, retry_after=1800)
    probe = ticket()
    assert limiter.acquire(probe) is None
    assert limiter.acquire(ticket()) is not None
    limiter.observe(probe, response(200))
    assert limiter.acquire(ticket()) is None


def test_a_success_that_was_in_flight_when_the_hold_began_does_not_end_it(clock: Clock) -> None:
    limiter = LocalLimiter(clock=clock)
    early = ticket()
    limiter.acquire(early)
    refused(limiter, retry_after=10)
    limiter.observe(early, response(200))
    assert seconds(limiter.acquire(ticket())) == 10


def test_the_default_does_not_act_on_what_is_left(clock: Clock) -> None:
    limiter = LocalLimiter(clock=clock)
    sent = ticket()
    limiter.acquire(sent)
    limiter.observe(sent, response(200, left=0))
    assert limiter.acquire(ticket()) is None


def learned(limiter: LocalLimiter, left: int, **options: Any) -> None:
    """Let one attempt learn what is left."""
    sent = ticket()
    assert limiter.acquire(sent) is None
    limiter.observe(sent, response(200, left=left, **options))


@pytest.mark.parametrize(("reserve", "left"), [(0, 0), (50, 50), (50, 49)])
def test_with_a_reserve_it_stops_before_a_refusal(reserve: int, left: int, clock: Clock) -> None:
    limiter = LocalLimiter(reserve=reserve, clock=clock)
    learned(limiter, left)
    for patience in (0, 30, 3600):
        hold = limiter.acquire(ticket(patience))
        assert hold is not None
        assert (hold.seconds, hold.status_code) == (1800, 420)
        assert ("are reserved" in hold.reason) is (left > 0)


def test_with_a_reserve_it_goes_on_when_the_quota_resets(clock: Clock) -> None:
    limiter = LocalLimiter(reserve=0, clock=clock)
    learned(limiter, 0)
    clock.now += 1800
    assert limiter.acquire(ticket()) is None


def test_requests_in_flight_count_as_used(clock: Clock) -> None:
    limiter = LocalLimiter(reserve=2, clock=clock)
    learned(limiter, 5)
    sent = [ticket() for _ in range(3)]
    assert [limiter.acquire(each) for each in sent] == [None] * 3
    hold = limiter.acquire(ticket())
    assert hold is not None
    assert hold.seconds < 1
    limiter.observe(sent[0], None)  # it was never sent
    assert limiter.acquire(ticket()) is None


def test_an_old_response_does_not_raise_what_is_left(clock: Clock) -> None:
    limiter = LocalLimiter(reserve=0, clock=clock)
    early, late = ticket(), ticket()
    limiter.acquire(early)
    limiter.acquire(late)
    limiter.observe(late, response(200, left=0))
    limiter.observe(early, response(200, left=1))
    assert limiter.acquire(ticket()) is not None


def test_a_response_of_the_new_hour_raises_what_is_left(clock: Clock) -> None:
    limiter = LocalLimiter(reserve=0, clock=clock)
    early = ticket()
    limiter.acquire(early)
    learned(limiter, 0, reset_in=5)
    limiter.observe(early, response(200, left=400, reset_in=3600))
    assert limiter.acquire(ticket()) is None


def test_bursts_are_paced(clock: Clock) -> None:
    limiter = LocalLimiter(per_second=5, clock=clock)
    waits = [seconds(limiter.acquire(ticket())) for _ in range(12)]
    assert waits == [0, 0, 0, 0, 0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4]


def test_a_paced_call_goes_in_its_slot_and_one_that_cannot_wait_goes_at_once(clock: Clock) -> None:
    limiter = LocalLimiter(per_second=1, clock=clock)
    assert limiter.acquire(ticket()) is None
    second = ticket()
    assert seconds(limiter.acquire(second)) == 1
    assert seconds(limiter.acquire(ticket(patience=0.5))) == 2  # which takes no slot
    assert seconds(limiter.acquire(ticket())) == 2
    assert limiter.acquire(ticket(patience=0)) is None
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


def test_threads_share_one_line(clock: Clock) -> None:
    limiter = LocalLimiter(reserve=0, clock=clock)
    learned(limiter, 500)
    admitted: list[int] = []

    def work() -> None:
        admitted.append(sum(limiter.acquire(ticket()) is None for _ in range(200)))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(admitted) == 500


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_what_a_process_has_in_flight_is_not_in_flight_in_one_that_it_forks(clock: Clock) -> None:
    limiter = LocalLimiter(reserve=0, clock=clock)
    learned(limiter, 5)
    early = [ticket() for _ in range(3)]
    assert [limiter.acquire(each) for each in early] == [None] * 3
    limiter.forget_parent()  # what a fork does in the new process
    admitted = [each for each in (ticket() for _ in range(9)) if limiter.acquire(each) is None]
    assert len(admitted) == 5
    for each in [*early, *admitted]:
        limiter.observe(each, None)
    assert sum(limiter.acquire(ticket()) is None for _ in range(9)) == 5


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
