"""The retry policy: one pure function, and the table that it follows."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from cld_user_groups.utils import BackoffStrategy, RetryConfig


class Effect(Enum):
    """What an operation does, which is what doing it twice depends on."""

    READ = "read"
    CREATE = "create"  # twice makes two groups, or a conflict with itself
    REPLACE = "replace"  # twice is the same as once
    REMOVE = "remove"  # twice answers 404, when the first was done
    ADD = "add"  # twice answers 409, when the first was done


class Lost(Enum):
    """What can happen in place of a whole answer."""

    NOT_SENT = "not sent"  # there was no connection: the server saw nothing
    NO_ANSWER = "no answer"  # it may have been sent, even done, but no whole answer came
    REFUSED = "refused"  # this machine or a proxy would not send it: again is no better


class Action(Enum):
    """What to do now."""

    RETRY = "retry"
    RAISE = "raise"
    DONE = "done"  # an earlier attempt, whose answer was lost, did it


class Decision(NamedTuple):
    """What to do now, and what to know about it.

    Attributes:
        action: What to do.
        delay: How many seconds to wait before, with RETRY.
        maybe_applied: Whether a write may have been done although no answer says so.
    """

    action: Action
    delay: float = 0.0
    maybe_applied: bool = False


# Statuses that say that nothing was done, and that may pass.
TURNED_AWAY = frozenset({408, 420, 429, 503})
# Statuses that may pass, and leave open whether anything was done.
UNCLEAR = frozenset({500, 502, 504})
# Server errors that say that nothing was done, and that stay.
_NOT_SUPPORTED = frozenset({501, 505})
_ALREADY_DONE = {Effect.REMOVE: 404, Effect.ADD: 409}


def is_ambiguous(effect: Effect, happened: int | Lost) -> bool:
    """Return whether a write may have been done although no whole answer says so."""
    if effect is Effect.READ:
        return False
    if isinstance(happened, Lost):
        return happened is Lost.NO_ANSWER
    if happened < 300:  # a success that cannot be read
        return True
    return happened >= 500 and happened not in TURNED_AWAY | _NOT_SUPPORTED


def decide(
    effect: Effect,
    happened: int | Lost,
    *,
    attempt: int,
    spent: float,
    server_delay: float | None,
    maybe_applied: bool,
    config: RetryConfig | None,
    jitter: float,
) -> Decision:
    """Decide what follows an attempt that did not succeed.

    ======================================  =========================  ======================
    what happened                           create                     everything else
    ======================================  =========================  ======================
    not sent (no connection)                send again                 send again
    408, 420, 429, 503                      send again                 send again
    no whole answer (drop, time-out)        raise, maybe applied       send again [1]_
    500, 502, 504                           raise, maybe applied       send again [1]_
    other 5xx but 501, 505                  raise, maybe applied       raise [1]_
    a success that cannot be decoded        raise, maybe applied       raise [1]_
    404 to remove, 409 to add [2]_          (raise)                    done
    any other status, refused to send       raise                      raise
    ======================================  =========================  ======================

    .. [1] If it is a write, it may have been applied: so says the error, should it come to that.
    .. [2] Only when an earlier attempt may have been applied; first time, they are errors.

    "Send again" holds as long as retries are on and the wait ends within max_elapsed_time; where
    no answer came, only if retry_connection_errors is on. Otherwise it is "raise". The wait is
    what the server asks for, however long, else random up to the backoff's limit (full jitter).

    Args:
        effect: What the operation does.
        happened: The status of the answer, or what came instead of one.
        attempt: Which attempt this was, from 1.
        spent: Seconds since the call began, the waits included.
        server_delay: Seconds that the server asks to wait, or None.
        maybe_applied: Whether an earlier attempt of this call may have been applied.
        config: The retry configuration, or None for no retries.
        jitter: A random number from 0 to 1.
    """
    if maybe_applied and happened == _ALREADY_DONE.get(effect):
        return Decision(Action.DONE)
    ambiguous = is_ambiguous(effect, happened)
    given_up = Decision(Action.RAISE, maybe_applied=maybe_applied or ambiguous)
    if config is None or not _may_pass(happened, config):
        return given_up
    if ambiguous and effect is Effect.CREATE:
        return given_up
    delay = server_delay
    if delay is None:
        delay = jitter * longest_wait(config.backoff, attempt)
    if spent + delay > config.backoff.max_elapsed_time / 1000:
        return given_up
    return Decision(Action.RETRY, delay, maybe_applied or ambiguous)


def _may_pass(happened: int | Lost, config: RetryConfig) -> bool:
    if isinstance(happened, Lost):
        return happened is not Lost.REFUSED and config.retry_connection_errors
    return happened in TURNED_AWAY or happened in UNCLEAR


def longest_wait(backoff: BackoffStrategy, attempt: int) -> float:
    """Return the upper limit of the wait after an attempt, in seconds."""
    try:
        growing = backoff.initial_interval * backoff.exponent ** (attempt - 1)
    except OverflowError:
        growing = backoff.max_interval
    return min(growing, backoff.max_interval) / 1000
