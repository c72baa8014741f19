"""Checks of the settings and the account: what `doctor` finds out by at most four requests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

import httpx
from attrs import define, field

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
from .doctor import REINSTALL, Check, guarded
from .options import Settings
from .output import json_log
from .profiles import load_profile, profiles_file

if TYPE_CHECKING:
    from cld_user_groups.contract import ContractCheck

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
_INCOMPLETE = "the settings are not complete"


@define
class Found:
    """The settings, as far as they are valid, and what the account responds with them."""

    settings: Settings
    options: dict[str, Any] | None = None
    security: Security | None = None
    account_id: str | None = None
    server_url: str | None = None
    proxy: str | None = None
    headers: httpx.Headers = field(factory=httpx.Headers)
    groups: Sequence[UserGroup] | None = None
    users: Sequence[User] | None = None
    error: Exception | None = None  # that of the last other request that failed

    @property
    def is_complete(self) -> bool:
        """Whether a client can be made of the settings."""
        return None not in (self.security, self.account_id, self.server_url)

    def open_client(self, *hooks: object) -> CldProvisioning:
        """Return a client that tries once."""
        most = self.settings.max_bytes
        return CldProvisioning(
            account_id=self.account_id,
            security=self.security,
            server_url=self.server_url,
            retry_config=None,
            timeout_ms=TIME_LIMIT_MS,
            max_response_bytes=DEFAULT_MAX_BYTES if most is None else most,
            hooks=[hook for hook in (json_log(), *hooks) if hook is not None],
        )

    def tried(self, read: Callable[..., Any], **arguments: Any) -> Any:
        """Return what a request returns; None where it fails, whose error is kept."""
        try:
            return read(**arguments)
        except Exception as error:  # noqa: BLE001 - reported by `contract`
            self.error = error
            return None


def check_settings(found: Found) -> Iterator[Check]:
    """Yield what can be found out before anything is sent; `found` keeps what is valid."""
    yield from guarded("profile", _profile, found)
    if found.options is not None:
        for name, check in _OF_SETTINGS:
            yield from guarded(name, check, found)


def _profile(found: Found) -> str | None:
    found.options = found.settings.client_options()
    name = found.settings.profile_name
    return None if name is None else f"{name}, {profiles_file()}"


def _credentials(found: Found) -> str:
    security = find_security((found.options or {}).get("security"))
    if isinstance(security, Exception):
        raise security
    found.security = security if isinstance(security, Security) else security()
    name = found.settings.profile_name
    source = None if name is None else load_profile(name).source
    variables = f"{KEY} and {SECRET}" if os.environ.get(KEY) else ACCOUNT_URL
    return f"key {found.security.shown_key}, from {source.name if source else variables}"


def _account(found: Found) -> str:
    found.account_id = find_account_id((found.options or {}).get("account_id"))
    return found.account_id


def _journals(found: Found) -> Check | str | None:
    if found.account_id is None:
        return None
    directory = membership.state_directory(found.account_id)
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
    return f"{len(runs)} in {directory}"


def _find_server(found: Found) -> None:
    given = found.options or {}
    found.server_url = find_server_url(
        server_url=given.get("server_url"),
        region=given.get("region"),
        server_idx=None,
        host=None,
        url_params=None,
    )


def _find_proxy(found: Found) -> None:
    """Find the proxy that the environment names for the server, without credentials."""
    url = urlsplit(found.server_url or "")
    # Plain http:// goes to this machine only, and so through no proxy.
    if url.scheme == "https" and not proxy_bypass(url.hostname or ""):
        proxy = proxies(found.server_url or "").get("https://")
        found.proxy = None if proxy is None else proxy.url.netloc.decode("ascii")


def _server(found: Found) -> str | None:
    through = f", through the proxy {found.proxy}" if found.proxy else ""
    return None if found.server_url is None else f"{found.server_url}{through}"


#: In this order: a server is shown with its proxy, also where that is not valid.
_OF_SETTINGS: Sequence[tuple[str, Callable[[Found], Check | str | None]]] = (
    ("credentials", _credentials),
    ("account", _account),
    ("journals", _journals),
    ("server", _find_server),
    ("proxy", _find_proxy),
    ("server", _server),
)


def check_account(found: Found) -> Iterator[Check]:
    """Read the account, with at most four requests, and yield what that shows."""
    if not found.is_complete:
        for name in ("reachable", "quota", "clock", "contract", "providers", "permissions"):
            yield Check(name, "skipped", _INCOMPLETE)
        return
    contract = _contract_check()
    hooks = () if isinstance(contract, Check) else (contract,)
    with found.open_client(*hooks) as client:
        yield _reachable(found, client)
        yield _quota(found.headers)
        yield _clock(found.headers, datetime.now(UTC))
        if found.groups is not None:
            # Only `contract` asks about the members: of a group that has some.
            with_members = (group.id for group in found.groups if group.users and hooks)
            _read_more(found, client, next(with_members, None))
        yield _contract(found, contract)
        yield _providers(found.users)
        yield _permissions(client, found.groups)


def record(found: Found, path: Path, force: bool) -> Check:
    """Write what the account sends to a file, as shapes: see `.record`."""
    from .record import Recorder, check_free, read_everything, write_record

    if found.security is None or not found.is_complete:
        return Check("record", "skipped", _INCOMPLETE)
    check_free(path, force=force)
    recorder = Recorder()
    with found.open_client(recorder) as client:
        read_everything(client)
    return write_record(path, recorder.responses, found.security)


def _reachable(found: Found, client: CldProvisioning) -> Check:
    """Read all groups with their members, as `plan` does."""
    try:
        listed = client.user_groups.with_raw_response.list(extended_details=True)
    except CloudinaryError as error:
        found.headers = error.headers
        return Check("reachable", "failed", str(error), errors.hint_for(error))
    except Exception as error:  # noqa: BLE001 - a proxy's address that is none, for one
        result = errors.describe(error).message
        if isinstance(error, http_errors()):
            result = f"no response: {error or type(error).__name__}"
        return Check("reachable", "failed", result, _NETWORK)
    found.groups, found.headers = listed.parsed.user_groups, listed.headers
    members = sum(len(group.users or ()) for group in found.groups)
    return Check("reachable", "ok", f"{len(found.groups)} groups with {members} memberships")


def _quota(headers: httpx.Headers) -> Check:
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


def _clock(headers: httpx.Headers, now: datetime) -> Check:
    date = parse_http_date(headers.get("date") or "")
    if date is None:
        return Check("clock", "skipped", "no response says what time it is")
    skew = (now - date).total_seconds()
    if abs(skew) <= _MOST_SKEW:
        return Check("clock", "ok", f"within {_MOST_SKEW:.0f} s of the server's")
    side = "ahead of" if skew > 0 else "behind"
    result = f"{abs(skew):.0f} s {side} the server's: memberships and plans end at the wrong time"
    return Check("clock", "failed", result, "set the clock, by NTP for one")


def _contract_check() -> ContractCheck | Check:
    """Return the hook that compares responses with the OpenAPI document, or why there is none."""
    try:
        from cld_user_groups.contract import ContractCheck

        return ContractCheck(raise_on_difference=False)
    except ImportError:
        return Check("contract", "skipped", "not installed", install_command("contract"))
    except OSError as error:
        return Check("contract", "failed", errors.describe(error).message, REINSTALL)


def _read_more(found: Found, client: CldProvisioning, group_id: str | None) -> None:
    """Read the users, and the members of a group, with one request each."""
    listed = found.tried(client.users.list)  # an account of many may have more
    found.users = listed and listed.users
    if group_id is not None:
        found.tried(client.user_groups.list_users, group_id=group_id)


def _contract(found: Found, contract: ContractCheck | Check) -> Check:
    if isinstance(contract, Check):
        return contract
    # A status code that is not documented is that of an outage: `reachable` reports it.
    differences = tuple(str(each) for each in contract.differences if each.path != "status")
    if differences:
        first, *others = differences
        more = f" (and {len(others)} more)" if others else ""
        hint = "upgrade cld-user-groups; if there is no newer one, report this"
        return Check("contract", "failed", first + more, hint, differences)
    if found.groups is None:
        return Check("contract", "skipped", "the account cannot be read")
    if found.error is not None:
        return Check("contract", "failed", errors.describe(found.error).message)
    return Check("contract", "ok", "the responses match the OpenAPI document")


def _providers(users: Sequence[User] | None) -> Check:
    """Find out who comes from a provider, such as SCIM, which may manage groups too."""
    if users is None:
        return Check("providers", "skipped", "the users cannot be read")
    known = [user for user in users if user.providers is not None]
    if not known:
        result = "no response says which providers users come from"
        return Check("providers", "skipped", result)
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
    return Check("providers", "ok", result, hint if count else "", details)


def _permissions(client: CldProvisioning, groups: Sequence[UserGroup] | None) -> Check:
    """Find out whether the roles of a group can be read, with one request."""
    if not groups:
        why = "the account cannot be read" if groups is None else "there is no group to ask about"
        return Check("permissions", "skipped", why)
    try:
        group = Principal(type="group", id=groups[0].id or "")
        client.principals.inspect_multiple(scope_type="account", principals=[group])
    except Exception as error:  # noqa: BLE001 - whatever it is, the roles are not known
        result = f"what groups grant is not known: {membership.roles.reason_of(error)}"
        return Check("permissions", "skipped", result)
    result = "the Permissions API responds: what groups grant can be read"
    return Check("permissions", "ok", result)
