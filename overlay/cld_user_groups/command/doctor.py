"""`doctor`: what is wrong, and what to do about it, in a line each."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import click
from attrs import frozen

import cld_user_groups
from cld_user_groups._version import __version__, install_command
from cld_user_groups.identity import printable

from . import errors
from .options import Settings, command, flag, option
from .output import colored
from .tables import Table, columns, print_table

Status = Literal["ok", "warning", "failed", "skipped"]

DISTRIBUTION = "cld-user-groups"
DOCUMENTED_NAME = "cloudinary_account_provisioning"
OLDEST_PYTHON = (3, 11)
_COLORS = {"ok": "green", "warning": "yellow", "failed": "red", "skipped": None}
_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?P<rest>[^;]*)(?:;(?P<marker>.*))?"
)
# What the command needs, beside what the client needs.
_NEEDED_EXTRA = re.compile(r"""extra\s*==\s*['"]cli['"]""")
REINSTALL = install_command(options="--force-reinstall --no-deps ")


@frozen
class Check:
    """What a check found.

    "warning" is for what works now and may not tomorrow; "skipped" for what could not be checked,
    because of what another check says or for want of something optional.
    """

    name: str
    status: Status
    result: str
    hint: str = ""
    details: tuple[str, ...] = ()  # all that was found, where the result is the first of it


def guarded(name: str, check: Callable[..., Check | str | None], *given: object) -> Iterator[Check]:
    """Yield what a check finds, as a text if all is well; an error fails it, and stops no other."""
    try:
        found = check(*given)
    except Exception as error:  # noqa: BLE001 - it is reported
        found = Check(name, "failed", errors.describe(error).message.rstrip("."))
    if found is not None:
        yield Check(name, "ok", found) if isinstance(found, str) else found


@command(
    "doctor",
    option(
        "--record",
        "Write the shapes of the account's responses to this file, without its data.",
        "FILE",
        type=click.Path(dir_okay=False, path_type=Path),
    ),
    flag("--force", "Replace the file of --record if it exists."),
)
def doctor_command(settings: Settings, record: Path | None, force: bool) -> int:
    """Check the installation, the settings and the account; say how to fix problems.

    Sends at most four requests, with --record about 25, which only read. Exits with 1 where a check
    has failed.
    """
    checks = list(_all(settings, record, force=force))
    is_well = all(check.status != "failed" for check in checks)
    code = errors.DONE if is_well else errors.ERROR
    table = Table(
        "doctor",
        next((check.result for check in checks if check.name == "account"), ""),
        "checks",
        columns("status check result hint"),
        [(check.status, check.name, check.result, check.hint or None) for check in checks],
        details={
            "ok": is_well,
            "exit_code": code,
            "details": {check.name: check.details for check in checks if check.details},
        },
    )
    print_table(table, settings, lines=lambda color: (_line(check, color) for check in checks))
    return code


def _line(check: Check, has_color: bool) -> str:
    """Return a check for a terminal: a line, whose end is the hint."""
    color = _COLORS[check.status] if has_color else None
    hint = f"; {check.hint}" if check.hint else ""
    status = colored(f"{check.status:8}", color)
    return f"{status} {check.name:12} {printable(check.result + hint)}"


def _all(settings: Settings, record: Path | None, *, force: bool) -> Iterator[Check]:
    yield from guarded("python", check_python)
    yield from guarded("packages", check_packages)
    yield from guarded("import name", check_import_name)
    from . import doctor_checks

    found = doctor_checks.Found(settings)
    yield from doctor_checks.check_settings(found)
    yield from doctor_checks.check_account(found)
    if record is not None:
        yield from guarded("record", doctor_checks.record, found, record, force)


def check_python() -> Check:
    """Check the version of Python."""
    found = f"{platform.python_implementation()} {platform.python_version()}, {sys.executable}"
    if sys.version_info < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        return Check("python", "failed", found, f"install Python {oldest} or later")
    return Check("python", "ok", found)


def check_packages() -> Check:
    """Check that the package is whole, and that what it depends on is installed."""
    home = Path(cld_user_groups.__file__).parent
    found = f"{DISTRIBUTION} {__version__}, {home}"
    try:
        own = distribution(DISTRIBUTION)
    except PackageNotFoundError:
        return Check("packages", "warning", f"{found}, not installed", install_command())
    if own.version != __version__:
        result = f"{found}, is installed as {own.version}: parts of two versions"
        return Check("packages", "failed", result, install_command(options="--force-reinstall "))
    versions = {name: _version(name) for name in _needed(own)}
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        hint = install_command("cli")
        return Check("packages", "failed", f"{', '.join(missing)} not installed", hint)
    details = tuple(f"{name} {version}" for name, version in versions.items())
    return Check("packages", "ok", "; ".join((found, ", ".join(details))), details=details)


def _needed(own: Distribution) -> Iterator[str]:
    for text in own.requires or ():
        found = _REQUIREMENT.match(text)
        if found and (found["marker"] is None or _NEEDED_EXTRA.search(found["marker"])):
            yield found["name"]


def _version(name: str) -> str | None:
    try:
        return distribution(name).version
    except PackageNotFoundError:
        return None


def check_import_name() -> Check:
    """Check that the documented import name is ours: the vendor publishes another of that name."""
    name = "import name"
    others = [
        f"{other.name} {other.version}"
        for other in _distributions_of(DOCUMENTED_NAME)
        if _normalized(other.name) != DISTRIBUTION
    ]
    hint = "import cld_user_groups, which is only ours"
    remedy = f"{hint}; or uninstall {' and '.join(others) or 'the other'}, then: {REINSTALL}"
    spec = find_spec(DOCUMENTED_NAME)
    if spec is None or spec.origin is None:
        result = f"{DOCUMENTED_NAME} cannot be imported"
        return Check(name, "failed", result, f"{hint}; or: {REINSTALL}")
    if _is_ours(Path(spec.origin)):
        if not others:
            return Check(name, "ok", f"{DOCUMENTED_NAME} is {DISTRIBUTION}'s")
        result = f"{DOCUMENTED_NAME} is {DISTRIBUTION}'s, and {', '.join(others)} has it too"
        return Check(name, "warning", f"{result}: the last one installed wins", remedy)
    whose = ", ".join(others) or "something else"
    return Check(name, "failed", f"{DOCUMENTED_NAME} is {whose}, {spec.origin}", remedy)


def _distributions_of(import_name: str) -> Iterator[Distribution]:
    """Yield those that have a package: `packages_distributions()` parses all, in 0.2 s."""
    for each in distributions():
        declared = each.read_text("top_level.txt") or ""
        installed = each.read_text("RECORD") or ""
        if import_name in declared.split() or f"\n{import_name}/" in f"\n{installed}":
            yield each


def _is_ours(origin: Path) -> bool:
    """Return whether a module re-exports ours; it is not imported, for it may be anybody's."""
    try:
        return "cld_user_groups" in origin.read_text("utf-8", errors="replace")
    except OSError:
        return False


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
