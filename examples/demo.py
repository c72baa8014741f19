"""Every operation, sync then async, and the command, against the embedded emulator.

With --live it reads, and only reads, the account of CLOUDINARY_ACCOUNT_URL instead.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
from collections.abc import Iterable
from io import TextIOWrapper
from pathlib import Path
from typing import cast

import httpx

from cld_user_groups import (
    AsyncCldProvisioning,
    CldProvisioning,
    Security,
    models,
)
from cld_user_groups.emulator import Emulator

JOHN = "0abed8dfcc039ea05e2a1d494fd442"
EDITOR = "cld::role::prodenv::media_editor"
ACCOUNT = "acc"
SECURITY = Security(provisioning_api_key="demo-key", provisioning_api_secret="demo-secret")

_COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(code: int, text: str) -> str:
    return f"\033[{code}m{text}\033[0m" if _COLOUR else text


def heading(text: str) -> None:
    print(f"\n{paint(1, text)}")


def said(call: str, *results: str) -> None:
    print(f"  {paint(36, call)}")
    for result in results:
        print(f"    {paint(32, '→')} {result}")


def failed(call: str, error: Exception, what: str = "") -> None:
    print(f"  {paint(36, call)}")
    print(f"    {paint(33, '✗')} {what or type(error).__name__}: {error}")


def group_line(group: models.UserGroup) -> str:
    line = f"{group.name}  {paint(2, str(group.id))}"
    if group.users is not None:
        line += f"  {people(group.users)}"
    if group.created_at is not None:
        line += f", since {group.created_at:%d %B %Y}"
    return line


def people(users: Iterable[models.UserGroupUser | models.User] | None) -> str:
    return ", ".join(f"{user.name} <{user.email}>" for user in users or ()) or "nobody"


def show_sync(url: str) -> None:
    heading("CldProvisioning")
    with CldProvisioning(account_id=ACCOUNT, security=SECURITY, server_url=url) as client:
        groups = client.user_groups

        found = groups.list(extended_details=True)
        said("list(extended_details=True)", *map(group_line, found.user_groups or ()))

        created = groups.create(name="Photographers")
        said('create(name="Photographers")', group_line(created))
        group_id = created.id or ""

        added = groups.add_user(group_id=group_id, user_id=JOHN)
        said("add_user(group_id=…, user_id=…)", f"{people([added])} is in")

        members = groups.list_users(group_id=group_id)
        said("list_users(group_id=…)", people(members.users))

        renamed = groups.update(group_id=group_id, name="Photographers and Editors")
        said('update(group_id=…, name="Photographers and Editors")', group_line(renamed))

        read = groups.get(group_id=group_id, extended_details=True)
        said("get(group_id=…, extended_details=True)", group_line(read))

        by_email = client.users.find(emails=["john@example.com"]).by_email
        said("users.find(emails=[…])", *(people(found) for found in by_email.values()))

        everyone = client.users.list()
        said("users.list()", f"{len(everyone.users)} users")

        john = client.users.get(user_id=JOHN)
        of_john = client.users.get_groups(user_id=JOHN).groups
        environments = client.users.list_sub_accounts(user_id=JOHN).sub_accounts
        said(
            "users.get(user_id=…), users.get_groups(user_id=…), users.list_sub_accounts(user_id=…)",
            f"{john.name}; groups: {len(of_john)}, product environments: {len(environments)}",
        )

        principals, group = client.principals, models.Principal(type="group", id=group_id)
        principals.update_roles(operation="add", principal=group, roles=[{"id": EDITOR}])
        granted = principals.list_roles(
            principal_type="group", principal_id=group_id, permission_type="global"
        )
        said("principals.update_roles(…), principals.list_roles(…)", granted.data[0].name)
        with_roles = principals.inspect(scope_type="prodenv").data.principals
        these = principals.inspect_multiple(scope_type="prodenv", principals=[group])
        said(
            "roles.list(), principals.inspect(…), principals.inspect_multiple(…)",
            f"{len(client.roles.list().data)} roles, {len(with_roles)} principals have some, "
            f"this group {len(these.data.principals[0].roles)}",
        )

        left = groups.remove_user(group_id=group_id, user_id=JOHN)
        said("remove_user(group_id=…, user_id=…)", f"left: {people(left.users)}")

        deleted = groups.delete(group_id=group_id)
        said("delete(group_id=…)", f"{deleted.message}")

        try:
            groups.get(group_id=group_id)
        except models.NotFound as error:
            failed("get(group_id=…)", error)
        try:
            groups.remove_user(group_id=group_id, user_id="..")
        except ValueError as error:
            failed('remove_user(group_id=…, user_id="..")', error, "rejected, nothing was sent")


async def show_async(url: str) -> None:
    heading("AsyncCldProvisioning")
    async with AsyncCldProvisioning(
        account_id=ACCOUNT, security=SECURITY, server_url=url
    ) as client:
        groups = client.user_groups

        names = ("Illustrators", "Animators", "Retouchers")
        created = await asyncio.gather(*(groups.create(name=name) for name in names))
        said("three create(name=…) at once", *map(group_line, created))
        ids = [group.id or "" for group in created]

        found = await groups.list()
        said("list()", f"{len(found.user_groups or ())} groups")
        added = await groups.add_user(group_id=ids[0], user_id=JOHN)
        said("add_user(group_id=…, user_id=…)", f"{people([added])} is in")
        members = await groups.list_users(group_id=ids[0])
        said("list_users(group_id=…)", people(members.users))
        renamed = await groups.update(group_id=ids[0], name="Illustrators, Vienna")
        said('update(group_id=…, name="Illustrators, Vienna")', group_line(renamed))
        read = await groups.get(group_id=ids[0], extended_details=True)
        said("get(group_id=…, extended_details=True)", group_line(read))
        users = client.users
        everyone, john, of_john, environments = await asyncio.gather(
            users.list(),
            users.get(user_id=JOHN),
            users.get_groups(user_id=JOHN),
            users.list_sub_accounts(user_id=JOHN),
        )
        said(
            "users.list(), users.get(…), users.get_groups(…), users.list_sub_accounts(…) at once",
            f"{len(everyone.users)} users; groups of {john.name}: {len(of_john.groups)}, "
            f"product environments: {len(environments.sub_accounts)}",
        )
        principals, group = client.principals, models.Principal(type="group", id=ids[0])
        await principals.update_roles(operation="add", principal=group, roles=[{"id": EDITOR}])
        granted, these, with_roles, roles = await asyncio.gather(
            principals.list_roles(
                principal_type="group", principal_id=ids[0], permission_type="global"
            ),
            principals.inspect_multiple(scope_type="prodenv", principals=[group]),
            principals.inspect(scope_type="account"),
            client.roles.list(),
        )
        said(
            "principals.list_roles(…), .inspect_multiple(…), .inspect(…), roles.list() at once",
            f"{granted.data[0].name}; {len(these.data.principals[0].roles)} role of "
            f"{len(roles.data)}; {len(with_roles.data.principals)} principal in the account",
        )
        left = await groups.remove_user(group_id=ids[0], user_id=JOHN)
        said("remove_user(group_id=…, user_id=…)", f"left: {people(left.users)}")
        deleted = await asyncio.gather(*(groups.delete(group_id=group_id) for group_id in ids))
        said("three delete(group_id=…) at once", ", ".join(str(one.message) for one in deleted))


def show_retries(emulator: Emulator, url: str) -> None:
    heading("When the server is overloaded")
    emulator.fail("getUserGroups", status=503, times=2)
    with CldProvisioning(account_id=ACCOUNT, security=SECURITY, server_url=url) as client:
        response = client.user_groups.with_raw_response.list()
        said(
            "with_raw_response.list(), the server responding with 503 twice",
            f"status {response.status_code} after {response.retries} retries, "
            f"{response.rate_limit.remaining} requests left this hour",
        )


def show_live() -> None:
    heading("Your account, read only")
    with CldProvisioning() as client:
        print(f"  {client!r}")
        found = client.user_groups.list(extended_details=True).user_groups or []
        said("list(extended_details=True)", *(map(group_line, found) if found else ["no groups"]))
        for group in found[:3]:
            members = client.user_groups.list_users(group_id=group.id or "")
            said(f"list_users(group_id={group.id!r})", people(members.users))


def main() -> None:
    cast("TextIOWrapper", sys.stdout).reconfigure(errors="replace")  # a terminal without arrows
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--live", action="store_true", help="read the real account instead")
    if arguments.parse_args().live:
        try:
            show_live()
        except (ValueError, models.CloudinaryError, httpx.HTTPError) as error:
            raise SystemExit(f"make demo LIVE=1: {error}") from None
        return
    emulator = Emulator(account_id=ACCOUNT, api_key="demo-key", api_secret="demo-secret")
    with emulator.serve() as server:
        print(f"The emulator listens at {server.url}")
        show_sync(server.url)
        asyncio.run(show_async(server.url))
        show_retries(emulator, server.url)
    heading("The command: memberships from a file")
    sys.stdout.flush()
    subprocess.run([sys.executable, Path(__file__).with_name("memberships.py")], check=True)
    print(f"\n{paint(1, 'That was all of it.')} README.md has the rest.")


if __name__ == "__main__":
    main()
