"""The retry policy: what follows an attempt, and after which delay.

`decide` is one pure function with the table that it follows. The headers about delays and quotas,
Retry-After and X-FeatureRateLimit-*, are read here too.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import Enum
from typing import NamedTuple

import httpx

from cld_provisioning_api.calling import RateLimit as RateLimit
from cld_provisioning_api.calling import parse_http_date as parse_http_date
from cld_provisioning_api.calling import parse_limit as parse_limit
from cld_provisioning_api.calling import parse_rate_limit as parse_rate_limit
from cld_provisioning_api.calling import parse_remaining as parse_remaining
from cld_user_groups.utils import BackoffStrategy, RetryConfig

# Delay-seconds are digits (RFC 9110, 10.2.3); a fraction is common enough to be read as well.
_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]*)?", re.ASCII)
# A year in seconds. A longer delay is a mistake, and more than dates can be counted with.
_LONGEST_DELAY = 366 * 24 * 3600.0


class Effect(Enum):
    """What an operation does, which determines whether a retry is safe."""

    READ = "read"
    CREATE = "create"  # twice creates two groups, or conflicts with itself
    REPLACE = "replace"  # idempotent
    REMOVE = "remove"  # once done, a second request gets a 404
    ADD = "add"  # once done, a second request gets a 409


class Lost(Enum):
    """The ways in which an attempt can end without a complete response."""

    NOT_SENT = "not sent"  # no connection: the server saw nothing, and a retry may help
    NO_RESPONSE = "no response"  # it may have been sent, even applied
    REFUSED = "refused"  # not applied, and a retry does not help: a certificate does not verify
    UNKNOWN = "unknown"  # it may have been sent, and a retry may not help: a foreign exception


class FollowUp(Enum):
    """What follows an attempt."""

    RETRY = "retry"
    RAISE = "raise"
    VERIFY = "verify"  # an earlier attempt, whose outcome is not known, seems to have been applied


class Decision(NamedTuple):
    """What follows an attempt."""

    follow_up: FollowUp
    delay: float = 0.0  # in seconds, before a RETRY
    maybe_applied: bool = False  # whether a write may be applied although no response says so


# Too many requests: nothing was applied, and a retry helps only after a while.
_QUOTA_STATUSES = frozenset({420, 429})
# Status codes that say that nothing was applied; a retry may help.
THROTTLED = _QUOTA_STATUSES | {408, 503}
# Status codes that leave open whether anything was applied; a retry may help.
AMBIGUOUS = frozenset({500, 502, 504})
# Server errors that say that nothing was applied.
_NOT_APPLIED = THROTTLED | {501, 505}
_ALREADY_APPLIED = {Effect.CREATE: 409, Effect.REMOVE: 404, Effect.ADD: 409}


def is_ambiguous(effect: Effect, happened: int | Lost) -> bool:
    """Return whether a write may have been applied although no complete response says so."""
    if effect is Effect.READ:
        return False
    if isinstance(happened, Lost):
        return happened in (Lost.NO_RESPONSE, Lost.UNKNOWN)
    # A success is asked about where it cannot be read.
    return happened < 300 or (happened >= 500 and happened not in _NOT_APPLIED)


def decide(
    effect: Effect,
    happened: int | Lost,
    *,
    attempt: int,
    spent: float,
    server_delay: float | None,
    maybe_applied: bool,
    maybe_forwarded: bool,
    config: RetryConfig | None,
    jitter: float,
) -> Decision:
    """Decide what follows an attempt that did not succeed; the times are in seconds.

    ======================================  =========================  ======================
    the attempt ended in                    create                     everything else
    ======================================  =========================  ======================
    not sent (no connection)                retry                      retry
    408, 420, 429, 503                      retry                      retry
    no complete response (drop, time-out)   raise, maybe applied       retry [1]_
    500, 502, 504                           raise, maybe applied       retry [1]_
    other 5xx but 501, 505                  raise, maybe applied       raise [1]_
    a success that cannot be decoded        raise, maybe applied       raise [1]_
    an exception that is not httpx's        raise, maybe applied       raise [1]_
    409 to create or add, 404 to remove     verify [2]_                verify [2]_
    any other status, rejected unsent       raise                      raise [1]_
    ======================================  =========================  ======================

    .. [1] A write may have been applied: the error records it if the call ends in one.
    .. [2] Only if an earlier attempt may have been applied, or met a 503, with which some gateways
       respond after they have forwarded the request: then it is not known who has made the change,
       and the account is read once. Otherwise, and so on a first attempt, they are errors: raise.
       Any other error that follows a 503, such as a quota that is used up, says no more of it.

    "Retry" holds as long as retries are on and the delay ends within max_elapsed_time; where no
    response came, only if retry_connection_errors is on, and at 420 and 429, only if
    retry_throttled is. Otherwise it is "raise". The delay is what the server asks for, however
    long, else random up to the backoff's limit (full jitter, `jitter` from 0 to 1).
    """
    if (maybe_applied or maybe_forwarded) and happened == _ALREADY_APPLIED.get(effect):
        return Decision(FollowUp.VERIFY, maybe_applied=True)
    ambiguous = is_ambiguous(effect, happened)
    is_forwarded = maybe_forwarded and effect is not Effect.READ and happened != 503
    given_up = Decision(FollowUp.RAISE, maybe_applied=maybe_applied or ambiguous or is_forwarded)
    if config is None or not _may_pass(happened, config):
        return given_up
    if ambiguous and effect is Effect.CREATE:
        return given_up
    delay = server_delay
    if delay is None:
        delay = jitter * longest_wait(config.backoff, attempt)
    if spent + delay > config.backoff.max_elapsed_time / 1000:
        return given_up
    return Decision(FollowUp.RETRY, delay, maybe_applied or ambiguous)


def _may_pass(happened: int | Lost, config: RetryConfig) -> bool:
    if isinstance(happened, Lost):
        return happened in (Lost.NOT_SENT, Lost.NO_RESPONSE) and config.retry_connection_errors
    if happened in _QUOTA_STATUSES:
        return config.retry_throttled
    return happened in THROTTLED or happened in AMBIGUOUS


def longest_wait(backoff: BackoffStrategy, attempt: int) -> float:
    """Return the upper limit of the delay after an attempt, in seconds."""
    try:
        growing = backoff.initial_interval * backoff.exponent ** (attempt - 1)
    except OverflowError:
        growing = backoff.max_interval
    return min(growing, backoff.max_interval) / 1000


def parse_retry_after(text: str, now: datetime) -> float | None:
    """Parse a Retry-After into seconds: 0 for a past date, None if it is not valid."""
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return float(text)  # infinity, where there are digits without end
    date = parse_http_date(text)
    return None if date is None else _seconds_until(date, now)


def _seconds_until(date: datetime, now: datetime) -> float:
    return min(max(0.0, (date - now).total_seconds()), _LONGEST_DELAY)


def server_delay(status: int, headers: httpx.Headers, now: datetime) -> float | None:
    """Return the seconds that the server asks to wait before the next attempt, or None.

    Retry-After counts with any status, and alone; of several, which proxies add, the longest.
    X-FeatureRateLimit-Reset comes with every response, so it counts only where the quota is what
    the status is about, and it is used up. A delay of zero is left to the backoff, and none is
    longer than a year.
    """
    delays = [parse_retry_after(text, now) for text in headers.get_list("retry-after")]
    delay = max((delay for delay in delays if delay is not None), default=None)
    if delay is None and status in _QUOTA_STATUSES:
        delay = None if parse_remaining(headers) else seconds_until_reset(headers, now)
    return min(delay, _LONGEST_DELAY) if delay else None


def seconds_until_reset(headers: httpx.Headers, now: datetime) -> float | None:
    """Return the seconds until the quota resets, on the server's clock if the headers have it."""
    reset = parse_http_date(headers.get("x-featureratelimit-reset") or "")
    if reset is None:
        return None
    return _seconds_until(reset, parse_http_date(headers.get("date") or "") or now)
