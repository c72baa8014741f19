"""On a real terminal: the plan is shown, a human is asked, and what is typed decides."""

from __future__ import annotations

import pytest

from cld_user_groups.command import running

from .shell import AS_EDITED, EDITED, SAMPLE
from .terminal import FRESH, converse

JOHN = "john@example.com"
SHOW = ("show", "Designers")
FOLDER = "folder fg38a9b0c1d2e3f4"
QUESTION = "Make these 5 changes to account acc? [y/N] "


def test_yes_applies_the_plan(shell):
    screen = converse("apply", shell.write(EDITED), typed="y\n")
    plan, _, report = screen.partition(QUESTION)
    assert "- harry@example.com" in plan
    assert "5 done." in report
    assert "\x1b[3" not in screen  # NO_COLOR is set
    assert shell.members() == AS_EDITED


@pytest.mark.parametrize("typed", ["n\n", "\x04"])
def test_anything_but_yes_writes_nothing(shell, typed):
    screen = converse("apply", shell.write(EDITED), typed=typed, code=1)
    assert "not confirmed; nothing was written." in screen
    assert (shell.writes(), shell.members()) == (0, SAMPLE)


@pytest.mark.parametrize("typed", ["\n", "yolo\n", "no\n", "ye\n", "0\n"])
def test_no_other_text_is_a_yes(shell, monkeypatch, typed):
    monkeypatch.setattr(running, "can_ask", lambda: True)
    done = shell("apply", shell.write(EDITED), stdin=typed, code=1, writes=0, members=SAMPLE)
    assert "not confirmed; nothing was written." in done.stderr


def test_ctrl_c_at_the_question_writes_nothing(shell):
    screen = converse("apply", shell.write(EDITED), typed="\x03", command=FRESH, code=1)
    assert "interrupted; nothing was written." in screen
    assert "Traceback" not in screen
    assert shell.writes() == 0


def test_what_changes_while_the_question_stands_makes_the_plan_stale(shell):
    designers, _ = shell.emulator.groups
    screen = converse(
        "apply",
        shell.write(EDITED),
        typed="y\n",
        meanwhile=lambda: shell.emulator.remove_member(designers, designers.users[0]),
        code=4,
    )
    assert "has changed" in screen
    assert shell.writes() == 0


def test_colors_are_for_terminals_that_want_them(shell, monkeypatch):
    path = shell.write(EDITED)
    monkeypatch.delenv("NO_COLOR")
    assert "\x1b[31m    - harry@example.com" in converse("plan", path)
    assert "\x1b[" not in shell(f"plan {path}").stdout


WIDE = """\
NAME       MEMBERS  ID
Designers        2  7f08f1f1fc910bf1f25274aef11d27
Marketing        1  c2b9e47d1806f35a9d4e72b1c08f63
"""


def test_a_table_is_for_people_and_fits_the_terminal(shell, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert lines(converse("whois", "john@example.com"))[0] == "EMAIL       john@example.com"
    narrow = lines(converse("list"))
    assert max(map(len, narrow)) <= 40
    assert "7f08f1f1fc910bf1f25274aef11d27" in "".join(narrow).replace(" ", "")


def test_a_days_work_at_the_terminal(shell):
    question = "Make this change to account acc? [y/N] "
    assert lines(converse("list")) == WIDE.splitlines()

    screen = converse("add", "Designers", "chen@example.com", typed="y\n")
    assert screen.index("+ chen@example.com") < screen.index(question) < screen.index("1 done.")

    screen = converse("show", "Designers")
    assert lines(screen)[0] == "Designers (7f08f1f1fc910bf1f25274aef11d27), 3 members"
    assert [line.split()[0] for line in lines(screen)[2:5]] == [
        f"{name}@example.com" for name in ("chen", "harry", "john")
    ]
    assert lines(screen)[5] == "What Designers grants:"
    assert lines(screen)[-1] == "  Media Editor in all product environments"

    screen = converse("remove", "Designers", "harry@example.com", typed="y\n")
    assert shell.members()["Designers"] == {"john", "chen"}
    assert "To undo: cld-user-groups undo" in screen

    screen = converse("undo", typed="y\n")
    assert shell.members()["Designers"] == {"john", "harry", "chen"}
    assert screen.index("+ harry@example.com") < screen.index(question)

    screen = converse("explain", "Designers", "harry@example.com")
    assert "Restored on 20" in screen
    assert "; before: not known to this machine." in screen
    assert "UTC  restored by" in screen

    screen = converse("runs", "prune", "--older-than", "0s", typed="y\n")
    assert screen.index("undid it") < screen.index("Delete 1 journal of account acc? [y/N] ")
    assert "Deleted 1 journal." in screen


def lines(screen: str) -> list[str]:
    return [line.rstrip() for line in screen.splitlines()]


@pytest.mark.parametrize("width", ["80", "120"])
def test_roles_are_a_line_each_and_whole(shell, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", width)
    for line, mark in ((("list", "--roles"), "- "), (("whois", JOHN), "- "), (SHOW, "\n  ")):
        screen = converse(*line)
        assert f"{mark}Media Editor in all product" in screen
        shown = "".join(screen.split())
        assert "".join(FOLDER.split()) in shown
        assert max(len(row.rstrip("\r")) for row in screen.split("\n")) <= int(width)
        rows = iter(lines(screen))
        at = next(row.find("- Campaign") for row in rows if "Campaign" in row)
        assert at < 0 or next(rows)[at : at + 3].rindex(" ") == 1  # it goes on behind the mark
