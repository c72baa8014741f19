"""Redis killed, paused, restarted empty or cut off: calls go on in time, or fail if told to."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.redis_server import Network, RedisServer
from tests.support.transport import OK, SECURITY, FakeTransport

from cld_user_groups.errors import LimiterUnavailable
from cld_user_groups.limits import RedisLimiter

from .conftest import Clock
from .responses import SOON, held, response, sent, ticket, warnings


@pytest.fixture
def network(redis_server: RedisServer) -> Iterator[Network]:
    """A network to a Redis server that the test may break."""
    with Network(redis_server.port) as made:
        yield made


def test_without_redis_the_quota_is_limited_in_process_with_one_warning(
    redis_server: RedisServer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with RedisLimiter(redis_server.url, clock=clock) as limiter:
        sent(limiter, left=3)
        redis_server.kill()
        sent(limiter, left=2)
        for left in (1, 0):
            clock.now += 60  # it is tried again, and warns no more
            sent(limiter, left=left)
        assert held(limiter).status_code == 420
        (warning,) = warnings(caplog)
        assert "the quota is limited in process until it is back" in warning


def test_once_redis_is_back_the_quota_is_shared_and_the_next_fault_warns(
    redis_server: RedisServer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with RedisLimiter(redis_server.url, clock=clock) as limiter:
        for _ in range(2):
            redis_server.kill()
            sent(limiter, left=100)
            redis_server.restart_empty()
            clock.now += 1
            sent(limiter, left=50)
            with RedisLimiter(redis_server.url, reserve=50) as other:
                held(other)
            redis_server.restart_empty()
        assert len(warnings(caplog)) == 2


def test_told_to_fail_a_call_raises_and_nothing_is_sent(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    transport = FakeTransport(OK)
    with RedisLimiter(redis_server.url, on_error="fail") as limiter:
        client = transport.client(limiter=limiter)
        redis_server.kill()
        for _ in range(2):
            with pytest.raises(LimiterUnavailable, match="nothing was sent"):
                client.user_groups.list()
        with pytest.raises(LimiterUnavailable):
            asyncio.run(transport.async_client(limiter=limiter).user_groups.list())
    assert transport.requests == []
    assert len(warnings(caplog)) == 1


def test_a_paused_redis_delays_one_call_by_the_time_limit_and_the_next_not(
    redis_server: RedisServer,
) -> None:
    with RedisLimiter(redis_server.url, timeout=0.4) as limiter:
        sent(limiter, left=100)
        redis_server.pause()
        began = time.monotonic()
        sent(limiter, left=99)
        first = time.monotonic()
        for left in range(98, 48, -1):
            sent(limiter, left=left)
        assert first - began < SOON
        assert time.monotonic() - first < 0.4
        redis_server.resume()


@pytest.mark.parametrize("is_async", [False, True])
def test_a_call_waits_for_redis_no_longer_than_its_time_limit(
    is_async: bool, redis_server: RedisServer
) -> None:
    limiter = RedisLimiter(redis_server.url, timeout=60)
    redis_server.pause()
    began = time.monotonic()
    if is_async:

        async def call() -> None:
            client = FakeTransport(OK).async_client(limiter=limiter)
            await client.user_groups.list(timeout_ms=100)

        asyncio.run(call())
    else:
        FakeTransport(OK).client(limiter=limiter).user_groups.list(timeout_ms=100)
    assert time.monotonic() - began < SOON
    redis_server.resume()
    limiter.close()


def test_a_network_that_delivers_nothing_is_like_a_paused_redis(
    network: Network, clock: Clock
) -> None:
    with RedisLimiter(network.url, timeout=1.0, clock=clock) as limiter:
        sent(limiter, left=100)
        network.cut()
        began = time.monotonic()
        sent(limiter, left=99)
        assert time.monotonic() - began < SOON
        network.mend()
        clock.now += 1
        sent(limiter, left=0)
        held(limiter)


def test_a_report_that_was_lost_is_made_good_by_the_next(
    network: Network, redis_server: RedisServer, clock: Clock
) -> None:
    with RedisLimiter(network.url, timeout=0.3, clock=clock) as limiter:
        sent(limiter, left=100)
        network.cut()
        network.reset()
        sent(limiter, left=2)  # somebody else has used them
        network.mend()
        clock.now += 1
        assert limiter.acquire(ticket()) is None
        with RedisLimiter(redis_server.url, timeout=SOON) as other:
            assert [other.acquire(ticket()) is None for _ in range(2)] == [True, False]


def test_connections_that_were_reset_are_opened_again_without_a_warning(
    network: Network, caplog: pytest.LogCaptureFixture
) -> None:
    with RedisLimiter(network.url, timeout=SOON) as limiter:
        sent(limiter, left=100)
        network.reset()
        time.sleep(0.05)
        sent(limiter, left=99)
        assert warnings(caplog) == []


def test_an_empty_redis_learns_the_quota_from_the_next_response(redis_server: RedisServer) -> None:
    with RedisLimiter(redis_server.url) as first, RedisLimiter(redis_server.url) as second:
        sent(first, left=100)
        in_flight = ticket()
        assert first.acquire(in_flight) is None
        redis_server.restart_empty()
        first.observe(in_flight, response(left=1))
        # Its ticket is of the count that was lost: the response still says what is left.
        sent(first, left=0)
        held(second)


WORKER = """
import sys
from tests.limiter.responses import response, ticket
from cld_user_groups.limits import RedisLimiter
limiter = RedisLimiter(sys.argv[1])
first = ticket()
assert limiter.acquire(first) is None
limiter.observe(first, response(left=100))
for _ in range(10):
    assert limiter.acquire(ticket()) is None
