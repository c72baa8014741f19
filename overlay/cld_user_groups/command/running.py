"""Runs a plan: shows it, asks, applies it, and reports. All commands that change anything do so."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, TypeAlias

import click
from attrs import evolve, field, frozen

from cld_user_groups.identity import printable

from . import errors, interrupts, membership, options
from .completion import forget_groups
from .options import Decorator, Settings, command, words_of
from .output import can_ask, has_color, log_event, print_json, print_message, print_result, show
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
from .source import one_user, read_groups, read_people
from .tables import as_csv, print_table

if TYPE_CHECKING:
    from cld_user_groups import CldProvisioning
    from cld_user_groups.membership import Change, Finder, Lease, Plan, Result, Snapshot
    from cld_user_groups.membership.drafts import Draft
    from cld_user_groups.membership.everyday import DesiredState
    from cld_user_groups.membership.roles import Reach

#: Reads the account; returns what makes its plan.
Prepare: TypeAlias = "Callable[[CldProvisioning], Draft]"
#: Returns the changes that an account needs to match the file on a day.
StillNeeded: TypeAlias = "Callable[[Snapshot, date], Sequence[Change]]"


@frozen(kw_only=True)
class PlanRun:
    """How to run a plan: as the options of `apply`, with what to say where it does not run."""

    settings: Settings
    prepare: Prepare
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
    #: Asked about the account as it is read afterwards: somebody else may have changed it.
    still_needed: StillNeeded | None = None
    id: str = field(init=False, factory=lambda: membership.journal.new_run(datetime.now(UTC)))

    def execute(self) -> int:
        """Run the plan, and return the exit code.

        The account's lock, and its lease where one is asked for, is held from before it is read:
        the plan of a second run is never of an account that the first one is about to change.
        """
        from cld_user_groups.membership.pace import LONG_PAUSE

        settings, staleness = self.settings, membership.staleness
        with settings.open_client() as client, self._interrupts_reported(client.account_id):
            with self._only_run(client.account_id) as lease:
                draft, read_at = self.prepare(client), time.monotonic()
                plan, snapshot = draft.plan(client, self.roles, self.keep_quota)
                # Roles may come slowly.
                is_old = time.monotonic() - read_at >= LONG_PAUSE
                if self.dry_run:
                    print_plan(plan, settings, snapshot)
                    self.on_plan(plan, snapshot, settings)
                    return code_of_plan(plan)
                is_shown = _show(settings, plan)
                self.on_plan(plan, snapshot, settings)
                if plan.breaches:
                    raise errors.Refused(plan.breaches, self.hint, is_shown=is_shown)
                if plan.changes and (is_old or not self.yes):
                    if not self.yes:
                        _ask(plan)
                    # The account may have changed meanwhile.
                    needed = staleness.roles_for(plan)
                    fresh = membership.read_account(client, needed, keep_quota=self.keep_quota)
                    snapshot = _with_people(fresh, snapshot)
                    if needed is not None:  # a rule is checked on current roles
                        snapshot = evolve(snapshot, roles=fresh.roles)
                    staleness.check_saved(plan, snapshot)
                staleness.check_plan(plan, client.account_id, datetime.now(UTC))
                result = self._apply(client, plan, snapshot, lease)
                forget_groups(plan.account_id)
            if interrupts.count and result.stopped is None:
                requested = membership.Stop.REQUESTED
                result = evolve(result, stopped=requested, detail="the run was interrupted")
            if self.still_needed is not None and result.snapshot is not None:
                after = _with_people(result.snapshot, snapshot)
                result = _compare(plan, result, after, self.still_needed)
            self._report(plan, result)
            return code_of_result(result)

    @contextmanager
    def _interrupts_reported(self, account_id: str) -> Generator[None]:
        """Report what was written where an interrupt ends a run that has begun."""
        try:
            yield
        except KeyboardInterrupt:
            journal = f"{self.id}{membership.journal.SUFFIX}"
            path = membership.state_directory(account_id) / journal
            if not path.exists() or not (sent := membership.read_journal(path)).outcomes:
                raise
            done, unknown = len(sent.confirmed), len(sent.unconfirmed)
            raise errors.Incomplete(
                f"stopped at once; {done} of {sent.header.plan.changes} changes were done, and "
                f"{unknown} that were in flight may have been. "
                f"See: {self._shown_by}. To resume: {self.resume}"
            ) from None

    @property
    def _shown_by(self) -> str:
        return self.settings.command_line("runs", "show", self.id)

    @contextmanager
    def _only_run(self, account_id: str) -> Generator[Lease | None]:
        """Keep other runs off the account, of this machine and of others."""
        if self.dry_run:
            yield None
            return
        directory, wait = membership.state_directory(account_id), self.max_wait
        with (
            membership.account_lock(directory, account_id, wait),
            self.settings.open_lease(account_id, wait=wait, run=self.id) as lease,
        ):
            yield lease

    def _apply(
        self, client: CldProvisioning, plan: Plan, snapshot: Snapshot, lease: Lease | None
    ) -> Result:
        directory, now = membership.state_directory(plan.account_id), datetime.now(UTC)
        interrupts.may_raise = not plan.changes
        journal = (
            membership.FileJournal(directory, plan, now, self.id)
            if plan.changes
            else membership.NoJournal()
        )
        with progress_of(len(plan.changes), quiet=self.settings.quiet) as on_progress:
            log_event("run_started", run=journal.run or None, changes=len(plan.changes))
            result = membership.apply(
                client,
                plan,
                snapshot=snapshot,
                journal=journal,
                lease=lease,
                concurrency=self.concurrency,
                keep_quota=self.keep_quota,
                max_wait=self.max_wait,
                on_progress=on_progress,
                interrupts=(lambda: interrupts.count) if interrupts.is_installed else None,
            )
            log_run_ended(result)
            return result

    def _report(self, plan: Plan, result: Result) -> None:
        """Write the result of the run; that is the exit code, also where this cannot be written."""
        settings = self.settings
        try:
            if settings.is_json:
                print_json(result_document(plan, result, code_of_result(result)))
            elif settings.format == "text":
                undo = settings.command_line("undo", result.run)
                color = has_color(sys.stdout)
                lines = result_lines(plan, result, self.resume, undo, color=color)
                show("\n".join(lines), has_pager=False)
            else:
                print_table(result_table(plan.account_id, result.outcomes), settings)
                for line in lines_on_roles(result.outcomes, only_unknown=True):
                    print_message(line)
                _report_held_back(plan)
        except OSError as error:
            recorded = f" The run is recorded: {self._shown_by}" if result.run else ""
            print_message(f"The report cannot be written: {error.strerror}.{recorded}")


def _with_people(fresh: Snapshot, before: Snapshot) -> Snapshot:
    """Return a snapshot with what was found before: nobody is looked up, no role read again."""
    return evolve(fresh, people=before.people, missing_ids=before.missing_ids, roles=before.roles)


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


def print_plan(plan: Plan, settings: Settings, snapshot: Snapshot) -> None:
    """Write a plan to standard output, and to standard error what its CSV has no place for."""
    match settings.format:
        case "text":
            color = has_color(sys.stdout)
            settings.show(membership.render_text(plan, color=color, summary=settings.summary))
        case "json":
            print_result(membership.render_json(plan))
        case "markdown":
            print_result(membership.render_markdown(plan, summary=settings.summary))
        case "html":
            users = membership.Directory(snapshot).users()
            names = {each.id: each.name or "" for each in users}
            print_result(membership.render_html(plan, names=names))
        case _:
            print_result(as_csv(plan_table(plan)))
            warnings = (f"Warning: {warning}" for warning in plan.warnings)
            for line in (*membership.rendering.role_lines(plan), *warnings):
                settings.say(printable(line))
            _report_held_back(plan)


def _report_held_back(plan: Plan) -> None:
    """Write to standard error what a plan holds back, with --quiet too: it is an error."""
    for held in plan.held_back:
        print_message(f"Held back: {printable(held)}")


#: What the source of a plan begins with that a command makes, not a file.
EVERYDAY = "cld-user-groups "


def change_command(
    name: str, *parameters: Decorator, removes: bool = False
) -> Callable[[Callable[..., DesiredState]], click.Command]:
    """Return a decorator: a command that plans what a function wants, shows the plan, applies it.

    The function takes a `Finder` in the account as it was read, and its parameters by name; those
    that name users, as what is found: `people` for the argument USER..., and `like`. One that
    `removes` members knows --allow-removals.
    """
    common = [options.reason, options.dry_run, options.yes, options.roles, options.summary]
    common += [options.ignore_file, *([options.allow_removals] if removes else [])]

    def decorate(function: Callable[..., DesiredState]) -> click.Command:
        def run(
            settings: Settings,
            /,
            reason: str | None,
            ignore_file: bool,
            allow_removals: int | None = None,
            users: Sequence[str] = (),
            **given: Any,
        ) -> int:
            how = {key: given.pop(key) for key in ("yes", "dry_run", "roles")}
            people = read_people(users)
            like = [one_user(given["like"])] if "like" in given else []
            words = [name, *words_of(given)]
            path = None if ignore_file else settings.groups_file
            file = None if path is None else read_groups(path)

            def wanted(finder: Finder) -> DesiredState:
                found = {"like": finder.users(like)[0]} if like else {}
                named = {"people": finder.users(people)} if people else {}
                return function(finder, **given | found | named)

            def prepare(client: CldProvisioning) -> Draft:
                return membership.drafts.draft_of_wanted(
                    *(client, people, wanted),
                    source=EVERYDAY + shlex.join(words),
                    reason=reason,
                    file=file,
                    adds=bool(people) and not removes,
                    like=like,
                    allow_removals=allow_removals,
                )

            why = ["--reason", reason] if reason else []
            unheld = ["--ignore-file"] if ignore_file else []
            return PlanRun(
                settings=settings,
                prepare=prepare,
                resume=settings.command_line(*words, *users, *why, *unheld),
                hint="" if path is None else f"The file of the profile is {path}.",
                **how,
            ).execute()

        return command(name, *parameters, *common)(update_wrapper(run, function))

    return decorate
