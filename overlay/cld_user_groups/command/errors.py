"""Errors and exit codes: what is said of each error, in a sentence with a hint."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click
from attrs import asdict, frozen

from cld_user_groups._version import install_command
from cld_user_groups.errors import http_errors
from cld_user_groups.identity import printable
from cld_user_groups.models import CloudinaryError, ResponseValidationError, UsageRateExceeded

from .lazy import membership
from .logs import log_event
from .output import print_json, print_message
from .settings import Settings

if TYPE_CHECKING:
    from cld_user_groups.membership import Breach

#: Done, or nothing to do.
DONE = 0
#: An error. Nothing was written. `doctor`: a check has failed.
ERROR = 1
#: `plan --detailed-exitcode`, `diff --detailed-exitcode`: there are changes.
CHANGES = 2
#: A guard refuses the plan. Nothing was written.
GUARD = 3
#: The account has changed since the plan was made, or the plan has expired. Nothing was written.
STALE = 4
#: The run has ended before the account matched the file, or was interrupted; or there was no quota
#: to read the account.
INCOMPLETE = 5
#: The command line is not valid, or the command cannot ask. Nothing was written.
USAGE = 64


class Incomplete(Exception):
    """A run was cut short at once; its journal has what is known."""


class NobodyToAsk(Exception):
    """There is no terminal to ask on. Nothing was written."""


class Refused(Exception):
    """The guards refuse a plan. Nothing was written.

    Attributes:
        breaches: The guards.
        hint: What can be done beside allowing its removals, or "".
        is_shown: Whether the user has seen the guards' messages, below the plan.
    """

    def __init__(self, breaches: Sequence[Breach], hint: str, *, is_shown: bool) -> None:
        super().__init__(hint)
        self.breaches = breaches
        self.hint = hint
        self.is_shown = is_shown


@frozen(kw_only=True)
class Failure:
    """What is said of an error.

    Attributes:
        kind: What it is, for programs.
        message: What is wrong, and what to do.
        code: The exit code.
        details: What else a program may want to know.
    """

    kind: str
    message: str
    code: int = ERROR
    details: Mapping[str, Any] = {}


def report_failure(error: BaseException, settings: Settings) -> int:
    """Report an error on standard error, in JSON on standard output too; return the exit code."""
    failure = describe(error)
    if not _is_logged(failure, error, settings):
        if settings.debug:
            print_message(_printable("".join(traceback.format_exception(error))))
        if isinstance(error, click.UsageError) and error.ctx is not None:
            is_lost = isinstance(error, click.exceptions.NoArgsIsHelpError)
            print_message(error.ctx.get_help() if is_lost else error.ctx.get_usage())
        print_message(f"Error: {_printable(failure.message)}")
    document = {
        "format": "cld-user-groups/error/1",
        "error": {"kind": failure.kind, "message": failure.message, **failure.details},
        "exit_code": failure.code,
    }
    if settings.is_json:
        with suppress(OSError):  # which may be the very error that is told
            print_json(document)
    return failure.code


def _printable(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))


def _is_logged(failure: Failure, error: BaseException, settings: Settings) -> bool:
    """Write an error to the log where that is JSON, and return whether it is."""
    frames = "".join(traceback.format_exception(error)) if settings.debug else None
    return log_event(
        "error",
        "error",
        kind=failure.kind,
        message=failure.message,
        exit_code=failure.code,
        traceback=frames,
    )


def describe(error: BaseException) -> Failure:
    """Return what to say of an error."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):  # whose message is all of the help
        return Failure(kind="usage", message="a command is missing.", code=USAGE)
    if isinstance(error, click.UsageError):
        return Failure(kind="usage", message=error.format_message(), code=USAGE)
    if isinstance(error, click.ClickException):
        return Failure(kind="error", message=error.format_message())
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return Failure(kind="interrupted", message="interrupted; nothing was written.")
    if isinstance(error, Incomplete):
        return Failure(kind="incomplete", message=str(error), code=INCOMPLETE)
    if isinstance(error, NobodyToAsk):
        return Failure(kind="usage", message=str(error), code=USAGE)
    if isinstance(error, ImportError):
        package = (error.name or "").partition(".")[0]
        extra = "redis" if package == "redis" else "cli"
        return Failure(
            kind="installation",
            message=f"{package} is not installed: {install_command(extra)}.",
        )
    return _of_library(error) or _of_call(error) or _of_system(error)


