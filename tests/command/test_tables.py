"""Tables and documents: what each format makes of the same columns, rows and keys."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime

import pytest
from tests.support.code_blocks import ROOT

from cld_user_groups.command.options import Settings
from cld_user_groups.command.tables import (
    Column,
    Table,
    _fitting,
    as_csv,
    as_document,
    as_markdown,
    as_tsv,
    print_table,
)
from cld_user_groups.membership import GroupRef

from .shell import EDITED

COLUMNS = (Column("name"), Column("members", is_number=True), Column("last_login"), Column("in"))
SEEN = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
GROUPS = (GroupRef(id="1", name="A"), GroupRef(id="2", name="B|C"))


def table(*names: str) -> Table:
    return Table(
        "things",
        "acc",
        "things",
        COLUMNS,
        [(name, 3, SEEN, GROUPS) for name in names],
        details={"total": len(names)},
        empty="There are no things.",
    )


def test_tsv_has_a_header_and_one_row_a_line():
    assert as_tsv(table("One", "Two")) == (
        "name\tmembers\tlast_login\tin\n"
        "One\t3\t2026-03-01T12:30:00Z\tA, B|C\n"
        "Two\t3\t2026-03-01T12:30:00Z\tA, B|C\n"
    )


@pytest.mark.parametrize("name", ["a\tb", "a\nb", "a\r\nb", "\x1b[31mred", "\u202eevil", "\x00"])
def test_no_text_can_break_a_row_or_reach_a_terminal(name):
    for text in (as_tsv(table(name)), as_csv(table(name)), as_markdown(table(name))):
        assert len(text.splitlines()) <= 3
        assert text.replace("\n", "").replace("\t", "").isprintable()
    assert as_tsv(table(name)).splitlines()[1].count("\t") == 3


def test_csv_quotes_what_needs_it_and_is_read_back():
    names = ["plain", 'Jane "J" Doe, Dr.', "; semicolon"]
    rows = list(csv.reader(io.StringIO(as_csv(table(*names)))))
    assert [row[0] for row in rows] == ["name", *names]


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\N{FULLWIDTH EQUALS SIGN}1"]
)
def test_csv_holds_no_formula(name):
    (_, row) = csv.reader(io.StringIO(as_csv(table(name))))
    assert row[0][0] in "'\\"


def test_markdown_shows_every_text_as_it_is():
    header, rule, row = as_markdown(table("*a* | <b> @team `x`")).splitlines()
    assert header == "| name | members | last login | in |"
    assert rule == "| --- | ---: | --- | --- |"
    assert row == "| `` *a* \\| <b> @team `x` `` | 3 | 2026-03-01T12:30:00Z | `A, B\\|C` |"


def test_json_names_its_format_and_keeps_the_types():
    assert as_document(table("=One\n")) == {
        "format": "cld-user-groups/things/1",
        "account": "acc",
        "total": 1,
        "things": [
            {
                "name": "=One\n",
                "members": 3,
                "last_login": SEEN,
                "in": [{"id": "1", "name": "A"}, {"id": "2", "name": "B|C"}],
            }
        ],
    }


@pytest.mark.parametrize("quiet", [False, True])
def test_a_table_without_rows_says_so_on_standard_error(capsys, quiet):
    print_table(table(), Settings(quiet=quiet))
    written = capsys.readouterr()
    assert written.out == "name\tmembers\tlast_login\tin\n"
    assert written.err == ("" if quiet else "There are no things.\n")


def test_a_narrow_terminal_does_without_the_last_extra_columns():
    columns = (Column("a"), Column("b", is_extra=True), Column("c"), Column("d", is_extra=True))
    rows = [["1" * 10] * 4, ["22"] * 4]
    assert _fitting(columns, rows, 46) == [0, 1, 2, 3]
    assert _fitting(columns, rows, 45) == [0, 1, 2]
    assert _fitting(columns, rows, 33) == [0, 2]
    assert _fitting(columns, rows, 3) == [0, 2]


ROW = re.compile(r"^\| `(cld-user-groups/\w+/1)` \|[^|]*\| (.*) \|$", re.MULTILINE)
KEYS = {
    name: set(re.findall(r"`(\w+)`", cell))
    for name, cell in ROW.findall((ROOT / "docs/reference/output.md").read_text("utf-8"))
}


@pytest.mark.parametrize(
    "line",
    [
        ("list",),
        ("show", "Designers"),
        ("users",),
        ("whois", "john@example.com"),
        ("apply", "groups.yaml", "--yes"),
        ("runs",),
        ("runs", "show"),
        ("runs", "verify"),
        ("runs", "prune", "--older-than", "1d"),
        ("explain", "Creatives", "amara@example.com"),
        ("diff", "groups.yaml"),
        ("doctor",),
        ("export", "--output", "exported.yaml"),
        ("show", "nobody knows it"),
    ],
    ids=" ".join,
)
def test_document_has_the_documented_keys(shell, line):
    shell.write(EDITED)
    shell("apply groups.yaml --yes")
    document = json.loads(shell(*line, "--format", "json").stdout)
    assert document.keys() - {"format", "account"} <= KEYS[document["format"]]
