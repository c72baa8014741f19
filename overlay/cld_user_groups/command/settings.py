"""The values of the global options, and the client that they make."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Literal, TypedDict

import click
from attrs import define, field

from cld_user_groups import CldProvisioning, Security

from .lazy import membership
from .logs import json_log

if TYPE_CHECKING:
    from cld_user_groups.membership import Lease

_CREDENTIALS = (
    "CLOUDINARY_ACCOUNT_URL",
    "CLOUDINARY_PROVISIONING_API_KEY",
    "CLOUDINARY_PROVISIONING_API_SECRET",
)

Region = Literal["api", "api-eu", "api-ap"]
#: The formats of every command, of one that prints a table, and of one that shows a plan, all.
FORMATS = ("text", "json")
TABLE_FORMATS = (*FORMATS, "csv", "markdown")
PLAN_FORMATS = (*TABLE_FORMATS, "html")


class ClientOptions(TypedDict, total=False):
    """Arguments of the client, which a profile can give."""

    account_id: str | None
    region: Region | None
    server_url: str | None
    security: Callable[[], Security]
    max_response_bytes: int
    timeout_ms: float


@define
class Settings:
    """The values of the global options.

    Attributes:
        server_url: The server's URL, or None for that of the environment or the region.
        region: The region, or None.
        account_id: The account, or None for that of the environment.
        format: The format of what goes to standard output.
        log_format: The format of what goes to standard error: "text", or "json", one object a line.
        profile: The name of the account's profile, or None.
        lease: The URL of the Redis server that keeps other machines off an account, or None for
            that of the environment.
        quiet: Whether to leave out progress and messages, errors excepted.
        debug: Whether to show requests, and tracebacks of errors.
        timeout: How long a connection, and a whole response, may take, in seconds, or None.
        max_body: The maximum size of a response's body, in MiB, or None for the client's own.
        source_timeout: How long to wait for the end of a source that is a pipe, in seconds.
    """

    server_url: str | None = None
    region: Region | None = None
    account_id: str | None = None
    lease: str | None = field(default=None, repr=False)  # there may be a password in it
    format: str = "text"
    profile: str | None = None
    log_format: str = "text"
    quiet: bool = False
    debug: bool = False
    timeout: float | None = None
    source_timeout: float = 600.0
    max_body: int | None = None

    @property
    def is_json(self) -> bool:
        """Whether standard output gets one JSON document."""
        return self.format == "json"

    def command_line(self, *words: str) -> str:
        """Return a command line for the same account, as it can be pasted into a shell."""
        chosen = {
            "--profile": self.profile,
            "--account-id": self.account_id,
            "--region": self.region,
            "--server-url": self.server_url,
            "--max-body": self.max_body,
        }
        options = [word for name, value in chosen.items() if value for word in (name, str(value))]
        return shlex.join(["cld-user-groups", *options, *words])

    def open_client(self) -> CldProvisioning:
        """Return a client with these settings; nothing is sent.

        Raises:
            ValueError: A setting is not valid, or the credentials are missing.
        """
        log = json_log()
        return CldProvisioning(**self.client_options(), hooks=() if log is None else (log,))

    def client_options(self) -> ClientOptions:
        """Return the account, its server and its credentials: options, then those of the profile.

        What neither has is left to the client, which looks into the environment.

        Raises:
            ValueError: There is no such profile, its file is not valid, or neither it nor the
                environment has credentials.
        """
        found = ClientOptions(
            account_id=self.account_id, region=self.region, server_url=self.server_url
        )
        if self.timeout is not None:
            found["timeout_ms"] = self.timeout * 1000
        if self.max_body is not None:
            found["max_response_bytes"] = self.max_body * 1024 * 1024
        name = self.profile_name
        if name is None:
            _check_environment()
            return found
        from .profiles import fetched_once, load_profile

        profile = load_profile(name)
        found["account_id"] = self.account_id or profile.account_id
        if not (self.region or self.server_url):
            found["region"], found["server_url"] = profile.region, profile.server_url
        if profile.source is not None:
            found["security"] = fetched_once(profile.source)
        elif not any(map(os.environ.get, _CREDENTIALS)):
            raise ValueError(
                f"there are no credentials: profile {name!r} does not say where they come from "
                f"(credentials), and {_CREDENTIALS[1]} and {_CREDENTIALS[2]} are not set"
            )
        return found

    @property
    def profile_name(self) -> str | None:
        """The name of the account's profile: the option, else that of the environment."""
        return self.profile or os.environ.get("CLOUDINARY_PROFILE") or None

    def open_lease(
        self, account_id: str, *, wait: float, run: str
    ) -> AbstractContextManager[Lease | None]:
        """Return a lease on an account, to be entered; an empty context where none is asked for.

        Raises:
            ValueError: The URL is not valid.
        """
        url = self.lease or os.environ.get("CLOUDINARY_LEASE_URL")
        return membership.RedisLease(url, account_id, wait=wait, run=run) if url else nullcontext()


def _check_environment() -> None:
    """Reject an environment without credentials in the words of the command."""
    if not any(map(os.environ.get, _CREDENTIALS)):
        raise ValueError(
            "there are no credentials: set CLOUDINARY_ACCOUNT_URL=account://KEY:SECRET@ACCOUNT_ID, "
            "or CLOUDINARY_PROVISIONING_API_KEY, CLOUDINARY_PROVISIONING_API_SECRET and "
            "CLOUDINARY_ACCOUNT_ID, or choose a profile with --profile"
        )


def settings_of(context: click.Context) -> Settings:
    """Return the settings of this call of the command."""
    return context.ensure_object(Settings)
