"""`export`: the account as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .arguments import force_option
from .output import OutputFile, print_json, print_message, print_result
from .settings import global_options, settings_of

if TYPE_CHECKING:
    from cld_user_groups.membership import Snapshot

_YAML = (".yaml", ".yml")


@click.command("export")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write, .yaml or .json. Default: standard output.",
)
@force_option
@global_options()
@click.pass_context
def export_command(context: click.Context, output: Path | None, force: bool) -> None:
    """Write the account as a file, with the IDs of all groups and members.

    Planning that file finds nothing to do.
    """
    settings = settings_of(context)
    if output is not None and output.suffix.lower() not in (*_YAML, ".json"):
        raise click.UsageError(f"{output} must end in .yaml, .yml or .json", context)
    from cld_user_groups.membership import export, read_account

    with settings.open_client() as client:
        file = None if output is None else OutputFile(output, client.account_id, force=force)
        snapshot = read_account(client)
    text = export(snapshot)
    if output is None or file is None:
        if settings.is_json:
            print_json(_as_json(text))
        else:
            print_result(text)
        return
    if output.suffix.lower() == ".json":
        from cld_user_groups.membership.documents import json_text

        text = json_text(_as_json(text))
    file.write(text)
    _report(snapshot, output, is_json=settings.is_json, quiet=settings.quiet)


def _as_json(text: str) -> dict[str, Any]:
    """Return a file in YAML as what JSON needs, so that the two cannot differ."""
    import yaml

    document: dict[str, Any] = yaml.safe_load(text)
    return document


def _report(snapshot: Snapshot, output: Path, *, is_json: bool, quiet: bool) -> None:
    memberships = sum(len(group.members) for group in snapshot.groups)
    if is_json:
        print_json(
            {
                "format": "cld-user-groups/export/1",
                "account": snapshot.account_id,
                "output": str(output),
                "groups": len(snapshot.groups),
                "memberships": memberships,
            }
        )
    print_message(
        f"Wrote {len(snapshot.groups)} groups with {memberships} memberships to {output}.",
        quiet=quiet,
    )
