"""What groups grant: the roles of users and groups, or that they are not known, and why.

Two reads an account, one for each scope, and one more for each further 100 principals and page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from datetime import UTC, datetime
from itertools import product
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import attrs

from cld_provisioning_api.models import (
    InspectResponse,
    Principal,
    PrincipalRole,
    PrincipalRolesResponse,
    PrincipalType,
    Role,
    RolesResponse,
)
from cld_user_groups._find_users import send_each, send_each_async
from cld_user_groups.client import AsyncCldProvisioning, CldProvisioning
from cld_user_groups.errors import CloudinaryError, http_errors
from cld_user_groups.identity import printable
from cld_user_groups.paging import EndlessPages, next_arguments

from .grants import Grant, GroupRef, PrincipalKey, RoleRecord, Roles, grant_of
from .model import Action, Group, Plan, Snapshot
from .problems import quoted

if TYPE_CHECKING:
    from .restoring import Restoration
    from .runs import Run

# No maximum of principals in one request is published.
MAX_PRINCIPALS: Final = 100
_SCOPES: Final = ("account", "prodenv")
_QUOTA: Final = "reading them takes more requests than are left of the quota"
#: Whose roles a human wants to see in a plan: those of groups, or those of people too.
Reach: TypeAlias = Literal["groups", "people"]

_UNREAD: tuple[type[Exception], ...] = (CloudinaryError, EndlessPages)

_Client: TypeAlias = CldProvisioning | AsyncCldProvisioning


def read_roles(
    client: CldProvisioning, principals: Iterable[Principal], max_requests: int | None = None
) -> Roles:
    """Read the roles of principals; an error makes them not known, and is never raised.

    Args:
        client: The client of the account.
        principals: The users and groups.
        max_requests: How many requests it may take, beyond which they are not known.
    """
    return send_each(each_read(client, principals, max_requests), lambda response: response)


def roles_of(
    client: CldProvisioning, groups: Iterable[Group | GroupRef], user_ids: Iterable[str] = ()
) -> Roles:
    """Read the roles of groups and users; two requests for each hundred of them."""
    ids = dict.fromkeys(group.id or "" for group in groups)
    return read_roles(client, as_principals(ids, user_ids))


def roles_apart(
    client: CldProvisioning, groups: Sequence[Group], user_ids: Collection[str]
) -> Roles:
    """Read the roles of groups, then of users: an error about a user costs no group's."""
    granted = roles_of(client, groups)
    if user_ids and (granted.known or not groups):
        granted = granted.with_more(roles_of(client, [], user_ids))
    return granted


async def read_roles_async(
    client: AsyncCldProvisioning, principals: Iterable[Principal], max_requests: int | None = None
) -> Roles:
    """Read the roles of principals as `read_roles` does."""
    return await send_each_async(each_read(client, principals, max_requests), lambda call: call)


def record_roles(client: CldProvisioning, group_id: str) -> RoleRecord:
    """Read what a group grants, with two requests; an error makes it not known."""
    return send_each(_record(client.with_options(limiter=None), group_id), lambda each: each)


async def record_roles_async(client: AsyncCldProvisioning, group_id: str) -> RoleRecord:
    """Read what a group grants as `record_roles` does."""
    unlimited = client.with_options(limiter=None)
    return await send_each_async(_record(unlimited, group_id), lambda call: call)


def read_restoration(client: CldProvisioning, run: Run, others: Iterable[Run] = ()) -> Restoration:
    """Read what an undo has to know to assign again the roles of the groups that a run deleted.

    It takes one request, and two for each group that another undo of the run has created again;
    none where the run has recorded no role. An error makes them not known.

    Args:
        client: The client of the account.
        run: The run to undo.
        others: The other runs of the account, as `list_runs` returns them.
    """
    return send_each(_restoration(client, run, others), lambda response: response)