def _of_library(error: BaseException) -> Failure | None:
    match error:
        case membership.MembershipError():
            problems = [asdict(problem) for problem in error.problems]
            message = str(error)
            if len(error.problems) > 1:
                message = f"{len(error.problems)} problems; nothing was written.\n{message}"
            return Failure(kind="invalid", message=message, details={"problems": problems})
        case Refused():
            lines = [] if error.is_shown else [f"  {each.message}" for each in error.breaches]
            said = f"refused by the guards; nothing was written. {error.hint}".rstrip()
            breaches = [asdict(breach) for breach in error.breaches]
            return Failure(
                kind="guard",
                message="\n".join([said, *lines]),
                code=GUARD,
                details={"breaches": breaches},
            )
        case membership.StalePlan():
            message = f"{error}; nothing was written. Make the plan again."
            return Failure(kind="stale", message=message, code=STALE)
        case membership.WrongAccount():
            message = f"{error}; nothing was written. Choose the account with --account-id."
            return Failure(kind="account", message=message)
        case membership.AlreadyRunning():
            message = f"{error}; nothing was written. Try again once it has ended."
            return Failure(kind="running", message=message)
        case membership.LeaseError():
            message = (
                f"{error}; nothing was written. Try again once Redis responds, or without the "
                "lease (--lease, CLOUDINARY_LEASE_URL): a stale plan is refused all the same."
            )
            return Failure(kind="lease", message=message)
        case membership.JournalError():
            return Failure(kind="journal", message=f"{error}.")
        case _:
            return None


_WAYS_OUT = {
    401: "check the credentials: cld-user-groups doctor says where they come from",
    403: "the key may not do this: check its permissions in the console",
    404: "check the account's ID",
    429: "too many requests at once: try again later",
}


def hint_for(error: CloudinaryError) -> str:
    """Return what to do about a response that is an error."""
    if "the body is larger than" in error.message:
        return "allow more with --max-body, in MiB (default: 64)"
    is_elsewhere = 300 <= error.status_code < 400  # a redirect
    if is_elsewhere or (isinstance(error, ResponseValidationError) and not _is_json(error)):
        return "that is not the API: check --server-url and the proxy"
    return _WAYS_OUT.get(error.status_code, "try again later")


def _is_json(error: CloudinaryError) -> bool:
    return "json" in error.headers.get("content-type", "").lower()


def _of_call(error: BaseException) -> Failure | None:
    if isinstance(error, UsageRateExceeded):
        reset = error.rate_limit.reset
        when = "it is renewed" if reset is None else f"{reset:%Y-%m-%d %H:%M:%S} UTC"
        return Failure(
            kind="quota",
            message=f"{error}; nothing was written: the quota of requests is used up. "
            f"Run it again after {when}.",
            code=INCOMPLETE,
            details={
                "status_code": error.status_code,
                "request_id": error.request_id,
                "resume_at": None if reset is None else reset.isoformat(),
            },
        )
    if isinstance(error, CloudinaryError):
        hint = hint_for(error)
        return Failure(
            kind="api",
            message=f"{error}; {hint}.",
            details={"status_code": error.status_code, "request_id": error.request_id},
        )
    if isinstance(error, http_errors()):
        url = f" from {error.request.url.host}" if error.request else ""
        said = printable(str(error)) or type(error).__name__
        is_slow = type(error).__name__.endswith("Timeout")  # of httpx or httpx2
        longer = ", or wait longer: --timeout 2m" if is_slow else ""
        return Failure(
            kind="network",
            message=f"no response{url}: {said}; check the network and --server-url{longer}.",
        )
    return None


def _of_system(error: BaseException) -> Failure:
    if isinstance(error, OSError):
        name = f"{error.filename}: " if error.filename else ""
        return Failure(kind="system", message=f"{name}{error.strerror or error}.")
    if isinstance(error, (ValueError, TypeError)):
        said = str(error)
        return Failure(kind="invalid", message=said if said.endswith((".", "?")) else f"{said}.")
    kind = type(error).__name__
    return Failure(kind="internal", message=f"unexpected {kind}: run it again with --debug.")
