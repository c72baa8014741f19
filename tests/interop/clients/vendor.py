"""Call each operation with the vendor's generated SDK, on either wire.

Run by test_clients.py with the Python of that SDK's environment: `cloudinary_account_provisioning`
is the vendor's package here. From the observed shapes, which it does not know, it makes objects
without fields: there, these are expected.
"""

import sys
from collections.abc import Callable

from report import check, expect

from cloudinary_account_provisioning import CldProvisioning, Security, models


def main(wire: str, url: str, account_id: str, key: str, secret: str, user_id: str) -> None:
    """Call each operation."""
    security = Security(provisioning_api_key=key, provisioning_api_secret=secret)
    with CldProvisioning(account_id=account_id, security=security, server_url=url) as client:
        run(client, user_id, is_documented=wire == "documented")


def error_of(action: Callable[[], object]) -> str | None:
    """Return the message of the documented error that is raised."""
    try:
        action()
    except models.ErrorResponse as error:
        return error.data.error.message if error.data.error else None
    return None


def run(client: CldProvisioning, user_id: str, *, is_documented: bool) -> None:
    """Take a group of our own through all operations."""
    groups = client.user_groups
    created: list[str] = []

    def create() -> None:
        group = groups.create(request={"name": "Interop", "extended_details": True})
        created.append(group.id or "")
        expect(group.name, "Interop")
        expect(group.created_at is not None, True)

    def get_all() -> None:
        found = groups.list(extended_details=True).user_groups or []
        expect(created[0] in [group.id for group in found], True)

    def update() -> None:
        group = groups.update(
            group_id=created[0], user_group_request={"name": "Renamed", "extended_details": False}
        )
        expect(group.name, "Renamed")

    def add() -> None:
        user = groups.add_user(group_id=created[0], user_id=user_id)
        expect(user.id, user_id if is_documented else None)

    def get_users() -> None:
        found = groups.list_users(group_id=created[0]).users or []
        expect([user.id for user in found], [user_id])

    def remove() -> None:
        expect(groups.remove_user(group_id=created[0], user_id=user_id).users, [])

    def delete() -> None:
        expect(groups.delete(group_id=created[0]).message, "ok" if is_documented else None)
        expect(error_of(lambda: groups.get(group_id=created[0])), "User group not found")

    check("createUserGroup", create)
    check("getUserGroups", get_all)
    check("getUserGroup", lambda: expect(groups.get(group_id=created[0]).name, "Interop"))
    check("updateUserGroup", update)
    check("addUserToUserGroup", add)
    check("getUsersInUserGroup", get_users)
    check("removeUserFromUserGroup", remove)
    check("deleteUserGroup", delete)


if __name__ == "__main__":
    main(*sys.argv[1:])
