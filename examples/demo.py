"""Every operation, sync then async, and the command, against the embedded emulator.

With --live it reads, and only reads, the account of CLOUDINARY_ACCOUNT_URL instead.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator
from functools import reduce
from io import TextIOWrapper
from operator import attrgetter, getitem
from pathlib import Path
from typing import Any, cast

import httpx
import yaml

from cld_user_groups import (
    AsyncCldProvisioning,
    CldProvisioning,
    HookContext,
    Security,
    models,
)
from cld_user_groups.emulator import Emulator

JOHN = "0abed8dfcc039ea05e2a1d494fd442"
ACCOUNT = "acc"
OPENAPI = Path(__file__).resolve().parents[1] / "openapi.yaml"
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


def shown(name: str, arguments: dict[str, Any], result: object) -> None:
    passed = ", ".join(f"{each}={value!r}" for each, value in arguments.items())
    if isinstance(result, models.CloudinaryError):
        failed(f"{name}({passed})", result)
    else:
        said(f"{name}({passed})", textwrap.shorten(repr(result), 120, placeholder=" …"))


class Rest:
    """A hook that knows which operations of openapi.yaml no request was made for."""

    def __init__(self) -> None:
        self._calls = dict(operations())

    def before_request(self, context: HookContext, request: httpx.Request) -> None:
        self._calls.pop(context.operation_id, None)

    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """Return a method of the client for each, and the arguments of its first example."""
        return [*self._calls.values()]


def operations() -> Iterator[tuple[str, tuple[str, dict[str, Any]]]]:
    document = yaml.safe_load(OPENAPI.read_text("utf-8"))

    def resolved(node: dict[str, Any]) -> dict[str, Any]:
        path = node["$ref"].split("/")[1:] if "$ref" in node else None
        return reduce(getitem, path, document) if path else node

    for item in document["paths"].values():
        for operation in (each for each in item.values() if "operationId" in each):
            resource = operation["tags"][0]
            if not hasattr(CldProvisioning, resource):
                continue
            parameters = map(resolved, [*item["parameters"], *operation.get("parameters", ())])
            arguments = {
                each["name"]: each["example"]
                for each in parameters
                if each.get("required") and each["name"] != "account_id"
            }
            for media in resolved(operation.get("requestBody", {})).get("content", {}).values():
                example = next(iter(media["examples"].values()))
                arguments[operation.get("x-body", "request")] = resolved(example)["value"]
            yield operation["operationId"], (f"{resource}.{operation['x-method']}", arguments)


def show_sync(url: str) -> None:
    heading("CldProvisioning")
    rest = Rest()
    with CldProvisioning(
        account_id=ACCOUNT, security=SECURITY, server_url=url, hooks=[rest]
    ) as client:
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

        for name, arguments in rest.calls():
            try:
                shown(name, arguments, attrgetter(name)(client)(**arguments))
            except models.CloudinaryError as error:
                shown(name, arguments, error)


async def show_async(url: str) -> None:
    heading("AsyncCldProvisioning")
    rest = Rest()
    async with AsyncCldProvisioning(
        account_id=ACCOUNT, security=SECURITY, server_url=url, hooks=[rest]
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
        left = await groups.remove_user(group_id=ids[0], user_id=JOHN)
        said("remove_user(group_id=…, user_id=…)", f"left: {people(left.users)}")
        deleted = await asyncio.gather(*(groups.delete(group_id=group_id) for group_id in ids))
        said("three delete(group_id=…) at once", ", ".join(str(one.message) for one in deleted))

        calls = rest.calls()
        made = (attrgetter(name)(client)(**arguments) for name, arguments in calls)
        results = await asyncio.gather(*made, return_exceptions=True)
        for (name, arguments), result in zip(calls, results, strict=True):
            shown(name, arguments, result)


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
