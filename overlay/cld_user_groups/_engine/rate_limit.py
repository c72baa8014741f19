"""Parse the headers about delays and quotas: Retry-After and X-FeatureRateLimit-*."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import httpx
from attrs import frozen

# Delay-seconds are digits (RFC 9110, 10.2.3); a fraction is common enough to be read as well.
_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]*)?", re.ASCII)
_INTEGER = re.compile(r"-?[0-9]{1,15}", re.ASCII)
# The three forms of an HTTP date (RFC 9110, 5.6.7). The parser would take far more than these.
_TIME = r"[0-9]{2}:[0-9]{2}:[0-9]{2}"
_HTTP_DATE = re.compile(
    rf"[A-Za-z]{{3}}, [0-9]{{2}} [A-Za-z]{{3}} [0-9]{{4}} {_TIME} (?:GMT|UTC)"
    rf"|[A-Za-z]{{6,9}}, [0-9]{{2}}-[A-Za-z]{{3}}-[0-9]{{2}} {_TIME} GMT"
    rf"|[A-Za-z]{{3}} [A-Za-z]{{3}} [ 0-9][0-9] {_TIME} [0-9]{{4}}",
    re.ASCII,
)
_QUOTA_STATUSES = (420, 429)
# A year in seconds. A longer delay is a mistake, and more than dates can be counted with.
_LONGEST_DELAY = 366 * 24 * 3600.0


@frozen
class RateLimit:
    """The account's quota of requests, as the X-FeatureRateLimit-* headers report it.

    Attributes:
        limit: How many requests the account may make an hour, or None if the header is missing.
        remaining: How many of them are left, never below zero, or None.
        reset: When the hour is over, as an aware datetime in UTC, or None.
    """

    limit: int | None = None
    remaining: int | None = None
    reset: datetime | None = None


def parse_http_date(text: str) -> datetime | None:
    """Return an HTTP date, in any of its three forms, as an aware datetime, or None."""
    text = text.strip()
    if not _HTTP_DATE.fullmatch(text):
        return None
    # Needed only where a server sends a date, and slow to import.
    from dateutil.parser import parse

    try:
        date: datetime = parse(text)
    except (ValueError, OverflowError):
        return None
    return date.replace(tzinfo=UTC)  # all three forms are in UTC, and the third does not say so


def parse_retry_after(text: str, now: datetime) -> float | None:
    """Parse a Retry-After into seconds: 0 for a past date, None if it is not valid.

    Args:
        text: The header's value: seconds, or an HTTP date.
        now: The time that a date is compared with.
    """
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
    """Return the seconds until the quota resets, on the server's clock if the headers have it.

    Args:
        headers: The headers of a response that has just arrived.
        now: The time, for a response without Date: the two clocks may differ.
    """
    reset = parse_http_date(headers.get("x-featureratelimit-reset") or "")
    if reset is None:
        return None
    return _seconds_until(reset, parse_http_date(headers.get("date") or "") or now)


def parse_remaining(headers: httpx.Headers) -> int | None:
    """Return how many requests are left of the quota, never below zero, or None."""
    remaining = _integer(headers.get("x-featureratelimit-remaining"))
    return None if remaining is None else max(0, remaining)


def parse_limit(headers: httpx.Headers) -> int | None:
    """Return how many requests the account may make an hour, or None."""
    return _integer(headers.get("x-featureratelimit-limit"))


def parse_rate_limit(headers: httpx.Headers) -> RateLimit:
    """Parse the quota from the headers."""
    return RateLimit(
        limit=parse_limit(headers),
        remaining=parse_remaining(headers),
        reset=parse_http_date(headers.get("x-featureratelimit-reset") or ""),
    )


def _integer(text: str | None) -> int | None:
    return int(text) if text is not None and _INTEGER.fullmatch(text.strip()) else None
