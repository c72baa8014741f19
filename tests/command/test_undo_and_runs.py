"""`undo` takes a run back; `runs` lists them and shows one."""

from __future__ import annotations

import csv
import io
import json

import pytest

from cld_user_groups.membership import list_runs, state_directory

from .shell import AS_EDITED, EDITED, SAMPLE, Shell


@pytest.fixture
def applied(shell: Shell) -> Shell:
    assert shell("apply", shell.write(EDITED), "--yes").exit_code == 0
    return shell


def last_run() -> str:
    return list_runs(state_directory("acc"))[0].id


def test_the_last_run_is_taken_back_once_its_removals_are_allowed(applied):
    refused = applied("undo --yes", members=AS_EDITED, err="--allow-removals 2")
    assert refused.exit_code == 3  # it deletes Interns, which has a member
    assert "allow_empty" not in refused.stderr  # there is no file to say it in
    applied("undo --yes --allow-removals 2", code=0, members=SAMPLE)


def test_an_undo_is_a_run_that_can_be_undone(applied):
    first = last_run()
    applied("undo", first, "--yes", "--allow-removals", "2")
    assert last_run() != first
    applied("undo --yes", code=0, members=AS_EDITED)


def test_an_undo_asks_as_an_apply_does(applied):
    written = applied.writes()
    applied("undo --allow-removals 2", code=64)
    assert applied.json("undo --dry-run")["summary"]["requests"] == 4
    applied("undo --dry-run", code=3, writes=written)


def test_an_unknown_run_is_an_error(applied):
    for command in (("undo", "--yes"), ("runs", "show")):
        applied(*command, "../../etc/passwd", code=1, err="there is no run '../../etc/passwd'")


def test_runs_are_listed_one_a_line(applied):
    applied("undo --yes --allow-removals 2")
    header, latest, first = (line.split("\t") for line in applied("runs").stdout.splitlines())
    assert header == ["run", "by", "source", "changes", "result"]
    assert latest[2].startswith("undo of")
    assert first[-3:] == ["groups.yaml", "5", "complete"]


def test_runs_as_json_are_one_document(applied):
    document = applied.json("runs")
    (run,) = document["runs"]
    assert (run["source"], run["planned"], run["verified"]) == ("groups.yaml", 5, True)
    assert document == json.loads(applied("--format json runs").stdout)


def test_a_run_is_shown_with_each_of_its_changes(applied):
    shown = applied("runs show", last_run()).stdout
    assert "From groups.yaml: 5 changes; complete" in shown
    assert "done         rename Designers to Artists" in shown
    assert len(applied.json("runs show")["changes"]) == 5


def test_the_changes_of_a_run_are_a_table_in_the_formats_of_all_tables(applied):
    header, *rows = csv.reader(io.StringIO(applied("runs show --format csv").stdout))
    assert header[:3] == ["action", "group", "email"]
    assert [row[header.index("status")] for row in rows] == ["done"] * 5
    markdown = applied("--format markdown runs show").stdout.splitlines()
    assert markdown[0].startswith("| action | group | email |")
    assert len(markdown) == 7


def test_a_run_that_was_killed_is_shown_as_broken_off(applied):
    path = state_directory("acc") / f"{last_run()}.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
    assert "broken off" in applied("runs").stdout
    assert applied.json("runs show")["ended_at"] is None


def test_a_journal_that_cannot_be_read_is_listed_with_the_reason(applied):
    (state_directory("acc") / "20990101T000000.jsonl").write_text("nonsense\n")
    assert "unreadable" in applied("runs").stdout
    assert "error" in applied.json("runs")["runs"][0]


def test_no_runs_are_no_error(shell):
    done = shell("runs", err="There are no runs")
    assert (done.exit_code, done.stdout.count("\n")) == (0, 1)  # the header
    assert shell.json("runs")["runs"] == []
    shell("runs show", code=1)


DELETION = "version: 1\ngroups: {Designers: {state: absent, allow_empty: true}}"


@pytest.mark.parametrize("options", [(), ("--quiet",)])
def test_an_undo_that_restores_nobody_does_not_say_that_all_matches(shell, options):
    shell("apply", shell.write(DELETION), "--yes")
    shell.emulator.add_group("Designers")
    done = shell("undo --yes", *options, code=5, out="a group of that name exists")
    assert "Nothing could be done: account acc does not match the plan" in done.stdout
    document = shell.json("undo --yes", *options)
    assert (document["complete"], document["verified"], document["exit_code"]) == (False, False, 5)
    assert document["differences"] == document["notes"] != []


def test_an_undo_of_a_deletion_says_what_does_not_come_back(shell):
    deleted = shell("apply", shell.write(DELETION), "--yes")
    assert "Roles and shares depend on the ID of a group, and end with it" in deleted.stderr
    done = shell("undo --yes", code=0)
    assert "the account matches" not in done.stdout
    assert "Roles and shares of a deleted group do not come back by themselves." in done.stdout


def test_journals_are_verified_and_a_changed_line_is_an_error(applied):
    done = applied("runs verify")
    assert (done.exit_code, done.stderr) == (0, "Verified 1 journal.\n")
    path = list_runs(state_directory("acc"))[0].path
    path.write_text(path.read_text().replace("maria@example.com", "mario@example.com"))
    done = applied("runs verify", code=1)
    assert "\tchanged\tline 4 was changed, or the line after it is missing" in done.stdout
    assert done.stderr == "1 journal of 1 changed, or incomplete.\n"


def test_old_journals_are_deleted_once_that_is_confirmed(applied):
    first = last_run()
    applied("add Artists harry@example.com --yes")
    journals = state_directory("acc")
    applied("runs prune --older-than 0s", code=64, err=f"{first}\t")
    shown = applied("runs prune --older-than 0s --dry-run", out="kept: it is the latest run")
    assert shown.stdout.splitlines()[1].endswith("groups.yaml\tto be deleted")
    assert len(list_runs(journals)) == 2
    assert applied.json("runs prune --older-than 90d --yes")["runs"] == []
    done = applied("runs prune --older-than 0s --yes")
    assert (done.exit_code, done.stderr) == (0, "Deleted 1 journal.\n")
    assert [each.run and each.run.header.sequence for each in list_runs(journals)] == [2]
    applied("runs verify", code=0)
    applied("runs prune --older-than soon", code=64)


def test_runs_name_the_people_of_everyday_commands(shell):
    people = shell.add_crowd(5)
    shell("add Designers maria@example.com --yes")
    shell("add Marketing", *people, "--yes", "--reason", "JIRA-1")
    many, one = (line.split("\t")[2] for line in shell("runs").stdout.splitlines()[1:])
    assert one == "cld-user-groups add Designers maria@example.com"
    assert many == f"cld-user-groups add Marketing {' '.join(people[:3])} and 2 more"
    assert shell.json("runs")["runs"][0]["people"] == people
