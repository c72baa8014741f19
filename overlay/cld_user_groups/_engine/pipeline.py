"""The send pipeline: one generator that decides, whose steps the drivers in io.py perform.

The generator yields each step (see io.Step) and is sent the outcome of each attempt. Every
exception passes through it, whatever raised it, so that each error of a call records whether a
write may have been applied.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Generator
from inspect import isawaitable, iscoroutine
from typing import Generic, TypeVar

import httpx
import msgspec
from attrs import define

from cld_user_groups.errors import ClientClosed, CloudinaryError, LimiterUnavailable, NotFound, mark
from cld_user_groups.hooks import LOGGER, HookContext, Hooks
from cld_user_groups.limits.protocol import Ticket, check_hold
from cld_user_groups.security import Authorization, hide_credentials
from cld_user_groups.utils import UNSET, RetryConfig

from .failures import classify_outcome, delay_error, extract_response, undecodable
from .http_client import Connections
from .io import Attempt, Flow, Step
from .library import http_errors
from .request import ApiCall, CheckedOptions, RawResponse, Session, build_request, check_id
from .retry import Effect, FollowUp, Lost, decide, is_ambiguous

T = TypeVar("T")


def run(
    session: Session, connections: Connections, call: ApiCall[T], options: CheckedOptions
) -> Flow[T]:
    """Make one call, from its first request to its result."""
    retries = session.retries if options.retries is UNSET else options.retries
    hooks = session.debug_hooks if LOGGER.isEnabledFor(logging.DEBUG) else session.hooks
    state = _Run(session, connections, call, options, session.authorize(), hooks, retries)
    try:
        return (yield from state.attempts())
    except BaseException as error:
        state.settle(error)
        if state.number:
            try:
                yield from state.notify_error(error)
            except BaseException as of_hook:  # which may hide the other: `raise ... from None`
                state.settle(of_hook)
                raise
        raise


@define
class _Run(Generic[T]):
    """One call in progress, and what its attempts so far may have done."""

    session: Session
    connections: Connections
    call: ApiCall[T]
    options: CheckedOptions
    authorization: Authorization
    hooks: Hooks
    retries: RetryConfig | None
    began: float = 0.0
    waited: float = 0.0
    number: int = 0
    held: int = 0  # how many attempts a limiter did not admit
    ticket: Ticket | None = None
    maybe_applied: bool = False
    maybe_forwarded: bool = False
    attempt: Attempt | None = None
    happened: int | Lost | None = None
    request: httpx.Request | None = None

    @property
    def may_have_been_applied(self) -> bool:
        """Whether a write may have been applied if the call ended now."""
        if self.call.effect is Effect.READ:
            return False
        if self.maybe_applied or self.attempt is None:
            return self.maybe_applied
        if self.happened is None:
            return self.attempt.may_have_been_sent
        return is_ambiguous(self.call.effect, self.happened)

    @property
    def context(self) -> HookContext:
        """The context for hooks."""
        call = self.call
        ids, is_read = call.path_parameters, call.effect is Effect.READ
        return HookContext(call.operation_id, self.session.account_id, self.number, ids, is_read)

    @property
    def spent(self) -> float:
        """The seconds since the call began, without those in which too many were in flight."""
        # Delays count even where a test's clock or sleep does not really run.
        return max(time.monotonic() - self.began, self.waited)

    def attempts(self) -> Flow[T]:
        """Make attempts until one is final."""
        self.began = time.monotonic()
        while True:
            ended = yield from self.make_attempt()
            if isinstance(ended, RawResponse):
                return ended
            error, happened = ended
            was_lost = self.maybe_applied
            decision = decide(
                self.call.effect,
                happened,
                attempt=self.number,
                spent=self.spent,
                server_delay=error.retry_after if isinstance(error, CloudinaryError) else None,
                maybe_applied=was_lost,
                maybe_forwarded=self.maybe_forwarded,
                config=self.retries,
                jitter=random.random(),  # noqa: S311 - spreads load, guards nothing
            )
            self.maybe_applied = decision.maybe_applied
            self.maybe_forwarded = self.maybe_forwarded or happened == 503
            self.attempt = None
            if decision.follow_up is FollowUp.VERIFY:
                assert isinstance(error, CloudinaryError)
                return (yield from self.verify(error, was_lost=was_lost))
            if decision.follow_up is FollowUp.RAISE:
                is_typed = isinstance(error, (CloudinaryError, *http_errors()))
                if self.session.is_closed() and not is_typed:
                    raise ClientClosed("the client was closed during the call") from error
                raise error
            self.waited += decision.delay
            hide_credentials(error, self.request, self.authorization)
            mark(error, maybe_applied=decision.maybe_applied)
            if self.hooks.on_retry:
                yield from self.notify(self.hooks.on_retry, decision.delay, error)
            yield decision.delay

    def make_attempt(
        self,
    ) -> Generator[Step, object, RawResponse[T] | tuple[Exception, int | Lost]]:
        """Make one attempt, and return its result, or its error and how to classify it."""
        self.number += 1
        self.attempt = self.happened = None
        request = self.request = build_request(
            self.session, self.connections, self.call, self.options, self.authorization
        )
        if self.hooks.before_request:
            yield from self.notify(self.hooks.before_request, request)
        if self.session.limiter is not None:
            self.ticket = self.next_ticket()
        attempt = self.attempt = Attempt(
            request, self.session.limiter, self.ticket, self.session.max_response_bytes
        )
        reply = yield attempt
        self.began += attempt.queued
        if reply is not None:
            self.held += 1
            hold = check_hold(reply)
            return delay_error(hold, request), hold.status_code
        self.ticket = None
        if attempt.failure is not None:
            extract_response(attempt)
        response, failure = attempt.response, attempt.failure
        if response is not None:
            self.happened = response.status_code
            self.authorization.mask(response)
            is_success = failure is None and 200 <= response.status_code < 300
            if self.hooks.after_response or not is_success:
                response.read()
            if failure is None and self.hooks.after_response:
                yield from self.notify(self.hooks.after_response, response)
            if is_success:
                return self.parse(response, attempt.content)
        return classify_outcome(attempt, self.authorization)

    def next_ticket(self) -> Ticket:
        """Return what the limiter is asked with: the same ticket until it admits the attempt."""
        patience = self.retries.backoff.max_elapsed_time / 1000 if self.retries else 0.0
        if self.number > 1:
            patience = max(0.0, patience - self.spent)
        if self.ticket is not None:
            self.ticket.patience = patience
            return self.ticket
        timeout = self.options.timeout or self.session.timeout
        is_paced = self.retries is not None and not self.retries.retry_throttled
        limit = None if timeout is None else timeout.read
        return Ticket(self.session.account_id, patience, limit, is_paced=is_paced)

    def parse(
        self, response: httpx.Response, content: bytes
    ) -> RawResponse[T] | tuple[Exception, int | Lost]:
        """Return the result of a success, or its error if it is not what was promised."""
        try:
            parsed = self.call.decode(content)
            if self.call.about is not None:
                check_id(parsed, self.call.path_parameters[self.call.about])
        except msgspec.DecodeError as cause:
            response.read()
            return undecodable(cause, response, self.authorization), response.status_code
        return self.result(parsed, response.status_code, response.headers)

    def result(self, parsed: T, status_code: int, headers: httpx.Headers) -> RawResponse[T]:
        """Return the result of the call, with how often it was sent before."""
        return RawResponse(parsed, status_code, headers, self.number - 1 - self.held)

    def verify(self, error: CloudinaryError, *, was_lost: bool) -> Flow[T]:
        """Determine whether an earlier attempt was applied, as the error of the retry implies.

        Its response was lost, or it met a 503. Only reading the account confirms it and returns the
        result; what was read is never overruled.
        """
        call = self.call
        how = "whose response was lost" if was_lost else "to which a gateway responded with 503"
        earlier = f"an earlier attempt, {how},"
        if call.verify is None and was_lost:  # a deleted group: there is nothing to read
            assert call.applied is not None
            return self.result(call.applied(), error.status_code, error.headers)
        if call.verify is not None:
            once = self.options._replace(retries=None)
            no_result: tuple[type[Exception], ...] = (CloudinaryError, LimiterUnavailable)
            try:
                found = yield from run(self.session, self.connections, call.verify(), once)
            except no_result + http_errors() as failure:
                # A remove meets 404 also where there is no group: then nothing may be applied.
                has_group = not (isinstance(error, NotFound) and isinstance(failure, NotFound))
                made = "made" if has_group and was_lost else "may have made"
                error.add_fact(f"{earlier} {made} the change")
                why = f"the result could not be read ({type(failure).__name__})"
                error.add_fact(why if has_group else "there is no such group now")
                raise error from failure
            if found.parsed is None:
                self.maybe_applied = False
                error.add_fact(f"{earlier} did not make the change: {call.contradicts}")
                raise error
            if not call.leaves_open:
                return self.result(found.parsed, found.status_code, found.headers)
        error.add_fact(f"{earlier} may have made the change: look before you repeat it")
        error.add_fact(call.leaves_open)
        raise error

    def notify(
        self, hooks: tuple[Callable[..., object], ...], *arguments: object
    ) -> Generator[Step, object]:
        """Call hooks, and let the driver await what they return."""
        context = self.context
        for hook in hooks:
            result = hook(context, *arguments)
            if isawaitable(result):
                yield result

    def settle(self, error: BaseException) -> None:
        """Prepare an error for the caller: without credentials, and marked."""
        hide_credentials(error, self.request, self.authorization)
        mark(error, maybe_applied=self.may_have_been_applied)

    def notify_error(self, error: BaseException) -> Generator[Step, object]:
        """Call the hooks for the error that the call ends in."""
        for hook in self.hooks.on_error:
            result = hook(self.context, error)
            if not isawaitable(result):
                continue
            if isinstance(error, Exception):
                yield result
            elif iscoroutine(result):
                result.close()  # a cancelled task must not begin anything new
