"""Rows that another program wrote: which columns hold a membership, and how they are written."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping

from attrs import field, frozen

from cld_user_groups.identity import email_key
from cld_user_groups.membership.problems import Problem, did_you_mean, quoted

from .fields import Fields, Node, Readers, Scalar, Table
from .rows import GROUP_COLUMNS, ListedRow

#: The keys beside `from`, of an include of members and of one of groups.
MEMBER_KEYS = ("columns", "date_format")
GROUP_KEYS = (*MEMBER_KEYS, "group_separator", "names")

_TEXTS: Readers = {"date_format": Fields.text, "group_separator": Fields.text}
_DATE_PARTS = {
    "YYYY": r"(?P<Y>\d{4})",
    "MM": r"(?P<M>\d{2})",
    "M": r"(?P<M>\d{1,2})",
    "DD": r"(?P<D>\d{2})",
    "D": r"(?P<D>\d{1,2})",
}
_DATE_PART = re.compile("|".join(_DATE_PARTS))


@frozen(kw_only=True)
class RowFormat:
    """How rows that another program wrote are read. Without arguments: as the documents have them.

    Attributes:
        columns: By our name of a column ("group", "email", "id", "reason", "until", "previously",
            "group_id"), the file's own. All other columns are ignored then.
        date_format: How `until` is written, with YYYY, MM or M, and DD or D; "" for YYYY-MM-DD.
        group_separator: What separates several groups in one cell; "" where a cell has one.
        names: By the file's name of a group, the account's, or None to leave out its rows; "" is
            for rows without a group. A group that it lacks is an error, and so is one of it that
            no row has. Empty: the names are those of the account.
        source: The file that says so, for messages; "" for the command line.
        lines: The lines of the names in it.

    Raises:
        ValueError: An argument is not valid.
    """

    columns: Mapping[str, str] = field(factory=dict[str, str])
    date_format: str = ""
    group_separator: str = ""
    names: Mapping[str, str | None] = field(factory=dict[str, "str | None"])
    source: str = ""
    lines: Mapping[str, int] = field(factory=dict[str, int])

    def __attrs_post_init__(self) -> None:
        for name in self.columns:
            if name not in GROUP_COLUMNS:
                hint = did_you_mean(name, GROUP_COLUMNS)
                raise ValueError(f"there is no column {quoted(name)} to read into; {hint}")
        theirs = [name.strip().casefold() for name in self.columns.values()]
        for name in self.columns.values():
            if not name.strip() or theirs.count(name.strip().casefold()) > 1:
                message = f"the column {quoted(name)} must be named, and for one purpose only"
                raise ValueError(message)
        text = self.date_format
        parts = sorted(part[0] for part in _DATE_PART.findall(text))
        # 1112026 is January and November: one digit or two need something between them.
        if text and (parts != ["D", "M", "Y"] or re.search("(?<!M)MD(?!D)|(?<!D)DM(?!M)", text)):
            raise ValueError(
                f"not a date format: {quoted(text)}; write one such as DD.MM.YYYY or M/D/YYYY"
            )
        if self.group_separator and not self.group_separator.strip():
            raise ValueError("the separator of groups must not be blank")
        of_groups = bool(self.group_separator or self.names)
        needed = {"until": bool(self.date_format), "group": of_groups}
        for column, is_needed in needed.items():
            if is_needed and self.columns and column not in self.columns:
                raise ValueError(f"`columns` must name the column of `{column}`, too")

    def translated(self, rows: Iterable[ListedRow], fields: Fields) -> list[ListedRow]:
        """Return rows with the account's names of groups, one a row, and dates as YYYY-MM-DD."""
        before = len(fields.problems)
        used: set[str] = set()
        found: list[ListedRow] = []
        members: dict[tuple[str | None, ...], str] = {}
        for row in rows:
            dated = self._with_date(row, fields)
            for theirs in self._groups(row, fields):
                used.add(theirs)
                name = self._name(theirs, row.line, fields)
                if name is None:
                    continue
                values = {**dated.values, "group": name} if name else dated.values
                person = values.get("id"), email_key(values.get("email", ""))
                key = (name, *person, values.get("until"))
                # Two groups of the file that are one of the account may share members.
                if self.names and members.setdefault(key, theirs) != theirs:
                    continue
                found.append(dated._replace(values=values))
        if len(fields.problems) == before:
            for name in (each for each in self.names if each and each not in used):
                message = f"`names` has {quoted(name)}, a group that no row of {fields.source} has"
                hint = "correct it, or leave it out"
                line = self.lines.get(name)
                fields.problems.append(Problem(self.source or fields.source, line, message, hint))
        return found

    def _with_date(self, row: ListedRow, fields: Fields) -> ListedRow:
        text = row.values.get("until")
        if not self.date_format or text is None:
            return row
        pattern = _DATE_PART.sub(lambda part: _DATE_PARTS[part[0]], re.escape(self.date_format))
        if match := re.fullmatch(pattern, text, re.ASCII):
            try:
                date = dt.date(*map(int, match.group("Y", "M", "D")))
                return row._replace(values={**row.values, "until": date.isoformat()})
            except ValueError:
                pass
        message = f"`until` is not a date: {quoted(text)}"
        fields.problem(row.line, message, f"the format is {self.date_format}")
        return row._replace(values={key: row.values[key] for key in row.values if key != "until"})

    def _groups(self, row: ListedRow, fields: Fields) -> list[str]:
        """Return the file's names of the groups of a row: "" alone where it has none."""
        cell = row.values.get("group", "")
        if not self.group_separator or not cell:
            return [cell]
        names = [name.strip() for name in cell.split(self.group_separator)]
        if "" in names:
            what = f"an empty name between the separators of {quoted(cell)}"
            fields.problem(row.line, what, "is it cut off?")
        elif len(names) > 1 and (beside := {"previously", "group_id"} & row.values.keys()):
            what = f"`{min(beside)}` beside several groups: {quoted(cell)}"
            fields.problem(row.line, what, "give each group a row")
        return [name for name in names if name]

    def _name(self, theirs: str, line: int, fields: Fields) -> str | None:
        if not self.names:
            return theirs
        if theirs not in self.names:
            if not theirs:
                fields.problem(line, "the row names no group", '`names: {"": null}` leaves it out')
            else:
                hint = f"{did_you_mean(theirs, filter(None, self.names))} (null leaves it out)"
                fields.problem(line, f"`names` lacks the group {quoted(theirs)}", hint)
            return None
        return self.names[theirs]


