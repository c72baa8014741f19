"""`doctor`: what is wrong, and the way out of it, in a line each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from cld_user_groups.membership import printable

from . import exit_codes
from .output import colored, has_color, print_result
from .settings import TABLE_FORMATS, Settings, global_options, settings_of

if TYPE_CHECKING:
    from .checks import Check

_COLORS = {"ok": "green", "warning": "yellow", "failed": "red", "skipped": None}


@click.command("doctor")
@global_options(TABLE_FORMATS)
@click.pass_context
def doctor_command(context: click.Context) -> int:
    """Check the installation, the settings and the account; say how to fix problems.

    Sends at most three requests, which only read. Exits with 1 where a check has failed.
    """
    settings = settings_of(context)
    from .tables import Column, Table, print_table

    checks = list(_all(settings))
    is_well = all(check.status != "failed" for check in checks)
    code = exit_codes.DONE if is_well else exit_codes.ERROR
    table = Table(
        format="cld-user-groups/doctor/1",
        account=next((check.result for check in checks if check.name == "account"), ""),
        key="checks",
        columns=tuple(map(Column, ("status", "check", "result", "way_out"))),
        rows=[(check.status, check.name, check.result, check.way_out or None) for check in checks],
        details={
            "ok": is_well,
            "exit_code": code,
            "details": {check.name: check.details for check in checks if check.details},
        },
    )
    if settings.format == "text" and sys.stdout.isatty():
        print_result("\n".join(map(_line, checks)))
    else:
        print_table(table, settings)
    return code


def _line(check: Check) -> str:
    """Return a check for a terminal: a line, whose end is the way out."""
    color = _COLORS[check.status] if has_color(sys.stdout) else None
    way_out = f"; {check.way_out}" if check.way_out else ""
    status = colored(f"{check.status:8}", color)
    return f"{status} {check.name:12} {printable(check.result + way_out)}"


def _all(settings: Settings) -> Iterator[Check]:
    from .checks import guarded
    from .checks.account import check_account
    from .checks.installation import check_import_name, check_packages, check_python
    from .checks.settings import check_settings

    yield guarded("python", check_python)
    yield guarded("packages", check_packages)
    yield guarded("import name", check_import_name)
    found = check_settings(settings)
    yield from found.checks
    yield from check_account(found, max_body=settings.max_body)
