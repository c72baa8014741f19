"""What a terminal shows: no ID, e-mail, run or option is broken, and what is long has a pager."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from cld_user_groups.command.cli import cli
from cld_user_groups.command.output import wrapped
from cld_user_groups.command.tables import Column, Table, as_lines
from cld_user_groups.membership import GroupRef

from .shell import Shell
from .terminal import screen_of
from .test_help import commands

EMAILS = [f"{name}.of-a-family-with-a-long-name-{'x' * 15}@example.com" for name in "abc"]
GROUP = "Photographers of the northern subsidiary"
FILE = f"version: 1\ngroups:\n  {GROUP}:\n    members: [{', '.join(EMAILS)}]\n"
SMALL = "version: 1\ngroups:\n  Interns:\n    members: [john@example.com]\n"
EDITED = FILE.replace(EMAILS[2], "john@example.com")
RUN = re.compile(r"\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{4}")


def broken(text: str, wholes: set[str]) -> set[str]:
    """Return the words of a text that are a part of what must be whole."""
    words = {word.strip("`\"'(),.;:") for word in text.split()}
    return {word for word in words for whole in wholes if len(word) > 7 and word in whole != word}


@pytest.fixture
def busy(shell: Shell) -> set[str]:
    """Return what must be whole of an account with long e-mails: they, IDs, runs and options."""
    wholes = {*EMAILS, GROUP.split()[0]}
    for email in EMAILS:
        wholes.add(shell.emulator.add_user_account(f"{email[0]} Doe", email=email).id)
    assert shell("apply", shell.write(FILE), "--yes").exit_code == 0
    shell.write(EDITED)
    wholes |= {group["id"] for group in shell.json("list")["groups"]}
    return wholes | {"--allow-removals", "--server-url", "--detailed-exitcode"}


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_no_command_breaks_an_id_an_email_a_run_or_an_option(shell, busy, columns):
    edited = shell.write(EDITED)
    lines = [
        *(["list"], ["list", "--roles"], ["show", GROUP], ["users"], ["whois", EMAILS[0]]),
        *(["runs"], ["runs", "show"], ["runs", "verify"], ["explain", GROUP, EMAILS[0]]),
        *(["runs", "prune", "--older-than", "0s", "--dry-run"], ["doctor"], ["diff", edited]),
        *(["plan", edited], ["plan", edited, "--summary"], ["apply", edited], ["report"]),
        *(["apply", edited, "--yes", "--quiet"], ["undo", "--yes", "--quiet"], ["show", "none"]),
    ]
    screen = screen_of(lines, (columns, 24), "n\n", PAGER="cat")
    assert screen.count("\nexit ") == len(lines)
    assert all(email in screen for email in EMAILS)
    assert broken(screen, busy | set(RUN.findall(screen))) == set()
    if columns >= 80:
        ours = [line for line in screen.splitlines() if line[:2] != "$ " and "[y/N]" not in line]
        assert [line for line in ours if len(line) > columns and " " in line.strip()] == []


WORDS = st.text(st.sampled_from("ab'-日"), min_size=1, max_size=9)
CELLS = st.lists(WORDS, max_size=12).map(" ".join)
IDS = st.uuids().map(lambda each: each.hex)


@given(
    st.lists(st.tuples(IDS, CELLS, IDS, CELLS, st.integers(0, 9**9)), min_size=1, max_size=5),
    st.integers(40, 120),
    st.booleans(),
)
def test_every_table_shows_what_it_shows_whole(rows, width, is_record):
    mails = [(f"{mail}-of-a-long-name@example.com", *rest) for mail, *rest in rows]
    columns = (Column("email"), Column("name"), Column("id", is_extra=True), Column("groups"))
    table = Table("t", "acc", "t", (*columns, Column("count", is_number=True)), mails)
    lines = [*as_lines(table, width, is_record=is_record)]
    assert max(map(len, lines)) <= max(width, 60)
    words = " ".join(lines).split()
    for mail, name, _, groups, count in mails:
        assert {mail, str(count), *name.split(), *groups.split()} <= set(words)
    assert (
        broken(" ".join(lines), {each[0] for each in mails} | {each[2] for each in mails}) == set()
    )


def test_an_id_is_shown_where_it_alone_names_a_row():
    columns = (Column("email"), Column("groups"), Column("id", is_extra=True))
    group = (GroupRef(id="1", name="A"),)
    for email, is_shown in ((None, True), (EMAILS[0], False)):
        table = Table("t", "acc", "t", columns, [(email, group, "f" * 32), (EMAILS[1], group, "")])
        assert ("f" * 32 in "\n".join(as_lines(table, 80))) is is_shown


def test_a_command_to_paste_stays_one_command():
    line = "To resume: cld-user-groups --profile 'a long name' apply groups.yaml --adds-only"
    assert [*wrapped(line, 90, 4)] == [line]
    assert [*wrapped(line, 76, 4)] == ["To resume:", f"    {line[11:]}"]
    narrow = [*wrapped(line, 40, 4)]
    assert max(map(len, narrow)) <= 40
    assert "".join(narrow).replace("\\    ", "") == line


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_no_help_breaks_an_option_at_a_hyphen(columns):
    for path in commands(cli):
        done = CliRunner().invoke(cli, [*path, "--help"], terminal_width=columns)
        assert not re.search(r"\w-\n", done.stdout), path


@pytest.mark.parametrize(
    ("words", "lines", "pager", "is_paged"),
    [
        ("list", 3, "sed s/^/paged:/", True),
        ("list", 40, "sed s/^/paged:/", False),
        ("list --no-pager", 3, "sed s/^/paged:/", False),
        ("list --format json", 3, "sed s/^/paged:/", False),
        ("list", 3, "cat", False),
        ("list", 3, "", False),
        ("plan groups.yaml", 3, "sed s/^/paged:/", True),
        ("apply groups.yaml --dry-run", 3, "sed s/^/paged:/", True),
        ("report", 3, "sed s/^/paged:/", True),
        ("apply groups.yaml --yes", 3, "sed s/^/paged:/", False),
    ],
)
def test_what_is_longer_than_the_screen_has_a_pager(shell, words, lines, pager, is_paged):
    shell.write(SMALL)
    screen = screen_of([words.split()], (80, lines), PAGER=pager)
    assert ("paged:" in screen) is is_paged
    assert screen.endswith("exit 0\n")
    assert "Designers" in screen or "john@example.com" in screen


def test_no_pager_hides_a_question(shell):
    shell.write(SMALL)
    screen = screen_of([["apply", "groups.yaml"]], (80, 3), typed="n\n", PAGER="sed s/^/paged:/")
    assert "paged:" not in screen
    assert screen.index("john@example.com") < screen.index("[y/N]") < screen.index("exit 1")
