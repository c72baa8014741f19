"""Checks of the settings and the account: what `doctor` finds out by at most four requests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

import httpx
from attrs import define, field, frozen

from cld_provisioning_api.models import Principal, User, UserGroup
from cld_user_groups import CldProvisioning, Security
from cld_user_groups._engine.body import DEFAULT_MAX_BYTES
from cld_user_groups._engine.config import (
    ACCOUNT_URL,
    KEY,
    SECRET,
    find_account_id,
    find_security,
    find_server_url,
    proxies,
)
from cld_user_groups._engine.retry import parse_http_date, parse_rate_limit
from cld_user_groups._version import install_command
from cld_user_groups.errors import CloudinaryError, http_errors

from . import errors, membership
from .doctor import Check, failed, guarded
from .options import Settings
from .output import json_log
from .profiles import load_profile, profiles_file

if TYPE_CHECKING:
    from cld_user_groups.contract import ContractCheck

T = TypeVar("T")

#: How long to wait for a connection, and for a response, in milliseconds.
TIME_LIMIT_MS = 10_000
# How far the clock may be off, in seconds: `until` and the expiry of plans go by it.
_MOST_SKEW = 60.0
# The share of the quota below which it is worth a word.
_LOW = 0.1

_NETWORK = (
    "check the network, the proxy (HTTPS_PROXY, NO_PROXY), --region and --server-url; "
    "where a proxy inspects TLS, SSL_CERT_FILE names its certificate"
)


@define
class Found:
    """The settings, as far as they are valid, and what the checks of them found."""

    security: Security | None = None
    account_id: str | None = None
    server_url: str | None = None
    checks: list[Check] = field(factory=list[Check])

    def keep(self, name: str, find: Callable[[], T]) -> T | None:
        """Return what is found, or None where it is not valid, which is a failed check."""
        try:
            return find()
        except Exception as error:  # noqa: BLE001 - each is reported
            self.checks.append(failed(name, error))
            return None

    def well(self, name: str, result: str) -> None:
        """Note a check that found nothing wrong."""
        self.checks.append(Check(name, "ok", result))


def check_settings(settings: Settings) -> Found:
    """Check all that can be checked before anything is sent."""
    found = Found()
    options = found.keep("profile", settings.client_options)
    if options is None:
        return found
    if settings.profile_name is not None:
        found.well("profile", f"{settings.profile_name}, {profiles_file()}")
    found.security = found.keep("credentials", lambda: _fetch(options.get("security")))
    if found.security is not None:
        found.well("credentials", f"key {found.security.shown_key}, from {_origin(settings)}")
    found.account_id = found.keep("account", lambda: find_account_id(options.get("account_id")))
    if (account_id := found.account_id) is not None:
        found.well("account", account_id)
        found.checks.append(guarded("journals", lambda: _check_journals(account_id)))
    found.server_url = found.keep(
        "server",
        lambda: find_server_url(
            server_url=options.get("server_url"),
            server_idx=None,
            region=options.get("region"),
            host=None,
            url_params=None,
        ),
    )
    if (server_url := found.server_url) is not None:
        through = found.keep("proxy", lambda: _proxy_of(server_url))
        found.well("server", server_url + (f", through the proxy {through}" if through else ""))
    return found


def _fetch(source: Callable[[], Security] | None) -> Security:
    found = find_security(source)
    if isinstance(found, Exception):
        raise found
    return found if isinstance(found, Security) else found()


def _origin(settings: Settings) -> str:
    name = settings.profile_name
    source = None if name is None else load_profile(name).source
    if source is not None:
        return source.name
    return f"{KEY} and {SECRET}" if os.environ.get(KEY) else ACCOUNT_URL


def _check_journals(account_id: str) -> Check:
    directory = membership.state_directory(account_id)
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        hint = "let this user write there, or set XDG_STATE_HOME to another directory"
        return Check("journals", "failed", f"{directory} cannot be written", hint)
    runs = membership.list_runs(directory)
    unreadable = [summary.id for summary in runs if summary.run is None]
    if unreadable:
        result = f"{len(unreadable)} of {len(runs)} in {directory} cannot be read: {unreadable[0]}"
        hint = "see `cld-user-groups runs`; move them away if they are of no use"
        return Check("journals", "warning", result, hint, tuple(unreadable))
    return Check("journals", "ok", f"{len(runs)} in {directory}")


def _proxy_of(server_url: str) -> str | None:
    """Return the proxy that the environment names for a server, without credentials, or None."""

    url = urlsplit(server_url)
    host = url.hostname or ""
    # Plain http:// goes to this machine only, and so through no proxy.
    if url.scheme != "https" or proxy_bypass(host):
        return None
    proxy = proxies(server_url).get("https://")
    return None if proxy is None else proxy.url.netloc.decode("ascii")


@frozen
class _Reading:
    """What reading the account showed; without a response, no groups and no headers."""

    check: Check
    groups: Sequence[UserGroup] | None = None
    headers: httpx.Headers = field(factory=httpx.Headers)


def check_account(found: Found, max_bytes: int | None) -> Iterator[Check]:
    """Read the account, with at most four requests, and yield what that shows."""
    if found.security is None or found.account_id is None or found.server_url is None:
        for name in ("reachable", "quota", "clock", "contract", "providers", "permissions"):
            yield Check(name, "skipped", "the settings are not complete")
        return
    contract = _contract_check()
    with _open(found, max_bytes, None if isinstance(contract, Check) else contract) as client:
        reading = _read(client)
        yield reading.check
        yield _check_quota(reading.headers)
        yield _check_clock(reading.headers, datetime.now(UTC))
        users = None if reading.groups is None else _list_users(client)
        yield (
            contract
            if isinstance(contract, Check)
            else _check_contract(client, contract, reading.groups, users)
        )
        yield _check_providers(users)
        yield _check_permissions(client, reading.groups)


def _open(found: Found, max_bytes: int | None, *hooks: object) -> CldProvisioning:
    """Return a client that tries once."""
    return CldProvisioning(
        account_id=found.account_id,
        security=found.security,
        server_url=found.server_url,
        retry_config=None,
        timeout_ms=TIME_LIMIT_MS,
        max_response_bytes=DEFAULT_MAX_BYTES if max_bytes is None else max_bytes,
        hooks=[hook for hook in (json_log(), *hooks) if hook is not None],
    )


def record(found: Found, max_bytes: int | None, path: Path, *, force: bool) -> Check:
    """Write what the account sends to a file, as shapes: see `.record`."""
    from .record import Recorder, check_free, read_everything, write_record

    if found.security is None or found.account_id is None or found.server_url is None:
        return Check("record", "skipped", "the settings are not complete")
    check_free(path, force=force)
    recorder = Recorder()
    with _open(found, max_bytes, recorder) as client:
        read_everything(client)
    return write_record(path, recorder.responses, found.security)


def _read(client: CldProvisioning) -> _Reading:
    """Read all groups with their members, as `plan` does."""
    name = "reachable"
    try:
        listed = client.user_groups.with_raw_response.list(extended_details=True)
    except CloudinaryError as error:
        check = Check(name, "failed", str(error), errors.hint_for(error))
        return _Reading(check, headers=error.headers)
    except http_errors() as error:
        result = f"no response: {error or type(error).__name__}"
        return _Reading(Check(name, "failed", result, _NETWORK))
    except Exception as error:  # noqa: BLE001 - a proxy's address that is none, for one
        return _Reading(Check(name, "failed", errors.describe(error).message, _NETWORK))
    groups = listed.parsed.user_groups
    members = sum(len(group.users or ()) for group in groups)
    result = f"{len(groups)} groups with {members} memberships"
    return _Reading(Check(name, "ok", result), groups, listed.headers)


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
    if abs(skew) <= _MOST_SKEW:
        return Check("clock", "ok", f"within {_MOST_SKEW:.0f} s of the server's")
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
        result, hint = "not installed", install_command("contract")
        return Check("contract", "skipped", result, hint)
    except OSError as error:
        hint = install_command(options="--force-reinstall --no-deps ")
        return Check("contract", "failed", errors.describe(error).message, hint)


def _list_users(client: CldProvisioning) -> Sequence[User] | Exception:
    """List users, with one request; an account of many may have more."""
    try:
        return client.users.list().users
    except Exception as error:  # noqa: BLE001 - returned
        return error


def _check_contract(
    client: CldProvisioning,
    contract: ContractCheck,
    groups: Sequence[UserGroup] | None,
    users: Sequence[User] | Exception | None,
) -> Check:
    """Compare the list of groups, a group's members and the users with the OpenAPI document."""
    error = None if groups is None else _read_more(client, groups)
    error = error or (users if isinstance(users, Exception) else None)
    # A status code that is not documented is that of an outage: `reachable` reports it.
    differences = tuple(str(each) for each in contract.differences if each.path != "status")
    if differences:
        first, *others = differences
        more = f" (and {len(others)} more)" if others else ""
        hint = "upgrade cld-user-groups; if there is no newer one, report this"
        return Check("contract", "failed", first + more, hint, differences)
    if groups is None:
        return Check("contract", "skipped", "the account cannot be read")
    if error is not None:
        return Check("contract", "failed", errors.describe(error).message)
    return Check("contract", "ok", "the responses match the OpenAPI document")


