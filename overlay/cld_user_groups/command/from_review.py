"""The decisions of a review as a source of `plan` and `apply`: `--from-review`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve, frozen

from cld_user_groups.identity import printable

from . import membership
from .options import Settings, option
from .output import print_message
from .source import Rows, read_groups

if TYPE_CHECKING:
    from cld_user_groups import CldProvisioning
    from cld_user_groups.membership import Desired, GroupRef, Plan, Snapshot, UserRef
    from cld_user_groups.membership.drafts import Draft
    from cld_user_groups.membership.review import Decisions

from_review_option = option(
    "--from-review",
    "Make the removals that reviewers decided in this CSV of report --decisions. FILE, by "
    "default that of the profile, is then the file that the account follows.",
    "DECISIONS",
    type=click.Path(dir_okay=False, allow_dash=True),
)


@frozen
class Decided:
    """Decisions, and the file that the account follows, as far as it is known."""

    decisions: Decisions
    file: Desired | None
    rows: Rows  # how another program has written it

    def draft(
        self, client: CldProvisioning, *, allow_removals: int | None, keep_quota: int = 0
    ) -> Draft:
        """Read the account; return the draft of the plan."""
        membership.planning.check_is_for(self.file, client.account_id)
        now, review = datetime.now(UTC), membership.review
        lookup = membership.lookup.lookup_of(self.decisions.people, file=self.file)
        snapshot = membership.read_account(client, lookup, now.date(), keep_quota=keep_quota)
        history = membership.read_history(membership.state_directory(client.account_id))

        def make(read: Snapshot) -> Plan:
            plan = review.plan_of_decisions(
                self.decisions, read, now, file=self.file, history=history
            )
            return membership.drafts.hold_to_guards(plan, read, allow_removals=allow_removals)

        return membership.drafts.Draft(make, snapshot)

    def print_edit(self, plan: Plan, snapshot: Snapshot, settings: Settings) -> None:
        """Tell what to edit in the file, or its next run would add them again."""
        # What a guard refuses does not end, and stays in the file.
        ending = evolve(plan, changes=()) if plan.breaches else plan
        for line in self._edit([*self.decisions.ended(ending, snapshot)]):
            is_text = line[:1] not in "-+ @\\"  # of the diff
            print_message(printable(line), quiet=settings.quiet, is_text=is_text)

    def _edit(self, ended: Sequence[tuple[GroupRef, UserRef]]) -> Iterator[str]:
        if not ended:
            return
        if self.file is None:
            yield (
                "No file of groups is known here. If the account follows one, remove them there "
                "too, or its next run adds them again: give it as FILE, and the edit is shown."
            )
            return
        today = datetime.now(UTC).date()
        edit = membership.removal_edit(ended, self.file, today, self.rows.format)
        if not (edit.diff or edit.by_hand):
            yield f"{self.file.source} lists none of them: nothing is to be edited there."
            return
        yield f"Edit {self.file.source} so, or its next run adds them again:"
        yield from edit.diff
        yield from map(str, edit.by_hand)


def decided(
    settings: Settings, path: str | None, file: str | None, rows: Rows, **others: Any
) -> Decided | None:
    """Return the decisions that --from-review names; None, where FILE is what is to be planned."""
    context = click.get_current_context()
    if path is None:
        if file is None:
            argument = next(each for each in context.command.params if each.name == "file")
            raise click.MissingParameter(ctx=context, param=argument)
        return None
    for name, value in others.items():
        if value:
            raise click.UsageError(f"--{name.replace('_', '-')} is not for --from-review", context)
    if path == file == "-":
        raise click.UsageError("standard input (-) can be read only once", context)
    found = membership.review.read_decisions(path, timeout=settings.source_timeout)
    return Decided(found, None if file is None else read_groups(file, rows), rows)
