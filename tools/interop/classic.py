"""All operations with the vendor's classic client, on a server that answers the observed shapes.

Run by tools/interop.py with a Python of its own, that has that client. Writes a line of JSON for
each operation.
"""

import sys
from typing import Any

from cloudinary.provisioning import account  # type: ignore[import-not-found]
from peer_report import check, expect  # type: ignore[import-not-found]


def main(url: str, account_id: str, key: str, secret: str, user_id: str, wire: str) -> None:
    """Call each operation and expect what that client's own live tests expect."""
    expect(wire, "observed")
    options = {
        "upload_prefix": url,
        "account_id": account_id,
        "provisioning_api_key": key,
        "provisioning_api_secret": secret,
    }

    def call(name: str, *arguments: str) -> Any:
        return getattr(account, name)(*arguments, **options)

    made: list[str] = []

    def create() -> None:
        group = call("create_user_group", "Interop")
        made.append(group["id"])
        expect(group["name"], "Interop")

    def listed() -> None:
        groups = call("user_groups")["user_groups"]
        expect(made[0] in [group["id"] for group in groups], True)

    def add() -> None:
        users = call("add_user_to_group", made[0], user_id)["users"]
        expect([user["id"] for user in users], [user_id])

    def users_in() -> None:
        users = call("user_group_users", made[0])["users"]
        expect([user["id"] for user in users], [user_id])

    check("createUserGroup", create)
    check("getUserGroups", listed)
    check("getUserGroup", lambda: expect(call("user_group", made[0])["name"], "Interop"))
    check(
        "updateUserGroup",
        lambda: expect(
            call("update_user_group", made[0], "Interoperable")["name"], "Interoperable"
        ),
    )
    check("addUserToUserGroup", add)
    check("getUsersInUserGroup", users_in)
    check(
        "removeUserFromUserGroup",
        lambda: expect(call("remove_user_from_group", made[0], user_id)["users"], []),
    )
    check("deleteUserGroup", lambda: expect(call("delete_user_group", made[0])["ok"], True))


if __name__ == "__main__":
    main(*sys.argv[1:])
