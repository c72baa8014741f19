"""Checks of the settings: the profile, the credentials, the account, the server, the journals."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

from attrs import define, field

from cld_user_groups import Security
from cld_user_groups._engine.config import (
    ACCOUNT_URL,
    KEY,
    SECRET,
    find_account_id,
    find_security,
    find_server_url,
)
from cld_user_groups._engine.environment import proxies
from cld_user_groups.command.failures import describe
from cld_user_groups.command.profiles import load_profile, profiles_file
from cld_user_groups.command.settings import Settings
from cld_user_groups.membership import list_runs, state_directory

from . import Check, guarded

T = TypeVar("T")

# Of a key that is shorter, the last four characters would be too much of it.
_SHOWN_OF_KEY = 4
_SHORTEST_SHOWN = 12


@define
class Found:
    """The settings, as far as they are valid, and what was found on the way.

    Attributes:
        security: The credentials, or None.
        account_id: The account, or None.
        server_url: The server, or None.
        checks: What was found.
    """

    security: Security | None = None
    account_id: str | None = None
    server_url: str | None = None
    checks: list[Check] = field(factory=list[Check])

    def keep(self, name: str, find: Callable[[], T]) -> T | None:
        """Return what is found, or None where it is not valid, which is a failed check."""
        try:
            return find()
        except Exception as error:  # noqa: BLE001 - each is told
            result = describe(error).message.rstrip(".")
            self.checks.append(Check(name, "failed", result))
            return None


def check_settings(settings: Settings) -> Found:
    """Check all that can be said before anything is sent.

    Args:
        settings: The global options.
    """
    found = Found()
    options = found.keep("profile", settings.client_options)
    if options is None:
        return found
    if settings.profile_name is not None:
        found.checks.append(Check("profile", "ok", f"{settings.profile_name}, {profiles_file()}"))
    found.security = found.keep("credentials", lambda: _fetch(options.get("security")))
    if found.security is not None:
        result = f"key {masked(found.security)}, from {_origin(settings)}"
        found.checks.append(Check("credentials", "ok", result))
    found.account_id = found.keep("account", lambda: find_account_id(options.get("account_id")))
    if found.account_id is not None:
        found.checks.append(Check("account", "ok", found.account_id))
        account_id = found.account_id
        check = guarded("journals", lambda: _check_journals(state_directory(account_id)))
        found.checks.append(check)
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
        result = server_url + (f", through the proxy {through}" if through else "")
        found.checks.append(Check("server", "ok", result))
    return found


def _fetch(source: Callable[[], Security] | None) -> Security:
    found = find_security(source)
    if isinstance(found, Exception):
        raise found
    return found if isinstance(found, Security) else found()


def masked(security: Security) -> str:
    """Return a key as it may be shown: its last characters, if it has enough others."""
    key = security.provisioning_api_key or ""
    return "***" + (key[-_SHOWN_OF_KEY:] if len(key) >= _SHORTEST_SHOWN else "")


def _origin(settings: Settings) -> str:
    name = settings.profile_name
    source = None if name is None else load_profile(name).source
    if source is not None:
        return str(source)
    return f"{KEY} and {SECRET}" if os.environ.get(KEY) else ACCOUNT_URL


def _check_journals(directory: Path) -> Check:
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        way_out = "let this user write there, or set XDG_STATE_HOME to another directory"
        return Check("journals", "failed", f"{directory} cannot be written", way_out)
    runs = list_runs(directory)
    unreadable = [summary.id for summary in runs if summary.run is None]
    if unreadable:
        result = f"{len(unreadable)} of {len(runs)} in {directory} cannot be read: {unreadable[0]}"
        way_out = "see `cld-user-groups runs`; move them away if they are of no use"
        return Check("journals", "warning", result, way_out, tuple(unreadable))
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
