"""`schema`: the JSON Schemas of the formats."""

from __future__ import annotations

from typing import Literal

import click

from .output import print_json
from .settings import global_options


@click.command("schema")
@click.argument(
    "name", type=click.Choice(["groups", "plan", "journal", "review"]), default="groups"
)
@global_options()
def schema_command(name: Literal["groups", "plan", "journal", "review"]) -> None:
    """Print the JSON Schema of a file of groups, a plan, a journal's line or a review."""
    from cld_user_groups.membership import (
        groups_schema,
        journal_schema,
        plan_schema,
        review_schema,
    )

    schemas = {
        "groups": groups_schema,
        "plan": plan_schema,
        "journal": journal_schema,
        "review": review_schema,
    }
    print_json(schemas[name]())
