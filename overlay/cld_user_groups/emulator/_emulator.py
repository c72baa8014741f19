"""The emulator: its settings, its switches, and the ways to connect to it."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from ._account import Account
from ._asgi import EmulatorASGI
from ._calls import CallLog
from ._clock import EmulatorClock
from ._core import Core
from ._faults import build_fault, build_target
from ._messages import (
    Behavior,
    Drop,
    EmulatorRequest,
    EmulatorResponse,
    UsersFilters,
    UsersPaging,
    Wire,
)
from ._models import EmulatorGroup, EmulatorUser
from ._sample import SAMPLE_GROUPS, SAMPLE_USERS
from ._state import EmulatedAccount
from ._transport import EmulatorTransport

if TYPE_CHECKING:
    from ._server import EmulatorServer


class Emulator(EmulatedAccount):
    """A stateful emulator of the user groups of the Account Provisioning API.

    It starts with a sample account: the group "Designers" with two users, the group "Marketing"
    with one, and two users in no group. All methods may be called from any thread.

    Args:
        account_id: The account that the credentials belong to; any other is a 404.
        api_key: The provisioning API key.
        api_secret: Its secret.
        wire: "observed" for the behavior that was observed of the live API, "documented" for the
            published one.
        clock: The time of day; the real one by default.
        users: The account's users, instead of the sample account.
        groups: The account's groups, instead of the sample account.
        users_filters: "ignored" to return the list of users as if it had been requested without
            filters.
        users_paging: "on_request" to return all users unless a page is requested, "always" to
            return at most 100 in any case, "ignored" to return all of them in any case.

    Raises:
        ValueError: An argument is invalid.

    Example::

        emulator = Emulator()
        emulator.fail("createUserGroup", status=503, times=2)
        client = httpx.Client(transport=emulator.transport())
    """

    def __init__(
        self,
        account_id: str = "acc",
        api_key: str = "k",
        api_secret: str = "s",
        wire: Wire = "observed",
        *,
        clock: EmulatorClock | None = None,
        users: Iterable[EmulatorUser] | None = None,
        groups: Iterable[EmulatorGroup] | None = None,
        users_filters: UsersFilters = "applied",
        users_paging: UsersPaging = "on_request",
    ) -> None:
        _check_identity(account_id, api_key, api_secret)
        behavior = Behavior(wire=wire, users_filters=users_filters, users_paging=users_paging)
        self._account_id = account_id
        self._api_key = api_key
        self._api_secret = api_secret
        self._wire: Wire = wire
        is_sample = users is None and groups is None
        self._seed_users = SAMPLE_USERS if is_sample else tuple(users or ())
        self._seed_groups = SAMPLE_GROUPS if is_sample else tuple(groups or ())
        self._core = Core(
            account=self._seed_account(),
            account_id=account_id,
            credentials=f"{api_key}:{api_secret}".encode("utf-8", "surrogateescape"),
            behavior=behavior,
            clock=clock if clock is not None else EmulatorClock(),
        )
        self._asgi = EmulatorASGI(self._core.handle)

    def __repr__(self) -> str:
        return f"<Emulator account_id={self._account_id!r} wire={self._wire!r}>"

    @property
    def account_id(self) -> str:
        """The ID of the emulated account."""
        return self._account_id

    @property
    def api_key(self) -> str:
        """The provisioning API key that the emulator accepts."""
        return self._api_key

    @property
    def api_secret(self) -> str:
        """The provisioning API secret that the emulator accepts."""
        return self._api_secret

    @property
    def wire(self) -> Wire:
        """Whether the emulator behaves as observed or as documented."""
        return self._wire

    @property
    def clock(self) -> EmulatorClock:
        """The emulator's time of day, which a test can change."""
        return self._core.clock

    @property
    def calls(self) -> CallLog:
        """The requests that the emulator received."""
        return self._core.calls

    @property
    def asgi(self) -> EmulatorASGI:
        """The emulator as an ASGI application."""
        return self._asgi

    def fail(
        self,
        operation_id: str,
        *,
        status: int | None = 503,
        message: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        delay: float = 0.0,
        drop: Drop | None = None,
        apply: bool = False,
        times: int | None = 1,
        group_id: str | None = None,
        user_id: str | None = None,
        probability: float = 1.0,
        seed: int = 0,
    ) -> None:
        """Make the next calls of an operation go wrong.

        A call meets the oldest fault that is for it, and only if its credentials are right. A fault
        that does not apply the operation does not use up quota.

        Args:
            operation_id: The operation, or "*" for any.
            status: The status code of the response; None performs the operation and returns its
                response, for a fault that only delays it, or changes its headers or its body.
            message: The error's message.
            headers: Headers to add to the response, or to replace in it.
            body: The raw body of the response, instead of the JSON error.
            delay: Seconds to wait before the response.
            drop: Close the connection without a response, "before" or "after" the operation is
                performed, or "during" the response, halfway through its body.
            apply: Perform the operation, and return the error all the same.
            times: The number of calls that go wrong; None for all, until ``clear_faults``.
            group_id: Only calls with this group ID in the path.
            user_id: Only calls with this user ID in the path.
            probability: The probability of each of these calls to go wrong.
            seed: The seed of the random numbers, which are the same in every run.

        Raises:
            ValueError: An argument is invalid, or two contradict each other.
        """
        target = build_target(operation_id, group_id=group_id, user_id=user_id)
        fault = build_fault(
            status=status,
            message=message,
            headers=headers,
            body=body,
            delay=delay,
            drop=drop,
            apply=apply,
        )
        with self._core.lock:
            self._core.faults.add(target, fault, times=times, probability=probability, seed=seed)

    def clear_faults(self) -> None:
        """Forget the faults that have not happened yet."""
        with self._core.lock:
            self._core.faults.clear()

    def set_quota(self, limit: int, remaining: int | None = None, *, status: int = 420) -> None:
        """Set the number of requests that the account has in an hour.

        When they are used up, requests are rejected until the next full hour of the clock.

        Args:
            limit: Requests in an hour.
            remaining: Requests left in this hour; the whole limit by default.
            status: The status code when none are left, 420 or 429.

        Raises:
            ValueError: An argument is out of range.
        """
        with self._core.lock:
            self._core.quota.set(limit, remaining, status, self._core.clock.now())

    def reset(self) -> None:
        """Restore the initial state, clock and quota, and clear the faults and the call log."""
        with self._core.lock:
            self._core.start_over(self._seed_account())

    def transport(
        self,
        *,
        sleep: Callable[[float], None] = time.sleep,
        async_sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> EmulatorTransport:
        """Return an ``httpx`` transport, sync and async in one, to the emulator in process.

        Args:
            sleep: Called for the delays of faults in a sync client.
            async_sleep: Awaited for them in an async client; ``anyio.sleep`` by default.
        """
        return EmulatorTransport(self._core.handle, sleep=sleep, async_sleep=async_sleep)

    def serve(self, host: str = "127.0.0.1", port: int = 0) -> "EmulatorServer":
        """Return a server for a ``with`` statement, which listens on a real socket.

        Args:
            host: The address to bind to.
            port: The port, 0 for a free one.

        Raises:
            ImportError: uvicorn, of the extra ``emulator``, is not installed.
        """
        from ._server import EmulatorServer

        return EmulatorServer(self, host, port)

    def handle(self, request: EmulatorRequest) -> EmulatorResponse:
        """Handle one request. No request makes this raise."""
        return self._core.handle(request)

    def _seed_account(self) -> Account:
        return Account(self._seed_users, self._seed_groups)


def _check_identity(account_id: str, api_key: str, api_secret: str) -> None:
    if not account_id.strip():
        raise ValueError("account_id must not be empty")
    if not api_key:
        raise ValueError("api_key must not be empty")
    if ":" in api_key:
        # RFC 7617: the user-id ends at the first colon.
        raise ValueError("api_key must not contain a colon: pass the secret on its own")
    if not api_secret:
        raise ValueError("api_secret must not be empty")
