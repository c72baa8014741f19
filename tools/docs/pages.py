"""What pages generate, by the name in their marks."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial

from cld_user_groups.emulator.__main__ import CommandFormatter, build_parser
from cld_user_groups.membership import groups_schema, journal_schema, plan_schema

from .commands import commands_table
from .http_api import http_api
from .schema_tables import schema_section

GENERATED: dict[str, Callable[[], str]] = {
    "http-api": http_api,
    "groups-schema": lambda: schema_section(groups_schema(), "file"),
    "plan-schema": lambda: schema_section(plan_schema(), "plan"),
    "journal-schema": lambda: schema_section(journal_schema(), "journal"),
    "commands": commands_table,
    "emulator-help": lambda: _help(build_parser("cld-user-groups emulator")),
}


def _help(parser: ArgumentParser) -> str:
    """Return what a program prints with `--help`, in any terminal."""
    parser.formatter_class = partial(CommandFormatter, width=88)
    return f"```text\n{parser.format_help()}```"
