"""Turns: a fair semaphore that limits the requests of one client in flight.

Under contention, httpx's own pool spends quadratic time on choosing connections and fails calls
with PoolTimeout that only had to wait. Waiting here is linear, and no time limit runs meanwhile.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

# As many connections as an httpx client keeps open by default, so that none is opened in vain.
MAX_IN_FLIGHT: Final = 20


class Turns:
    """A fair semaphore for threads.

    `threading.Semaphore` lets a newcomer pass those who wait; here a turn is handed over.

    Args:
        count: How many turns there are.
    """

    __slots__ = ("_free", "_lock", "_waiting")

    def __init__(self, count: int = MAX_IN_FLIGHT) -> None:
        self._free = count
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()

    def try_acquire(self) -> bool:
        """Take a turn if one is free, and return whether it was."""
        with self._lock:
            if not self._free:
                return False
            self._free -= 1
            return True

    def acquire(self) -> None:
        """Wait for a turn; a signal handler that raises ends the wait."""
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        try:
            turn.acquire()
        except BaseException:
            with self._lock:
                if turn in self._waiting:
                    self._waiting.remove(turn)
                else:  # it was handed over in the same moment
                    self._hand_over()
            raise

    def release(self) -> None:
        """Hand the turn to the longest waiter."""
        with self._lock:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._waiting:
            self._waiting.popleft().release()
        else:
            self._free += 1
