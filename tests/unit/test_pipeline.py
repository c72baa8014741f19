"""Writes over a faulty transport: what is sent again, what counts as done, what the error says."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.support.transport import (
    GROUP,
    OK,
    SECURITY,
    USERS,
    FakeTransport,
    Mode,
    Outcome,
    both,
    error,
    json,
)

from cld_provisioning_api.api.user_groups import get_user_groups
from cld_user_groups import HookContext, maybe_applied, models, utils
from cld_user_groups._engine.http_client import Connections
from cld_user_groups._engine.io import Attempt
from cld_user_groups._engine.pipeline import run
from cld_user_groups._engine.request import ApiCall, Session, check_options
from cld_user_groups._engine.retry import Effect
from cld_user_groups.hooks import make_hooks
from cld_user_groups.security import Authorizer

LOST = httpx.ReadTimeout("no response")
NO_ROUTE = httpx.ConnectError("no route")
IDS = {"group_id": "g1", "user_id": "u1"}


def call(
    transport: FakeTransport,
    name: str,
    arguments: dict[str, Any],
    mode: Mode = "sync",
    **options: Any,
) -> Any:
    return transport.call(f"user_groups.{name}", mode, options=options, **arguments)


def test_user_that_is_in_after_a_lost_response_was_added(waits: list[float]) -> None:
    transport = FakeTransport(LOST, error(409), USERS)
    user = call(transport, "add_user", IDS)
    assert user == models.UserGroupUser(id="u1", name="John Doe", email="john@example.com")
    base = "/v1_1/provisioning/accounts/acc/user_groups/g1/users"
    assert transport.lines == [f"POST {base}/u1", f"POST {base}/u1", f"GET {base}"]


def test_look_that_finds_the_user_missing_is_never_overruled(waits: list[float]) -> None:
    with pytest.raises(models.AlreadyExists) as caught:
        call(FakeTransport(LOST, error(409), json({"users": []})), "add_user", IDS)
    assert "whose response was lost" in str(caught.value)
    assert "the user is not in the group" in str(caught.value)
    assert caught.value.maybe_applied is False


def test_look_that_finds_the_user_still_there_is_never_overruled(waits: list[float]) -> None:
    with pytest.raises(models.NotFound) as caught:
        call(FakeTransport(LOST, error(404), USERS), "remove_user", IDS)
    assert "the user is still in the group" in str(caught.value)
    assert caught.value.maybe_applied is False


@pytest.mark.parametrize("look", [error(500), error(404), NO_ROUTE, json({"users": 5})])
@pytest.mark.parametrize(
    ("method", "status", "kind"),
    [("add_user", 409, models.AlreadyExists), ("remove_user", 404, models.NotFound)],
)
def test_error_of_a_look_that_fails_says_that_the_change_was_made(
    look: Outcome, method: str, status: int, kind: type[models.CloudinaryError], waits: list[float]
) -> None:
    with pytest.raises(kind) as caught:
        call(FakeTransport(LOST, error(status), look), method, IDS)
    assert "made the change" in str(caught.value)
    assert caught.value.maybe_applied is True
    assert caught.value.__cause__ is not None
    assert len(waits) == 1  # the look itself is not repeated


def test_look_that_finds_no_group_says_nothing_of_a_removed_user(waits: list[float]) -> None:
    with pytest.raises(models.NotFound) as caught:
        call(FakeTransport(LOST, error(404), error(404)), "remove_user", IDS)
    assert "may have made the change; there is no such group now" in str(caught.value)
    assert caught.value.maybe_applied is True


WAS_LOST = "an earlier attempt, whose response was lost,"
MET_503 = "an earlier attempt, to which a gateway responded with 503,"


@pytest.mark.parametrize(
    ("method", "outcomes", "facts"),
    [
        (
            "add_user",
            (LOST, error(409), error(500)),
            (f"{WAS_LOST} made the change", "the result could not be read (APIError)"),
        ),
        (
            "add_user",
            (LOST, error(409), error(404)),
            (f"{WAS_LOST} made the change", "the result could not be read (NotFound)"),
        ),
        (
            "remove_user",
            (LOST, error(404), error(500)),
            (f"{WAS_LOST} made the change", "the result could not be read (APIError)"),
        ),
        (
            "remove_user",
            (LOST, error(404), error(404)),
            (f"{WAS_LOST} may have made the change", "there is no such group now"),
        ),
        (
            "add_user",
            (error(503), error(409), error(500)),
            (f"{MET_503} may have made the change", "the result could not be read (APIError)"),
        ),
    ],
)
def test_facts_of_an_error_say_what_is_known_of_the_earlier_attempt(
    method: str, outcomes: tuple[Outcome, ...], facts: tuple[str, ...], waits: list[float]
) -> None:
    with pytest.raises(models.ErrorResponse) as caught:
        call(FakeTransport(*outcomes), method, IDS)
    assert caught.value.facts == facts


def test_raw_response_of_a_look_counts_the_retries_of_the_write(waits: list[float]) -> None:
    groups = FakeTransport(LOST, LOST, error(409), USERS).client().user_groups.with_raw_response
    raw = groups.add_user(group_id="g1", user_id="u1")
    assert (raw.status_code, raw.retries) == (200, 2)
    assert raw.headers["content-type"] == "application/json"
    groups = (
        FakeTransport(LOST, error(404, X_Request_Id="r1")).client().user_groups.with_raw_response
    )
    deleted = groups.delete(group_id="g1")
    assert (deleted.status_code, deleted.retries, deleted.request_id) == (404, 1, "r1")


# A gateway may have forwarded a write that it responded to with 503, and others may have retried
# before the response that the write is in place.
FORWARDED = pytest.mark.parametrize("after", [(), (error(429),), (NO_ROUTE,)])


@FORWARDED
def test_whether_this_call_deleted_a_group_gone_after_a_503_is_not_known(
    after: tuple[Outcome, ...], waits: list[float]
) -> None:
    transport = FakeTransport(error(503), *after, error(404))
    with pytest.raises(models.NotFound, match="may have made the change") as caught:
        call(transport, "delete", {"group_id": "g1"})
    assert caught.value.maybe_applied is True
    assert len(transport.requests) == len(after) + 2


@FORWARDED
def test_whether_this_call_made_a_group_there_after_a_503_is_not_known(
    after: tuple[Outcome, ...], waits: list[float]
) -> None:
    listed = json({"user_groups": [{"id": "g0", "name": "A"}, {"id": "g1", "name": "Designers"}]})
    transport = FakeTransport(error(503), *after, error(409), listed)
    with pytest.raises(models.AlreadyExists, match="a group of that name exists") as caught:
        call(transport, "create", {"name": "Designers "})
    assert caught.value.maybe_applied is True
    assert [line.split()[0] for line in transport.lines[-2:]] == ["POST", "GET"]


@pytest.mark.parametrize(
    ("method", "arguments", "status", "found"),
    [
        ("create", {"name": "D"}, 409, OK),
        ("add_user", IDS, 409, json({"users": []})),
        ("remove_user", IDS, 404, USERS),
    ],
)
def test_look_after_a_503_that_finds_nothing_done_is_never_overruled(
    method: str, arguments: dict[str, Any], status: int, found: Outcome, waits: list[float]
) -> None:
    with pytest.raises(models.ErrorResponse, match="did not make the change") as caught:
        call(FakeTransport(error(503), error(status), found), method, arguments)
    assert caught.value.maybe_applied is False


@pytest.mark.parametrize(
    ("method", "arguments", "status"),
    [("create", {"name": "D"}, 409), ("add_user", IDS, 409), ("remove_user", IDS, 404)],
)
def test_look_after_a_503_that_fails_leaves_it_not_known(
    method: str, arguments: dict[str, Any], status: int, waits: list[float]
) -> None:
    with pytest.raises(models.ErrorResponse, match="may have made the change") as caught:
        call(FakeTransport(error(503), error(status), error(500)), method, arguments)
    assert caught.value.maybe_applied is True


def test_error_remembers_that_an_earlier_attempt_may_have_been_applied(waits: list[float]) -> None:
    with pytest.raises(models.NotFound) as caught:
        call(FakeTransport(LOST, error(404)), "update", {"group_id": "g1", "name": "D"})
    assert caught.value.maybe_applied is True
    with pytest.raises(httpx.ConnectError) as never:
        call(FakeTransport(LOST, NO_ROUTE), "delete", {"group_id": "g1"})
    assert maybe_applied(never.value)
    assert len(never.value.__notes__) == 1


def test_group_that_a_lost_request_deleted_is_deleted_as_any_other(waits: list[float]) -> None:
    group = {"group_id": "g1"}
    done = call(FakeTransport(json({"ok": True})), "delete", group)
    assert call(FakeTransport(LOST, error(404)), "delete", group) == done


@both
def test_status_code_beyond_2xx_is_no_success_whatever_its_body(mode: Mode) -> None:
    for status in (300, 304, 399):
        with pytest.raises(models.APIError) as caught:
            call(FakeTransport(json({"id": "g1", "name": "D"}, status)), "get", {"group_id": "g1"})
        assert caught.value.status_code == status


@both
@pytest.mark.parametrize(("status", "may_be"), [(200, True), (400, False), (500, True)])
def test_error_of_a_hook_for_responses_says_whether_the_write_may_be_done(
    mode: Mode, status: int, may_be: bool
) -> None:
    class Broken:
        def after_response(self, context: HookContext, response: httpx.Response) -> None:
            raise OSError("no disk")

    outcome = GROUP if status == 200 else error(status)
    with pytest.raises(OSError, match="no disk") as caught:
        call(FakeTransport(outcome), "create", {"name": "D"}, mode, hooks=[Broken()])
    assert maybe_applied(caught.value) is may_be


def test_error_that_a_hook_for_retries_sees_holds_no_credentials(waits: list[float]) -> None:
    seen: list[tuple[str, str | None]] = []

    class Seeing:
        def on_retry(self, context: HookContext, delay: float, error: httpx.ReadTimeout) -> None:
            seen.append((str(error), error.request.headers["Authorization"]))

    def losing(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout(f"no response to {SECURITY.provisioning_api_secret}")

    with pytest.raises(httpx.ReadTimeout):
        call(FakeTransport(losing), "list", {}, hooks=[Seeing()])
    assert set(seen) == {("no response to ***", "***")}


def test_hooks_see_no_response_that_broke_off() -> None:
    class Broken(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield b'{"user_groups": ['
            raise httpx.ReadError("reset")

    class Seeing:
        def after_response(self, context: HookContext, response: httpx.Response) -> None:
            seen.append(response.status_code)

    seen: list[int] = []
    transport = FakeTransport(lambda request: httpx.Response(200, stream=Broken()))
    with pytest.raises(httpx.ReadError):
        call(transport, "list", {}, hooks=[Seeing()], retry_config=None)
    assert seen == []


def test_request_that_httpx_would_not_send_is_not_repeated(waits: list[float]) -> None:
    for failure in (
        httpx.UnsupportedProtocol("x"),
        httpx.ProxyError("407 Proxy Authentication Required"),
    ):
        transport = FakeTransport(failure, GROUP)
        with pytest.raises(type(failure)) as caught:
            call(transport, "create", {"name": "D"})
        assert (len(transport.requests), maybe_applied(caught.value)) == (1, False)


def test_servers_delay_beyond_the_time_left_is_on_the_error(waits: list[float]) -> None:
    transport = FakeTransport(error(429, Retry_After="20"), error(429, Retry_After="11"), OK)
    with pytest.raises(models.TooManyRequests) as caught:
        call(transport, "list", {})
    assert (caught.value.retry_after, waits, len(transport.requests)) == (11.0, [20.0], 2)


def test_time_that_requests_take_counts_too(
    waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]

    def slow(request: httpx.Request) -> httpx.Response:
        now[0] += 16.0
        return error(503, Retry_After="1")

    monkeypatch.setattr("cld_user_groups._engine.pipeline.time.monotonic", lambda: now[0])
    transport = FakeTransport(slow)
    with pytest.raises(models.APIError):
        call(transport, "list", {})
    assert (len(transport.requests), waits) == (2, [1.0])


@pytest.mark.parametrize(("queued", "delay"), [(25.0, 10.0), (0.0, None)])
def test_time_in_which_too_many_are_in_flight_does_not_count(
    queued: float, delay: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    hooks, debug_hooks = make_hooks((), None, may_be_async=False)
    session = Session(
        "acc", "https://api.cloudinary.com", Authorizer(SECURITY), utils.RetryConfig(), None,
        hooks, debug_hooks, "test", lambda: False,
    )  # fmt: skip
    read = ApiCall("getUserGroups", Effect.READ, get_user_groups.build_request("acc"), bytes.decode)
    with httpx.Client() as http:
        flow = run(session, Connections(http), read, check_options())
        step = next(flow)
        assert isinstance(step, Attempt)
        now[0] += 25.0
        step.queued = queued
        step.response = error(503, Retry_After="10")
        if delay is None:
            with pytest.raises(models.APIError):
                flow.send(None)
        else:
            assert flow.send(None) == delay


def test_wait_is_random_up_to_the_backoffs_limit(
    waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cld_user_groups._engine.pipeline.random.random", lambda: 1.0)
    config = utils.RetryConfig(backoff=utils.BackoffStrategy(100, 300, 2, 60_000))
    call(FakeTransport(*[error(503)] * 4, OK), "list", {}, retry_config=config)
    assert waits == [0.1, 0.2, 0.3, 0.3]


class Unreadable(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that ends in an error, and notes that it was closed."""

    closed = 0

    def __init__(self, failure: BaseException) -> None:
        self.failure = failure

    def close(self) -> None:
        Unreadable.closed += 1

    async def aclose(self) -> None:
        Unreadable.closed += 1

    async def __aiter__(self) -> Any:
        yield b'{"error":'
        raise self.failure

    def __iter__(self) -> Any:
        yield b'{"error":'
        raise self.failure


