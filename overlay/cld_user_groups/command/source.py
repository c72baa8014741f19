"""What a command is given: a file of groups, a saved plan, decisions of a review, users by name."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import update_wrapper
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve, frozen

from cld_user_groups.identity import printable

from . import membership
from .options import Settings, option, settings_of, with_options, words_of

if TYPE_CHECKING:
    from cld_user_groups import CldProvisioning
    from cld_user_groups.membership import Desired, DesiredMember, GroupRef, Plan, Snapshot, UserRef
    from cld_user_groups.membership.drafts import Draft
    from cld_user_groups.membership.review import Decisions

_PLAN_MARK = b'"cld-user-groups/plan/'
_SPACE = b"\xef\xbb\xbf \t\r\n"
_COLUMNS, _NAMES = "--columns", "--names"


@frozen
class Rows:
    """How another program has written a file of rows, as the command line says it, if it does."""

    format: membership.RowFormat | None = None
    words: tuple[str, ...] = ()  # what says it, for a command line that is shown

    def of_file(self, path: str) -> Rows | None:
        """Return this for a file whose name does not show that it has no rows, of two."""
        return None if Path(path).suffix.lower() in (".yaml", ".yml", ".json", ".toml") else self


def _rows_of(
    columns: Sequence[str] = (), names: Sequence[str] = (), **texts: Any
) -> membership.RowFormat:
    pairs = [pair for text in columns for pair in next(csv.reader([text]), ())]
    ours = _pairs(_NAMES, names, "okta-design=Design")
    return membership.RowFormat(
        columns=_pairs(_COLUMNS, pairs, "email=login"),
        names={name: each or None for name, each in ours.items()},
        **texts,
    )


def _pairs(option: str, texts: Sequence[str], example: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, is_pair, value = (part.strip() for part in text.partition("="))
        if not is_pair or "=" in value:
            raise click.UsageError(f"{option}: {text!r} is no pair such as {example}")
        if name in found:
            raise click.UsageError(f"{option}: {name!r} is given twice")
        found[name] = value
    return found


def row_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how another program has written a file, as the argument `rows`."""

    def collect(*arguments: Any, **values: Any) -> Any:
        keys = ("columns", "names", "date_format", "group_separator")
        given = {key: value for key in keys if (value := values.pop(key))}
        words = tuple(words_of(given))
        rows = Rows(_rows_of(**given), words) if given else Rows()
        return function(*arguments, rows=rows, **values)

    add = with_options(
        option(
            _COLUMNS,
            "Read these columns of a CSV or JSON lines file that another program wrote, and ignore "
            "the others: group=groupName,email=login. Ours are group, email, id, reason, until and "
            "previously.",
            "OURS=THEIRS,...",
            multiple=True,
        ),
        option(
            _NAMES,
            "The account's name of a group in such a file: okta-design=Design. THEIRS= leaves out "
            "its rows. Once for each group.",
            "THEIRS=OURS",
            multiple=True,
        ),
        option(
            "--date-format",
            "How `until` is written there: DD.MM.YYYY, M/D/YYYY. Default: YYYY-MM-DD.",
            "FORMAT",
        ),
        option(
            "--group-separator",
            "What separates several groups in one cell there. Default: a cell has one group.",
            "TEXT",
        ),
    )
    return add(update_wrapper(collect, function))


def read_source(path: str, rows: Rows | None = None) -> Desired | Plan:
    """Read a file of groups or a saved plan, which its content shows; "-" is standard input."""
    how = None if rows is None else rows.format
    content = membership.files.content
    settings = _settings()
    timeout, most = settings.source_timeout, settings.max_bytes or content.MAX_BYTES
    if path == "-":
        found = content.read_content(path, max_bytes=most, timeout=timeout)
        if _is_plan(found):
            return membership.parse_plan(found, path)
        return membership.read_file(path, stdin=BytesIO(found), max_bytes=most, rows=how)
    if _is_plan(_json_in(Path(path), most)):
        return membership.load_plan(path)
    return membership.read_file(path, max_bytes=most, timeout=timeout, rows=how)