async def read_restoration_async(
    client: AsyncCldProvisioning, run: Run, others: Iterable[Run] = ()
) -> Restoration:
    """Read what an undo has to know as `read_restoration` does."""
    return await send_each_async(_restoration(client, run, others), lambda call: call)


def plan_with_roles(
    client: CldProvisioning,
    make: Callable[[Snapshot], Plan],
    snapshot: Snapshot,
    *,
    reach: Reach | None = None,
    keep_quota: int = 0,
) -> tuple[Plan, Snapshot]:
    """Return the plan of a snapshot, and the snapshot with the roles that the plan needs.

    A plan is made without roles to see whose are needed. Then they are read, and it is made again:
    each request is sent once, and past the client's limiter, for no change may wait for an API that
    it does not need. What that takes is gone from the quota of the snapshot, `keep_quota` is left.
    """
    plan = make(snapshot)
    known = snapshot.roles  # which the rules of a file need
    principals = [
        each
        for each in principals_of(plan, snapshot, reach)
        if known.of(each.id, each.type) is None
    ]
    if not principals:
        if reach is None or known.were_read:
            return plan, snapshot
        snapshot = attrs.evolve(snapshot, roles=Roles(reason="none had to be read"))
        return make(snapshot), snapshot
    snapshot = with_more_roles(client, snapshot, principals, keep_quota)
    return make(snapshot), snapshot


def with_more_roles(
    client: CldProvisioning, snapshot: Snapshot, principals: list[Principal], keep_quota: int = 0
) -> Snapshot:
    """Return a snapshot with the roles of more principals, read once and past the limiter."""
    left = snapshot.requests_left
    once = client.with_options(retries=None, limiter=None)
    roles = read_roles(once, principals, None if left is None else left - keep_quota)
    left = None if left is None else max(0, left - roles.requests)
    return attrs.evolve(snapshot, roles=snapshot.roles.with_more(roles), requests_left=left)


def principals_of(plan: Plan, snapshot: Snapshot, reach: Reach | None) -> list[Principal]:
    """Return whose roles a plan shows: nobody's, if it deletes no group and no human asks.

    They are those of the groups that people join or leave and of those that are deleted; of the
    other groups of these people, through which they may have the same roles; and with "people",
    those that they hold themselves.
    """
    if reach is None and all(each.action is not Action.DELETE_GROUP for each in plan.changes):
        return []
    people: dict[str, None] = {}
    groups: dict[str, None] = {}
    for change in plan.changes:
        moved = [user.id for user in (change.user, *change.members) if user is not None]
        if change.group.id is not None and (moved or change.action is Action.DELETE_GROUP):
            groups[change.group.id] = None
        people.update(dict.fromkeys(moved))
    for group in snapshot.groups:
        if any(member.id in people for member in group.members):
            groups[group.id] = None
    users = people if reach == "people" else ()
    return as_principals(groups, users)


def as_principals(group_ids: Iterable[str], user_ids: Iterable[str] = ()) -> list[Principal]:
    """Return groups and users, by their IDs, as principals."""
    ids: dict[PrincipalType, Iterable[str]] = {"group": group_ids, "user": user_ids}
    return [Principal(type=kind, id=each) for kind, of_kind in ids.items() for each in of_kind]


def reason_of(error: BaseException) -> str:
    """Return why roles are not known, in a clause."""
    if not isinstance(error, CloudinaryError):
        return printable(str(error)) or type(error).__name__
    match error.status_code:
        case 401 | 403 | 404:
            return (
                "this account or API key does not have the Permissions API "
                f"(status {error.status_code})"
            )
        case status if status < 300:
            return "the response of the Permissions API is not as documented"
        case status:
            return f"the Permissions API responded with status {status}"