def cut(status: int, failure: BaseException | None = None) -> Outcome:
    broken = failure or httpx.RemoteProtocolError("peer closed connection")
    return lambda request: httpx.Response(status, stream=Unreadable(broken))


@both
@pytest.mark.parametrize("failure", [httpx.ReadError("x"), KeyboardInterrupt()])
def test_response_that_cannot_be_read_is_closed(mode: Mode, failure: BaseException) -> None:
    before = Unreadable.closed
    transport = FakeTransport(cut(200, failure))
    with pytest.raises(type(failure)):
        call(transport, "create", {"name": "D"}, mode)
    assert Unreadable.closed > before
    assert transport.requests[0].headers["authorization"] == "***"


@both
def test_error_of_the_callers_own_transport_keeps_its_frames(mode: Mode) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise AssertionError("a test's own")

    with pytest.raises(AssertionError) as caught:
        call(FakeTransport(fail), "create", {"name": "D"}, mode)
    assert "fail" in [entry.name for entry in caught.traceback]


def test_frames_that_hold_the_headers_are_not_in_the_traceback() -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        held = request.headers["authorization"]
        try:
            try:
                raise OSError(f"{len(held)} bytes lost")
            except OSError as inner:
                raise ConnectionResetError("reset") from inner
        except ConnectionResetError:
            raise httpx.ReadError("reset")  # noqa: B904 - a context, and no cause

    with pytest.raises(httpx.ReadError) as caught:
        call(FakeTransport(fail), "create", {"name": "D"})
    formatted = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    text = "".join(formatted.format())
    assert "Basic " not in text
    assert "ConnectionResetError: reset" in text
    assert "OSError" in text
