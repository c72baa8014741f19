"""Sources as they come from people and machines: right, or an error; never a removal unseen."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from cld_user_groups.command.source import read_source
from cld_user_groups.membership import Desired, Plan

from .shell import SAMPLE

ROWS = (
    "group,email\nDesigners,john@example.com\nDesigners,harry@example.com\n"
    "Marketing,maria@example.com\nMarketing,chen@example.com\n"
)
WANTED = {"Designers": {"john", "harry"}, "Marketing": {"maria", "chen"}}


@pytest.mark.parametrize(
    "content",
    [
        ROWS.encode(),
        b"\xef\xbb\xbf" + ROWS.encode(),
        ROWS.replace("\n", "\r\n").encode(),
        ROWS.replace(",", ";").encode(),
        b"\xef\xbb\xbfsep=;\r\n" + ROWS.replace(",", ";").replace("\n", "\r\n").encode(),
        ROWS.replace(",", "\t").encode(),
        ROWS.replace("john@", " JOHN@").encode(),
    ],
    ids=["plain", "BOM", "CRLF", "semicolons", "Excel", "tabs", "case and space"],
)
@pytest.mark.parametrize("is_piped", [False, True])
def test_a_spreadsheet_is_applied_however_it_was_saved(shell, content, is_piped):
    path = "-" if is_piped else shell.write(content, "groups.csv")
    shell(f"apply {path} --yes", stdin=content if is_piped else None, code=0, members=WANTED)


YAML = "version: 1\ngroups:\n  Designers:\n    members:\n      - john@example.com\n"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("groups.csv", b"", "empty"),
        ("groups.csv", b"group,email\n", "row"),
        ("groups.csv", ROWS.encode("utf-16"), "UTF-8"),
        ("groups.csv", b"group,email\nDesigners,j\xf6hn@example.com\n", "UTF-8"),
        ("groups.csv", ROWS.encode()[:40], ":3: 1 cells"),
        ("groups.csv", b'group,email\nDesigners,"john@example.com\n', "truncated"),
        ("groups.csv", b"group,mail\nDesigners,john@example.com\n", "email"),
        ("groups.yaml", b"", "empty"),
        ("groups.yaml", YAML[:40].encode(), ":4: the group"),
        ("groups.yaml", YAML.replace("members", "member").encode(), "did you mean"),
        ("groups.yaml", b"version: 1\ngroups: {Designers: {members: []}}", "allow_empty"),
        ("groups.yaml", b"version: 1\ngroups: {Designers: {members: [john@exam", ":3: not YAML"),
        ("groups.json", b'{"version": 1, "groups": {"Designers": {"mem', ":1"),
        ("groups.json", b'{"format": "cld-user-groups/plan/1", "account": "a', "plan"),
        ("groups.toml", b"version = 1\n[groups.Designers]\nmembers = [", "groups.toml"),
        ("groups.txt", b"anything", "format"),
    ],
)
def test_a_broken_source_is_an_error_and_nothing_is_written(shell, name, content, said):
    shell.write(content, name)
    for command in (("plan", name), ("apply", name, "--yes")):
        done = shell(*command, code=1, err=(name, said))
        assert "Traceback" not in done.stderr
    assert (shell.writes(), shell.members()) == (0, SAMPLE)


@pytest.mark.parametrize("content", [b"", b" \n\n", b"[]", b"null", b"{}", b"\x00"])
def test_standard_input_without_a_source_is_an_error(shell, content):
    shell("apply - --yes", stdin=content, code=1, writes=0)


def test_a_source_that_shrinks_by_half_is_refused(shell):
    people = shell.add_crowd(100)
    rows = "".join(f"Crowd,{email}\n" for email in people[:50])
    done = shell("apply", shell.write(f"group,email\n{rows}", "groups.csv"), "--yes", code=3)
    assert "50 of 100" in done.stderr
    assert shell.writes() == 0


@pytest.mark.parametrize("teams", [10, pytest.param(100, marks=pytest.mark.exhaustive)])
def test_thousands_of_rows_are_planned(shell, teams):
    people = shell.add_crowd(1000)
    names = ("Crowd", *(f"Team {number}" for number in range(teams)))
    rows = "".join(f"{name},{email}\n" for name in names for email in people)
    planned = shell.json("plan", shell.write(f"group,email\n{rows}", "groups.csv"))
    assert planned["summary"]["add_user"] == teams * 1000


def test_all_problems_of_a_file_are_told_at_once_with_their_lines(shell):
    rows = "".join(f"Designers,{name}\n" for name in ("nobody", "john@", "maria@example.com"))
    path = shell.write(f"group,email\n{rows}", "groups.csv")
    document = shell.json(f"plan {path}")
    assert [problem["line"] for problem in document["error"]["problems"]] == [2, 3]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes in folders")
def test_a_named_pipe_is_read_once_and_whole(shell):
    path = shell.folder / "groups.jsonl"
    os.mkfifo(path)
    rows = [f'{{"group": "Crowd", "email": "p{number}@example.com"}}\n' for number in range(1_000)]
    found: list[Desired | Plan] = []
    reader = threading.Thread(target=lambda: found.append(read_source(str(path))), daemon=True)
    reader.start()
    path.write_text("".join(rows))
    reader.join(60)
    assert not reader.is_alive()
    (desired,) = found
    assert isinstance(desired, Desired)
    assert len(desired.groups[0].members) == 1_000


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes in folders")
@pytest.mark.parametrize(
    "words", [["apply", "pipe.csv", "--yes"], ["add", "Designers", "@pipe.csv"]]
)
def test_a_pipe_that_nobody_writes_to_ends_the_command_in_time(shell, words):
    os.mkfifo(shell.folder / "pipe.csv")
    done = shell(*words, "--source-timeout", "1s", code=1, writes=0)
    assert "pipe.csv: a pipe that was not closed within 1 seconds" in done.stderr
    assert "--source-timeout sets how long to wait" in done.stderr
    shell(*words, "--source-timeout", "0", code=64)
