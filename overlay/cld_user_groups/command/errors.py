"""Errors and exit codes: the message of each error, in a sentence with a hint."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click
from attrs import asdict, frozen

from cld_user_groups._version import install_command
from cld_user_groups.identity import printable

from . import membership
from .options import Settings
from .output import log_event, print_document, print_message

if TYPE_CHECKING:
    from cld_user_groups.models import CloudinaryError

#: Done, or nothing to do.
DONE = 0
#: An error. Nothing was written. `doctor`: a check has failed.
ERROR = 1
#: `plan --detailed-exitcode`, `diff --detailed-exitcode`: there are changes.
CHANGES = 2
#: A guard refuses the plan. Nothing was written.
GUARD = 3
#: The account has changed since the plan was created, or the plan has expired. Nothing was written.
STALE = 4
#: The run has ended before the account matched the file, or was interrupted; or there was no quota
#: to read the account.
INCOMPLETE = 5
#: The command line is not valid, or the command cannot ask. Nothing was written.
USAGE = 64

_HINTS = {
    401: "check the credentials: cld-user-groups doctor says where they come from",
    403: "the key may not do this: check its permissions in the console",
    404: "check the account's ID",
    429: "too many requests at once: try again later",
}


class Incomplete(Exception):
    """A run was cut short at once; its journal has what is known."""


class NobodyToAsk(Exception):
    """There is no terminal to ask on. Nothing was written."""


class Refused(Exception):
    """The guards refuse a plan, as the user `is_shown` or not. Nothing was written."""

    def __init__(self, breaches: Sequence[membership.Breach], hint: str, *, is_shown: bool) -> None:
        super().__init__(hint)
        self.breaches = breaches
        self.hint = hint
        self.is_shown = is_shown


@frozen
class Failure:
    """How an error is reported."""

    kind: str
    message: str
    code: int = ERROR
    details: Mapping[str, Any] = {}


def report_failure(error: BaseException, settings: Settings) -> int:
    """Report an error on standard error, in JSON on standard output too; return the exit code."""
    failure = describe(error)
    frames = "".join(traceback.format_exception(error)) if settings.debug else None
    said = {"kind": failure.kind, "message": failure.message}
    if not log_event("error", "error", **said, exit_code=failure.code, traceback=frames):
        if frames is not None:
            print_message(_printable(frames))
        if isinstance(error, click.UsageError) and error.ctx is not None:
            is_lost = isinstance(error, click.exceptions.NoArgsIsHelpError)
            print_message(error.ctx.get_help() if is_lost else error.ctx.get_usage())
        print_message(f"Error: {_printable(failure.message)}")
    if settings.is_json:
        with suppress(OSError):  # which may be the very error that is reported
            details = {**said, **failure.details}
            print_document("error", error=details, exit_code=failure.code)
    return failure.code


def _printable(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))


def describe(error: BaseException) -> Failure:
    """Return how to report an error."""
    # The errors of membership come late, for asking for them imports much of it.
    found = _of_command(error) or _of_call(error) or _of_membership(error)
    return found or _of_system(error)


def _of_command(error: BaseException) -> Failure | None:
    match error:
        case click.exceptions.NoArgsIsHelpError():  # whose message is all of the help
            return Failure("usage", "a command is missing.", USAGE)
        case click.ClickException():
            is_usage = isinstance(error, click.UsageError)
            kind, code = ("usage", USAGE) if is_usage else ("error", ERROR)
            return Failure(kind, error.format_message(), code)
        case KeyboardInterrupt() | click.Abort():
            return Failure("interrupted", "interrupted; nothing was written.")
        case Incomplete():
            return Failure("incomplete", str(error), INCOMPLETE)
        case NobodyToAsk():
            return Failure("usage", str(error), USAGE)
        case Refused():
            lines = [] if error.is_shown else [f"  {each.message}" for each in error.breaches]
            said = f"refused by the guards; nothing was written. {error.hint}".rstrip()
            breaches = [asdict(breach) for breach in error.breaches]
            return Failure("guard", "\n".join([said, *lines]), GUARD, {"breaches": breaches})
        case ImportError():
            package = (error.name or "").partition(".")[0]
            extra = {"redis": "redis", "mcp": "mcp", "mcp_types": "mcp"}.get(package, "cli")
            message = f"{package} is not installed: {install_command(extra)}."
            return Failure("installation", message)
        case _:
            return None


#: By the class in `membership`: the kind, the exit code, and what to do.
_UNWRITTEN = {
    "StalePlan": ("stale", STALE, "Make the plan again."),
    "WrongAccount": ("account", ERROR, "Choose the account with --account-id."),
    "AlreadyRunning": ("running", ERROR, "Try again once it has ended."),
    "LeaseError": (
        "lease",
        ERROR,
        "Try again once Redis responds, or without the lease (--lease, CLOUDINARY_LEASE_URL): a "
        "stale plan is still refused.",
    ),
}


def _of_membership(error: BaseException) -> Failure | None:
    if isinstance(error, membership.MembershipError):
        count, message = len(error.problems), str(error)
        if count > 1:
            message = f"{count} problems; nothing was written.\n{message}"
        return Failure("invalid", message, details={"problems": [*map(asdict, error.problems)]})
    if isinstance(error, membership.JournalError):
        return Failure("journal", f"{error}.")
    for name, (kind, code, hint) in _UNWRITTEN.items():
        if isinstance(error, getattr(membership, name)):
            return Failure(kind, f"{error}; nothing was written. {hint}", code)
    return None


def hint_for(error: CloudinaryError) -> str:
    """Return what to do about a response that is an error."""
    from cld_user_groups.models import ResponseValidationError

    if "the body is larger than" in error.message:
        return "allow more with --max-body, in MiB (default: 64)"
    is_elsewhere = 300 <= error.status_code < 400  # a redirect
    is_json = "json" in error.headers.get("content-type", "").lower()
    if is_elsewhere or (isinstance(error, ResponseValidationError) and not is_json):
        return "that is not the API: check --server-url and the proxy"
    return _HINTS.get(error.status_code, "try again later")


def _of_call(error: BaseException) -> Failure | None:
    from cld_user_groups.errors import http_errors
    from cld_user_groups.models import CloudinaryError, UsageRateExceeded

    if isinstance(error, CloudinaryError):
        details = {"status_code": error.status_code, "request_id": error.request_id}
        if not isinstance(error, UsageRateExceeded):
            return Failure("api", f"{error}; {hint_for(error)}.", details=details)
        reset = error.rate_limit.reset
        when = f"{reset:%Y-%m-%d %H:%M:%S} UTC" if reset else "it is renewed"
        used_up = "nothing was written: the quota of requests is used up"
        details |= {"resume_at": None if reset is None else reset.isoformat()}
        return Failure(
            "quota", f"{error}; {used_up}. Run it again after {when}.", INCOMPLETE, details
        )
    if isinstance(error, http_errors()):
        url = f" from {error.request.url.host}" if error.request else ""
        said = printable(str(error)) or type(error).__name__
        is_slow = type(error).__name__.endswith("Timeout")  # of httpx or httpx2
        longer = ", or wait longer: --timeout 2m" if is_slow else ""
        hint = f"check the network and --server-url{longer}"
        return Failure("network", f"no response{url}: {said}; {hint}.")
    return None


def _of_system(error: BaseException) -> Failure:
    if isinstance(error, OSError):
        name = f"{error.filename}: " if error.filename else ""
        return Failure("system", f"{name}{error.strerror or error}.")
    if isinstance(error, (ValueError, TypeError)):
        said = str(error)
        return Failure("invalid", said if said.endswith((".", "?")) else f"{said}.")
    kind = type(error).__name__
    return Failure("internal", f"unexpected {kind}: run it again with --debug.")
