"""The emulator as its users see it: settings, state, switches, and ways to connect to it."""

import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, get_args

from ._account import Account, EmulatorGroup, EmulatorUser
from ._asgi import EmulatorASGI
from ._body import require_name
from ._calls import CallLog
from ._clock import EmulatorClock
from ._core import Core
from ._faults import build_fault
from ._messages import Drop, EmulatorRequest, EmulatorResponse, Wire
from ._sample import SAMPLE_GROUPS, SAMPLE_USERS
from ._transport import EmulatorTransport

if TYPE_CHECKING:
    from ._server import EmulatorServer


class Emulator:
    """A stateful stand-in for the user-groups part of the Provisioning API.

    It starts with a sample account: the group "Designers" with two users, the group "Marketing"
    with one, and two users in no group. All methods may be called from any thread.

    Args:
        account_id: The account that the credentials belong to; any other answers 404.
        api_key: The provisioning API key.
        api_secret: Its secret.
        wire: "observed" to answer in the shapes that the live API was observed to use,
            "documented" for those that it publishes.
        clock: The time of day; real time unless given.
        users: The account's users, in place of the sample account.
        groups: The account's groups, in place of the sample account.

    Raises:
        ValueError: An argument is one that the API could not have.

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
    ) -> None:
        _check_identity(account_id, api_key, api_secret)
        if wire not in get_args(Wire):
            raise ValueError(f"wire must be 'observed' or 'documented', not {wire!r}")
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
            wire=wire,
            clock=clock if clock is not None else EmulatorClock(),
        )
        self._asgi = EmulatorASGI(self._core.handle)

    def __repr__(self) -> str:
        return f"<Emulator account_id={self._account_id!r} wire={self._wire!r}>"

    @property
    def account_id(self) -> str:
        """The id of the emulated account."""
        return self._account_id

    @property
    def api_key(self) -> str:
        """The provisioning API key that the emulator takes."""
        return self._api_key

    @property
    def api_secret(self) -> str:
        """The provisioning API secret that the emulator takes."""
        return self._api_secret

    @property
    def wire(self) -> Wire:
        """The shapes that the emulator answers in."""
        return self._wire

    @property
    def clock(self) -> EmulatorClock:
        """The emulator's time of day, which a test can move."""
        return self._core.clock

    @property
    def calls(self) -> CallLog:
        """What the emulator was asked so far."""
        return self._core.calls

    @property
    def users(self) -> tuple[EmulatorUser, ...]:
        """The users of the account, in a group or not."""
        with self._core.lock:
            return self._core.account.users

    @property
    def groups(self) -> tuple[EmulatorGroup, ...]:
        """The user groups of the account, with their users."""
        with self._core.lock:
            return self._core.account.groups

    @property
    def asgi(self) -> EmulatorASGI:
        """The emulator as an ASGI application."""
        return self._asgi

    def add_user_account(
        self, name: str, *, email: str | None = None, user_id: str | None = None
    ) -> EmulatorUser:
        """Add a user to the account (to no group).

        Args:
            name: The user's full name.
            email: The user's address; made from the name unless given.
            user_id: The user's id; a new one unless given.

        Returns:
            The user that was added.

        Raises:
            ValueError: The id is taken.
        """
        email = email or f"{'.'.join(name.lower().split()) or 'user'}@example.com"
        user = EmulatorUser(user_id or secrets.token_hex(15), name, email)
        with self._core.lock:
            self._core.account.add_user_account(user)
        return user

    def add_group(
        self,
        name: str,
        *,
        users: Iterable[EmulatorUser | str] = (),
        group_id: str | None = None,
    ) -> EmulatorGroup:
        """Add a user group.

        Args:
            name: The group's name.
            users: Its users, or their ids; all must belong to the account.
            group_id: The group's id; a new one unless given.

        Returns:
            The group that was added.

        Raises:
            ValueError: The name or the id is taken, or a user does not exist.
        """
        user_ids = [user if isinstance(user, str) else user.id for user in users]
        with self._core.lock:
            return self._core.account.create_group(
                require_name(name), self._core.clock.now(), group_id=group_id, user_ids=user_ids
            )

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
    ) -> None:
        """Let the next calls of an operation go wrong.

        Faults happen in the order in which they were asked for, and only to requests with the
        right credentials. A fault that does not apply the operation does not use up quota.

        Args:
            operation_id: The operation, or "*" for any.
            status: The status to answer; None performs the operation and answers as it does,
                for a fault that only delays the answer, or changes its headers or its body.
            message: The error's message.
            headers: Headers to add to the answer, or to replace in it.
            body: The answer's raw body, in place of the JSON error.
            delay: Seconds to wait before answering.
            drop: Close the connection with no answer, "before" or "after" the operation was
                performed, or "during" the answer to it, halfway through its body.
            apply: Perform the operation, and answer the error all the same.
            times: How many calls go wrong; None for all, until ``clear_faults``.

        Raises:
            ValueError: An argument is out of range, or two contradict each other.
        """
        fault = build_fault(
            operation_id,
            status=status,
            message=message,
            headers=headers,
            body=body,
            delay=delay,
            drop=drop,
            apply=apply,
        )
        with self._core.lock:
            self._core.faults.add(fault, times)

    def clear_faults(self) -> None:
        """Forget the faults that have not happened yet."""
        with self._core.lock:
            self._core.faults.clear()

    def set_quota(self, limit: int, remaining: int | None = None, *, status: int = 420) -> None:
        """Set how many requests the account has in an hour.

        When they are used up, requests are refused until the next full hour of the clock.

        Args:
            limit: Requests in an hour.
            remaining: Requests left in this hour; the whole limit unless given.
            status: What to answer when none are left, 420 or 429.

        Raises:
            ValueError: An argument is out of range.
        """
        with self._core.lock:
            self._core.quota.set(limit, remaining, status, self._core.clock.now())

    def reset(self) -> None:
        """Go back to how the emulator was built: state, clock, quota, faults and call log."""
        with self._core.lock:
            self._core.start_over(self._seed_account())

    def transport(
        self,
        *,
        sleep: Callable[[float], None] = time.sleep,
        async_sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> EmulatorTransport:
        """Return an ``httpx`` transport, sync and async in one, that asks the emulator in process.

        Args:
            sleep: Waits out the delays of faults in a sync client.
            async_sleep: The same in an async client; ``anyio.sleep`` unless given.
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
        """Answer one request. Whatever the request holds, this raises nothing."""
        return self._core.handle(request)

    def _seed_account(self) -> Account:
        return Account(self._seed_users, self._seed_groups)


def _check_identity(account_id: str, api_key: str, api_secret: str) -> None:
    if not account_id.strip():
        raise ValueError("account_id must not be empty")
    if not api_key:
        raise ValueError("api_key must not be empty")
    if ":" in api_key:
        # HTTP Basic ends the user name at the first colon.
        raise ValueError("api_key must not hold a colon: pass the secret on its own")
    if not api_secret:
        raise ValueError("api_secret must not be empty")
