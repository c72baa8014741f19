"""How Redis is asked: within the call's own time, and together with whoever else asks."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest
import redis
from tests.support.redis_server import Network, RedisServer

from cld_user_groups.limits import Hold, RedisLimiter, Ticket

from .conftest import Clock, Workers
from .responses import SOON, held, response, sent, ticket, warnings

PREFIX = "cld-user-groups"
EVAL = ("eval", "evalsha")

Ask = Callable[[RedisLimiter, Ticket], Hold | None]


def ask_on_asyncio(limiter: RedisLimiter, asking: Ticket) -> Hold | None:
    return asyncio.run(limiter.acquire_async(asking))


def ask_on_trio(limiter: RedisLimiter, asking: Ticket) -> Hold | None:
    return anyio.run(limiter.acquire_async, asking, backend="trio")


@pytest.fixture(params=[RedisLimiter.acquire, ask_on_asyncio, ask_on_trio])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Ask in a thread, and on each event loop."""
    chosen: Ask = request.param
    return chosen


@pytest.fixture
def network(running_redis: RedisServer) -> Iterator[Network]:
    """A network to Redis that the test may slow down."""
    with Network(running_redis.port) as made:
        yield made


def scripts_run(server: RedisServer) -> int:
    """Return how often Redis was asked."""
    with redis.Redis.from_url(server.url) as client:
        commands: Any = client.info("commandstats")
        return sum(commands.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in EVAL)


def quota_threads() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if each.name == "quota"}


def wait_for(is_so: Callable[[], bool]) -> bool:
    ends = time.monotonic() + 10
    while not (so := is_so()) and time.monotonic() < ends:
        time.sleep(0.01)
    return so


@pytest.mark.parametrize("own_limit", [None, 0.1])
def test_a_network_that_trickles_delays_a_call_by_its_limit_at_most(
    own_limit: float | None, network: Network, ask: Ask
) -> None:
    network.slow_down(0.02, chunk=1)  # the reply takes eight seconds
    limiter = RedisLimiter(network.url, timeout=0.2 if own_limit is None else 60)
    began = time.monotonic()
    assert ask(limiter, Ticket("acc", 30.0, own_limit)) is None
    assert time.monotonic() - began < SOON


def test_time_limits_in_the_url_are_not_used(redis_server: RedisServer, ask: Ask) -> None:
    limits = "socket_timeout=60&socket_connect_timeout=60&timeout=60&max_connections=1"
    url = f"{redis_server.url}?{limits}"
    limiter = RedisLimiter(url, timeout=0.2)
    redis_server.pause()
    began = time.monotonic()
    assert ask(limiter, ticket()) is None
    limiter.close()
    assert time.monotonic() - began < SOON
    redis_server.resume()


def test_a_url_that_says_how_replies_are_decoded_changes_nothing(
    running_redis: RedisServer,
) -> None:
    with RedisLimiter(f"{running_redis.url}?decode_responses=False", prefix="decoded") as limiter:
        sent(limiter, left=0)
        assert held(limiter).status_code == 420


@pytest.mark.parametrize(
    "url",
    [
        "redis://:s3cret@127.0.0.1:1/0?colour=blue",
        "rediss://:s3cret@127.0.0.1:1/0?ssl_cert_reqs=CERT_NONE",
        "redis://:s3cret@redis..example/0",
        "redis://:s3cret@127.0.0.1:99999/0",
        "redis://:12?s3cret@127.0.0.1",
    ],
)
def test_a_url_that_could_never_be_used_is_rejected_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="the URL of Redis is not valid") as caught:
        RedisLimiter(url)
    assert "s3cret" not in str(caught.value)


