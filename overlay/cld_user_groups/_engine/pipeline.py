"""The send pipeline: one generator decides, and the drivers do what it says.

The generator yields a request to send, or a number of seconds to wait. It is sent back what came of
a request: an answer, an error of httpx, or both, where the answer's body could not be read. All
that is decided is decided here, once for sync and async.
"""

from __future__ import annotations

import random
import time
from typing import TypeVar

import httpx
import msgspec
from attrs import define, evolve

from cld_user_groups.errors import (
    CloudinaryError,
    ResponseValidationError,
    body_text,
    status_error,
    whole_response,
)
from cld_user_groups.hooks import HookContext
from cld_user_groups.security import Authorization
from cld_user_groups.utils import UNSET, RetryConfig

from .call import Call, RawResponse
from .io import Flow, hide_credentials
from .request import Client, Session, build_request
from .retry import Action, Decision, Effect, Lost, decide

T = TypeVar("T")

_MAYBE_APPLIED = "The change may have been applied all the same: look before you repeat it."
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_REFUSED = (httpx.UnsupportedProtocol, httpx.ProxyError, httpx.LocalProtocolError)


def run(session: Session, client: Client, call: Call[T]) -> Flow[T]:
    """Decide one call from its first request to its result.

    Raises:
        CloudinaryError: The server answered something other than a success.
        httpx.HTTPError: No whole answer came.
    """
    authorization = session.authorize()
    hooks = session.hooks()
    retries = session.retries if call.options.retries is UNSET else call.options.retries
    progress = _Progress(retries, time.monotonic())
    while True:
        progress.attempt += 1
        context = HookContext(call.operation_id, session.account_id, progress.attempt)
        request = build_request(session, client, call, authorization)
        hooks.before_request(context, request)
        response, failure = yield request
        if response is not None:
            if failure is None:
                hooks.after_response(context, response)
            else:
                response = _without_body(response)
        error: CloudinaryError | httpx.HTTPError
        try:
            return _result(call, response, failure, authorization, progress.attempt)
        except (CloudinaryError, httpx.HTTPError) as caught:
            error = caught
        hide_credentials(error, request)
        decision = progress.decide(call.effect, error)
        if decision.action is Action.DONE:
            return (yield from _done_already(session, client, call, error, progress.attempt))
        _say_maybe_applied(error, decision.maybe_applied)
        if decision.action is Action.RAISE:
            hooks.on_error(context, error)
            raise error
        hooks.on_retry(context, decision.delay, error)
        yield decision.delay


@define
class _Progress:
    """How far a call has come."""

    retries: RetryConfig | None
    began: float
    waited: float = 0.0
    attempt: int = 0
    maybe_applied: bool = False

    def decide(self, effect: Effect, error: CloudinaryError | httpx.HTTPError) -> Decision:
        """Decide what follows an attempt that ended in an error, and keep count."""
        decision = decide(
            effect,
            _happened(error),
            attempt=self.attempt,
            # What was waited counts even where a test's clock or sleep does not really run.
            spent=max(time.monotonic() - self.began, self.waited),
            server_delay=error.retry_after if isinstance(error, CloudinaryError) else None,
            maybe_applied=self.maybe_applied,
            config=self.retries,
            jitter=random.random(),  # noqa: S311 - spreads load, guards nothing
        )
        self.maybe_applied = decision.maybe_applied
        self.waited += decision.delay
        return decision


def _result(
    call: Call[T],
    response: httpx.Response | None,
    failure: httpx.HTTPError | None,
    authorization: Authorization,
    attempt: int,
) -> RawResponse[T]:
    """Return the result, or raise what kept it from coming. The status counts before the body."""
    if response is None:
        assert failure is not None
        raise failure
    if not response.is_success:
        raise status_error(response, authorization)
    if failure is not None and not isinstance(failure, httpx.DecodingError):
        raise failure
    try:
        if failure is not None:
            raise msgspec.DecodeError(f"the content encoding is broken: {failure}")
        parsed = call.decode(response.content)
    except msgspec.DecodeError as cause:
        body = authorization.redact(body_text(response))
        # Its frames hold the body, unredacted.
        raise ResponseValidationError(cause, response, body) from cause.with_traceback(None)
    return RawResponse(parsed, response.status_code, response.headers, attempt - 1)


def _done_already(
    session: Session,
    client: Client,
    call: Call[T],
    error: CloudinaryError | httpx.HTTPError,
    attempt: int,
) -> Flow[T]:
    """Give the result of a write that an earlier attempt has done, whose answer was lost.

    The answer of now does not hold it: where the operation says how, one look fetches it. If that
    fails, what is known without it is returned: the write was done, and must not end in an error.
    """
    assert isinstance(error, CloudinaryError)
    assert call.known is not None
    if call.look is not None:
        look = call.look()
        looked = evolve(look, options=call.options._replace(retries=None))
        try:
            found = yield from run(session, client, looked)
        except (CloudinaryError, httpx.HTTPError):
            pass
        else:
            return evolve(found, retries=attempt - 1)
    return RawResponse(call.known(), error.status_code, error.headers, attempt - 1)


def _without_body(response: httpx.Response) -> httpx.Response:
    """Return a response whose body could not be read, as one with an empty body."""
    headers = response.headers.multi_items()
    return whole_response(response.status_code, headers, b"", response.request)


def _happened(error: CloudinaryError | httpx.HTTPError) -> int | Lost:
    if isinstance(error, CloudinaryError):
        return error.status_code
    if isinstance(error, _NOT_SENT):
        return Lost.NOT_SENT
    if isinstance(error, _REFUSED) or not isinstance(error, httpx.TransportError):
        return Lost.REFUSED
    if isinstance(error.__context__, httpx.InvalidURL):
        return Lost.REFUSED  # a redirect to nowhere: httpx reads its address, though told not to go
    return Lost.NO_ANSWER


def _say_maybe_applied(error: CloudinaryError | httpx.HTTPError, maybe_applied: bool) -> None:
    error.maybe_applied = maybe_applied  # type: ignore[union-attr]  # httpx's errors have it not
    if (
        maybe_applied
        and isinstance(error, httpx.HTTPError)
        and _MAYBE_APPLIED not in getattr(error, "__notes__", ())
    ):
        error.add_note(_MAYBE_APPLIED)
