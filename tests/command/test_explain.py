"""`explain` tells why a user is in a group, or is not."""

from __future__ import annotations

from typing import Any

import pytest

from cld_user_groups.membership import list_runs, state_directory

from .shell import Shell

FILE = """\
version: 1
groups:
  Marketing:
    members:
      - maria@example.com
      - {email: john@example.com, until: 2999-12-31, reason: JIRA-7}
"""


@pytest.fixture
def applied(shell: Shell) -> Shell:
    assert shell("apply", shell.write(FILE), "--yes").exit_code == 0
    return shell


def explained(shell: Shell, *arguments: str) -> dict[str, Any]:
    document = shell.json("explain", *arguments)
    (found,) = document["explanation"]
    return {**found, "steps": document["steps"]}


def test_a_membership_is_explained_by_its_run_author_reason_and_end(applied):
    found = explained(applied, "Marketing", "JOHN@example.com")
    run = list_runs(state_directory("acc"))[0].run
    assert run is not None
    assert (found["is_member"], found["verdict"]) == (True, "made_by_run")
    assert (found["run"], found["reason"], found["until"]) == (run.id, "JIRA-7", "2999-12-31")
    assert found["by"] == f"{run.header.by.user}@{run.header.by.host}"
    assert found["source"] == "groups.yaml:6"
    assert found["digest"] == run.header.plan.digest
    assert found["certain"] is True
    assert [step["action"] for step in found["steps"]] == ["add_user"]


def test_in_a_pipe_it_is_a_header_and_a_row(applied):
    done = applied("explain Marketing john@example.com")
    header, row = (line.split("\t") for line in done.stdout.splitlines())
    assert dict(zip(header, row, strict=True))["verdict"] == "made_by_run"
    assert done.exit_code == 0


def test_a_membership_that_no_run_made_says_so(applied):
    found = explained(applied, "Designers", "john@example.com")
    assert (found["verdict"], found["run"], found["steps"]) == ("made_elsewhere", None, [])


def test_who_was_removed_is_explained_with_both_runs(applied):
    path = applied.write(FILE.replace("2999", "2001"))
    applied(f"apply {path} --yes", code=0)
    found = explained(applied, "Marketing", "john@example.com")
    assert (found["is_member"], found["verdict"]) == (False, "ended_by_run")
    assert found["reason"] == "ended on 2001-12-31: JIRA-7"
    assert (found["since"], found["until"]) == (None, None)
    assert [step["action"] for step in found["steps"]] == ["add_user", "remove_user"]


def test_a_file_is_asked_too(applied):
    file = ("--file", "groups.yaml")
    found = explained(applied, "Marketing", "john@example.com", *file)
    assert found["file"] == "groups.yaml:6 lists the user until 2999-12-31: JIRA-7"
    assert "does not name" in explained(applied, "Designers", "john@example.com", *file)["file"]
    assert "not want" in explained(applied, "Marketing", "harry@example.com", *file)["file"]
    applied.write("version: 1\ngroups: {Marketing: {mode: additive, members: [john@example.com]}}")
    assert "leaves" in explained(applied, "Marketing", "harry@example.com", *file)["file"]
    applied("explain Marketing john@example.com --file no", code=1)
    applied.write("version: 1\naccount: other\ngroups: {}")
    applied("explain Marketing john@example.com", *file, err="`other`")


def test_a_deleted_group_is_explained_by_its_name_or_id(applied):
    path = applied.write("version: 1\ngroups: {Marketing: {state: absent, allow_empty: true}}")
    applied(f"apply {path} --yes --allow-removals 2", code=0)
    found = explained(applied, "Marketing", "john@example.com")
    assert found["verdict"] == "ended_by_run"
    assert found["steps"][-1]["action"] == "delete_group"
    assert explained(applied, found["group_id"], "john@example.com") == found


def test_a_user_who_is_gone_is_explained_by_email_or_id(applied):
    (john,) = [user for user in applied.emulator.users if user.email == "john@example.com"]
    applied.emulator.remove_user_account(john.id)
    found = explained(applied, "Marketing", "john@example.com")
    assert (found["verdict"], found["user_id"]) == ("ended_elsewhere", john.id)
    assert explained(applied, "Marketing", john.id)["verdict"] == "ended_elsewhere"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Marketting", "john@example.com"), "did you mean `Marketing`?"),
        (("Marketing", "jon@example.com"), "john@example.com"),
        (("Marketing", "nobody"), "`nobody`"),
    ],
)
def test_who_or_what_is_unknown_is_an_error_with_candidates(applied, arguments, said):
    applied("explain", *arguments, code=1, out="", err=said)


def test_journals_that_cannot_be_read_are_told(applied):
    (state_directory("acc") / "20990101T000000.jsonl").write_text("nonsense\n")
    applied("explain Marketing john@example.com", code=0, err="1 of the journals cannot be read")


def test_a_membership_that_an_undo_gave_back_says_what_was_before(applied):
    applied("remove Designers harry@example.com --yes")
    applied("undo --yes")
    found = explained(applied, "Designers", "harry@example.com")
    assert (found["verdict"], found["since"]) == ("made_by_run", None)
    assert found["restored"] == found["steps"][-1]["at"]
    applied("remove Marketing john@example.com --yes")
    applied("undo --yes")
    found = explained(applied, "Marketing", "john@example.com")
    assert (found["since"], found["until"]) == (found["steps"][0]["at"], "2999-12-31")
    assert found["restored"] == found["steps"][-1]["at"]
