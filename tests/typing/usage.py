"""Typical code of users, for the type checkers."""

# pyright: reportUnnecessaryTypeIgnoreComment=true
from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import assert_type

import httpx

import cld_user_groups
import cloudinary_account_provisioning as vendor
from cld_user_groups import (
    AsyncCldProvisioning,
    CldProvisioning,
    HookContext,
    RawResponse,
    Security,
    maybe_applied,
    models,
    utils,
)
from cld_user_groups.paging import pages, pages_async


def security() -> Security:
    return cld_user_groups.Security(provisioning_api_key="k", provisioning_api_secret="s")


class Metrics:
    def on_retry(self, context: HookContext, delay: float, error: Exception) -> None:
        print(context.operation_id, context.attempt, delay, error)


def sync_use(http: httpx.Client, body: models.UserGroupRequestTypedDict) -> None:
    with CldProvisioning(
        security=security,
        account_id="acc",
        region="api-eu",
        client=http,
        retry_config=utils.RetryConfig("backoff", utils.BackoffStrategy(1, 50, 1.1, 100), False),
        timeout_ms=5_000,
        hooks=[Metrics()],
    ) as client:
        listed = assert_type(
            client.user_groups.list(extended_details=True), models.UserGroupsResponse
        )
        for group in listed.user_groups:
            assert_type(group.id, str)
            assert_type(group.name, str)
            assert_type(group.created_at, datetime | None)
            assert_type(group.users, list[models.UserGroupUser] | None)
        assert_type(client.user_groups.create(request={"name": "D"}), models.UserGroup)
        assert_type(
            client.user_groups.create(request={"name": "D", "extended_details": False}),
            models.UserGroup,
        )
        assert_type(client.user_groups.create(request=body), models.UserGroup)
        assert_type(client.user_groups.create(name="D", retries=None), models.UserGroup)
        request = models.UserGroupRequest(name="D")
        assert_type(
            client.user_groups.update(group_id="g", user_group_request=request), models.UserGroup
        )
        assert_type(client.user_groups.get(group_id="g", timeout_ms=100), models.UserGroup)
        assert_type(client.user_groups.delete(group_id="g").message, str)
        assert_type(client.user_groups.list_users(group_id="g").users, list[models.UserGroupUser])
        added = assert_type(
            client.user_groups.add_user(group_id="g", user_id="u"), models.UserGroupUser
        )
        assert_type(added.id, str)
        assert_type(added.email, str | None)
        removed = client.user_groups.remove_user(
            group_id="g", user_id="u", http_headers={"X-A": "b"}
        )
        assert_type(removed, models.UserGroupUsersResponse)
        found = assert_type(client.users.find(emails=["j@example.com"]), models.FoundUsers)
        assert_type(found.by_email["j@example.com"], tuple[models.User, ...])
        assert_type(client.users.list(request={"from_": "2026-01-01"}), models.UsersResponse)
        assert_type(client.users.list(prefix="jo", sort_by="name").users, list[models.User])
        assert_type(client.users.get(user_id="u"), models.User)
        in_groups = client.users.get_groups(user_id="u")
        assert_type(in_groups, models.GroupsOfUserResponse)
        environments = client.users.list_sub_accounts(user_id="u")
        assert_type(environments.sub_accounts, list[models.SubAccountSummary])
        assert_type(client.roles.list().data, list[models.Role])
        granted = client.principals.list_roles(
            principal_type="group", principal_id="g", permission_type="global"
        )
        assert_type(granted.data, list[models.PrincipalRole])
        page = client.principals.inspect(request={"scope_type": "account"})
        assert_type(page.data.principals, list[models.PrincipalRoles])
        principal = models.Principal(type="group", id="g")
        for each in pages(
            client.principals.inspect_multiple, scope_type="account", principals=[principal]
        ):
            assert_type(each, models.InspectResponse)
        client.principals.inspect_multiple(scope_type="account", principals=[principal])
        assert_type(
            client.principals.update_roles(
                operation="add", principal={"type": "group", "id": "g"}, roles=[{"id": "r"}]
            ),
            models.SuccessResponse,
        )
        raw = client.user_groups.with_raw_response.list()
        assert_type(raw, RawResponse[models.UserGroupsResponse])
        assert_type(raw.parsed, models.UserGroupsResponse)
        assert_type(raw.rate_limit.remaining, int | None)


