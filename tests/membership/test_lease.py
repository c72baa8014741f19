"""A lease on an account in a real Redis server, which fails as real ones do."""

from __future__ import annotations

import sys
import threading
import time

import anyio
import pytest
from tests.support.redis_server import Network
from tests.support.waiting import eventually, held_by_another_process

from cld_user_groups.membership.journal import author
from cld_user_groups.membership.lock import AlreadyRunning, LeaseError, RedisLease

KEY = "cld-user-groups:lease:acc"
# Short enough to wait for its end, in seconds.
BRIEF = 0.9
# Long enough for a busy machine to renew it in time.
AMPLE = 6.0
# Long enough for it to find at the first renewal that it is lost.
SOON = 3.0
HELD = (RedisLease.__module__, "RedisLease")


def test_one_run_at_a_time_holds_the_lease_on_an_account(redis_server):
    with RedisLease(redis_server.url, "acc") as first:
        assert first.loss == ""
        with pytest.raises(AlreadyRunning), RedisLease(redis_server.url, "acc"):
            pass
        with RedisLease(redis_server.url, "other"):
            pass
        assert first.loss == ""
    assert first.loss == "the lease has been released"
    with RedisLease(redis_server.url, "acc"):
        pass


def test_whoever_is_refused_is_told_who_holds_it_and_for_how_long(redis_server):
    me = author()
    with RedisLease(redis_server.url, "acc", run="night", lifetime=20):
        with pytest.raises(AlreadyRunning) as refused, RedisLease(redis_server.url, "acc"):
            pass
    expected = f"process {me.pid} of user {me.user} on host {me.host}, run night, since 2"
    assert expected in str(refused.value)
    assert "if that has died, its lease ends within " in str(refused.value)
    assert 10 < (refused.value.lease_left or 0) <= 20


def test_a_lock_of_another_program_is_respected(redis_server, store):
    store.set(KEY, "\x1b[31mmine")
    with pytest.raises(AlreadyRunning, match=r"in progress: another process$"):
        RedisLease(redis_server.url, "acc").__enter__()


def test_a_lease_is_renewed_for_as_long_as_it_is_held(redis_server, store):
    with RedisLease(redis_server.url, "acc", lifetime=AMPLE) as lease:
        eventually(lambda: store.pttl(KEY) < 5500)
        eventually(lambda: store.pttl(KEY) > 5500)
        assert lease.loss == ""
    assert store.keys() == []


def test_the_next_one_waits_for_the_holder_to_end(redis_server):
    lease = RedisLease(redis_server.url, "acc")
    with lease:
        threading.Timer(0.3, lambda: lease.__exit__()).start()
        with RedisLease(redis_server.url, "acc", wait=60) as second:
            assert lease.loss
            assert not second.loss


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_the_lease_of_a_killed_process_ends_by_itself(redis_server, store):
    with held_by_another_process(
        *HELD, redis_server.url, "acc", lifetime=2, run="night"
    ) as process:
        with pytest.raises(AlreadyRunning, match="run night"):
            RedisLease(redis_server.url, "acc").__enter__()
        process.kill()
        process.wait()
        left = store.pttl(KEY) / 1000
        began = time.monotonic()
        with RedisLease(redis_server.url, "acc", wait=60):
            assert left - 0.1 < time.monotonic() - began < left + 30


def test_an_event_loop_goes_on_while_it_waits_for_a_lease(redis_server):
    async def run() -> None:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await anyio.sleep(0.01)
                ticks += 1

        async with anyio.create_task_group() as group:
            group.start_soon(tick)
            with RedisLease(redis_server.url, "acc") as first:
                threading.Timer(0.4, lambda: first.__exit__()).start()
                async with RedisLease(redis_server.url, "acc", wait=60) as second:
                    assert second.loss == ""
            group.cancel_scope.cancel()
        assert ticks > 5

    anyio.run(run, backend="trio")


def test_a_wait_that_is_cancelled_leaves_nothing_behind(redis_server, store):
    async def run() -> None:
        with anyio.move_on_after(0.3):
            async with RedisLease(redis_server.url, "acc", wait=60):
                pytest.fail("it is held by another")

    with RedisLease(redis_server.url, "acc") as lease:
        anyio.run(run)
        assert lease.loss == ""
    assert store.keys() == []


def test_a_server_that_is_away_is_an_error_before_anything_is_done(redis_server):
    redis_server.kill()
    with pytest.raises(LeaseError, match=rf"at 127\.0\.0\.1:{redis_server.port}: .*refused"):
        RedisLease(redis_server.url, "acc").__enter__()


