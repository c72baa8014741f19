"""Headers in which a server says how long to wait, as tables of text and meaning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from cld_user_groups._engine.retry import (
    RateLimit,
    parse_http_date,
    parse_rate_limit,
    parse_retry_after,
    server_delay,
)

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
IN_90_S = datetime(2026, 11, 22, 12, 1, 30, tzinfo=UTC)
FORMS = [
    "Sun, 22 Nov 2026 12:01:30 GMT",
    "Sunday, 22-Nov-26 12:01:30 GMT",
    "Sun Nov 22 12:01:30 2026",
]


@pytest.mark.parametrize("text", FORMS)
def test_all_three_forms_of_an_http_date_are_read(text: str) -> None:
    assert parse_http_date(text) == IN_90_S


def test_single_digit_day_of_the_oldest_form_is_read() -> None:
    assert parse_http_date("Sun Nov  6 08:49:37 1994") == datetime(
        1994, 11, 6, 8, 49, 37, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("3600", 3600.0),
        ("999999999999999", 999999999999999.0),
        ("9" * 5000, float("inf")),
        ("0", 0.0),
        ("0.0", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Thu, 01 Jan 0000 00:00:00 GMT", 0.0),
        ("Sun, 22 Nov 2026 11:59:59 GMT", 0.0),
        ("Sun, 22 Nov 2026 12:00:00 GMT", 0.0),
        *((form, 90.0) for form in FORMS),
    ],
)
def test_retry_after_is_read(text: str, seconds: float) -> None:
    assert parse_retry_after(text, NOW) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "-1", "-0.5", "+5", "1e3", "nan", "inf", "NaN", "infinity", "0x10",
        "٣", "１２", "1,5", "3, 3", "1 000", "\u00b2\u00b3", "60 seconds", "PT1H", "soon", "12:00",
        "x" * 10_000,
        "Sun, 99 Nov 2026 12:01:30 GMT", "Sun, 22 Nov 2026 25:01:30 GMT",
        "Sun, 22 Xyz 2026 12:01:30 GMT",
        "Fri, 31 Dec 9999 24:00:00 GMT", "Xxx, 00 Jan 2099 00:00:00 GMT",
        "Xyzday, 32-Jan-99 00:00:00 GMT", "Mon Feb 30 00:00:00 2099", "2099-01-01T00:00:00Z",
        "Sun, 22 Nov 2026 12:01:30 PST", "Sun, 22 Nov 2026 12:01:30 +0200",
    ],
)  # fmt: skip
def test_invalid_retry_after_is_none(text: str) -> None:
    assert parse_retry_after(text, NOW) is None


YEAR = 366 * 24 * 3600


@pytest.mark.parametrize(
    "text", ["1764322800000", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT", "31622401"]
)
def test_delay_of_more_than_a_year_is_a_year(text: str) -> None:
    assert server_delay(503, headers(Retry_After=text), NOW) == YEAR
    reset = headers(X_FeatureRateLimit_Reset=text)
    assert server_delay(420, reset, NOW) == (YEAR if text.startswith("Fri") else None)


def headers(**named: str) -> httpx.Headers:
    return httpx.Headers({name.replace("_", "-"): value for name, value in named.items()})


RESET = {"X_FeatureRateLimit_Reset": FORMS[0]}


@pytest.mark.parametrize("status", [420, 429])
def test_quota_that_is_used_up_says_when_to_come_back(status: int) -> None:
    assert server_delay(status, headers(**RESET), NOW) == 90.0


@pytest.mark.parametrize("status", [200, 408, 500, 503])
def test_quotas_reset_is_no_delay_where_the_quota_is_not_the_matter(status: int) -> None:
    assert server_delay(status, headers(**RESET), NOW) is None


@pytest.mark.parametrize("status", [408, 420, 429, 500, 503])
def test_retry_after_counts_with_any_status_and_goes_first(status: int) -> None:
    assert server_delay(status, headers(Retry_After="5", **RESET), NOW) == 5.0


def test_date_of_retry_after_is_compared_with_now() -> None:
    assert server_delay(503, headers(Retry_After=FORMS[1]), NOW) == 90.0
    assert server_delay(503, headers(Retry_After=FORMS[1]), IN_90_S - timedelta(seconds=1)) == 1.0


@pytest.mark.parametrize("text", ["0", "0.0", "Sun, 22 Nov 2026 11:59:59 GMT"])
def test_retry_after_of_no_length_leaves_the_backoff_not_the_reset(text: str) -> None:
    assert server_delay(429, headers(Retry_After=text, **RESET), NOW) is None


@pytest.mark.parametrize(("remaining", "delay"), [("0", 90.0), ("many", 90.0), ("1", None)])
def test_quotas_reset_is_a_delay_only_where_nothing_is_left(
    remaining: str, delay: float | None
) -> None:
    words = headers(X_FeatureRateLimit_Remaining=remaining, **RESET)
    assert server_delay(429, words, NOW) == delay


def test_malformed_retry_after_leaves_the_quotas_reset() -> None:
    assert server_delay(429, headers(Retry_After="soon", **RESET), NOW) == 90.0


def test_rate_limit_is_read() -> None:
    limit = parse_rate_limit(
        headers(X_FeatureRateLimit_Limit="500", X_FeatureRateLimit_Remaining="0", **RESET)
    )
    assert limit == RateLimit(limit=500, remaining=0, reset=IN_90_S)
    assert limit.reset is not None
    assert limit.reset.utcoffset() == timedelta(0)


@pytest.mark.parametrize("text", ["", "many", "1.5", "0x10", "9" * 5000, "٣"])
def test_rate_limit_that_is_no_number_is_none(text: str) -> None:
    found = parse_rate_limit(httpx.Headers([(b"X-FeatureRateLimit-Limit", text.encode())]))
    assert found == RateLimit()


@pytest.mark.parametrize(
    ("texts", "delay"),
    [
        (("5", "9"), 9.0),
        (("9", "5"), 9.0),
        (("soon", "3"), 3.0),
        (("3", ""), 3.0),
        (("0", "0"), None),
        (("0", FORMS[0]), 90.0),
        ((FORMS[0], "120"), 120.0),
    ],
)
def test_longest_of_several_retry_after_headers_counts(
    texts: tuple[str, ...], delay: float | None
) -> None:
    several = httpx.Headers([("Retry-After", text) for text in texts])
    assert server_delay(503, several, NOW) == delay


@pytest.mark.parametrize("text", ["-1", "-999"])
def test_negative_remainder_is_a_quota_that_is_used_up(text: str) -> None:
    limit = headers(X_FeatureRateLimit_Remaining=text, **RESET)
    assert parse_rate_limit(limit).remaining == 0
    assert server_delay(429, limit, NOW) == 90.0