async def async_use(http: httpx.AsyncClient) -> Sequence[models.UserGroup]:
    async with AsyncCldProvisioning(security=security(), client=http) as client:
        assert_type(await client.user_groups.list(), models.UserGroupsResponse)
        assert_type(await client.user_groups.create(name="D"), models.UserGroup)
        assert_type(await client.user_groups.get(group_id="g"), models.UserGroup)
        assert_type(await client.user_groups.update(group_id="g", name="E"), models.UserGroup)
        assert_type(await client.user_groups.delete(group_id="g"), models.SuccessResponse)
        members = await client.user_groups.list_users(group_id="g")
        assert_type(members, models.UserGroupUsersResponse)
        left = await client.user_groups.remove_user(group_id="g", user_id="u")
        assert_type(left, models.UserGroupUsersResponse)
        assert_type(await client.users.find(emails={"j@example.com"}), models.FoundUsers)
        assert_type(await client.users.list(page=1), models.UsersResponse)
        assert_type(await client.users.get(user_id="u"), models.User)
        in_groups = await client.users.get_groups(user_id="u")
        assert_type(in_groups, models.GroupsOfUserResponse)
        environments = await client.users.list_sub_accounts(user_id="u")
        assert_type(environments.sub_accounts, list[models.SubAccountSummary])
        assert_type((await client.roles.list()).data, list[models.Role])
        await client.principals.list_roles(
            request={"principal_type": "user", "principal_id": "u", "permission_type": "content"}
        )
        await client.principals.inspect(scope_type="account")
        async for page in pages_async(
            client.principals.inspect_multiple, request={"scope_type": "account", "principals": []}
        ):
            assert_type(page, models.InspectResponse)
        await client.principals.inspect_multiple(scope_type="account", principals=[])
        await client.principals.update_roles(
            operation="remove",
            principal=models.Principal(type="group", id="g"),
            roles=[models.RoleAssignment(id="r", scope_id="all")],
        )
        patient = client.with_options(timeout_ms=60_000)
        assert_type(patient, AsyncCldProvisioning)
        assert_type(
            await client.user_groups.add_user(group_id="g", user_id="u"), models.UserGroupUser
        )
        raw = await client.user_groups.with_raw_response.delete(group_id="g")
        assert_type(raw.parsed, models.SuccessResponse)
        return (await client.user_groups.list()).user_groups


def errors(client: CldProvisioning) -> None:
    try:
        client.user_groups.create(name="D")
    except models.RateLimited as error:
        assert_type(error.retry_after, float | None)
        assert_type(error.rate_limit.reset, datetime | None)
    except models.AlreadyExists as error:
        assert_type(error.data.error, models.Error | None)
    except models.CloudinaryError as error:
        assert_type(error.status_code, int)
        assert_type(error.code, str | None)
        assert_type(error.maybe_applied, bool)
    except httpx.TransportError as error:
        assert_type(maybe_applied(error), bool)
    except models.InvalidId as error:
        assert_type(error.parameter, str)
        assert_type(error.value, str)


def rejected(client: CldProvisioning) -> None:
    # Each line is a type error; a comment that is not needed is one as well.
    models.UserGroup("g1", "D")  # type: ignore[call-arg]
    client.user_groups.get()  # type: ignore[call-arg]
    client.user_groups.get(group_id=5)  # type: ignore[arg-type]
    client.user_groups.create(request={"nam": "D"})  # type: ignore[arg-type]
    client.users.list(sort_by="age")  # type: ignore[arg-type]
    client.users.get(group_id="g")  # type: ignore[call-arg]
    client.principals.inspect(scope_type="world")  # type: ignore[arg-type]
    client.principals.update_roles(operation="add", roles=[{"idd": "r"}])  # type: ignore[list-item]
    pages(client.users.list)  # type: ignore[type-var]
    client.user_groups.list(extnded_details=True)  # type: ignore[call-arg]
    CldProvisioning(region="mars")  # type: ignore[arg-type]
    CldProvisioning(client=httpx.AsyncClient())  # type: ignore[arg-type]


def the_documented_import_name(name: vendor.models.Error | None) -> vendor.models.UserGroup:
    assert_type(vendor.models.NotFound, type[models.NotFound])
    return models.UserGroup(id="g1", name="D")
