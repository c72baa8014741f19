"""Hold what the real account answers against openapi.yaml.

Reads, and only reads, unless --write is given. That makes one group, with a name that nobody else's
can be mistaken for, takes it through every operation, and removes it, also when a step fails or the
run is interrupted. No other group is changed. The one user that is put into it and taken out is
that of CLOUDINARY_CONTRACT_USER_ID, else the first user found in any group: the new group grants
nothing, so nothing changes for the user, and an account's users cannot be listed without asking
operations that are not this SDK's.

Credentials come from the SDK's own variables: CLOUDINARY_ACCOUNT_URL, or CLOUDINARY_ACCOUNT_ID with
CLOUDINARY_PROVISIONING_API_KEY and CLOUDINARY_PROVISIONING_API_SECRET.

Ends in 0 if all is as described, in 1 if something is not, in 2 if nothing could be asked.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType
from typing import NoReturn, TypeVar

import httpx
from attrs import define, field

from cld_user_groups import (
    CldProvisioning,
    HookContext,
    Security,
    maybe_applied,
    models,
)
from cld_user_groups.contract import ContractCheck

T = TypeVar("T")

USER_ID = "CLOUDINARY_CONTRACT_USER_ID"
NO_SUCH_ID = "0" * 30
# The two operations that were seen to answer another shape than the published one, by their fields.
SHAPES = {
    "addUserToUserGroup": {"users": "observed", "id": "published"},
    "deleteUserGroup": {"ok": "observed", "message": "published"},
}


class StepFailedError(Exception):
    """A step failed, and was reported; those that need it cannot follow."""


@define
class Shapes:
    """A hook that notes in which of its two shapes an operation was answered."""

    seen: dict[str, str] = field(factory=dict[str, str])

    def after_response(self, context: HookContext, response: httpx.Response) -> None:
        """Note the shape of a success."""
        known = SHAPES.get(context.operation_id)
        if known is None or response.status_code != 200:
            return
        try:
            fields = set(json.loads(response.content))
        except (ValueError, TypeError):
            return
        names = [shape for name, shape in known.items() if name in fields]
        self.seen[context.operation_id] = " and ".join(names) or "another"


@define
class Run:
    """One run: its client, what the contract check found, and how many steps failed."""

    client: CldProvisioning
    contract: ContractCheck
    steps: int = 0
    failures: int = 0
    reported: int = 0

    def step(self, name: str, action: Callable[[], T]) -> T:
        """Make one step, report it, and return its result.

        Raises:
            StepFailedError: It failed. A difference from the description alone does not end it.
        """
        self.steps += 1
        error: Exception | None = None
        result: T | None = None
        try:
            result = action()
        except Exception as caught:  # noqa: BLE001 - whatever it is, it is this step's failure
            error = caught
        differences = self.contract.differences[self.reported :]
        self.reported += len(differences)
        is_good = error is None and not differences
        self.failures += not is_good
        print(f"{'ok  ' if is_good else 'FAIL'}  {name}")
        for difference in differences:
            print(f"        differs: {difference}")
        if error is not None:
            print(f"        {type(error).__name__}: {error}")
            raise StepFailedError(name) from error
        return result  # type: ignore[return-value]  # there is no error, so there is a result

    def attempt(self, name: str, action: Callable[[], T]) -> T | None:
        """Make one step that no other needs."""
        try:
            return self.step(name, action)
        except StepFailedError:
            return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the checks and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="also make, change and remove a group")
    parser.add_argument("--server-url", help="the server (default: the SDK's)")
    options = parser.parse_args(arguments)
    contract, shapes = ContractCheck(raise_on_difference=False), Shapes()
    try:
        client = CldProvisioning(server_url=options.server_url, hooks=[contract, shapes])
    except ValueError as problem:
        print(f"contract-live: nothing was checked: {problem}", file=sys.stderr)
        return 2
    run = Run(client, contract)
    with client, termination_as_interrupt():
        print(f"account {client.account_id} at {client.server_url}")
        try:
            read(run, options.server_url)
            if options.write:
                write(run)
        except StepFailedError:
            print("the rest was not checked")
        except KeyboardInterrupt:
            print("interrupted: the rest was not checked")
            return 130
    for operation_id, shape in shapes.seen.items():
        print(f"      {operation_id} was answered in the {shape} shape")
    print(f"{run.steps} steps, {run.failures} failed")
    return 1 if run.failures else 0


def read(run: Run, server_url: str | None) -> None:
    """Make the checks that change nothing."""
    groups = run.client.user_groups
    short = run.step("list the groups", lambda: _all_groups(run.client))
    run.attempt("list the groups with details", lambda: _all_groups(run.client, details=True))
    if short:
        group_id = short[0].id or ""
        run.attempt("read a group", lambda: _expect_group(groups.get(group_id=group_id), group_id))
        run.attempt(
            "read a group with details",
            lambda: _expect_details(groups.get(group_id=group_id, extended_details=True)),
        )
        run.attempt("list the users of a group", lambda: _users(run.client, group_id))
    else:
        print("      the account has no group, so none was read")
    run.attempt(
        "a group that does not exist is a 404",
        lambda: _expect_error(models.NotFound, lambda: groups.get(group_id=NO_SUCH_ID)),
    )
    run.attempt(
        "a wrong secret is a 401",
        lambda: _expect_error(
            models.AuthorizationRequired, lambda: _with_wrong_secret(run, server_url)
        ),
    )


def write(run: Run) -> None:
    """Take a group of our own through every operation, and remove it whatever happens."""
    groups = run.client.user_groups
    mark = f"cld-user-groups contract check {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    mark = f"{mark} {secrets.token_hex(8)}"
    first, second = f"{mark} made", f"{mark} renamed"
    user_id = run.step("find a user to add", lambda: _find_user(run.client))
    print(f"      the group is called {first!r}, and then {second!r}")
    own: list[str] = []
    try:
        group_id = run.step("create a group", lambda: _create(run.client, first, own))
        run.step("read it", lambda: _expect_name(groups.get(group_id=group_id), first))
        run.step(
            "create another of its name is a 409",
            lambda: _expect_error(models.AlreadyExists, lambda: groups.create(name=first)),
        )
        run.step(
            "rename it",
            lambda: _expect_name(groups.update(group_id=group_id, name=second), second),
        )
        run.step("find it in the list", lambda: _expect_listed(run.client, group_id, second))
        run.step("add the user", lambda: _add(run.client, group_id, user_id))
        run.step(
            "add the user again is a 409",
            lambda: _expect_error(
                models.AlreadyExists, lambda: groups.add_user(group_id=group_id, user_id=user_id)
            ),
        )
        run.step("remove the user", lambda: _remove(run.client, group_id, user_id))
        run.step("delete the group", lambda: _delete(run.client, group_id))
        run.step(
            "read it is a 404 now",
            lambda: _expect_error(models.NotFound, lambda: groups.get(group_id=group_id)),
        )
    finally:
        with interrupts_ignored():
            run.attempt("nothing is left behind", lambda: clean(run.client, {first, second}, own))


def clean(client: CldProvisioning, names: set[str], own: Sequence[str]) -> None:
    """Remove the groups of our own that are there still, by their names and by their IDs.

    By name as well, for a group can have been made by a call whose answer never came.

    Raises:
        AssertionError: One could not be removed.
    """
    _delete_all(client, own)
    _delete_all(client, [group.id or "" for group in _all_groups(client) if group.name in names])
    left = [group.id for group in _all_groups(client) if group.name in names or group.id in own]
    _expect(not left, f"remove these groups by hand: {', '.join(map(str, left))}")


def _delete_all(client: CldProvisioning, group_ids: Sequence[str]) -> None:
    for group_id in group_ids:
        try:
            client.user_groups.delete(group_id=group_id)
        except models.NotFound:
            continue
        except (models.CloudinaryError, httpx.HTTPError) as error:
            print(f"        group {group_id} could not be deleted: {error}")


def _expect(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise AssertionError(otherwise)


def _expect_error(kind: type[Exception], action: Callable[[], object]) -> None:
    try:
        action()
    except kind:
        return
    raise AssertionError(f"expected {kind.__name__}, but it succeeded")


def _with_wrong_secret(run: Run, server_url: str | None) -> None:
    wrong = Security(provisioning_api_key="no-such-key", provisioning_api_secret="no-such-secret")
    account_id = run.client.account_id
    with CldProvisioning(
        security=wrong, account_id=account_id, server_url=server_url, hooks=[run.contract]
    ) as client:
        client.user_groups.list()


def _all_groups(client: CldProvisioning, *, details: bool | None = None) -> list[models.UserGroup]:
    found = client.user_groups.list(extended_details=details).user_groups
    _expect(found is not None, "the answer has no user_groups")
    for group in found or ():
        _expect(bool(group.id) and group.name is not None, "a group has no id or no name")
        if details:
            _expect_details(group)
    return list(found or ())


def _expect_group(group: models.UserGroup, group_id: str) -> None:
    _expect(group.id == group_id, f"asked for group {group_id}, got {group.id}")


def _expect_name(group: models.UserGroup, name: str) -> None:
    _expect(group.name == name, f"the group is called {group.name!r}, not {name!r}")


def _expect_details(group: models.UserGroup) -> None:
    for name in ("users", "created_at", "updated_at"):
        _expect(getattr(group, name) is not None, f"group {group.id} has no {name}")


def _expect_listed(client: CldProvisioning, group_id: str, name: str) -> None:
    names = {group.id: group.name for group in _all_groups(client)}
    _expect(names.get(group_id) == name, f"group {group_id} is listed as {names.get(group_id)!r}")


def _users(client: CldProvisioning, group_id: str) -> set[str]:
    users = client.user_groups.list_users(group_id=group_id).users
    _expect(users is not None, "the answer has no users")
    for user in users or ():
        _expect(bool(user.id), "a user has no id")
    return {user.id or "" for user in users or ()}


def _find_user(client: CldProvisioning) -> str:
    user_id = os.environ.get(USER_ID)
    if user_id:
        print(f"      user {user_id}, of {USER_ID}")
        return user_id
    for group in _all_groups(client, details=True):
        for user in group.users or ():
            if user.id:
                print(f"      user {user.id}, found in group {group.id}; {USER_ID} names another")
                return user.id
    raise AssertionError(f"no group of the account has a user: name one in {USER_ID}")


def _create(client: CldProvisioning, name: str, own: list[str]) -> str:
    try:
        group = client.user_groups.create(name=name)
    except httpx.HTTPError as error:
        if maybe_applied(error):
            print("      it may be there all the same, and is looked for")
        raise
    _expect(group.name == name, f"the group is called {group.name!r}, not {name!r}")
    _expect(bool(group.id), "the group has no id")
    # Only what has the unmistakable name is ours to change and to remove.
    own.append(group.id or "")
    return own[0]


def _add(client: CldProvisioning, group_id: str, user_id: str) -> None:
    user = client.user_groups.add_user(group_id=group_id, user_id=user_id)
    _expect(user.id == user_id, f"user {user.id} was added, not {user_id}")
    users = _users(client, group_id)
    _expect(users == {user_id}, f"the group has the users {sorted(users)}, not {user_id} alone")


def _remove(client: CldProvisioning, group_id: str, user_id: str) -> None:
    left = client.user_groups.remove_user(group_id=group_id, user_id=user_id).users
    _expect(left == [], f"the answer has {left} as the users that are left, not none")
    _expect(not _users(client, group_id), "the group has users still")


def _delete(client: CldProvisioning, group_id: str) -> None:
    message = client.user_groups.delete(group_id=group_id).message
    _expect(message == "ok", f"the message is {message!r}, not 'ok'")


@contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does, cleaning up."""
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Let nothing but the end of the process keep us from cleaning up."""
    kept = {
        number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(main())