@pytest.mark.parametrize("limits", ["", "?socket_timeout=60"])
def test_a_silent_server_is_an_error_after_a_quarter_of_the_lifetime(redis_server, limits):
    redis_server.pause()
    began = time.monotonic()
    with pytest.raises(LeaseError, match=r"[Tt]imeout"):
        RedisLease(f"{redis_server.url}{limits}", "acc", lifetime=2).__enter__()
    assert 0.5 <= time.monotonic() - began < 30


def test_a_connection_that_was_closed_loses_no_lease(redis_server, store):
    with Network(redis_server.port) as network:
        with RedisLease(network.url, "acc", lifetime=AMPLE) as lease:
            network.reset()
            eventually(lambda: store.pttl(KEY) < 5500)
            eventually(lambda: store.pttl(KEY) > 5500)
            assert lease.loss == ""


@pytest.mark.parametrize("fault", ["killed", "paused", "cut off"])
def test_a_lease_that_cannot_be_renewed_is_lost_and_free_for_another(redis_server, fault):
    with Network(redis_server.port) as network:
        with RedisLease(network.url, "acc", lifetime=BRIEF) as lease:
            assert lease.loss == ""
            if fault == "cut off":
                network.cut()
            elif fault == "paused":
                redis_server.pause()
            else:
                redis_server.kill()
            eventually(lambda: lease.loss)
            assert "could not be renewed in time: " in lease.loss
            redis_server.resume() if fault == "paused" else network.mend()
            if fault != "killed":
                with RedisLease(redis_server.url, "acc", wait=60) as second:
                    lease.__exit__()
                    assert second.loss == ""
                    assert lease.loss


def test_a_server_that_restarts_empty_has_lost_the_lease(redis_server):
    with RedisLease(redis_server.url, "acc", lifetime=SOON) as lease:
        redis_server.restart_empty()
        eventually(lambda: lease.loss)
        assert lease.loss == "the lease had ended in Redis"


def test_who_has_lost_the_lease_is_told_to_whom_and_does_not_release_it(redis_server, store):
    with RedisLease(redis_server.url, "acc", lifetime=SOON) as first:
        redis_server.restart_empty()
        with RedisLease(redis_server.url, "acc", run="second", lifetime=20) as second:
            eventually(lambda: first.loss)
            assert f"process {author().pid}" in first.loss
            assert "run second" in first.loss
            first.__exit__()
            assert store.exists(KEY)
            assert second.loss == ""


def test_a_program_stopped_too_long_loses_the_lease_before_others_get_it(redis_server):
    now = 1000.0
    with RedisLease(redis_server.url, "acc", lifetime=30, clock=lambda: now) as lease:
        now += 26.9
        assert lease.loss == ""
        now += 0.2
        assert lease.loss.endswith("the program was stopped for too long")


def test_wall_clocks_that_differ_between_machines_change_nothing(redis_server, monkeypatch):
    with RedisLease(redis_server.url, "acc", lifetime=20) as lease:
        monkeypatch.setattr(time, "time", lambda: 0.0)
        with pytest.raises(AlreadyRunning) as refused:
            RedisLease(redis_server.url, "acc").__enter__()
        assert 10 < (refused.value.lease_left or 0) <= 20
        assert lease.loss == ""


@pytest.mark.parametrize(
    "url",
    [
        "http://:hunter2@127.0.0.1",
        "redis://:hun/ter2@127.0.0.1",
        "redis://:12?hunter2@127.0.0.1",
        "redis://:12#hunter2@127.0.0.1",
        "redis://[hunter2",
        "redis://:hunter2@redis..example",
        "redis://:hunter2@127.0.0.1?colour=blue",
    ],
)
def test_a_url_that_is_not_valid_is_rejected_and_not_repeated(url):
    with pytest.raises(ValueError, match="the URL of the lease is not valid") as rejected:
        RedisLease(url, "acc")
    assert "hun" not in str(rejected.value)
    assert rejected.value.__suppress_context__


@pytest.mark.parametrize("lifetime", [0, -1, float("nan")])
def test_a_lifetime_must_be_positive(lifetime):
    with pytest.raises(ValueError, match="lifetime must be positive"):
        RedisLease("redis://127.0.0.1", "acc", lifetime=lifetime)


def test_a_password_is_never_shown(redis_server, store):
    store.config_set("requirepass", "correct")
    wrong = redis_server.url.replace("//", "//:hunter2@")
    lease = RedisLease(wrong, "acc")
    with pytest.raises(LeaseError) as refused:
        lease.__enter__()
    assert "hunter2" not in f"{refused.value} {refused.value.__cause__!r} {lease!r}"
    with RedisLease(redis_server.url.replace("//", "//:correct@"), "acc") as right:
        assert right.loss == ""
