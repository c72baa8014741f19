"""`maybe_applied` over chains and groups of exceptions, and the text of errors."""

from __future__ import annotations

import asyncio
import concurrent.futures

import httpx
import pytest
from tests.support.transport import GROUP, SECURITY, FakeTransport, error

from cld_user_groups import HookContext, maybe_applied, models
from cld_user_groups._engine.failures import status_error
from cld_user_groups.errors import ClientClosed, mark
from cld_user_groups.security import Authorization

AUTHORIZATION = Authorization(SECURITY)


def marked(is_applied: bool) -> Exception:
    """Return an exception that a call ended in."""
    ended = httpx.ReadTimeout("x")
    mark(ended, maybe_applied=is_applied)
    return ended


def linked(
    outer: BaseException,
    *,
    cause: BaseException | None = None,
    context: BaseException | None = None,
) -> BaseException:
    """Return an exception raised from a cause, or while another was handled."""
    outer.__context__ = context
    outer.__cause__ = cause
    outer.__suppress_context__ = cause is not None
    return outer


def in_a_circle() -> BaseException:
    first, second = ValueError("a"), ValueError("b")
    first.__context__, second.__context__ = second, first
    return first


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        (ValueError("no call"), False),
        (KeyboardInterrupt(), False),
        (ClientClosed("closed"), False),
        (marked(True), True),
        (marked(False), False),
        (linked(TimeoutError(), cause=marked(True)), True),
        (linked(TimeoutError(), context=marked(True)), True),
        (linked(TimeoutError(), context=linked(ValueError(), cause=marked(True))), True),
        (linked(ValueError(), cause=ValueError(), context=marked(True)), False),  # raise ... from
        (linked(marked(False), cause=marked(True)), False),  # the call that ended last knows
        (ExceptionGroup("g", [ValueError(), marked(True)]), True),
        (ExceptionGroup("g", [marked(False), ValueError()]), False),
        (ExceptionGroup("g", [ExceptionGroup("h", [marked(True)])]), True),
        (BaseExceptionGroup("g", [KeyboardInterrupt(), marked(True)]), True),
        (linked(ValueError(), cause=ExceptionGroup("g", [marked(True)])), True),
        (linked(ExceptionGroup("g", [ValueError()]), context=marked(True)), True),
        (in_a_circle(), False),
        (TimeoutError(), True),
        (asyncio.CancelledError(), True),
        (concurrent.futures.CancelledError(), True),
        (linked(RuntimeError(), context=asyncio.CancelledError()), True),
        (linked(asyncio.CancelledError(), context=ValueError()), True),
        (linked(TimeoutError(), cause=marked(False)), False),
        (
            linked(TimeoutError(), cause=linked(asyncio.CancelledError(), cause=marked(False))),
            False,
        ),
        (BaseExceptionGroup("g", [marked(False), asyncio.CancelledError()]), True),
    ],
)
def test_maybe_applied_is_found_in_what_led_to_an_error(
    ended: BaseException, expected: bool
) -> None:
    assert maybe_applied(ended) is expected


def test_note_comes_and_goes_with_the_mark_and_leaves_other_notes() -> None:
    ended = ValueError("x")
    ended.add_note("the caller's own")
    mark(ended, maybe_applied=True)
    mark(ended, maybe_applied=True)
    assert len(ended.__notes__) == 2
    mark(ended, maybe_applied=False)
    assert ended.__notes__ == ["the caller's own"]
    bare = ValueError("x")
    mark(bare, maybe_applied=False)
    assert not hasattr(bare, "__notes__")


def made(status: int, **headers: str) -> models.CloudinaryError:
    return status_error(error(status, "Broken", **headers), AUTHORIZATION)


def test_text_of_an_error_has_message_status_request_id_and_facts() -> None:
    assert str(made(500)) == "Broken (status 500)"
    ended = made(500, X_Request_Id="r1")
    assert str(ended) == "Broken (status 500, request id r1)"
    mark(ended, maybe_applied=True)
    assert str(ended) == (
        "Broken (status 500, request id r1); the change may have been applied: "
        "look before you repeat it"
    )
    ended.add_fact("an earlier attempt made the change")
    ended.add_fact("the result could not be read")
    assert str(ended) == (
        "Broken (status 500, request id r1); an earlier attempt made the change; "
        "the result could not be read"
    )


def test_client_closed_during_a_call_says_whether_a_write_may_be_done() -> None:
    def closing(request: httpx.Request) -> httpx.Response:
        client.close()
        raise RuntimeError("the pool is gone")

    client = FakeTransport(closing).client()
    with pytest.raises(ClientClosed, match="closed during the call") as caught:
        client.user_groups.create(name="D")
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert maybe_applied(caught.value)


def test_error_that_says_what_happened_is_raised_by_a_closed_client_too() -> None:
    def closing(request: httpx.Request) -> httpx.Response:
        client.close()
        return error(404)

    client = FakeTransport(closing).client()
    with pytest.raises(models.NotFound):
        client.user_groups.get(group_id="g1")


def test_error_of_a_hook_for_errors_says_whether_a_write_may_be_done(waits: list[float]) -> None:
    class Broken:
        def on_error(self, context: HookContext, error: Exception) -> None:
            raise RuntimeError("no disk") from None

    lost = FakeTransport(httpx.ReadTimeout("no response"))
    with pytest.raises(RuntimeError, match="no disk") as caught:
        lost.client(hooks=[Broken()]).user_groups.create(name="D")
    assert maybe_applied(caught.value)
    with pytest.raises(RuntimeError, match="no disk") as caught:
        FakeTransport(error(400)).client(hooks=[Broken()]).user_groups.create(name="D")
    assert not maybe_applied(caught.value)


def test_error_in_a_hook_for_retries_says_whether_the_write_may_be_done(
    waits: list[float],
) -> None:
    seen: list[bool] = []

    class Seeing:
        def on_retry(self, context: HookContext, delay: float, error: Exception) -> None:
            seen.append(maybe_applied(error))

    outcomes = (httpx.ConnectError("no route"), httpx.ReadTimeout("no response"), error(429), GROUP)
    client = FakeTransport(*outcomes).client(hooks=[Seeing()])
    client.user_groups.update(group_id="g1", name="D")
    assert seen == [False, True, True]
