"""What groups grant, beside the groups and users that the commands show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from cld_user_groups.identity import printable

from . import membership
from .options import Settings
from .output import print_message

if TYPE_CHECKING:
    from cld_user_groups import CldProvisioning
    from cld_user_groups.membership import Group, GroupRef, Roles


def read_roles(
    client: CldProvisioning, groups: Iterable[Group | GroupRef], user_id: str | None = None
) -> Roles:
    """Read the roles of groups, and of a user; two requests for each hundred of them."""
    principals = membership.roles.groups_as_principals(group.id or "" for group in groups)
    if user_id is not None:
        from cld_provisioning_api.models import Principal

        principals.append(Principal(type="user", id=user_id))
    return membership.read_roles(client, principals)


def print_grants(roles: Roles, group: Group | GroupRef, settings: Settings) -> None:
    """Say what a group grants, for people; a JSON document has it as a key."""
    if not settings.is_json:
        texts = roles.texts(group.id)
        print_message(
            "\n  ".join([f"What {printable(group.name)} grants:", *texts]), quiet=settings.quiet
        )


def in_a_cell(roles: Roles, group: Group | GroupRef) -> str:
    """Return what a group grants in a cell of a table."""
    return "; ".join(roles.texts(group.id))


def of_user(
    roles: Roles, user_id: str, groups: Sequence[Group | GroupRef]
) -> tuple[str, dict[str, Any]]:
    """Return what a user may do, own roles and those of groups, in a cell and in JSON."""
    texts = roles.texts(user_id, "user")
    for group in groups:
        texts += [f"{text} (through {printable(group.name)})" for text in roles.texts(group.id)]
    document = {
        "own": roles.document(user_id, "user"),
        "through_groups": [
            {"group": {"id": group.id, "name": group.name}, **roles.document(group.id)}
            for group in groups
        ],
    }
    return "; ".join(dict.fromkeys(texts)), document
