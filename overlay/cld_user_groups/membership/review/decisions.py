"""Decisions of a review: a row for each membership, and the removals that reviewers decided.

found = read_decisions("decisions.csv")
snapshot = read_account(client, lookup_of(found.people))
plan = plan_of_decisions(found, snapshot, datetime.now(UTC))
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from attrs import evolve, frozen

from cld_user_groups.identity import email_key, printable
from cld_user_groups.membership.directory import Directory
from cld_user_groups.membership.everyday import changed_group, plan_of
from cld_user_groups.membership.files.content import (
    TIMEOUT,
    decode_text,
    read_content,
    unreadable,
)
from cld_user_groups.membership.files.fields import Fields
from cld_user_groups.membership.files.rows import ListedRow, parse_csv
from cld_user_groups.membership.grants import GroupRef
from cld_user_groups.membership.history import History
from cld_user_groups.membership.model import (
    Desired,
    DesiredMember,
    GuardLimits,
    Plan,
    Snapshot,
    UserRef,
)
from cld_user_groups.membership.problems import (
    FileError,
    Problem,
    did_you_mean,
    in_file_order,
    listed,
    quoted,
)

from .model import Review
from .rendering import Value, View

#: The columns; a reviewer fills in the first three.
DECISION_COLUMNS = (
    "decision", "by", "note", "owner", "group", "name", "email", "roles", "findings", "account",
    "group_id", "user_id", "read_at",
)  # fmt: skip
_, REMOVE, ASK = CHOICES = ("keep", "remove", "ask")
# In the order of its fields, by what `parse_csv` calls them: a note may have lines as a reason may.
_READ = {
    "account": "account", "group_id": "group_id", "group": "group", "id": "user_id",
    "email": "email", "by": "by", "reason": "note", "decision": "decision", "read_at": "read_at",
}  # fmt: skip
_SHOWN = 30


def decision_rows(review: Review) -> Iterator[tuple[Value, ...]]:
    """Yield a row for each membership of a review, by owner and group; see `DECISION_COLUMNS`."""
    view = View(review)
    for group in sorted(review.groups, key=lambda group: (group.owner or "").casefold()):
        roles = "; ".join(view.granted(group)) if review.roles.were_read else "not known"
        for each in group.members:
            person = view.people[each.user_id]
            kinds = view.all_kinds(person.id, group.id)
            yield (
                *(None, None, None, group.owner, group.name, person.name, person.email, roles),
                *(kinds, review.account_id, group.id, person.id, review.made_at),
            )


@frozen
class ReviewDecision:
    """What a reviewer decided of a membership, as the row of a line says it.

    The choice is "keep", "remove", "ask", or "" where nothing is decided.
    """

    line: int
    account_id: str
    group_id: str
    group: str
    user_id: str
    email: str
    by: str
    note: str
    choice: str
    read_at: str

    @property
    def text(self) -> str:
        """Whose membership it is, of which group."""
        return f"{self.email or self.user_id} in {self.group}"

    @property
    def reason(self) -> str:
        """Why a membership ends, for the plan and the journal."""
        who = f"decided by {self.by}" if self.by else "decided in a review"
        return f"{who}: {self.note}" if self.note else who


@frozen
class Decisions:
    """The decisions of a file, one for each membership."""

    source: str
    rows: tuple[ReviewDecision, ...]

    @property
    def people(self) -> tuple[DesiredMember, ...]:
        """Who loses a membership, to be looked up by ID."""
        ids = dict.fromkeys(row.user_id for row in self.rows if row.choice == REMOVE)
        return tuple(DesiredMember(id=each) for each in ids)

    def ended(self, plan: Plan, snapshot: Snapshot) -> Iterator[tuple[GroupRef, UserRef]]:
        """Yield the memberships that a plan of these decisions ends, or that have ended already."""
        directory = Directory(snapshot)
        planned = {(each.group.id, each.user.id) for each in plan.changes if each.user}
        for row in (each for each in self.rows if each.choice == REMOVE):
            group, user = directory.group(row.group_id), directory.by_id(row.user_id)
            if group is None or user is None or _contradiction(row, directory):
                continue
            if (group.id, user.id) in planned or user.id not in directory.members(group.id):
                yield group.ref, user.ref


def read_decisions(path: str | os.PathLike[str], *, timeout: float = TIMEOUT) -> Decisions:
    """Read decisions, as a spreadsheet has saved them in CSV; "-" is standard input.

    Raises:
        FileError: It cannot be read, or a row is not valid; all problems, each with its line.
    """
    source = os.fspath(path)
    try:
        content = read_content(source, timeout=timeout)
    except OSError as error:
        raise unreadable(source, error) from None
    fields = Fields(source)
    found: dict[tuple[str, str], ReviewDecision] = {}
    for row in parse_csv(decode_text(content, source), fields, _READ, _READ, is_ours=True):
        decision = _decision(row, fields)
        key = decision.group_id, decision.user_id
        first = found.setdefault(key, decision)
        if not first.choice:  # sheets of several owners, one below the other
            found[key] = decision
        elif decision.choice not in ("", first.choice):
            at = f"`{first.choice}` on line {first.line}"
            message = f"`{decision.choice}` for {quoted(decision.text)}, and {at}"
            fields.problem(row.line, message, "leave one of them")
    if fields.problems:
        raise FileError(in_file_order(fields.problems, source))
    return Decisions(source, tuple(found.values()))


def _decision(row: ListedRow, fields: Fields) -> ReviewDecision:
    decision = ReviewDecision(row.line, *(row.values.get(name, "") for name in _READ))
    choice = decision.choice.casefold()
    if choice and choice not in CHOICES:
        message = f"{quoted(decision.choice)} is not a decision"
        fields.problem(row.line, message, did_you_mean(choice, CHOICES))
    for name in (each for each in ("account", "group_id", "id") if each not in row.values):
        hint = "leave the rows of `report --decisions` whole"
        fields.problem(row.line, f"the row has no `{_READ[name]}`", hint)
    return evolve(decision, choice=choice)


def plan_of_decisions(
    decisions: Decisions,
    snapshot: Snapshot,
    now: datetime,
    *,
    file: Desired | None = None,
    history: History | None = None,
) -> Plan:
    """Return the plan of exactly the removals that reviewers decided.

    A removal whose group or person is not surely the one of the row is held back, and so is that of
    a membership that began after the review. The guards are to be checked after that.

    Args:
        decisions: The decisions.
        snapshot: The account, with `Decisions.people` looked up.
        now: When the plan is created, aware.
        file: The file that the account follows: its limits, rules and `protect` count.
        history: What the journals tell of the account.

    Raises:
        FileError: The decisions are of another account.
    """
    source, account = decisions.source, snapshot.account_id
    if others := [each for each in decisions.rows if each.account_id != account]:
        said = f"the row is not of the account {quoted(account)}, but of"
        raise FileError(
            Problem(source, each.line, f"{said} {quoted(each.account_id)}") for each in others
        )
    directory = Directory(snapshot)
    ended: defaultdict[str, dict[str, ReviewDecision]] = defaultdict(dict)
    held: list[str] = []
    in_place: list[str] = []
    for row in (each for each in decisions.rows if each.choice == REMOVE):
        is_there = row.user_id in directory.members(row.group_id)
        said = _contradiction(row, directory)
        if is_there:
            said = said or _later(row, history)
        if said:
            message = f"not removed: {quoted(row.text)}, for {said}"
            held.append(str(Problem(source, row.line, message)))
        elif is_there:
            ended[row.group_id][row.user_id] = row
        else:
            in_place.append(row.text)
    groups = (each for each in snapshot.groups if each.id in ended)
    desired = Desired(
        source=source,
        digest="",
        guards=GuardLimits() if file is None else file.guards,
        groups=tuple(changed_group(each, without=ended[each.id]) for each in groups),
    )
    notes = _notes(decisions, directory, in_place)
    made = plan_of(snapshot, desired, now, reason=None, file=file, notes=notes)
    rows = (ended[each.group.id or ""][each.user.id if each.user else ""] for each in made.changes)
    changes = (
        evolve(change, reason=row.reason, source=source, line=row.line)
        for change, row in zip(made.changes, rows, strict=True)
    )
    return evolve(made, changes=tuple(changes), held_back=(*held, *made.held_back))


def _contradiction(row: ReviewDecision, directory: Directory) -> str:
    """Return why it is not sure whose membership of which group a row means, or ""."""
    group, user = directory.group(row.group_id), directory.by_id(row.user_id)
    if group is None:
        return f"the account has no group with the ID {quoted(row.group_id)}"
    # The sheet has names as they are shown, without space around.
    if printable(group.name).strip() != row.group:
        return f"the group {quoted(row.group_id)} is {quoted(group.name)} now"
    if user is None:
        return f"no user with the ID {quoted(row.user_id)} was found"
    emails = (printable(user.email or ""), row.email)
    if len(set(map(email_key, emails))) > 1:
        now, was = (f"the e-mail {quoted(each)}" if each else "no known e-mail" for each in emails)
        return f"the user {quoted(row.user_id)} has {now}, and not {was}"
    return ""


def _later(row: ReviewDecision, history: History | None) -> str:
    """Return that a membership began after the review, as far as the journals tell, or ""."""
    period = None if history is None else history.current(row.group_id, row.user_id)
    began = None if period is None else period.restored or period.since
    if began is None:
        return ""
    again = "take a new sheet of the review, or use `remove`"
    try:
        if began.at <= datetime.fromisoformat(row.read_at):
            return ""
    except (ValueError, TypeError):  # no time, or one without its zone
        return f"`read_at` does not say when the review was made; {again}"
    return f"run {began.run} added it after the review; {again}"


def _notes(decisions: Decisions, directory: Directory, in_place: list[str]) -> Iterator[str]:
    reviewed: defaultdict[str, set[str]] = defaultdict(set)
    for row in decisions.rows:
        reviewed[row.group_id].add(row.user_id)
    missing = [
        f"{member.email or user_id} in {group.name}"
        for group in directory.groups()
        if group.id in reviewed
        for user_id, member in directory.members(group.id).items()
        if user_id not in reviewed[group.id]
    ]
    undecided = [row.text for row in decisions.rows if row.choice in ("", ASK)]
    said = {"Not decided": undecided, "Not in the review": missing, "Already in place": in_place}
    for what, texts in said.items():
        if texts:
            yield f"{what}: {len(texts)}, {listed(texts, _SHOWN)}."
