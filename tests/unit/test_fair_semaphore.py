"""The semaphore of a client: first come, first served, and none is lost."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable

import pytest

from cld_user_groups._engine.http_client import MAX_IN_FLIGHT, FairSemaphore


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.0005)


def queue(turns: FairSemaphore, name: str, order: list[str]) -> threading.Thread:
    """Start a thread that waits for a turn, and return when it does."""

    def wait_and_note() -> None:
        turns.acquire()
        order.append(name)

    waiting = len(turns._waiting)
    thread = threading.Thread(target=wait_and_note, daemon=True)
    thread.start()
    until(lambda: len(turns._waiting) == waiting + 1)
    return thread


def test_there_are_as_many_places_as_an_httpx_client_keeps_connections() -> None:
    turns = FairSemaphore()
    assert [turns.try_acquire() for _ in range(MAX_IN_FLIGHT + 1)] == [True] * 20 + [False]
    turns.release()
    assert turns.try_acquire()


def test_they_are_handed_over_in_the_order_of_arrival() -> None:
    turns, order = FairSemaphore(1), list[str]()
    turns.acquire()
    threads = [queue(turns, name, order) for name in "abcd"]
    for done, thread in enumerate(threads, 1):
        turns.release()
        thread.join(60)
        assert order == list("abcd")[:done]


def test_newcomer_cannot_pass_those_who_wait() -> None:
    turns, order = FairSemaphore(1), list[str]()
    turns.acquire()
    thread = queue(turns, "first", order)
    turns.release()
    assert not turns.try_acquire()  # handed over already, whether or not that thread has run
    thread.join(60)
    assert order == ["first"]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers here")
def test_interrupt_while_waiting_leaves_the_queue() -> None:
    turns, order = FairSemaphore(1), list[str]()
    turns.acquire()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def acquire() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        turns.acquire()

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            acquire()
    finally:
        signal.signal(signal.SIGALRM, before)
    thread = queue(turns, "next", order)
    turns.release()
    thread.join(60)
    assert order == ["next"]


def test_interrupt_in_the_moment_of_the_handover_hands_the_turn_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turns = FairSemaphore(1)
    turns.acquire()

    class Interrupted:
        """A lock whose second acquisition is interrupted after it was released by another."""

        def __init__(self) -> None:
            self.is_first = True

        def acquire(self) -> None:
            if not self.is_first:
                turns.release()
                raise KeyboardInterrupt
            self.is_first = False

        def release(self) -> None: ...

    monkeypatch.setattr("cld_user_groups._engine.http_client.threading.Lock", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        turns.acquire()
    assert turns.try_acquire()
    assert not turns.try_acquire()
