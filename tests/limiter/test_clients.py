"""Limiters on the clients: what is held back is not sent, and a wait is the server's delay."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from math import inf, nan
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
from benchmarks.quota_crowds import exhausted_server, rate_limited_server, run_crowd
from tests.support.transport import GROUP, OK, SECURITY, FakeTransport, error

from cld_user_groups import AsyncCldProvisioning, HookContext, maybe_applied
from cld_user_groups.errors import (
    AlreadyExists,
    LimiterUnavailable,
    RateLimited,
    TooManyRequests,
    UsageRateExceeded,
)
from cld_user_groups.limits import Hold, LocalLimiter, Ticket
from cld_user_groups.utils import BackoffStrategy, RetryConfig

PATIENT = RetryConfig(backoff=BackoffStrategy(max_elapsed_time=30_000))
UNTHROTTLED = RetryConfig(backoff=BackoffStrategy(max_elapsed_time=30_000), retry_throttled=False)


class Scripted:
    """A limiter with a reply for each time it is asked; the last one is repeated."""

    def __init__(self, *replies: Hold | None) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[float, float | None]] = []
        self.observed: list[int | None] = []
        self.tickets: list[Ticket] = []

    def acquire(self, ticket: Ticket, /) -> Hold | None:
        self.asked.append((round(ticket.patience, 1), ticket.timeout))
        self.tickets.append(ticket)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def observe(self, ticket: Ticket, response: httpx.Response | None, /) -> None:
        assert ticket is self.tickets[-1]
        self.observed.append(None if response is None else response.status_code)


class Awaited(Scripted):
    """The same, of which the async client awaits the methods."""

    async def acquire_async(self, ticket: Ticket, /) -> Hold | None:
        await anyio.lowlevel.checkpoint()
        return super().acquire(ticket)

    async def observe_async(self, ticket: Ticket, response: httpx.Response, /) -> None:
        await anyio.lowlevel.checkpoint()
        super().observe(ticket, response)


def hold(seconds: float, status_code: Any = 420) -> Hold:
    return Hold(seconds, status_code, "the quota is used up")


def list_now(transport: FakeTransport, **options: Any) -> Any:
    return transport.call("user_groups.list", is_raw=True, options=options)


def list_on_asyncio(transport: FakeTransport, **options: Any) -> Any:
    return transport.call("user_groups.list", "async", is_raw=True, options=options)


def list_on_trio(transport: FakeTransport, **options: Any) -> Any:
    client = transport.async_client(**options)
    return anyio.run(client.user_groups.with_raw_response.list, backend="trio")


List = Callable[..., Any]


@pytest.fixture(params=[list_now, list_on_asyncio, list_on_trio])
def list_groups(request: pytest.FixtureRequest) -> List:
    """A call on each kind of client."""
    chosen: List = request.param
    return chosen


@pytest.fixture(params=[Scripted, Awaited])
def scripted(request: pytest.FixtureRequest) -> type[Scripted]:
    """A limiter that is called, and one that the async client awaits."""
    chosen: type[Scripted] = request.param
    return chosen


def test_a_limiter_is_asked_before_each_attempt_and_told_of_each_response(
    list_groups: List, scripted: type[Scripted], waits: list[float]
) -> None:
    limiter = scripted(None)
    transport = FakeTransport(error(503), httpx.ConnectError("x"), OK)
    list_groups(transport, limiter=limiter, timeout_ms=2000)
    assert limiter.observed == [503, None, 200]
    assert limiter.asked[0] == (30.0, 2.0)
    assert len(limiter.asked) == 3


def test_a_call_waits_for_as_long_as_the_limiter_says_with_one_ticket(
    list_groups: List, scripted: type[Scripted], waits: list[float]
) -> None:
    limiter = scripted(hold(7), hold(5), None)
    transport = FakeTransport(OK)
    raw = list_groups(transport, limiter=limiter)
    assert waits == [7, 5]
    assert len(transport.requests) == 1
    assert len(set(map(id, limiter.tickets))) == 1
    assert [patience for patience, _ in limiter.asked] == [30, 23, 18]
    assert raw.retries == 0  # nothing was sent before


@pytest.mark.parametrize(
    ("status_code", "kind"), [(420, UsageRateExceeded), (429, TooManyRequests)]
)
@pytest.mark.parametrize("retries", [None, PATIENT], ids=["retries off", "too long"])
def test_a_wait_that_does_not_fit_is_raised_at_once_and_nothing_is_sent(
    status_code: int,
    kind: type[RateLimited],
    retries: RetryConfig | None,
    list_groups: List,
    waits: list[float],
) -> None:
    transport = FakeTransport(OK)
    limiter = Scripted(hold(31.5, status_code))
    with pytest.raises(kind) as caught:
        list_groups(transport, limiter=limiter, retry_config=retries)
    assert (transport.requests, waits) == ([], [])
    assert (caught.value.retry_after, caught.value.was_sent) == (31.5, False)
    assert not maybe_applied(caught.value)
    assert "nothing was sent, for the quota is used up: wait 31.5 s" in str(caught.value)
    assert limiter.observed == []


@pytest.mark.parametrize(
    ("retries", "is_paced", "patience"),
    [(PATIENT, False, 30), (UNTHROTTLED, True, 30), (None, False, 0)],
)
def test_a_limiter_is_told_whose_call_it_is_and_how_it_is_repeated(
    retries: RetryConfig | None, is_paced: bool, patience: float, list_groups: List
) -> None:
    limiter = Scripted(None)
    list_groups(FakeTransport(OK), limiter=limiter, retry_config=retries)
    (ticket,) = limiter.tickets
    assert (ticket.account_id, ticket.is_paced, ticket.patience) == ("acc", is_paced, patience)


def test_the_error_of_a_hold_has_the_request_that_was_not_sent(list_groups: List) -> None:
    with pytest.raises(RateLimited) as caught:
        list_groups(FakeTransport(OK), limiter=Scripted(hold(1)), retry_config=None)
    assert caught.value.raw_response.request.url.path.endswith("/user_groups")


def test_a_limiter_whose_delays_use_up_the_time_is_left_none(waits: list[float]) -> None:
    limiter = Scripted(hold(29.5), hold(0.4), hold(0.1), hold(0.5))
    with pytest.raises(UsageRateExceeded):
        list_now(FakeTransport(OK), limiter=limiter, retry_config=PATIENT)
    assert [patience for patience, _ in limiter.asked] == [30.0, 0.5, 0.1, 0.0]


def test_without_a_limiter_nothing_is_held(list_groups: List) -> None:
    transport = FakeTransport(error(420, Retry_After="100"))
    for limiter in (None, LocalLimiter()):
        with pytest.raises(RateLimited) as caught:
            list_groups(transport, limiter=limiter)
        assert caught.value.was_sent


def test_a_write_held_after_its_response_was_lost_may_have_been_applied(waits: list[float]) -> None:
    transport = FakeTransport(httpx.ReadTimeout("lost"), GROUP)
    limiter = Scripted(None, hold(100))
    with pytest.raises(UsageRateExceeded) as caught:
        transport.client(limiter=limiter).user_groups.update(group_id="g1", name="D")
    assert maybe_applied(caught.value)
    assert not caught.value.was_sent


def test_hooks_see_a_hold_as_an_attempt_that_is_retried(waits: list[float]) -> None:
    seen: list[str] = []

    class Hook:
        def on_retry(self, context: HookContext, delay: float, error: Exception) -> None:
            seen.append(f"{delay:g} {type(error).__name__}")

        def on_error(self, context: HookContext, error: BaseException) -> None:
            seen.append(type(error).__name__)

    limiter = Scripted(hold(7), hold(100))
    with pytest.raises(UsageRateExceeded):
        list_now(FakeTransport(OK), limiter=limiter, hooks=[Hook()])
    assert seen == ["7 UsageRateExceeded", "UsageRateExceeded"]


def test_the_error_of_a_hold_can_be_pickled() -> None:
    with pytest.raises(RateLimited) as caught:
        list_now(FakeTransport(OK), limiter=Scripted(hold(100)), retry_config=None)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.was_sent, again.retry_after, str(again)) == (False, 100, str(caught.value))


def test_an_exception_of_a_limiter_ends_the_call_and_nothing_is_sent(list_groups: List) -> None:
    class Broken(Scripted):
        def acquire(self, ticket: Ticket, /) -> Hold | None:
            raise LimiterUnavailable("it is away")

    transport = FakeTransport(OK)
    with pytest.raises(LimiterUnavailable) as caught:
        list_groups(transport, limiter=Broken(None))
    assert transport.requests == []
    assert not maybe_applied(caught.value)


def test_a_look_that_a_limiter_ends_leaves_what_the_write_met(waits: list[float]) -> None:
    class Broken(Scripted):
        def acquire(self, ticket: Ticket, /) -> Hold | None:
            if len(self.asked) == 2:
                raise LimiterUnavailable("it is away")
            return super().acquire(ticket)

    transport = FakeTransport(httpx.ReadError("lost"), error(409))
    client = transport.client(limiter=Broken(None))
    with pytest.raises(AlreadyExists, match="made the change; the result could not be read") as e:
        client.user_groups.add_user(group_id="g1", user_id="u1")
    assert maybe_applied(e.value)
    assert isinstance(e.value.__cause__, LimiterUnavailable)


def test_an_exception_after_the_response_ends_the_call_unrepeated(list_groups: List) -> None:
    class Broken(Scripted):
        def observe(self, ticket: Ticket, response: httpx.Response | None, /) -> None:
            raise ZeroDivisionError

    transport = FakeTransport(OK)
    with pytest.raises(ZeroDivisionError):
        list_groups(transport, limiter=Broken(None))
    assert len(transport.requests) == 1


def test_a_cancelled_wait_sends_nothing() -> None:
    transport = FakeTransport(OK)
    client = transport.async_client(limiter=Scripted(hold(20)))

    async def cancel() -> None:
        async with asyncio.timeout(0.01):
            await client.user_groups.create(name="D")

    with pytest.raises(TimeoutError) as caught:
        asyncio.run(cancel())
    assert not maybe_applied(caught.value)
    assert transport.requests == []


def test_a_cancelled_request_is_observed_without_a_response() -> None:
    limiter = Awaited(None)

    async def never(request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    async def cancel() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(never)) as http:
            client = AsyncCldProvisioning(SECURITY, "acc", client=http, limiter=limiter)
            async with asyncio.timeout(0.01):
                await client.user_groups.list()

    with pytest.raises(TimeoutError):
        asyncio.run(cancel())
    assert limiter.observed == [None]


@pytest.mark.parametrize(
    ("limiter", "message"),
    [
        (object(), "acquire and observe"),
        (LocalLimiter, r"not a class: pass LocalLimiter\(\.\.\.\)"),
    ],
)
def test_only_an_object_with_both_methods_is_a_limiter(limiter: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        FakeTransport(OK).client(limiter=limiter)


NO_REPLIES = [
    *((each, TypeError, f"a Hold, but returned a {type(each).__name__}$")
      for each in (True, False, 0, 1.5, "wait", object())),
    *((hold(each), ValueError, "must have finite seconds") for each in (inf, nan)),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "kind", "message"), NO_REPLIES)
def test_a_reply_that_is_no_hold_is_an_error_and_nothing_is_sent(
    reply: Any, kind: type[Exception], message: str, list_groups: List, scripted: type[Scripted]
) -> None:
    transport = FakeTransport(OK)
    with pytest.raises(kind, match=message) as caught:
        list_groups(transport, limiter=scripted(reply))
    assert transport.requests == []
    assert not maybe_applied(caught.value)


def test_a_limiter_whose_acquire_is_async_is_named_and_nothing_is_sent(list_groups: List) -> None:
    class Async(Scripted):
        async def acquire(self, ticket: Ticket, /) -> Hold | None:  # type: ignore[override]
            return None

    transport = FakeTransport(OK)
    with pytest.raises(TypeError, match="acquire is async"):
        list_groups(transport, limiter=Async(None))
    assert transport.requests == []


def test_each_attempt_has_a_ticket_of_its_own_while_it_is_held(
    list_groups: List, scripted: type[Scripted], waits: list[float]
) -> None:
    limiter = scripted(None, hold(3), None)
    list_groups(FakeTransport(error(503), OK), limiter=limiter)
    first, second, third = limiter.tickets
    assert first is not second
    assert second is third


def test_clients_that_share_a_limiter_wait_for_each_others_refusals(waits: list[float]) -> None:
    limiter = LocalLimiter()
    first = FakeTransport(error(429, Retry_After="20"))
    with pytest.raises(RateLimited):
        list_now(first, limiter=limiter, retry_config=None)
    list_on_asyncio(FakeTransport(OK), limiter=limiter)
    (waited,) = waits
    assert 19 < waited <= 20


def test_a_single_caller_is_not_held_after_its_own_refusal(
    list_groups: List, waits: list[float]
) -> None:
    transport = FakeTransport(error(429, Retry_After="20"), OK)
    client = {"limiter": LocalLimiter()}
    assert list_groups(transport, **client).retries == 1
    list_groups(transport, **client)
    assert waits == [20]


@pytest.mark.parametrize("status", [420, 429])
def test_a_single_caller_that_does_not_wait_is_not_held_after_one_refusal(status: int) -> None:
    client = FakeTransport(error(status, Retry_After="1800"), OK).client(retry_config=None)
    with pytest.raises(RateLimited):
        client.user_groups.list()
    client.user_groups.list()


def test_a_client_of_a_module_serves_one_event_loop_after_another(waits: list[float]) -> None:
    transport = FakeTransport(error(429, Retry_After="5"), OK)
    client = transport.async_client(limiter=LocalLimiter(reserve=0, per_second=100))
    for _ in range(3):
        asyncio.run(client.user_groups.list())
    assert waits == [5]


def test_threads_of_a_client_are_all_held_by_one_refusal(waits: list[float]) -> None:
    transport = FakeTransport(error(420, Retry_After="1800"))
    client = transport.client()
    with pytest.raises(RateLimited):
        client.user_groups.list()
    with ThreadPoolExecutor(8) as pool:
        ended = [pool.submit(client.user_groups.list) for _ in range(200)]
    errors = [each.exception() for each in ended]
    assert all(isinstance(each, UsageRateExceeded) for each in errors)
    assert len(transport.requests) <= 4


def test_a_crowd_that_comes_too_fast_is_refused_a_few_times_not_thousands() -> None:
    own = run_crowd(rate_limited_server(10, 10), 120)
    bare = run_crowd(rate_limited_server(10, 10), 120, limiter=None)
    assert bare.refused > 500
    assert own.refused < 30
    assert own.failed == 0
    assert own.seconds < 1.3 * bare.seconds


def test_an_exhausted_quota_is_asked_by_those_in_flight_and_not_by_all() -> None:
    own = run_crowd(exhausted_server(50), 300)
    bare = run_crowd(exhausted_server(50), 300, limiter=None)
    assert bare.refused == own.failed == 250
    assert own.refused < 25


def test_a_crowd_whose_refusals_do_not_say_how_long_is_refused_a_few_times() -> None:
    own = run_crowd(rate_limited_server(10, 10, headers={}), 120)
    bare = run_crowd(rate_limited_server(10, 10, headers={}), 120, limiter=None)
    assert bare.refused > 300
    assert own.refused < 30
    assert own.failed == 0


def test_an_exhausted_quota_that_says_nothing_is_asked_a_few_times() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(420)

    own, bare = run_crowd(respond, 100), run_crowd(respond, 100, limiter=None)
    assert own.failed == bare.failed == 100
    assert bare.refused > 600
    assert own.refused < 40


def test_with_a_reserve_a_crowd_is_never_refused() -> None:
    crowd = run_crowd(exhausted_server(50), 200, limiter=LocalLimiter(reserve=10))
    assert (crowd.sent, crowd.refused) == (40, 0)


class Broken(Scripted):
    """A limiter that fails where it is told that an attempt has no response."""

    def observe(self, ticket: Ticket, response: httpx.Response | None, /) -> None:
        raise RuntimeError("the limiter is broken")


class Unreadable(httpx.SyncByteStream):
    """A body that breaks off, and knows whether it was closed."""

    is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        raise httpx.ReadError("the connection broke")

    def close(self) -> None:
        self.is_closed = True


def test_a_response_is_closed_though_the_limiter_fails_then() -> None:
    body = Unreadable()
    transport = FakeTransport(lambda _: httpx.Response(200, stream=body))
    with pytest.raises(RuntimeError, match="the limiter is broken"):
        transport.client(limiter=Broken(None)).user_groups.list()
    assert body.is_closed
