"""Completion: the shells' scripts, and names of groups that are at most a minute old."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.forked import forked_command
from tests.support.workflows import finished

from cld_user_groups.command.cli import cli
from cld_user_groups.membership import list_runs, state_directory

from .shell import Shell


def complete(shell: Shell, *words: str, kind: str = "zsh") -> list[str]:
    """Return what is offered for the last word."""
    environment = {
        "_CLD_USER_GROUPS_COMPLETE": f"{kind}_complete",
        "COMP_WORDS": " ".join(("cld-user-groups", *words)),
        "COMP_CWORD": str(len(words)),
    }
    done = CliRunner().invoke(cli, [], env=environment)
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    return lines[1::3] if kind == "zsh" else [line.partition(",")[2] for line in lines]


@pytest.mark.parametrize(
    "line",
    [
        *("show de", "add de", "remove de", "rename de", "delete de", "copy de", "merge de"),
        *("explain de", "merge Marketing --into de", "copy Marketing de"),
    ],
)
def test_names_of_groups_are_completed_in_any_case(desk, line):
    assert complete(desk, *line.split()) == ["Designers"]


def test_names_of_profiles_are_completed(desk, monkeypatch):
    assert complete(desk, "list", "--profile", "w") == []
    path = desk.write("[work]\naccount_id = 'acc'\n[home]\naccount_id = 'acc'\n", "profiles.toml")
    monkeypatch.setenv("CLOUDINARY_PROFILES_FILE", path)
    assert complete(desk, "list", "--profile", "w") == ["work"]


def test_commands_and_options_are_completed(desk):
    assert complete(desk, "onb") == ["onboard"]
    assert complete(desk, "delete", "--allow") == ["--allow-removals"]
    assert len(desk.emulator.calls) == 0


def test_emails_of_members_are_completed_and_requested_once_a_minute(desk):
    for line in ("add Designers ha", "offboard HA", "whois ha", "explain Designers ha",
                 "onboard x@example.com --like ha"):  # fmt: skip
        assert complete(desk, *line.split()) == ["harry@example.com"]
    assert len(desk.emulator.calls) == 1
    path = state_directory("acc") / "completion-people.json"
    assert path.stat().st_mode & 0o777 == 0o600
    desk("remove Designers harry@example.com --yes")
    assert not path.exists()
    assert complete(desk, "whois", "ha") == []


def test_files_of_users_are_completed_after_an_at(desk):
    desk.write("harry@example.com\n", "leavers.txt")
    (desk.folder / "lists").mkdir()
    desk.write("x", "lists/more.txt")
    assert complete(desk, "offboard", "@l") == ["@leavers.txt", "@lists/"]
    assert complete(desk, "offboard", "@lists/") == ["@lists/more.txt"]
    assert complete(desk, "offboard", "@none/") == []
    assert len(desk.emulator.calls) == 0


@pytest.mark.parametrize(
    "line", [("plan",), ("apply",), ("diff",), ("diff", "a.yaml"), ("explain", "g", "u", "--file")]
)
def test_files_are_completed_by_the_shell(desk, line):
    environment = {
        "_CLD_USER_GROUPS_COMPLETE": "zsh_complete",
        "COMP_WORDS": " ".join(("cld-user-groups", *line, "gro")),
        "COMP_CWORD": str(len(line) + 1),
    }
    assert CliRunner().invoke(cli, [], env=environment).stdout.splitlines()[:2] == ["file", "gro"]


def test_runs_are_completed_the_latest_first(desk):
    desk("add Designers maria@example.com --yes")
    desk("add Marketing john@example.com --yes")
    runs = [each.id for each in list_runs(state_directory("acc"))]
    assert complete(desk, "undo", "2") == runs
    assert complete(desk, "runs", "show", "2") == runs


def test_names_are_quoted_for_bash_and_left_out_where_they_break_it(desk):
    desk.emulator.add_group("New $people, 'all'")
    desk.emulator.add_group("New\nplain\nmalice")
    (offered,) = complete(desk, "show", "new", kind="bash")
    assert shlex.split(offered) == ["New $people, 'all'"]
    assert complete(desk, "show", "") == ["Designers", "Marketing", "New $people, 'all'"]


def test_names_are_requested_once_a_minute(desk):
    for _ in range(3):
        complete(desk, "show", "")
    assert len(desk.emulator.calls) == 1
    path = state_directory("acc") / "completion.json"
    assert json.loads(path.read_text()) == ["Designers", "Marketing"]
    assert path.stat().st_mode & 0o777 == 0o600
    long_ago = time.time() - 61
    os.utime(path, (long_ago, long_ago))
    desk.emulator.add_group("Interns")
    assert "Interns" in complete(desk, "show", "")
    assert len(desk.emulator.calls) == 2


def test_a_group_is_completed_as_soon_as_it_is_created(desk):
    assert complete(desk, "show", "i") == []
    desk("create Interns --yes")
    assert complete(desk, "show", "i") == ["Interns"]


def test_where_nothing_can_be_kept_names_are_completed_all_the_same(desk, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", desk.write("not a folder"))
    assert complete(desk, "show", "d") == ["Designers"]


@pytest.mark.parametrize("status", [401, 420, 503])
def test_a_request_that_fails_offers_nothing_and_is_not_repeated(desk, status):
    desk.emulator.fail("*", status=status, times=None)
    for _ in range(2):
        assert complete(desk, "show", "") == []
    assert len(desk.emulator.calls) == 1


@pytest.mark.parametrize("content", ["", "{", '{"a": 1}', "[1]", "\x00"])
def test_a_file_that_is_damaged_offers_nothing(desk, content):
    directory = state_directory("acc")
    directory.mkdir(parents=True)
    (directory / "completion.json").write_text(content)
    assert complete(desk, "show", "") == []


def test_without_credentials_nothing_is_offered_and_nothing_said(shell):
    os.environ.pop("CLOUDINARY_ACCOUNT_URL")
    assert complete(shell, "show", "") == []
    assert len(shell.emulator.calls) == 0


@pytest.mark.parametrize("kind", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_is_printed(desk, kind):
    done = desk("completion", kind, code=0, out=f"_CLD_USER_GROUPS_COMPLETE={kind}_complete")
    shell = shutil.which(kind)
    if shell is not None:
        subprocess.run([shell, "-n"], input=done.stdout, text=True, check=True, timeout=30)


def test_the_shell_is_that_of_the_environment(desk, monkeypatch):
    monkeypatch.setenv("SHELL", "/usr/bin/zsh")
    assert desk("completion").stdout == desk("completion zsh").stdout
    for other in ("/bin/tcsh", ""):
        monkeypatch.setenv("SHELL", other)
        desk("completion", code=64, err="name the shell: bash, zsh, fish")
    desk("completion tcsh", code=64)


HARD = "New $people, \\'all\\', or none"


@pytest.fixture
def path(shell: Shell, tmp_path: Path) -> str:
    """Where a shell finds the command, on an account with a group of a hard name."""
    program = tmp_path / "cld-user-groups"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(forked_command())} "$@"\n')
    program.chmod(0o700)
    shell.emulator.add_group(HARD)
    return f"{tmp_path}:{os.environ['PATH']}"


def printed_by(program: str, script: str, path: str) -> str:
    environment = {**os.environ, "PATH": path}
    done = finished(program, "-c", script, folder=Path.cwd(), environment=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("quote", "typed"), [("", "Ne"), ("'", "Ne"), ('"', "Ne"), ("'", "New $p"), ('"', r"New \$p")]
)
def test_bash_completes_a_group_with_the_printed_script(path, quote, typed):
    # After a double quote bash inserts what is offered as it is, and closes the quote.
    opened = quote if quote == '"' else ""
    script = (
        'eval "$(cld-user-groups completion bash)"\n'
        f"COMP_WORDS=(cld-user-groups show {shlex.quote(quote + typed)}); COMP_CWORD=2\n"
        "_cld_user_groups_completion cld-user-groups\n"
        f"eval 'words=({opened}'\"${{COMPREPLY[@]}}\"'{opened})'\n"
        'printf "%s\\n" "${words[@]}"\n'
    )
    assert printed_by("bash", script, path) == HARD


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes_a_group_with_the_printed_script(path):
    script = "cld-user-groups completion fish | source; complete -C 'cld-user-groups show Ne'"
    assert printed_by("fish", script, path) == HARD


def test_the_scripts_split_offers_at_the_first_comma_and_keep_backslashes(desk):
    assert "read -r type value" in desk("completion bash").stdout
    assert desk("completion bash").stdout.endswith("COMP_WORDBREAKS=${COMP_WORDBREAKS//@}\n")
    assert 'string split --max 1 ","' in desk("completion fish").stdout
