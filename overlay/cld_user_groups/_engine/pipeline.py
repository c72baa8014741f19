"""The send pipeline: one generator that decides, and that the drivers in io.py perform.

The generator yields each step (see io.Step) and is sent the outcome of each attempt. Every
exception passes through it, whatever raised it, so that each error of a call records whether a
write may have been applied.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator
from inspect import isawaitable, iscoroutine
from typing import Generic, TypeVar

import httpx
from attrs import define

from cld_user_groups.errors import (
    ClientClosed,
    CloudinaryError,
    LimiterUnavailable,
    NotFound,
    ResponseValidationError,
    mark,
)
from cld_user_groups.hooks import HookContext, Hooks
from cld_user_groups.limits.protocol import Hold, Ticket
from cld_user_groups.security import Authorization
from cld_user_groups.utils import UNSET, RetryConfig

from .attempt import Admission, Attempt, Outcome, Send
from .call import Call, CheckedOptions, RawResponse
from .failures import hide_credentials
from .io import Flow, Step
from .outcome import arrived, decoded, problem_of
from .request import Client, Session, build_request
from .retry import Action, Decision, Effect, Lost, decide, is_ambiguous
from .status_error import held_error

T = TypeVar("T")


def run(session: Session, client: Client, call: Call[T], options: CheckedOptions) -> Flow[T]:
    """Make one call, from its first request to its result.

    Raises:
        CloudinaryError: The server responded with something other than a success.
        httpx.HTTPError: No complete response was received.
        BaseException: Any other exception that ended the call, unchanged; see `maybe_applied`.
    """
    retries = session.retries if options.retries is UNSET else options.retries
    state = _Run(session, client, call, options, session.authorize(), session.hooks(), retries)
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
    client: Client
    call: Call[T]
    options: CheckedOptions
    authorization: Authorization
    hooks: Hooks
    retries: RetryConfig | None
    began: float = 0.0
    waited: float = 0.0
    queued: float = 0.0
    number: int = 0
    held: int = 0
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
        return HookContext(
            call.operation_id, self.session.account_id, self.number, call.path_parameters
        )

    def attempts(self) -> Flow[T]:
        """Make attempts until one is final."""
        self.began = time.monotonic()
        while True:
            ended = yield from self.make_attempt()
            if isinstance(ended, RawResponse):
                return ended
            error, happened = ended
            delay = error.retry_after if isinstance(error, CloudinaryError) else None
            was_lost = self.maybe_applied
            decision = self.decide(happened, delay)
            if decision.action is Action.LOOK:
                assert isinstance(error, CloudinaryError)
                return (yield from self.look(error, was_lost=was_lost))
            if decision.action is Action.RAISE:
                is_typed = isinstance(error, CloudinaryError | httpx.HTTPError)
                if self.session.is_closed() and not is_typed:
                    raise ClientClosed("the client was closed during the call") from error
                raise error
            hide_credentials(error, self.request, self.authorization)
            mark(error, maybe_applied=decision.maybe_applied)
            if self.hooks.on_retry:
                yield from self.notify(self.hooks.on_retry, decision.delay, error)
            yield decision.delay

    def make_attempt(
        self,
    ) -> Generator[Step, Outcome | Hold | None, RawResponse[T] | tuple[Exception, int | Lost]]:
        """Make one attempt, and return its result, or its error and how to classify it."""
        self.number += 1
        self.attempt = self.happened = None
        request = self.request = build_request(
            self.session, self.client, self.call, self.options, self.authorization
        )
        if self.hooks.before_request:
            yield from self.notify(self.hooks.before_request, request)
        attempt = self.attempt = Attempt()
        outcome = yield Send(request, attempt, self.admission())
        assert outcome is not None
        self.queued += attempt.queued
        if isinstance(outcome, Hold):
            self.held += 1
            return held_error(outcome, request), outcome.status_code
        self.ticket = None
        response, failure = arrived(outcome, attempt, request)
        if response is not None:
            self.happened = response.status_code
            self.authorization.mask(response)
            if failure is None and self.hooks.after_response:
                yield from self.notify(self.hooks.after_response, response)
        problem = problem_of(response, failure, attempt, self.authorization)
        if problem is not None:
            return problem
        assert response is not None
        parsed = decoded(self.call, response, self.authorization)
        if isinstance(parsed, ResponseValidationError):
            return parsed, response.status_code
        return RawResponse(parsed, response.status_code, response.headers, self.resent)

    def admission(self) -> Admission | None:
        """Return what the limiter is asked, the same ticket until it is admitted."""
        limiter = self.session.limiter
        if limiter is None:
            return None
        patience = 0.0
        if self.retries is not None:
            patience = self.retries.backoff.max_elapsed_time / 1000
            patience = max(0.0, patience - self.spent) if self.number > 1 else patience
        if self.ticket is None:
            timeout = self.options.timeout or self.session.timeout
            limit = None if timeout is None else timeout.read
            self.ticket = Ticket(self.session.account_id, patience, limit)
        else:
            self.ticket.patience = patience
        return Admission(limiter, self.ticket)

    @property
    def spent(self) -> float:
        """The seconds since the call began, waits for a turn not counted."""
        # Delays count even where a test's clock or sleep does not really run.
        return max(time.monotonic() - self.began - self.queued, self.waited)

    @property
    def resent(self) -> int:
        """How many attempts were sent before the last one."""
        return self.number - self.held - 1

    def decide(self, happened: int | Lost, server_delay: float | None) -> Decision:
        """Decide what follows an attempt that did not succeed, and keep count."""
        decision = decide(
            self.call.effect,
            happened,
            attempt=self.number,
            spent=self.spent,
            server_delay=server_delay,
            maybe_applied=self.maybe_applied,
            maybe_forwarded=self.maybe_forwarded,
            config=self.retries,
            jitter=random.random(),  # noqa: S311 - spreads load, guards nothing
        )
        self.maybe_applied = decision.maybe_applied
        self.maybe_forwarded = self.maybe_forwarded or happened == 503
        self.waited += decision.delay
        self.attempt = None
        return decision

    def look(self, error: CloudinaryError, *, was_lost: bool) -> Flow[T]:
        """Determine whether an earlier attempt was applied.

        The status code of the retry implies it, but only reading the account confirms it and
        returns the result. What was read is never overruled.

        Args:
            error: The error of the retry.
            was_lost: Whether the response of an earlier attempt was lost; else one met a 503.
        """
        call = self.call
        earlier = "an earlier attempt, whose response was lost,"
        if not was_lost:
            earlier = "an earlier attempt, to which a gateway responded with 503,"
        if call.look is None and was_lost:  # a deleted group: there is nothing to read
            assert call.applied is not None
            return RawResponse(call.applied(), error.status_code, error.headers, self.resent)
        if call.look is not None:
            once = self.options._replace(retries=None)
            try:
                found = yield from run(self.session, self.client, call.look(), once)
            except (CloudinaryError, httpx.HTTPError, LimiterUnavailable) as failure:
                # A remove meets 404 also where there is no group: then nothing may be applied.
                has_group = not (isinstance(error, NotFound) and isinstance(failure, NotFound))
                made = "made" if has_group and was_lost else "may have made"
                error.add_fact(f"{earlier} {made} the change")
                why = f"the result could not be read ({type(failure).__name__})"
                error.add_fact(why if has_group else "there is no such group now")
                raise error from failure
            if found.parsed is None:
                self.maybe_applied = False
                error.add_fact(f"{earlier} did not make the change: {call.denies}")
                raise error
            if not call.leaves_open:
                return RawResponse(found.parsed, found.status_code, found.headers, self.resent)
        error.add_fact(f"{earlier} may have made the change: look before you repeat it")
        error.add_fact(call.leaves_open)
        raise error

    def notify(
        self, hooks: tuple[Callable[..., object], ...], *arguments: object
    ) -> Generator[Step, Outcome | Hold | None]:
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

    def notify_error(self, error: BaseException) -> Generator[Step, Outcome | Hold | None]:
        """Call the hooks for the error that the call ends in."""
        for hook in self.hooks.on_error:
            result = hook(self.context, error)
            if not isawaitable(result):
                continue
            if isinstance(error, Exception):
                yield result
            elif iscoroutine(result):
                result.close()  # a cancelled task must not begin anything new