print("in flight", flush=True)
sys.stdin.read()
"""


def kill_worker_with_ten_requests_in_flight(url: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "in flight\n"
        worker.send_signal(signal.SIGKILL)


def test_what_a_killed_worker_had_in_flight_counts_as_used_for_a_while(
    redis_server: RedisServer,
) -> None:
    kill_worker_with_ten_requests_in_flight(redis_server.url)
    with RedisLimiter(redis_server.url) as limiter:
        for left in range(89, 9, -1):
            sent(limiter, left=left)
        assert held(limiter).seconds <= 0.1


@pytest.mark.exhaustive
def test_the_last_requests_of_the_quota_outlive_a_killed_worker(redis_server: RedisServer) -> None:
    kill_worker_with_ten_requests_in_flight(redis_server.url)
    with RedisLimiter(redis_server.url) as limiter:
        for left in range(89, 9, -1):
            sent(limiter, left=left)
        for left in (9, 8):
            asking, ends = ticket(), time.monotonic() + 6
            while (hold := limiter.acquire(asking)) is not None and time.monotonic() < ends:
                time.sleep(hold.seconds)
            assert hold is None
            limiter.observe(asking, response(left=left))


def test_a_cancelled_call_leaves_the_connection_fit_for_the_next(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    limiter = RedisLimiter(redis_server.url, timeout=30)

    async def run() -> None:
        assert await limiter.acquire_async(ticket()) is None
        redis_server.pause()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await limiter.acquire_async(ticket())
        redis_server.resume()
        for _ in range(3):
            await limiter.acquire_async(ticket(account_id="other", patience=0))

    asyncio.run(run())
    assert warnings(caplog) == []
    limiter.close()


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this system has no such signal")
def test_the_exception_of_a_signal_handler_ends_the_wait_for_redis(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    def interrupt(*unused: object) -> None:
        raise ZeroDivisionError

    limiter = RedisLimiter(redis_server.url, timeout=30)
    redis_server.pause()
    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGUSR1]).start()
        with pytest.raises(ZeroDivisionError):
            limiter.acquire(ticket())
    finally:
        signal.signal(signal.SIGUSR1, before)
    redis_server.resume()
    assert warnings(caplog) == []
    limiter.close()


def test_the_client_is_created_without_redis(caplog: pytest.LogCaptureFixture) -> None:
    settings: dict[str, Any] = {"security": SECURITY, "account_id": "acc"}
    limiter = RedisLimiter("redis://127.0.0.1:1", timeout=SOON)
    FakeTransport(OK).client(limiter=limiter, **settings).user_groups.list()
    assert len(warnings(caplog)) == 1