def read_format(
    values: Mapping[str, Node], known: Collection[str], fields: Fields
) -> RowFormat | None:
    """Return the format that an include names; None, and a problem, where it is not valid.

    Args:
        values: What stands beside `from`.
        known: Our names of the columns that the rows may have.
        fields: The file that includes them.
    """
    before = len(fields.problems)
    columns = _texts(values.get("columns"), "`columns`", fields, known)
    names = _texts(values.get("names"), "`names`", fields)
    found = None
    try:
        found = RowFormat(
            **fields.read(values, _TEXTS),
            columns={name: text for name, (text, _) in columns.items() if text is not None},
            names={name: text for name, (text, _) in names.items()},
            lines={name: line for name, (_, line) in names.items()},
            source=fields.source,
        )
    except ValueError as error:
        at = next(values[key] for key in GROUP_KEYS if key in values)
        fields.problem(at.line, str(error))
    return found if len(fields.problems) == before else None


def _texts(
    node: Node | None, what: str, fields: Fields, known: Collection[str] | None = None
) -> dict[str, tuple[str | None, int]]:
    """Return the texts of a mapping, each with its line; with any keys, null is None."""
    if node is None:
        return {}
    keys = [key.text for key, _ in node.entries] if isinstance(node, Table) else [""]
    if not keys:
        fields.problem(node.line, f"{what} is empty")
    found: dict[str, tuple[str | None, int]] = {}
    for key, value in (fields.table(node, what, known or keys) or {}).items():
        is_null = known is None and isinstance(value, Scalar) and value.is_null
        text = None if is_null else fields.text(value, f"{quoted(key)} in {what}")
        found[key] = (text, value.line)
    return found
