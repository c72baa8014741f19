"""Runs a plan: shows it, asks, applies it, and reports. All commands that change anything do so."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, TypeAlias

import click
from attrs import evolve, frozen

from cld_user_groups.identity import printable

from . import errors, interrupts, membership
from .completion import forget_groups
from .options import Settings
from .output import can_ask, has_color, log_event, print_json, print_message, print_result
from .results import (
    code_of_plan,
    code_of_result,
    describe_change,
    lines_on_roles,
    log_run_ended,
    plan_table,
    progress_of,
    result_document,
    result_lines,
    result_table,
)
from .screen import show
from .tables import as_csv, as_markdown

if TYPE_CHECKING:
    from cld_user_groups import CldProvisioning
    from cld_user_groups.membership import Change, Lease, Plan, Result, Snapshot
    from cld_user_groups.membership.drafts import Draft
    from cld_user_groups.membership.roles import Reach

#: Reads the account; returns what makes its plan.
Prepare: TypeAlias = "Callable[[CldProvisioning], Draft]"
#: Returns the changes that an account needs to match the file on a day.
StillNeeded: TypeAlias = "Callable[[Snapshot, date], Sequence[Change]]"


@frozen(kw_only=True)
class RunOptions:
    """How to run a plan: as the options of `apply`, with what to say where it does not run."""

    yes: bool
    dry_run: bool
    roles: Reach | None = None
    concurrency: int = 16
    keep_quota: int = 0
    max_wait: float = 0.0
    resume: str
    hint: str = ""
    #: Called with the plan and what it is of, once it is shown.
    on_plan: Callable[[Plan, Snapshot, Settings], None] = lambda plan, snapshot, settings: None


def run_plan(
    settings: Settings,
    prepare: Prepare,
    options: RunOptions,
    still_needed: StillNeeded | None = None,
) -> int:
    """Run a plan, and return the exit code.

    The account's lock, and its lease where one is asked for, is held from before it is read: the
    plan of a second run is never of an account that the first one is about to change. Afterwards
    `still_needed` is asked about the account as read again: somebody else may have changed it.
    """
    from cld_user_groups.membership.pace import LONG_PAUSE

    run = membership.journal.new_run(datetime.now(UTC))
    staleness = membership.staleness
    with (
        settings.open_client() as client,
        _interrupts_reported(settings, client.account_id, run, options),
    ):
        with _only_run(settings, client.account_id, options, run) as lease:
            draft, read_at = prepare(client), time.monotonic()
            plan, snapshot = draft.plan(client, options.roles, options.keep_quota)
            # Roles may come slowly.
            is_old = time.monotonic() - read_at >= LONG_PAUSE
            if options.dry_run:
                print_plan(plan, settings, snapshot)
                options.on_plan(plan, snapshot, settings)
                return code_of_plan(plan)
            is_shown = _show(settings, plan)
            options.on_plan(plan, snapshot, settings)
            if plan.breaches:
                raise errors.Refused(plan.breaches, options.hint, is_shown=is_shown)
            if plan.changes and (is_old or not options.yes):
                if not options.yes:
                    _ask(plan)
                # The account may have changed meanwhile.
                needed = staleness.roles_for(plan)
                fresh = membership.read_account(client, needed, keep_quota=options.keep_quota)
                snapshot = _with_people(fresh, snapshot)
                if needed is not None:  # a rule is checked on current roles
                    snapshot = evolve(snapshot, roles=fresh.roles)
                staleness.check_saved(plan, snapshot)
            staleness.check_plan(plan, client.account_id, datetime.now(UTC))
            result = _apply(settings, client, plan, snapshot, options, run, lease)
            forget_groups(plan.account_id)
        if interrupts.count and result.stopped is None:
            requested = membership.Stop.REQUESTED
            result = evolve(result, stopped=requested, detail="the run was interrupted")
        if still_needed is not None and result.snapshot is not None:
            after = _with_people(result.snapshot, snapshot)
            result = _compare(plan, result, after, still_needed)
        _report(settings, plan, result, options.resume)
        return code_of_result(result)


def _with_people(fresh: Snapshot, before: Snapshot) -> Snapshot:
    """Return a snapshot with what was found before: nobody is looked up, no role read again."""
    return evolve(fresh, people=before.people, missing_ids=before.missing_ids, roles=before.roles)


@contextmanager
def _interrupts_reported(
    settings: Settings, account_id: str, run: str, options: RunOptions
) -> Generator[None]:
    """Report what was written where an interrupt ends a run that has begun."""
    try:
        yield
    except KeyboardInterrupt:
        journal = f"{run}{membership.journal.SUFFIX}"
        path = membership.state_directory(account_id) / journal
        if not path.exists() or not (sent := membership.read_journal(path)).outcomes:
            raise
        done, unknown = len(sent.confirmed), len(sent.unconfirmed)
        raise errors.Incomplete(
            f"stopped at once; {done} of {sent.header.plan.changes} changes were done, and "
            f"{unknown} that were in flight may have been. See: "
            f"{settings.command_line('runs', 'show', run)}. To resume: {options.resume}"
        ) from None


@contextmanager
def _only_run(
    settings: Settings, account_id: str, options: RunOptions, run: str
) -> Generator[Lease | None]:
    """Keep other runs off the account, of this machine and of others."""
    if options.dry_run:
        yield None
        return
    directory, wait = membership.state_directory(account_id), options.max_wait
    with (
        membership.account_lock(directory, account_id, wait),
        settings.open_lease(account_id, wait=wait, run=run) as lease,
    ):
        yield lease


def _report(settings: Settings, plan: Plan, result: Result, resume: str) -> None:
    """Write the result of the run; that is the exit code, also where this cannot be written."""
    try:
        if settings.is_json:
            print_json(result_document(plan, result, code_of_result(result)))
        elif settings.format == "text":
            undo = settings.command_line("undo", result.run)
            color = has_color(sys.stdout)
            lines = result_lines(plan, result, resume, undo, color=color)
            show("\n".join(lines), has_pager=False)
        else:
            render = as_csv if settings.format == "csv" else as_markdown
            print_result(render(result_table(plan.account_id, result.outcomes)))
            for line in lines_on_roles(result.outcomes, only_unknown=True):
                print_message(line)
            _report_held_back(plan)
    except OSError as error:
        recorded = f" The run is recorded: {settings.command_line('runs', 'show', result.run)}"
        print_message(
            f"The report cannot be written: {error.strerror}.{recorded if result.run else ''}"
        )


def _compare(plan: Plan, result: Result, after: Snapshot, still_needed: StillNeeded) -> Result:
    """Return the result with what the account needs beyond the plan's own changes."""
    seen = {_key(change) for change in plan.changes}
    today = datetime.now(UTC).date()
    reasons = {plan.today or today: "somebody else changed it"}
    reasons.setdefault(today, f"{today} has begun (UTC)")
    differences: list[str] = []
    try:
        for day, reason in reasons.items():
            others = [each for each in still_needed(after, day) if _key(each) not in seen]
            differences += [f"{reason}: to do, {describe_change(each)}" for each in others]
            seen.update(map(_key, others))
    except membership.PlanError as error:
        differences = [f"somebody else changed it, and the file no longer fits: {error}"]
    if not differences:
        return result
    return evolve(result, verified=False, differences=(*result.differences, *differences))