def read_groups(path: str, rows: Rows | None = None) -> Desired:
    """Read a file of groups; "-" is standard input."""
    desired = read_source(path, rows)
    if isinstance(desired, membership.Plan):
        apply_it = shlex.join(["cld-user-groups", "apply", path])
        what = "this is a saved plan, not a file of groups"
        raise _file_error(path, what, f"apply it: {apply_it}")
    return desired


def _json_in(path: Path, max_bytes: int) -> bytes:
    """Return a file in JSON; nothing of others, nor of a pipe, which can be read only once."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            beginning = file.read(64)
            return beginning + file.read(max_bytes) if _is_json(beginning) else b""
    except OSError:
        return b""  # `read_file` says what is wrong with it


def _is_plan(content: bytes) -> bool:
    # Anywhere: a tool that has sorted the keys puts `format` far behind.
    return _is_json(content) and _PLAN_MARK in content


def _is_json(content: bytes) -> bool:
    return content.lstrip(_SPACE)[:1] == b"{"


def _settings() -> Settings:
    context = click.get_current_context(silent=True)
    return Settings() if context is None else settings_of(context)


def _file_error(source: str, message: str, hint: str = "") -> membership.FileError:
    return membership.FileError([membership.Problem(source, None, message, hint)])


def read_people(users: Sequence[str]) -> tuple[DesiredMember, ...]:
    """Return the users that are named: as such, in files (`@FILE`) and on standard input (`-`).

    A file has an e-mail or an ID a line; blank lines and those that begin with # are left out.
    """
    if users.count("-") > 1:
        raise click.UsageError("standard input (-) can be read only once")
    found: list[DesiredMember] = []
    for text in users:
        if text == "@":
            raise click.UsageError("@ must be followed by the name of a file of users: @FILE")
        is_file = text == "-" or text.startswith("@")
        found += _people_in(text.removeprefix("@")) if is_file else [one_user(text)]
    return tuple(found)


def one_user(text: str, source: str = "", line: int = 0) -> DesiredMember:
    """Return the user that an argument names, or a line of a source."""
    if not text.strip():
        raise click.UsageError("a user must not be blank: give an e-mail or an ID")
    return membership.lookup.named_user(text, source, line)


def _people_in(source: str) -> list[DesiredMember]:
    content, quoted = membership.files.content, membership.problems.quoted
    try:
        found = content.read_content(source, timeout=_settings().source_timeout)
    except OSError as error:
        raise content.unreadable(source, error, "@ names a file of users") from None
    lines = enumerate(content.decode_text(found, source).splitlines(), start=1)
    people = [
        (line, text) for line, each in lines if (text := each.strip()) and not text.startswith("#")
    ]
    if not people:
        raise _file_error(source, "the file names nobody")
    wrong = [
        membership.Problem(source, line, f"{quoted(text)} is not an e-mail or an ID", "one a line")
        for line, text in people
        if not text.isprintable() or any(part in text for part in " ,;\t")
    ]
    if wrong:
        raise membership.FileError(wrong)
    return [one_user(text, source, line) for line, text in people]


def with_new_groups(desired: Desired, names: Sequence[str]) -> Desired:
    """Return a file with the word of a human that some of its groups are meant to be new."""
    unknown = [name for name in names if all(name != group.name for group in desired.groups)]
    if unknown:
        listed = ", ".join(map(membership.problems.quoted, unknown))
        raise _file_error(desired.source, f"--allow-new: the file has no group {listed}")
    groups = (
        evolve(group, allow_new=group.allow_new or group.name in names) for group in desired.groups
    )
    return evolve(desired, groups=tuple(groups))


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
            settings.say(printable(line), is_text=line[:1] not in "-+ @\\")  # of the diff

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
            context.fail(f"--{name.replace('_', '-')} is not for --from-review")
    if path == file == "-":
        context.fail("standard input (-) can be read only once")
    found = membership.review.read_decisions(path, timeout=settings.source_timeout)
    return Decided(found, None if file is None else read_groups(file, rows), rows)
