"""The shared limiter on a real Redis: what one worker has seen holds all others."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from typing import Any

import anyio
import pytest
import redis
from tests.support.redis_server import RedisServer
from tests.support.transport import OK, FakeTransport, error, json

from cld_user_groups.errors import UsageRateExceeded
from cld_user_groups.limits import RedisLimiter

from .conftest import Workers
from .responses import held, response, sent, ticket


def test_what_one_worker_learned_stops_the_others_before_a_refusal(workers: Workers) -> None:
    sent(workers.new(), left=0)
    for patience in (0, 30, 3600):
        hold = held(workers.new(), patience)
        assert hold.status_code == 420
        assert 1798 < hold.seconds <= 1800


def test_a_response_that_says_less_than_expected_stops_the_others_at_once(workers: Workers) -> None:
    first, second = workers.new(), workers.new()
    sent(first, left=400)
    sent(second, left=399)
    sent(first, left=0)  # somebody else has used them
    assert held(second).status_code == 420


def test_all_workers_together_send_as_many_requests_as_are_left(workers: Workers) -> None:
    limiters = [workers.new() for _ in range(4)]
    sent(limiters[0], left=100)
    admitted = 0
    for limiter in limiters * 30:
        admitted += limiter.acquire(ticket()) is None
    assert admitted == 100


def test_a_reserve_is_left_to_others(workers: Workers) -> None:
    limiter = workers.new(reserve=40)
    sent(limiter, left=40)
    assert "40 are reserved" in held(limiter).reason
    assert workers.new(reserve=39).acquire(ticket()) is None


def test_batch_calls_leave_a_share_of_the_quota_to_interactive_ones(workers: Workers) -> None:
    sent(workers.new(), left=100, limit=500)
    batch = workers.new(priority="batch", interactive_share=0.2)
    hold = held(batch)
    assert hold.status_code == 420
    assert hold.reason == "100 requests are left of the account's quota, for others"
    assert workers.new().acquire(ticket()) is None


def test_an_old_response_does_not_raise_what_is_left(workers: Workers) -> None:
    limiter = workers.new()
    sent(limiter, left=5)
    early, late = ticket(), ticket()
    assert (limiter.acquire(early), limiter.acquire(late)) == (None, None)
    limiter.observe(late, response(left=0))
    held(limiter)
    limiter.observe(early, response(left=400))
    held(limiter)
    held(limiter)


def test_a_response_of_the_hour_that_is_over_changes_nothing(workers: Workers) -> None:
    limiter = workers.new()
    sent(limiter, left=5)
    early = ticket()
    assert limiter.acquire(early) is None
    sent(limiter, left=300, reset_in=3600)
    limiter.observe(early, response(left=0, reset_in=100))
    sent(workers.new(), left=299, reset_in=3600)


def test_a_reset_that_is_far_away_is_believed_for_an_hour_at_most(workers: Workers) -> None:
    sent(workers.new(), left=0, reset_in=86400 * 365)
    assert held(workers.new()).seconds <= 3600


def test_a_wrong_reset_is_corrected_by_the_next_response(workers: Workers) -> None:
    limiter = workers.new()
    sent(limiter, left=400, reset_in=86400)
    sent(limiter, left=0, reset_in=1800)
    assert 1798 < held(workers.new()).seconds <= 1800


@pytest.mark.parametrize("status", [200, 404, 409])
def test_responses_without_quota_headers_let_calls_run_at_once(
    status: int, workers: Workers
) -> None:
    sent(workers.new(), status=status)
    assert [workers.new().acquire(ticket()) for _ in range(5)] == [None] * 5


def test_a_later_response_corrects_what_was_only_assumed_to_be_used(workers: Workers) -> None:
    limiter = workers.new()
    sent(limiter, left=3)
    for _ in range(2):
        lost = ticket()
        assert limiter.acquire(lost) is None
        limiter.observe(lost, None)
    # One more is sent, to learn what is left: nobody knows whether those two arrived.
    sent(limiter, left=2)
    sent(limiter, left=1)
    sent(limiter, left=0)
    held(limiter)


def test_when_the_quota_is_renewed_one_worker_asks_and_others_wait(workers: Workers) -> None:
    first, second = workers.new(), workers.new()
    asking = ticket()
    assert first.acquire(asking) is None  # nothing is known yet
    hold = held(second)
    assert hold.seconds <= 0.1
    assert second.acquire(ticket(patience=0)) is None  # who cannot wait is not held by a guess
    first.observe(asking, response(left=100))
    assert second.acquire(ticket()) is None


def test_others_go_on_where_the_one_that_asked_got_no_response(workers: Workers) -> None:
    first, second = workers.new(), workers.new()
    asking = ticket()
    assert first.acquire(asking) is None
    first.observe(asking, None)
    held(second)
    # The first has nothing more to send, and so does not say: that is waited for 2 seconds.
    ends = time.monotonic() + 10
    while (hold := second.acquire(ticket())) is not None and time.monotonic() < ends:
        time.sleep(hold.seconds)
    assert hold is None


def test_a_server_without_quota_headers_limits_nobody(workers: Workers) -> None:
    limiter = workers.new()
    sent(limiter)
    for _ in range(50):
        sent(workers.new())


@pytest.mark.parametrize("status", [420, 429])
def test_one_workers_refusal_holds_all(status: int, workers: Workers) -> None:
    first = workers.new()
    sent(first, left=400)
    sent(first, status=status, retry_after=20)
    hold = held(workers.new())
    assert (hold.status_code, round(hold.seconds)) == (status, 20)


@pytest.mark.parametrize("status", [420, 429])
def test_a_refusal_that_does_not_say_how_long_holds_all_for_ever_longer(
    status: int, workers: Workers
) -> None:
    first = workers.new()
    sent(first)
    for expected in (0.5, 1.0):
        sent(first, status=status)
        hold = held(workers.new())
        assert hold.status_code == status
        assert expected - 0.4 < hold.seconds <= expected
        time.sleep(hold.seconds + 0.01)
    sent(first)
    time.sleep(0.3)  # until the next one is let out
    sent(first, status=status)
    assert held(workers.new()).seconds <= 0.5


@pytest.mark.parametrize("status", [420, 429])
def test_after_a_refusal_workers_are_let_out_gradually(status: int, workers: Workers) -> None:
    first = workers.new()
    sent(first)
    sent(first, status=status, retry_after=0.2)
    time.sleep(0.2)
    others = [workers.new() for _ in range(3)]
    admitted = sum(other.acquire(ticket()) is None for _ in range(20) for other in others)
    assert 1 <= admitted < 30
    assert workers.new().acquire(ticket(patience=0)) is None


def test_a_refusal_of_one_worker_in_the_ramp_up_slows_that_of_the_others(workers: Workers) -> None:
    first, second = workers.new(), workers.new()
    sent(first)
    sent(first, status=429, retry_after=0.1)
    assert held(second).status_code == 429
    time.sleep(0.2)
    sent(second)
    sent(first, status=429, retry_after=0.1)
    hold = held(second)
    # Half of what was refused, for it had begun with 10 a second: else there were 0.1 s between.
    assert held(second).seconds - hold.seconds > 0.13


def test_clocks_that_differ_between_workers_and_servers_do_not_matter(workers: Workers) -> None:
    sent(workers.new(), left=10, reset_in=600, skew=-7200)
    sent(workers.new(), left=9, reset_in=600, skew=+7200)
    sent(workers.new(), left=0, reset_in=600)
    assert 598 < held(workers.new()).seconds <= 601


def test_accounts_have_their_own_quota_in_a_key_that_names_no_secret(
    workers: Workers, running_redis: RedisServer
) -> None:
    limiter = workers.new()
    sent(limiter, left=0)
    sent(limiter, left=100, account_id="other")
    with redis.Redis.from_url(running_redis.url, decode_responses=True) as client:
        keys = sorted(client.keys(f"{workers.prefix}*"))
        assert keys == [f"{workers.prefix}:quota:acc", f"{workers.prefix}:quota:other"]
        assert client.memory_usage(keys[0]) < 600
        assert 0 < client.ttl(keys[0]) <= 7200


def commands(client: Any) -> int:
    return int(client.info("stats")["total_commands_processed"])


def test_a_call_is_one_round_trip_to_redis(workers: Workers, running_redis: RedisServer) -> None:
    limiter = workers.new()
    sent(limiter, left=400)
    with redis.Redis.from_url(running_redis.url) as client:
        before = commands(client)
        for left in range(399, 299, -1):
            sent(limiter, left=left)
        # The script's own commands count as well: TIME, HMGET, HSET, PEXPIRE.
        assert commands(client) - before <= 100 * 5 + 5


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_async_client_awaits_it_on_each_event_loop(backend: str, workers: Workers) -> None:
    quota = {
        "X-FeatureRateLimit-Remaining": "0",
        "X-FeatureRateLimit-Reset": "Fri, 01 May 2026 12:30:00 GMT",
        "Date": "Fri, 01 May 2026 12:00:00 GMT",
    }
    limiter = workers.new()
    client = FakeTransport(OK, json({"user_groups": []}, **quota)).async_client(limiter=limiter)

    async def call() -> None:
        await client.user_groups.list()

    for _ in range(2):
        anyio.run(call, backend=backend)
    with pytest.raises(UsageRateExceeded, match="nothing was sent"):
        anyio.run(call, backend=backend)
    anyio.run(limiter.aclose, backend=backend)


def test_an_event_loop_that_is_over_is_forgotten(workers: Workers) -> None:
    limiter = workers.new()
    loops: list[weakref.ref[Any]] = []

    async def ask() -> None:
        loops.append(weakref.ref(asyncio.get_running_loop()))
        await limiter.acquire_async(ticket())

    for _ in range(3):
        asyncio.run(ask())
    ends = time.monotonic() + 10  # for the thread that has just told the last one
    while any(loop() for loop in loops) and time.monotonic() < ends:
        gc.collect()
    assert [loop() for loop in loops] == [None] * 3


def test_threads_and_event_loops_share_one_limiter(workers: Workers) -> None:
    limiter = workers.new()
    sent(limiter, left=200)
    admitted: list[bool] = []

    async def ask_async() -> None:
        asked = await asyncio.gather(*(limiter.acquire_async(ticket()) for _ in range(60)))
        admitted.extend(each is None for each in asked)

    def ask() -> None:
        admitted.extend(limiter.acquire(ticket()) is None for _ in range(60))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    threads += [threading.Thread(target=lambda: asyncio.run(ask_async())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(admitted) == 200


def test_a_refusal_reaches_the_others_at_once_from_the_async_client_too(workers: Workers) -> None:
    transport = FakeTransport(error(420, Retry_After="900"))
    client = transport.async_client(limiter=workers.new(), retry_config=None)
    with pytest.raises(UsageRateExceeded) as caught:
        asyncio.run(client.user_groups.list())
    assert caught.value.was_sent
    assert held(workers.new()).seconds > 890


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"url": "localhost:6379"}, ValueError),
        ({"url": None}, TypeError),
        ({"reserve": -1}, ValueError),
        ({"reserve": None}, TypeError),
        ({"priority": "urgent"}, ValueError),
        ({"interactive_share": 1}, ValueError),
        ({"on_error": "ignore"}, ValueError),
        ({"timeout": 0}, ValueError),
    ],
)
def test_arguments_are_validated(options: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        RedisLimiter(**{"url": "redis://127.0.0.1:1", **options})


def test_a_password_in_the_url_is_not_shown() -> None:
    limiter = RedisLimiter("redis://user:s3cret@127.0.0.1:1/0", on_error="fail")
    with pytest.raises(RuntimeError) as caught:
        limiter.acquire(ticket())
    shown = f"{limiter!r} {caught.value} {caught.value.__cause__!r}"
    assert "s3cret" not in shown
    with pytest.raises(ValueError, match="redis://") as wrong:
        RedisLimiter("http://user:s3cret@127.0.0.1:1/0")
    assert "s3cret" not in str(wrong.value)
