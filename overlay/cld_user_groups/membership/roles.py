"""What groups grant: the roles of users and groups, or that they are not known, and why.

Two reads an account, one for each scope, and one more for each further 100 principals and page.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import Any, Final, TypeAlias

import attrs

from cld_provisioning_api.models import InspectResponse, Principal, PrincipalRole
from cld_user_groups._find_users import send_each, send_each_async
from cld_user_groups.client import AsyncCldProvisioning, CldProvisioning
from cld_user_groups.errors import CloudinaryError, http_errors
from cld_user_groups.identity import printable
from cld_user_groups.paging import EndlessPages, next_arguments

from .grants import Grant, PrincipalKey, Roles
from .model import Action, Plan, Snapshot
from .problems import quoted

# No maximum of principals in one request is published.
MAX_PRINCIPALS: Final = 100
_SCOPES: Final = ("account", "prodenv")

_UNREAD: tuple[type[Exception], ...] = (CloudinaryError, EndlessPages)

_Client: TypeAlias = CldProvisioning | AsyncCldProvisioning


def read_roles(client: CldProvisioning, principals: Iterable[Principal]) -> Roles:
    """Read the roles of principals; an error makes them not known, and is never raised.

    Args:
        client: The client of the account.
        principals: The users and groups.
    """
    return send_each(_read(client, principals), lambda response: response)


async def read_roles_async(client: AsyncCldProvisioning, principals: Iterable[Principal]) -> Roles:
    """Read the roles of principals as `read_roles` does."""
    return await send_each_async(_read(client, principals), lambda call: call)


def with_ended_roles(
    client: CldProvisioning, plan: Plan, snapshot: Snapshot
) -> tuple[Plan, Snapshot]:
    """Return a plan with notes on the roles that end with the groups that it deletes.

    They are read from the account; where there are none to delete, nothing is. Each request is
    sent once: the changes must not wait for an API that they do not need. What it takes is gone
    from the quota of the plan, and of the account as it was read.
    """
    deleted = [each.group for each in plan.changes if each.action is Action.DELETE_GROUP]
    if not deleted:
        return plan, snapshot
    once = client.with_options(retries=None)
    roles = read_roles(once, groups_as_principals(group.id or "" for group in deleted))
    notes = (
        f"Roles that end with {quoted(group.name)}: {'; '.join(roles.texts(group.id))}."
        for group in deleted
    )
    return (
        attrs.evolve(
            plan,
            notes=tuple(dict.fromkeys((*plan.notes, *notes))),
            requests_left=_less(plan.requests_left, roles.requests),
        ),
        attrs.evolve(snapshot, requests_left=_less(snapshot.requests_left, roles.requests)),
    )


def _less(left: int | None, requests: int) -> int | None:
    return None if left is None else max(0, left - requests)


def groups_as_principals(ids: Iterable[str]) -> list[Principal]:
    """Return groups, by their IDs, as principals."""
    return [Principal(type="group", id=group_id) for group_id in ids]


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


def _read(client: _Client, principals: Iterable[Principal]) -> Generator[Any, Any, Roles]:
    """Yield each call, as the client makes it, and expect its response."""
    listed: Sequence[Principal] = tuple(principals)
    asked: set[PrincipalKey] = {(each.type, each.id) for each in listed}
    found: dict[PrincipalKey, dict[Grant, None]] = {}
    named: dict[str, set[PrincipalKey]] = {}
    requests = 0
    try:
        for scope in _SCOPES:
            in_scope = named.setdefault(scope, set())
            for start in range(0, len(listed), MAX_PRINCIPALS):
                batch = list(listed[start : start + MAX_PRINCIPALS])
                arguments: dict[str, Any] | None = {"scope_type": scope, "principals": batch}
                cursors: set[str] = set()
                while arguments is not None:
                    requests += 1
                    page: InspectResponse = yield client.principals.inspect_multiple(**arguments)
                    for principal in page.data.principals:
                        key = principal.type, principal.id
                        if key in asked:
                            in_scope.add(key)
                            grants = found.setdefault(key, {})
                            grants.update(dict.fromkeys(map(_grant, principal.roles)))
                    arguments = next_arguments(arguments, page.next_cursor, cursors)
    except _UNREAD + http_errors() as error:
        return Roles(reason=reason_of(error), requests=requests)
    # Who is missing in one of the responses may have any role in that scope.
    known = set[PrincipalKey].intersection(*named.values())
    return Roles(
        {key: tuple(sorted(found[key], key=_by_place)) for key in known},
        "the Permissions API did not say",
        requests,
    )


def _grant(role: PrincipalRole) -> Grant:
    within = role.policy_parameters or {}
    return Grant(
        role=role.name,
        role_id=role.id,
        scope=role.scope_type,
        where=role.scope_id,
        within=tuple(sorted((name, str(value)) for name, value in within.items())),
        is_system=role.management_type == "system",
        updated_at=role.updated_at,
    )


def _by_place(grant: Grant) -> tuple[bool, str, str, str]:
    return grant.scope != "account", grant.where or "", grant.role.casefold(), str(grant.within)