def each_read(
    client: _Client, principals: Iterable[Principal], max_requests: int | None
) -> Generator[Any, Any, Roles]:
    """Yield each call, as the client makes it, and expect its response."""
    listed = list(principals)
    asked: set[PrincipalKey] = {(each.type, each.id) for each in listed}
    found: dict[PrincipalKey, dict[Grant, None]] = {}
    named: dict[str, set[PrincipalKey]] = {scope: set() for scope in _SCOPES}
    batches = range(0, len(listed), MAX_PRINCIPALS)
    requests, most = 0, math.inf if max_requests is None else max_requests
    if len(_SCOPES) * len(batches) > most:
        return Roles(reason=_QUOTA)
    try:
        for scope, start in product(_SCOPES, batches):
            batch = listed[start : start + MAX_PRINCIPALS]
            arguments: dict[str, Any] | None = {"scope_type": scope, "principals": batch}
            cursors: set[str] = set()
            while arguments is not None:
                if requests >= most:
                    return Roles(reason=_QUOTA, requests=requests)
                requests += 1
                page: InspectResponse = yield client.principals.inspect_multiple(**arguments)
                for principal in page.data.principals:
                    key = principal.type, principal.id
                    if key in asked:
                        named[scope].add(key)
                        grants = map(grant_of, principal.roles)
                        found.setdefault(key, {}).update(dict.fromkeys(grants))
                arguments = next_arguments(arguments, page.next_cursor, cursors)
                if len(cursors) > MAX_PRINCIPALS:  # each page has at least one of them
                    raise EndlessPages(f"the pages do not end: {len(cursors)} are read")
    except _UNREAD + http_errors() as error:
        return Roles(reason=reason_of(error), requests=requests)
    # Who is missing in one of the responses may have any role in that scope.
    known = set[PrincipalKey].intersection(*named.values())
    return Roles(
        {key: tuple(sorted(found[key], key=_by_place)) for key in known},
        "the Permissions API did not say" if asked - known else Roles().reason,
        requests,
    )


def _record(client: _Client, group_id: str) -> Generator[Any, Any, RoleRecord]:
    read_at = datetime.now(UTC)  # what is assigned later may be missing
    granted: dict[Grant, None] = {}
    unknown = ""
    named: dict[str, Any] = {"principal_type": "group", "principal_id": group_id}
    kinds = {"global": "", "content": "roles in folders and collections: "}
    try:
        for named["permission_type"], what in kinds.items():
            unknown = what
            response: PrincipalRolesResponse = yield client.principals.list_roles(**named)
            granted.update(dict.fromkeys(map(_exact_grant, response.data)))
        unknown = ""
    except Exception as error:  # noqa: BLE001 - a hook's, too: the deletion does not wait for it
        unknown += reason_of(error)
    return RoleRecord(
        read_at=read_at, granted=tuple(sorted(granted, key=_by_place)), unknown=unknown
    )


def _restoration(
    client: _Client, run: Run, others: Iterable[Run]
) -> Generator[Any, Any, Restoration]:
    from .restoring import Restoration, recreated_by  # most commands undo nothing

    recreated = recreated_by(run, others)
    if not any(outcome.roles and outcome.roles.granted for outcome in run.outcomes):
        return Restoration(recreated=recreated)
    assignable: tuple[Role, ...] | None = None
    reason = ""
    try:
        response: RolesResponse = yield client.roles.list()
        assignable = tuple(response.data)
    except _UNREAD + http_errors() as error:
        reason = reason_of(error)
    granted: dict[str, tuple[Grant, ...]] = {}
    for group_id in sorted({each for ids in recreated.values() for each in ids}):
        found: RoleRecord = yield from _record(client, group_id)
        granted[group_id] = found.granted
    return Restoration(assignable=assignable, reason=reason, recreated=recreated, granted=granted)


def _exact_grant(role: PrincipalRole) -> Grant:
    if not all(isinstance(value, str) for value in (role.policy_parameters or {}).values()):
        raise TypeError(f"a parameter of the role {quoted(role.name)} is not a text")
    return grant_of(role)


def _by_place(grant: Grant) -> tuple[bool, str, str, str]:
    return grant.scope != "account", grant.where or "", grant.role.casefold(), str(grant.within)