def _read_more(client: CldProvisioning, groups: Sequence[UserGroup]) -> Exception | None:
    """Read the members of a group that has some; return the error in which that ends, or None."""
    group_id = next((group.id for group in groups if group.users), None)
    if group_id is None:
        return None
    try:
        client.user_groups.list_users(group_id=group_id)
    except Exception as error:  # noqa: BLE001 - returned
        return error
    return None


def _check_providers(users: Sequence[User] | Exception | None) -> Check:
    """Find out who comes from a provider, such as SCIM, which may manage groups too."""
    name = "providers"
    if users is None or isinstance(users, Exception):
        return Check(name, "skipped", "the users cannot be read")
    known = [user for user in users if user.providers is not None]
    if not known:
        return Check(name, "skipped", "no response says which providers users come from")
    of: dict[str, list[str]] = {}
    for user in known:
        for provider in user.providers or ():
            of.setdefault(provider, []).append(user.email or user.id)
    parts = [f"{provider} ({len(people)})" for provider, people in sorted(of.items())]
    count = len({person for people in of.values() for person in people})
    result = f"{count} of {len(users)} users listed come from one"
    result += f": {', '.join(parts)}" if parts else ""
    if unknown := len(users) - len(known):
        result += f"; of {unknown} it is not known"
    details = tuple(f"{provider}: {each}" for provider in sorted(of) for each in of[provider])
    hint = "a group that a provider manages, too: mark it with `managed_by` in the file"
    return Check(name, "ok", result, hint if count else "", details)


def _check_permissions(client: CldProvisioning, groups: Sequence[UserGroup] | None) -> Check:
    """Find out whether the roles of a group can be read, with one request."""
    name = "permissions"
    if not groups:
        why = "the account cannot be read" if groups is None else "there is no group to ask about"
        return Check(name, "skipped", why)
    try:
        group = Principal(type="group", id=groups[0].id or "")
        client.principals.inspect_multiple(scope_type="account", principals=[group])
    except Exception as error:  # noqa: BLE001 - whatever it is, the roles are not known
        reason = membership.roles.reason_of(error)
        return Check(name, "skipped", f"what groups grant is not known: {reason}")
    return Check(name, "ok", "the Permissions API responds: what groups grant can be read")
