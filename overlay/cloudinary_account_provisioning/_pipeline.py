"""The send pipeline: one generator decides, two small drivers do what it says.

The generator yields a request to send, or a number of seconds to wait. It is sent back what came of
a request: an answer, an error of httpx, or both, where the answer's body could not be read. All
that is decided is decided here, once for sync and async.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator
from functools import lru_cache
from typing import NamedTuple, TypeVar, cast

import httpx
import msgspec
from attrs import define, evolve, field

from ._call import Call, RawResponse
from ._retry import Action, Decision, Effect, Lost, decide
from ._waiting import wait, wait_async
from .errors import (
    CloudinaryError,
    ResponseValidationError,
    body_text,
    status_error,
    whole_response,
)
from .hooks import HookContext, Hooks
from .security import Authorization
from .utils import UNSET, RetryConfig

T = TypeVar("T")
Client = httpx.Client | httpx.AsyncClient

_MAYBE_APPLIED = "The change may have been applied all the same: look before you repeat it."
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_REFUSED = (httpx.UnsupportedProtocol, httpx.ProxyError, httpx.LocalProtocolError)
# The credentials are in the headers already: no scheme of the client's own may replace them.
_NO_AUTH = httpx.Auth()


class Outcome(NamedTuple):
    """What came of a request: an answer, an error, or an answer that could not be read whole."""

    response: httpx.Response | None
    failure: httpx.HTTPError | None


Flow = Generator[httpx.Request | float, Outcome, RawResponse[T]]


@define
class Session:
    """What all calls of one client share.

    Attributes:
        account_id: The account.
        server_url: The server, without a slash at its end.
        authorize: Gives the credentials for a call.
        retries: The retries of a call that sets none of its own.
        timeout: The time limit of a call that sets none, or None for that of the httpx client.
        hooks: Gives the hooks for a call.
        user_agent: How the client calls itself.
    """

    account_id: str
    server_url: str
    authorize: Callable[[], Authorization]
    retries: RetryConfig | None
    timeout: httpx.Timeout | None
    hooks: Callable[[], Hooks]
    user_agent: str
    _headers: tuple[tuple[object, ...], httpx.Headers] | None = field(default=None, repr=False)

    def headers(self, client: Client, host: bytes, authorization: Authorization) -> httpx.Headers:
        """Return the headers of every request: the client's own, ours, the credentials.

        Made anew only where one of them has changed.
        """
        made_of = (client.headers.raw, host, authorization)
        last = self._headers  # read once: another thread may replace it at any time
        if last is not None and last[0] == made_of:
            return last[1]
        headers = httpx.Headers([(b"Host", host), *client.headers.raw])
        headers["Accept"] = "application/json"
        if headers.get("User-Agent", "python-httpx/").startswith("python-httpx/"):
            headers["User-Agent"] = self.user_agent
        headers["Authorization"] = authorization.header
        self._headers = (made_of, headers)
        return headers


@lru_cache(maxsize=256)
def _url(server_url: str, target: str) -> httpx.URL:
    # Parsing a URL costs as much as all the rest of building a request.
    return httpx.URL(server_url + target)


def build_request(
    session: Session, client: Client, call: Call[T], authorization: Authorization
) -> httpx.Request:
    """Return the request of a call, ready to be sent as it is.

    httpx would merge its client's settings into every request anew; all of them are known here.
    """
    options = call.options
    content = call.request.content
    url = _url(options.server_url or session.server_url, call.request.target)
    if client.params:
        url = url.copy_merge_params(client.params)
    timeout = options.timeout or session.timeout or client.timeout
    request = httpx.Request(
        call.request.method,
        url,
        headers=session.headers(client, url.netloc, authorization),
        stream=httpx.ByteStream(content or b""),
        extensions={"timeout": timeout.as_dict()},
    )
    request.read()
    headers = request.headers
    for name, value in call.request.headers.items():
        headers[name] = value
    if content is not None or call.request.method in ("POST", "PUT"):
        headers["Content-Length"] = str(len(content or b""))
    if client.cookies:
        client.cookies.set_cookie_header(request)
    if options.http_headers:
        headers.update(options.http_headers)
    return request


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
        _hide_credentials(error, request)
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


def _hide_credentials(error: BaseException, request: httpx.Request) -> None:
    """Take the credentials out of what an error leads to: its request, and the frames below.

    The frames of httpx and what it stands on hold the headers in local variables, which some
    loggers print; the chain of errors and their messages stay.
    """
    request.headers["Authorization"] = "***"
    if isinstance(error, CloudinaryError):
        error.raw_response.next_request = None  # what httpx would send to follow a redirect
        return
    left: list[BaseException | None] = [error]
    seen: set[int] = set()
    while left:
        link = left.pop()
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            link.__traceback__ = None
            left += [link.__cause__, link.__context__]


def _hide_from_interrupt(error: BaseException, request: httpx.Request) -> None:
    """Do the same where a call is interrupted or cancelled; others' errors keep their frames."""
    if not isinstance(error, Exception):
        _hide_credentials(error, request)


def _say_maybe_applied(error: CloudinaryError | httpx.HTTPError, maybe_applied: bool) -> None:
    error.maybe_applied = maybe_applied  # type: ignore[union-attr]  # httpx's errors have it not
    if (
        maybe_applied
        and isinstance(error, httpx.HTTPError)
        and _MAYBE_APPLIED not in getattr(error, "__notes__", ())
    ):
        error.add_note(_MAYBE_APPLIED)


def exchange(client: httpx.Client, request: httpx.Request) -> Outcome:
    """Send one request and read its answer."""
    try:
        response = client.send(request, stream=True, auth=_NO_AUTH, follow_redirects=False)
    except httpx.HTTPError as failure:
        return Outcome(None, failure)
    except BaseException as interrupt:
        _hide_from_interrupt(interrupt, request)
        raise
    try:
        response.read()
    except httpx.HTTPError as failure:
        response.close()
        return Outcome(response, failure)
    except BaseException as interrupt:
        response.close()
        _hide_from_interrupt(interrupt, request)
        raise
    return Outcome(response, None)


async def exchange_async(client: httpx.AsyncClient, request: httpx.Request) -> Outcome:
    """Send one request and read its answer."""
    try:
        response = await client.send(request, stream=True, auth=_NO_AUTH, follow_redirects=False)
    except httpx.HTTPError as failure:
        return Outcome(None, failure)
    except BaseException as interrupt:
        _hide_from_interrupt(interrupt, request)
        raise
    try:
        await response.aread()
    except httpx.HTTPError as failure:
        await response.aclose()
        return Outcome(response, failure)
    except BaseException as interrupt:
        await response.aclose()
        _hide_from_interrupt(interrupt, request)
        raise
    return Outcome(response, None)


def drive(client: httpx.Client, flow: Flow[T]) -> RawResponse[T]:
    """Do what a flow says, and return its result."""
    try:
        step = next(flow)
        while True:
            if isinstance(step, httpx.Request):
                step = flow.send(exchange(client, step))
            else:
                wait(step)
                step = next(flow)
    except StopIteration as done:
        return cast("RawResponse[T]", done.value)


async def drive_async(client: httpx.AsyncClient, flow: Flow[T]) -> RawResponse[T]:
    """Do what a flow says, and return its result."""
    try:
        step = next(flow)
        while True:
            if isinstance(step, httpx.Request):
                step = flow.send(await exchange_async(client, step))
            else:
                await wait_async(step)
                step = next(flow)
    except StopIteration as done:
        return cast("RawResponse[T]", done.value)
