"""Tickets, the responses that limiters observe, and what a shared limiter replies."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from cld_user_groups.limits import Hold, RedisLimiter, Ticket

# More than a fault may cost a call on a busy machine, and far less than a hang, in seconds.
SOON = 3.0

_NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def ticket(patience: float = 30.0, account_id: str = "acc") -> Ticket:
    """Return the ticket of a call that can wait so long."""
    return Ticket(account_id, patience, None)


def response(
    status: int = 200,
    *,
    left: int | None = None,
    limit: int = 500,
    reset_in: float = 1800,
    retry_after: float | None = None,
    skew: float = 0,
) -> httpx.Response:
    """Return a response of a server whose clock is not this machine's.

    Args:
        status: The status code.
        left: How many requests are left of the quota, or None to report none.
        limit: How many the account has an hour.
        reset_in: In how many seconds the quota resets.
        retry_after: The seconds that the server asks to wait.
        skew: How far its clock is ahead of the others' responses.
    """
    now = _NOW + timedelta(seconds=skew)
    headers = {"Date": format_datetime(now, usegmt=True)}
    if left is not None:
        headers["X-FeatureRateLimit-Limit"] = str(limit)
        headers["X-FeatureRateLimit-Remaining"] = str(left)
        reset = now + timedelta(seconds=reset_in)
        headers["X-FeatureRateLimit-Reset"] = format_datetime(reset, usegmt=True)
    if retry_after is not None:
        headers["Retry-After"] = f"{retry_after:g}"
    return httpx.Response(status, headers=headers)


def sent(limiter: RedisLimiter, **told: Any) -> Ticket:
    """Let one attempt be sent, and its response observed."""
    asking = ticket(account_id=told.pop("account_id", "acc"))
    hold = limiter.acquire(asking)
    assert hold is None, hold
    limiter.observe(asking, response(**told))
    return asking


def held(limiter: RedisLimiter, patience: float = 30) -> Hold:
    """Ask, and be held."""
    hold = limiter.acquire(ticket(patience))
    assert hold is not None
    return hold


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the messages that were logged as warnings, or worse."""
    return [each.message for each in caplog.records if each.levelno >= logging.WARNING]
