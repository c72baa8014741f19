"""Tickets, and the responses that limiters observe."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx

from cld_user_groups.limits import Ticket

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
