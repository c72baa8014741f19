"""All operations with the vendor's generated SDK, on a server that answers either shape.

Run by scripts/interop.py with a Python of its own, that has that SDK: what is imported here is the
other package of this name. Writes a line of JSON for each operation. Where the server answers the
observed shapes, that SDK gives objects without fields: then only that it takes them is checked.
"""

import sys
from collections.abc import Callable

from peer_report import check, expect  # type: ignore[import-not-found]

from cloudinary_account_provisioning import CldProvisioning, Security, models


def main(url: str, account_id: str, key: str, secret: str, user_id: str, wire: str) -> None:
    """Call each operation and expect what that SDK documents, as far as the wire lets it."""
    security = Security(provisioning_api_key=key, provisioning_api_secret=secret)
    with CldProvisioning(account_id=account_id, security=security, server_url=url) as client:
        run(client, user_id, is_documented=wire == "documented")


def error_of(action: Callable[[], object]) -> str | None:
    """Return the message of the documented error that something ends in."""
    try:
        action()
    except models.ErrorResponse as error:
        return error.data.error.message if error.data.error else None
    return None


def run(client: CldProvisioning, user_id: str, *, is_documented: bool) -> None:
    """Take a group of our own through all operations."""
    groups = client.user_groups
    made: list[str] = []

    def create() -> None:
        group = groups.create(request={"name": "Interop", "extended_details": True})
        made.append(group.id or "")
        expect(group.name, "Interop")
        expect(group.created_at is not None, True)

    def listed() -> None:
        found = groups.list(extended_details=True).user_groups or []
        expect(made[0] in [group.id for group in found], True)

    def update() -> None:
        name = "Interoperable"
        group = groups.update(
            group_id=made[0], user_group_request={"name": name, "extended_details": False}
        )
        expect(group.name, name)

    def add() -> None:
        user = groups.add_user(group_id=made[0], user_id=user_id)
        expect(user.id, user_id if is_documented else None)

    def users_in() -> None:
        found = groups.list_users(group_id=made[0]).users or []
        expect([user.id for user in found], [user_id])

    def delete() -> None:
        expect(groups.delete(group_id=made[0]).message, "ok" if is_documented else None)
        expect(error_of(lambda: groups.get(group_id=made[0])), "User group not found")

    check("createUserGroup", create)
    check("getUserGroups", listed)
    check("getUserGroup", lambda: expect(groups.get(group_id=made[0]).name, "Interop"))
    check("updateUserGroup", update)
    check("addUserToUserGroup", add)
    check("getUsersInUserGroup", users_in)
    check(
        "removeUserFromUserGroup",
        lambda: expect(groups.remove_user(group_id=made[0], user_id=user_id).users, []),
    )
    check("deleteUserGroup", delete)


if __name__ == "__main__":
    main(*sys.argv[1:])
