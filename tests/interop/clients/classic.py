"""Call each operation with the vendor's classic Python client.

Run by test_clients.py with the Python of that client's environment. It expects what the client's
own live tests expect, which is the observed wire.
"""

import sys
from typing import Any

from cloudinary.provisioning import account
from report import check, expect


def main(url: str, account_id: str, key: str, secret: str, user_id: str) -> None:
    """Take a group of our own through all operations."""
    options = {
        "upload_prefix": url,
        "account_id": account_id,
        "provisioning_api_key": key,
        "provisioning_api_secret": secret,
    }

    def call(name: str, *arguments: str) -> Any:
        return getattr(account, name)(*arguments, **options)

    created: list[str] = []

    def create() -> None:
        group = call("create_user_group", "Interop")
        created.append(group["id"])
        expect(group["name"], "Interop")

    def get_all() -> None:
        groups = call("user_groups")["user_groups"]
        expect(created[0] in [group["id"] for group in groups], True)

    def update() -> None:
        expect(call("update_user_group", created[0], "Renamed")["name"], "Renamed")

    def add() -> None:
        users = call("add_user_to_group", created[0], user_id)["users"]
        expect([user["id"] for user in users], [user_id])

    def get_users() -> None:
        users = call("user_group_users", created[0])["users"]
        expect([user["id"] for user in users], [user_id])

    def remove() -> None:
        expect(call("remove_user_from_group", created[0], user_id)["users"], [])

    check("createUserGroup", create)
    check("getUserGroups", get_all)
    check("getUserGroup", lambda: expect(call("user_group", created[0])["name"], "Interop"))
    check("updateUserGroup", update)
    check("addUserToUserGroup", add)
    check("getUsersInUserGroup", get_users)
    check("removeUserFromUserGroup", remove)
    check("deleteUserGroup", lambda: expect(call("delete_user_group", created[0])["ok"], True))


if __name__ == "__main__":
    main(*sys.argv[1:])
