"""The account that an assistant looks at, through a client that only reads; and its log."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import define, frozen

from cld_provisioning_api.calling import parse_rate_limit
from cld_user_groups import membership
from cld_user_groups.membership.state import make_private

if TYPE_CHECKING:
    import httpx

    from cld_user_groups import CldProvisioning, HookContext

_READING_POST = "inspectMultiple"
_LARGEST_LOG = 4 * 1024 * 1024


class NotSent(Exception):  # noqa: N818 - reads as what is the case
    """A request that could change the account, or that takes what is left to others."""


@define
class OnlyReads:
    """A hook of the client: only requests that read are sent, and they leave some of the quota."""

    keep_quota: int = 0
    sent: int = 0
    _left: int | None = None
    _renewed_at: datetime | None = None

    def before_request(self, context: HookContext, request: httpx.Request) -> None:
        """Reject what is no read, and what would take from the part of others."""
        if request.method != "GET" and context.operation_id != _READING_POST:
            raise NotSent(f"{context.operation_id} could change the account")
        is_renewed = self._renewed_at is not None and datetime.now(UTC) >= self._renewed_at
        if self._left is not None and self._left <= self.keep_quota and not is_renewed:
            raise NotSent(f"{self._left} requests are left of the quota, for others")
        self.sent += 1

    def after_response(self, context: HookContext, response: httpx.Response) -> None:
        """Note what is left of the quota; a response that does not say changes nothing."""
        quota = parse_rate_limit(response.headers)
        if quota.remaining is not None:
            self._left, self._renewed_at = quota.remaining, quota.reset


@frozen(kw_only=True)
class Account:
    """What the tools look at: through a client that has `reads` among its hooks.

    Attributes:
        source_timeout: How long to wait for the file, in seconds.
        command_line: Returns a command line of these words, for the same account.
    """

    client: CldProvisioning
    reads: OnlyReads
    file: str | None
    source_timeout: float
    command_line: Callable[..., str]

    @property
    def state(self) -> Path:
        """The directory of the account's journals."""
        return membership.state_directory(self.client.account_id)

    def desired(self) -> membership.Desired | None:
        """Return what the file says now, or None where there is no file."""
        if self.file is None:
            return None
        desired = membership.read_file(self.file, timeout=self.source_timeout)
        if desired.account not in (None, self.client.account_id):
            problem = membership.Problem(self.file, None, "the file is for another account")
            raise membership.FileError([problem])
        return desired


def folder_of(state: Path) -> Path:
    """Return the assistant's folder: not the journals' own, in which each file is a run."""
    make_private(state / "assistant")
    return state / "assistant"


def log_call(state: Path, fields: Mapping[str, Any]) -> None:
    """Add a call to the log, which only its owner can read; a full log is put aside."""
    path = folder_of(state) / "calls.jsonl"
    if path.exists() and path.stat().st_size > _LARGEST_LOG:
        path.replace(path.with_suffix(".old"))
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "ab") as file:
        file.write(msgspec.json.encode({"at": datetime.now(UTC), **fields}) + b"\n")


def logged_calls(state: Path) -> Iterator[dict[str, Any]]:
    """Yield the calls of the log, the latest first, without a line that a crash cut off."""
    path = state / "assistant" / "calls.jsonl"
    for line in reversed(path.read_bytes().splitlines() if path.exists() else []):
        try:
            yield msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.DecodeError:
            continue
