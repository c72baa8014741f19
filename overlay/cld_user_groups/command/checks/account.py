"""Checks of the account: what one request shows, and whether responses match the contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
from attrs import field, frozen

from cld_provisioning_api.models import UserGroup
from cld_user_groups import CldProvisioning
from cld_user_groups._engine.body import DEFAULT_MAX_BYTES
from cld_user_groups._engine.retry import parse_http_date, parse_rate_limit
from cld_user_groups._version import install_command
from cld_user_groups.command.failures import describe, way_out_of
from cld_user_groups.command.logs import json_log
from cld_user_groups.models import CloudinaryError

from . import Check
from .settings import Found

if TYPE_CHECKING:
    from cld_user_groups.contract import ContractCheck

#: How long to wait for a connection, and for a response, in milliseconds.
TIME_LIMIT_MS = 10_000
#: How far the clock may be off, in seconds: `until` and the expiry of plans go by it.
MOST_SKEW = 60.0
# The share of the quota below which it is worth a word.
_LOW = 0.1

_NETWORK = (
    "check the network, the proxy (HTTPS_PROXY, NO_PROXY), --region and --server-url; "
    "where a proxy inspects TLS, SSL_CERT_FILE names its certificate"
)


@frozen(kw_only=True)
class _Reading:
    """What reading the account showed.

    Attributes:
        check: Whether it could be read.
        groups: The groups, or None.
        headers: The headers of the response; none if there was none.
    """

    check: Check
    groups: Sequence[UserGroup] | None = None
    headers: httpx.Headers = field(factory=httpx.Headers)


def check_account(found: Found, *, max_body: int | None = None) -> Iterator[Check]:
    """Read the account, with at most three requests, and yield what that shows.

    Args:
        found: The settings.
        max_body: The maximum size of a response's body, in MiB, or None for the client's own.
    """
    if found.security is None or found.account_id is None or found.server_url is None:
        for name in ("reachable", "quota", "clock", "contract"):
            yield Check(name, "skipped", "the settings are not complete")
        return
    contract = _contract_check()
    hooks = (json_log(), None if isinstance(contract, Check) else contract)
    with CldProvisioning(
        account_id=found.account_id,
        security=found.security,
        server_url=found.server_url,
        retry_config=None,
        timeout_ms=TIME_LIMIT_MS,
        max_response_bytes=DEFAULT_MAX_BYTES if max_body is None else max_body * 1024 * 1024,
        hooks=[hook for hook in hooks if hook is not None],
    ) as client:
        reading = _read(client)
        yield reading.check
        yield _check_quota(reading.headers)
        yield _check_clock(reading.headers, datetime.now(UTC))
        yield (
            contract
            if isinstance(contract, Check)
            else _check_contract(client, contract, reading.groups)
        )


def _read(client: CldProvisioning) -> _Reading:
    """Read all groups with their members, as `plan` does."""
    name = "reachable"
    try:
        listed = client.user_groups.with_raw_response.list(extended_details=True)
    except CloudinaryError as error:
        check = Check(name, "failed", str(error), way_out_of(error))
        return _Reading(check=check, headers=error.headers)
    except httpx.TransportError as error:
        result = f"no response: {error or type(error).__name__}"
        return _Reading(check=Check(name, "failed", result, _NETWORK))
    except Exception as error:  # noqa: BLE001 - a proxy's address that is none, for one
        return _Reading(check=Check(name, "failed", describe(error).message, _NETWORK))
    groups = listed.parsed.user_groups
    members = sum(len(group.users or ()) for group in groups)
    result = f"{len(groups)} groups with {members} memberships"
    return _Reading(check=Check(name, "ok", result), groups=groups, headers=listed.headers)


def _check_quota(headers: httpx.Headers) -> Check:
    quota = parse_rate_limit(headers)
    if quota.remaining is None:
        return Check("quota", "skipped", "no response says how many requests are left")
    of = "" if quota.limit is None else f" of {quota.limit}"
    reset = "" if quota.reset is None else f", renewed at {quota.reset:%Y-%m-%d %H:%M:%S} UTC"
    result = f"{quota.remaining}{of} requests left{reset}"
    if not quota.remaining:
        return Check("quota", "failed", result, "wait until then: apply --max-wait 1h does")
    if quota.limit and quota.remaining < _LOW * quota.limit:
        return Check("quota", "warning", result, "leave some to others: apply --keep-quota N")
    return Check("quota", "ok", result)


def _check_clock(headers: httpx.Headers, now: datetime) -> Check:
    date = parse_http_date(headers.get("date") or "")
    if date is None:
        return Check("clock", "skipped", "no response says what time it is")
    skew = (now - date).total_seconds()
    if abs(skew) <= MOST_SKEW:
        return Check("clock", "ok", f"within {MOST_SKEW:.0f} s of the server's")
    side = "ahead of" if skew > 0 else "behind"
    return Check(
        "clock",
        "failed",
        f"{abs(skew):.0f} s {side} the server's: memberships and plans end at the wrong time",
        "set the clock, by NTP for one",
    )


def _contract_check() -> ContractCheck | Check:
    """Return the hook that compares responses with the OpenAPI document, or why there is none."""
    try:
        from cld_user_groups.contract import ContractCheck

        return ContractCheck(raise_on_difference=False)
    except ImportError:
        result, way_out = "not installed", install_command("contract")
        return Check("contract", "skipped", result, way_out)
    except OSError as error:
        way_out = install_command(options="--force-reinstall --no-deps ")
        return Check("contract", "failed", describe(error).message, way_out)


def _check_contract(
    client: CldProvisioning, contract: ContractCheck, groups: Sequence[UserGroup] | None
) -> Check:
    """Compare the list of groups, a group's members and a user with the OpenAPI document."""
    error = None if groups is None else _read_more(client, groups)
    # A status code that is not documented is that of an outage: `reachable` tells it.
    differences = tuple(str(each) for each in contract.differences if each.path != "status")
    if differences:
        first, *others = differences
        more = f" (and {len(others)} more)" if others else ""
        way_out = "upgrade cld-user-groups; if there is no newer one, report this"
        return Check("contract", "failed", first + more, way_out, differences)
    if groups is None:
        return Check("contract", "skipped", "the account cannot be read")
    if error is not None:
        return Check("contract", "failed", describe(error).message)
    return Check("contract", "ok", "the responses match the OpenAPI document")


def _read_more(client: CldProvisioning, groups: Sequence[UserGroup]) -> Exception | None:
    """Read a group's members and one of them; return the error in which that ends, or None."""
    first = next(((group.id, user.id) for group in groups for user in group.users or ()), None)
    if first is None:
        return None
    group_id, user_id = first
    try:
        client.user_groups.list_users(group_id=group_id)
        client.users.list(ids=[user_id])
    except Exception as error:  # noqa: BLE001 - returned
        return error
    return None
