"""The commands of files: `export`, `plan`, `apply`, `diff`, `schema`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve

from cld_user_groups.identity import printable

from . import errors, membership, options
from .completion import FILE_NAME
from .options import FORMATS, PLAN_FORMATS, Settings, command, duration, flag, number, option
from .output import OutputFile, colored, print_document, print_json, print_message, print_result
from .people import read_everyone
from .results import code_of_plan
from .running import PlanRun, print_plan
from .source import (
    Rows,
    decided,
    from_review_option,
    read_groups,
    read_source,
    row_options,
    with_new_groups,
)
from .tables import Table, columns, print_table

if TYPE_CHECKING:
    from cld_user_groups import CldProvisioning
    from cld_user_groups.membership import Change, Desired, Difference, Plan, Snapshot
    from cld_user_groups.membership.drafts import Draft
    from cld_user_groups.membership.roles import Reach

_FILE = click.Path(path_type=Path, dir_okay=False)


@command(
    "export",
    option(
        "--output -o", "The file to write, .yaml or .json. Default: standard output.", type=_FILE
    ),
    options.force,
    flag("--users", "Also list the users who are in no group: for a copy of the account."),
    formats=(*FORMATS, "csv"),
)
def export_command(settings: Settings, output: Path | None, force: bool, users: bool) -> None:
    """Write the account as a file, with the IDs of all groups and members.

    Planning that file finds nothing to do. With --format csv, standard output gets rows for a
    spreadsheet, which can be planned too; groups without members have none.
    """
    _check_export(settings, output, users=users)
    with settings.open_client() as client:
        file = None if output is None else OutputFile(output, client.account_id, force=force)
        snapshot = membership.read_account(client)
        everyone, is_complete = read_everyone(client) if users else ((), True)
    if not is_complete:
        print_message("There may be more users: the server repeats its pages.")
    if settings.format == "csv":
        print_result(membership.export_csv(snapshot))
        if empty := sum(not group.members for group in snapshot.groups):
            groups = membership.rendering.counted(empty, "group")
            settings.say(f"Left out {groups} without members.")
        return
    people = [membership.Member(id=user.id, email=user.email, name=user.name) for user in everyone]
    document_of = partial(membership.exporting.export_document, snapshot, users=people)
    if output is None and settings.is_json:
        print_json(document_of())
        return
    if output is not None and output.suffix.lower() == ".json":
        text = membership.documents.json_text(document_of())
    else:
        text = membership.export(snapshot, users=people)
    if file is None:
        print_result(text)
        return
    file.write(text)
    count, memberships = len(snapshot.groups), sum(len(each.members) for each in snapshot.groups)
    if settings.is_json:
        counts = {"groups": count, "memberships": memberships}
        print_document("export", account=snapshot.account_id, output=str(output), **counts)
    settings.say(f"Wrote {count} groups with {memberships} memberships to {output}.")


def _check_export(settings: Settings, output: Path | None, *, users: bool) -> None:
    fail = click.get_current_context().fail
    if users and settings.format == "csv":
        fail("--users is not for --format csv: rows have no place for them")
    if output is not None and settings.format == "csv":
        fail("--format csv is for standard output: > FILE.csv")
    if output is not None and output.suffix.lower() not in (".yaml", ".yml", ".json"):
        fail(f"{output} must end in .yaml, .yml or .json")


@command(
    "plan",
    click.argument("file", required=False, type=FILE_NAME),
    row_options,
    from_review_option,
    option("--out", "Save the plan to this file, for `apply`.", type=_FILE),
    options.force,
    flag("--detailed-exitcode", "Exit with 2 if there are changes."),
    options.adds_only,
    options.allow_removals,
    options.allow_new,
    option(
        "--today",
        "Plan for the memberships of that day. Default: today, in UTC.",
        "DATE",
        type=click.DateTime(["%Y-%m-%d"]),
    ),
    options.roles,
    options.summary,
    formats=PLAN_FORMATS,
)
def plan_command(
    settings: Settings,
    file: str | None,
    rows: Rows,
    from_review: str | None,
    out: Path | None,
    force: bool,
    detailed_exitcode: bool,
    adds_only: bool,
    allow_removals: int | None,
    allow_new: tuple[str, ...],
    today: datetime | None,
    roles: Reach | None,
) -> int:
    """Show what would change so that the account matches FILE. Nothing is written.

    FILE is YAML, TOML, JSON, CSV or JSON lines; - reads standard input. Default: that of the
    profile.

    Exits with 3 where a guard refuses the plan, and with 5 where something is held back.
    """
    file = file or settings.groups_file
    unfit = {"today": today, "adds_only": adds_only, "allow_new": allow_new}
    review = decided(settings, from_review, file, rows, **unfit)
    if review is not None:
        draft_of = partial(review.draft, allow_removals=allow_removals)
    else:
        draft_of = partial(
            membership.drafts.make_draft,
            desired=with_new_groups(read_groups(file or "", rows), allow_new),
            today=today.date() if today else None,
            allow_removals=allow_removals,
            only_adds=adds_only,
        )
    with settings.open_client() as client:
        output = None if out is None else OutputFile(out, client.account_id, force=force)
        plan, snapshot = draft_of(client).plan(client, roles)
    plan = evolve(plan, read_with=rows.words)
    if output is not None:
        output.write(membership.render_json(plan))
    print_plan(plan, settings, snapshot)
    if review is not None:
        review.print_edit(plan, snapshot, settings)
    if out is not None:
        apply_it = settings.command_line("apply", str(out))
        settings.say(f"Saved in {out}. To apply it: {apply_it}")
    code = code_of_plan(plan)
    return errors.CHANGES if not code and plan.changes and detailed_exitcode else code


@command(
    "apply",
    click.argument("file", metavar="FILE|PLAN", required=False, type=FILE_NAME),
    row_options,
    from_review_option,
    options.yes,
    options.dry_run,
    options.allow_removals,
    options.allow_new,
    options.adds_only,
    number("--concurrency", "The maximum number of changes in flight.", 16, least=1),
    number("--keep-quota", "Leave N requests of the quota unused.", 0),
    option(
        "--max-wait",
        "How long to wait for another run to end, and for the quota to be renewed: 90s, 15m, "
        "1h30m. Default: do not wait.",
        "DURATION",
        type=duration,
        default="0",
    ),
    options.roles,
    options.summary,
)
def apply_command(
    settings: Settings,
    /,
    file: str | None,
    rows: Rows,
    from_review: str | None,
    allow_removals: int | None,
    allow_new: tuple[str, ...],
    adds_only: bool,
    keep_quota: int,
    **how: Any,
) -> int:
    """Make the account match FILE, by default that of the profile, or apply a saved PLAN.

    - reads standard input.

    Shows the plan, asks (on a terminal; elsewhere --yes is needed), writes, and reads the account
    again. Ctrl-C starts nothing more and lets what is in flight end; a second one stops at once.
    """
    file = file or settings.groups_file
    review = decided(settings, from_review, file, rows, adds_only=adds_only, allow_new=allow_new)
    if review is not None:
        given = [*([file] if file else []), "--from-review", review.decisions.source]
        return PlanRun(
            settings=settings,
            prepare=partial(review.draft, allow_removals=allow_removals, keep_quota=keep_quota),
            resume=settings.command_line("apply", *given, *rows.words),
            on_plan=review.print_edit,
            keep_quota=keep_quota,
            **how,
        ).execute()
    file = file or ""
    source = read_source(file, rows)
    words = [*rows.words, *(word for name in allow_new for word in ("--allow-new", name))]
    if not isinstance(source, membership.Plan):
        source = with_new_groups(source, allow_new)
    elif words:
        raise click.UsageError(f"{words[0]} is for a file, or for the `plan` that saves a plan")
    words += ["--adds-only"] if adds_only else []
    drafts = membership.drafts
    held_to: Any = {"allow_removals": allow_removals, "only_adds": adds_only}

    def prepare(client: CldProvisioning) -> Draft:
        if not isinstance(source, membership.Plan):
            return drafts.make_draft(client, source, keep_quota=keep_quota, **held_to)
        # Held to its guards below, where a human may have allowed its removals.
        staleness = membership.staleness
        unheld = evolve(source, breaches=())
        staleness.check_plan(unheld, client.account_id, datetime.now(UTC))
        people = staleness.people_of(source)
        snapshot = membership.read_account(client, people, keep_quota=keep_quota)
        staleness.check_saved(source, snapshot)
        return drafts.Draft(partial(drafts.hold_to_guards, source, **held_to), snapshot)

    def still_needed(snapshot: Snapshot, day: date) -> Sequence[Change]:
        if isinstance(source, membership.Plan):
            return ()  # a saved plan asks for its own changes only
        plan = membership.plan(snapshot, source, day, now=datetime.now(UTC))
        if adds_only:
            plan = drafts.hold_to_guards(plan, snapshot, allow_removals=None, only_adds=True)
        return plan.changes

    return PlanRun(
        settings=settings,
        prepare=prepare,
        resume=_resume_command(settings, file, source, words),
        hint="What takes nothing away can still be applied: --adds-only.",
        still_needed=still_needed,
        keep_quota=keep_quota,
        **how,
    ).execute()


def _resume_command(
    settings: Settings, file: str, source: Desired | Plan, words: Sequence[str]
) -> str:
    """Return how to resume where a run ends early: a saved plan is stale once begun."""
    if not isinstance(source, membership.Plan):
        return settings.command_line("apply", file, *words)
    if not source.digest:  # it is not of a file
        return "have the plan made again"
    words = [*map(printable, (source.source, *source.read_with)), *words]
    again = settings.command_line("plan", *words, "--out", file)
    return f"create the plan again: {again}"


@command(
    "diff",
    click.argument("before", type=FILE_NAME),
    click.argument("after", required=False, type=FILE_NAME),
    row_options,
    flag("--detailed-exitcode", "Exit with 2 if they differ."),
)
def diff_command(
    settings: Settings, before: str, after: str | None, rows: Rows, detailed_exitcode: bool
) -> int:
    """Show how the export AFTER differs from BEFORE; without AFTER, the account as it is now.

    Both are what `export` writes, or other files of groups; - reads standard input. Files are
    compared as they stand: to see what one would change, use `plan`.
    """
    if before == after == "-":
        click.get_current_context().fail("standard input (-) can be read only once")
    old = read_groups(before, rows.of_file(before))
    if after is not None:
        new = read_groups(after, rows.of_file(after))
        account_id, groups = new.account, new.groups
    else:
        with settings.open_client() as client:
            snapshot = membership.read_account(client)
        account_id, groups = snapshot.account_id, membership.groups_of(snapshot)
    is_same_account = None in (old.account, account_id) or old.account == account_id
    if not is_same_account:
        note = f"Accounts {old.account} and {account_id}: compared by names and e-mails, not by ID."
        settings.say(note)
    differences = membership.compare(old.groups, groups, by_id=is_same_account)
    table = _differences_table(differences, account_id or old.account or "")
    print_table(table, settings, lines=lambda color: _difference_lines(differences, color=color))
    return errors.CHANGES if differences and detailed_exitcode else errors.DONE


def _differences_table(differences: Sequence[Difference], account_id: str) -> Table:
    names = columns("change group user old_name group_id user_id")
    rows = [
        (
            *(each.action, each.group.name, each.member.email if each.member else None),
            *(each.old_name, each.group.id, each.member.id if each.member else None),
        )
        for each in differences
    ]
    return Table("diff", account_id, "differences", names, rows, "There are no differences.")


def _difference_lines(differences: Sequence[Difference], *, color: bool) -> Iterator[str]:
    """Yield the differences for a terminal: a line a group, and below it a line a member."""
    colors = {"+": "green", "-": "red", "~": "yellow"}
    signs = {"create_group": "+", "delete_group": "-", "rename_group": "~"}

    def line(indent: str, sign: str, text: str) -> str:
        return colored(f"{indent}{sign} {text}", colors[sign] if color else None)

    groups: dict[tuple[str | None, str], list[Difference]] = {}
    for each in differences:
        groups.setdefault((each.group.id, each.group.name), []).append(each)
    for (_, name), found in groups.items():
        of_group = next((each for each in found if each.action in signs), None)
        was = f" (was {printable(of_group.old_name)})" if of_group and of_group.old_name else ""
        yield line("", signs[of_group.action] if of_group else "~", f"{printable(name)}{was}")
        for each in found:
            if each.member is not None:
                sign = "+" if each.action == "add_user" else "-"
                yield line("    ", sign, printable(each.member.email or each.member.id or ""))


@command(
    "schema",
    click.argument(
        "name",
        type=click.Choice(["groups", "plan", "journal", "review", "roles"]),
        default="groups",
    ),
    formats=FORMATS,
)
def schema_command(settings: Settings, name: str) -> None:
    """Print the JSON Schema of a file of groups, a plan, a journal's line, a review or roles."""
    schemas = {
        "groups": membership.groups_schema,
        "plan": membership.plan_schema,
        "journal": membership.journal_schema,
        "review": membership.review_schema,
        "roles": membership.roles_schema,
    }
    print_json(schemas[name]())