def _key(change: Change) -> tuple[object, ...]:
    return change.action, change.group.name, change.user and change.user.id


def _show(settings: Settings, plan: Plan) -> bool:
    """Show a plan to whoever is there; return whether it is shown."""
    if log_event(
        "plan",
        account=plan.account_id,
        source=plan.source,
        changes=plan.counts(),
        warnings=plan.warnings,
        held_back=plan.held_back,
        roles=membership.rendering.role_lines(plan) or None,
    ):
        return False
    if settings.quiet and not can_ask():
        return False
    color = has_color(sys.stderr)
    print_message(membership.render_text(plan, color=color, summary=settings.summary))
    return True


def _ask(plan: Plan) -> None:
    count = len(plan.changes)
    what = "this change" if count == 1 else f"these {count} changes"
    roles = [describe_change(each) for each in plan.changes if each.role is not None]
    if roles and can_ask():
        where = "the journal, a local file, which anybody under this user can edit"
        click.echo("\n  ".join([f"Roles as recorded in {where}:", *roles]), err=True)
    confirm(f"Make {what} to account {plan.account_id}?", f"make {what}", "plan")


def confirm(question: str, deed: str, shown: str) -> None:
    """Ask on the terminal; raise where there is none, or where the answer is not yes.

    The deed is what follows "To" in an error, and `shown` what --dry-run shows.
    """
    if not can_ask():
        raise errors.NobodyToAsk(
            "there is no terminal to ask on; nothing was written. "
            f"To {deed}, add --yes; only to show the {shown}, --dry-run."
        )
    click.echo(f"{question} [y/N] ", nl=False, err=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise click.ClickException("not confirmed; nothing was written.")


def _apply(
    settings: Settings,
    client: CldProvisioning,
    plan: Plan,
    snapshot: Snapshot,
    options: RunOptions,
    run: str,
    lease: Lease | None,
) -> Result:
    directory, now = membership.state_directory(plan.account_id), datetime.now(UTC)
    interrupts.may_raise = not plan.changes
    journal = (
        membership.FileJournal(directory, plan, now, run)
        if plan.changes
        else membership.NoJournal()
    )
    with progress_of(len(plan.changes), quiet=settings.quiet) as on_progress:
        log_event("run_started", run=journal.run or None, changes=len(plan.changes))
        result = membership.apply(
            client,
            plan,
            snapshot=snapshot,
            journal=journal,
            lease=lease,
            concurrency=options.concurrency,
            keep_quota=options.keep_quota,
            max_wait=options.max_wait,
            on_progress=on_progress,
            interrupts=(lambda: interrupts.count) if interrupts.is_installed else None,
        )
        log_run_ended(result)
        return result


def print_plan(plan: Plan, settings: Settings, snapshot: Snapshot) -> None:
    """Write a plan to standard output, and to standard error what its CSV has no place for."""
    text = _render_plan(plan, settings, snapshot)
    if settings.format == "text":
        show(text, has_pager=not settings.no_pager)
    else:
        print_result(text)
    if settings.format == "csv":
        for line in membership.rendering.role_lines(plan):
            print_message(printable(line), quiet=settings.quiet)
        for warning in plan.warnings:
            print_message(f"Warning: {printable(warning)}", quiet=settings.quiet)
        _report_held_back(plan)


def _report_held_back(plan: Plan) -> None:
    """Write to standard error what a plan holds back, with --quiet too: it is an error."""
    for held in plan.held_back:
        print_message(f"Held back: {printable(held)}")


def _render_plan(plan: Plan, settings: Settings, snapshot: Snapshot) -> str:
    """Return a plan in its format, one of `PLAN_FORMATS`."""
    match settings.format:
        case "json":
            return membership.render_json(plan)
        case "csv":
            return as_csv(plan_table(plan))
        case "markdown":
            return membership.render_markdown(plan, summary=settings.summary)
        case "html":
            users = membership.Directory(snapshot).users()
            return membership.render_html(plan, names={each.id: each.name or "" for each in users})
        case _:
            color = has_color(sys.stdout)
            return membership.render_text(plan, color=color, summary=settings.summary)