def test_a_distant_redis_serves_a_crowd_of_threads(
    network: Network, workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    with RedisLimiter(network.url, prefix=workers.prefix, timeout=5) as limiter:
        sent(limiter, left=400)
        network.slow_down(0.1)
        threads = [threading.Thread(target=limiter.acquire, args=[ticket()]) for _ in range(60)]
        began = time.monotonic()
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        # One after another on two connections, they would take 6 seconds and be given up.
        assert time.monotonic() - began < SOON
        assert warnings(caplog) == []


def test_a_distant_redis_serves_a_crowd_of_tasks(
    network: Network, workers: Workers, running_redis: RedisServer
) -> None:
    limiter = RedisLimiter(network.url, prefix=workers.prefix, timeout=5)

    async def crowd() -> None:
        async with limiter:
            sent(limiter, left=400)
            network.slow_down(0.1)
            before = scripts_run(running_redis)
            await asyncio.gather(*(limiter.acquire_async(ticket()) for _ in range(60)))
            assert scripts_run(running_redis) == before + 60

    asyncio.run(crowd())


def test_an_attempt_that_was_cancelled_while_it_asked_gives_its_place_back(
    redis_server: RedisServer,
) -> None:
    limiter = RedisLimiter(redis_server.url, timeout=30)

    async def cancel() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await limiter.acquire_async(ticket())

    sent(limiter, left=5)
    before = scripts_run(redis_server)
    redis_server.pause()
    asyncio.run(cancel())
    redis_server.resume()
    assert wait_for(lambda: scripts_run(redis_server) == before + 1)
    assert [limiter.acquire(ticket()) for _ in range(5)] == [None] * 5
    assert held(limiter).seconds <= 0.1
    limiter.close()


def test_what_was_asked_before_a_pause_and_given_up_is_not_asked_later(
    redis_server: RedisServer,
) -> None:
    limiter = RedisLimiter(redis_server.url, timeout=0.2)
    sent(limiter, left=400)
    before = scripts_run(redis_server)
    redis_server.pause()
    threads = [threading.Thread(target=limiter.acquire, args=[ticket()]) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    redis_server.resume()
    limiter.close()
    assert scripts_run(redis_server) <= before + 20


def test_a_script_that_redis_has_forgotten_is_sent_again(
    workers: Workers, running_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    limiter = workers.new()
    sent(limiter, left=400)
    with redis.Redis.from_url(running_redis.url) as client:
        client.script_flush()
    sent(limiter, left=0)
    assert held(workers.new()).status_code == 420
    assert warnings(caplog) == []


def test_after_a_failover_the_limiter_connects_anew(
    redis_server: RedisServer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        RedisLimiter(redis_server.url, timeout=5, clock=clock) as limiter,
        redis.Redis.from_url(redis_server.url) as client,
    ):
        sent(limiter, left=400)
        client.replicaof("127.0.0.1", "1")
        before: Any = client.info("stats")["total_connections_received"]
        sent(limiter, left=399)  # it is a replica now, and refuses
        assert len(warnings(caplog)) == 1
        client.replicaof("NO", "ONE")
        clock.now += 1
        sent(limiter, left=0)
        assert client.info("stats")["total_connections_received"] == before + 1
        with RedisLimiter(redis_server.url, timeout=5) as other:
            assert held(other).status_code == 420
        assert len(warnings(caplog)) == 1


def test_a_limiter_that_is_no_longer_used_leaves_no_thread(running_redis: RedisServer) -> None:
    before = quota_threads()
    limiter = RedisLimiter(running_redis.url, prefix="collected")
    sent(limiter, left=400)
    (own,) = quota_threads() - before
    del limiter
    gc.collect()
    own.join(10)
    assert not own.is_alive()


def test_a_limiter_that_was_closed_opens_another_connection(workers: Workers) -> None:
    limiter = workers.new()
    before = quota_threads()
    for left in (400, 399):
        sent(limiter, left=left)
        limiter.close()
        limiter.close()
        assert quota_threads() <= before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_asks_on_a_connection_of_its_own(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    limiter = workers.new()
    sent(limiter, left=9)
    in_flight = [ticket(), ticket()]  # of the parent, which reports what becomes of them
    assert [limiter.acquire(each) for each in in_flight] == [None, None]
    if (pid := os.fork()) == 0:
        try:
            asking = ticket()
            is_admitted = limiter.acquire(asking) is None and warnings(caplog) == []
            limiter.observe(asking, response(left=6))
        finally:
            os._exit(0 if is_admitted else 1)
    assert os.waitpid(pid, 0)[1] == 0
    other = workers.new()
    assert sum(other.acquire(ticket()) is None for _ in range(9)) == 6 - len(in_flight)
    for each in in_flight:
        limiter.observe(each, response(left=6))
    assert sum(other.acquire(ticket()) is None for _ in range(9)) == len(in_flight)


def out_of_memory(client: redis.Redis) -> None:
    client.config_set("maxmemory", "1")


def key_of_another_type(client: redis.Redis) -> None:
    client.set(f"{PREFIX}:quota:acc", "mine")


def password_needed(client: redis.Redis) -> None:
    client.config_set("requirepass", "correct")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (out_of_memory, "maxmemory"),
        (key_of_another_type, "WRONGTYPE"),
        (password_needed, "uthenticat"),  # redis-py 6.4 shows the words of the server
    ],
)
def test_a_redis_that_refuses_is_as_one_away_and_the_warning_says_why(
    fault: Callable[[redis.Redis], None],
    reason: str,
    redis_server: RedisServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with (
        redis.Redis.from_url(redis_server.url) as client,
        RedisLimiter(redis_server.url, timeout=5) as limiter,
    ):
        fault(client)
        for left in (1, 0):
            sent(limiter, left=left)
        assert held(limiter).status_code == 420
    (warning,) = warnings(caplog)
    assert reason in warning
