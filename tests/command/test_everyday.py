"""What the commands that change the account by arguments have in common."""

from __future__ import annotations

import json

import pytest
from attrs import frozen

from cld_user_groups.command import running
from cld_user_groups.membership import list_runs, state_directory

from .shell import SAMPLE

JOHN, HARRY, MARIA, CHEN = (f"{name}@example.com" for name in ("john", "harry", "maria", "chen"))


@frozen(kw_only=True)
class Case:
    """A command that changes the sample account.

    Attributes:
        line: The command line.
        writes: An operation that it needs.
        members: Who is in each group afterwards.
        unknown: The same command line with somebody or something unknown in it.
        allowed: What lets it past the guards, or nothing.
    """

    line: tuple[str, ...]
    writes: str
    members: dict[str, set[str]]
    unknown: tuple[str, ...] | None
    allowed: tuple[str, ...] = ()

    @property
    def allowed_line(self) -> tuple[str, ...]:
        return (*self.line, *self.allowed, "--yes")


CASES = {
    "create": Case(
        line=("create", "Interns"),
        writes="createUserGroup",
        members={**SAMPLE, "Interns": set()},
        unknown=("create", "designers"),
    ),
    "rename": Case(
        line=("rename", "Designers", "Creatives"),
        writes="updateUserGroup",
        members={"Creatives": {"john", "harry"}, "Marketing": {"maria"}},
        unknown=("rename", "Designer", "Creatives"),
    ),
    "delete": Case(
        line=("delete", "Designers"),
        writes="deleteUserGroup",
        members={"Marketing": {"maria"}},
        unknown=("delete", "Designer"),
        allowed=("--allow-removals", "2"),
    ),
    "add": Case(
        line=("add", "Designers", CHEN),
        writes="addUserToUserGroup",
        members={"Designers": {"john", "harry", "chen"}, "Marketing": {"maria"}},
        unknown=("add", "Designers", "chan@example.com"),
    ),
    "remove": Case(
        line=("remove", "Designers", JOHN),
        writes="removeUserFromUserGroup",
        members={"Designers": {"harry"}, "Marketing": {"maria"}},
        unknown=("remove", "Designers", "jhon@example.com"),
    ),
    "onboard": Case(
        line=("onboard", CHEN, "--like", MARIA),
        writes="addUserToUserGroup",
        members={"Designers": {"john", "harry"}, "Marketing": {"maria", "chen"}},
        unknown=("onboard", CHEN, "--like", "mario@example.com"),
    ),
    "offboard": Case(
        line=("offboard", MARIA),
        writes="removeUserFromUserGroup",
        members={"Designers": {"john", "harry"}, "Marketing": set()},
        unknown=("offboard", "mario@example.com"),
        allowed=("--allow-removals", "1"),
    ),
    "copy": Case(
        line=("copy", "Designers", "Marketing"),
        writes="addUserToUserGroup",
        members={"Designers": {"john", "harry"}, "Marketing": {"maria", "john", "harry"}},
        unknown=("copy", "Designer", "Marketing"),
    ),
    "merge": Case(
        line=("merge", "Designers", "--into", "Marketing"),
        writes="deleteUserGroup",
        members={"Marketing": {"maria", "john", "harry"}},
        unknown=("merge", "Designer", "--into", "Marketing"),
        allowed=("--allow-removals", "2"),
    ),
}
each_command = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
each_guarded = pytest.mark.parametrize(
    "case",
    [case for case in CASES.values() if case.allowed],
    ids=[name for name, case in CASES.items() if case.allowed],
)


@each_command
def test_a_command_shows_its_plan_makes_it_and_can_be_undone(desk, case):
    done = desk(*case.allowed_line, "--reason", "JIRA-1", code=0, err="JIRA-1")
    assert f"Plan for account acc, from cld-user-groups {case.line[0]}" in done.stderr
    assert "Verified: the account matches the plan." in done.stdout
    assert desk.members() == case.members
    (summary,) = list_runs(state_directory("acc"))
    assert {outcome.change.reason for outcome in summary.run.outcomes} == {"JIRA-1"}
    planned = desk.json("undo --dry-run")["summary"]["removals"]
    desk("undo --yes --allow-removals", str(planned), code=0, members=SAMPLE)


@each_command
def test_without_a_terminal_and_without_yes_nothing_is_written(desk, case):
    desk(*case.line, *case.allowed, code=64, writes=0, err="add --yes")


@each_command
def test_a_dry_run_only_shows_the_plan(desk, case):
    done = desk(*case.line, *case.allowed, "--dry-run", code=0)
    assert done.stdout.startswith("Plan for account acc")
    assert (desk.writes(), list_runs(state_directory("acc"))) == (0, ())


@each_command
def test_what_is_not_in_the_account_is_an_error_with_a_suggestion(desk, case):
    assert case.unknown is not None
    done = desk(*case.unknown, "--yes", *case.allowed, code=1, writes=0, out="")
    assert done.stderr.count("\n") == 1
    assert "did you mean `" in done.stderr or "choose another name" in done.stderr


@each_command
def test_a_failed_change_leaves_the_run_incomplete_and_says_how_to_resume(desk, case):
    desk.emulator.fail(case.writes, status=400, message="not today")
    done = desk(*case.allowed_line, code=5, out="FAILED")
    (again,) = [line for line in done.stdout.splitlines() if line.startswith("To resume: ")]
    desk(*again.split()[3:], "--yes", *case.allowed, code=0, members=case.members)


def test_what_goes_on_gives_the_same_reason(desk):
    desk.emulator.fail("addUserToUserGroup", status=400)
    done = desk("add Designers maria@example.com --reason", "JIRA 1", "--yes")
    said = "To resume: cld-user-groups add Designers maria@example.com --reason 'JIRA 1'\n"
    assert said in done.stdout


@each_command
def test_what_changes_while_the_question_stands_makes_the_plan_stale(desk, case, monkeypatch):
    def interfere(*_: str) -> None:
        eve = desk.emulator.add_user_account("Eve", email="eve@example.com")
        desk.emulator.add_group("Interns")
        for group in desk.emulator.groups:
            desk.emulator.add_member(group.id, eve)

    monkeypatch.setattr(running, "confirm", interfere)
    desk(*case.line, *case.allowed, code=4, writes=0, err="the account has changed")


@each_command
def test_the_result_has_every_format(desk, case):
    header, first, *_ = desk(*case.allowed_line, "--format", "csv").stdout.splitlines()
    assert header == "action,group,email,group_id,user_id,status,error,request_id"
    assert ",done,," in first
    desk.emulator.reset()
    assert "| `done` |" in desk(*case.allowed_line, "--format", "markdown").stdout
    desk.emulator.reset()
    dry = (*case.line, *case.allowed, "--dry-run")
    assert desk.json(*dry)["format"] == "cld-user-groups/plan/1"
    assert desk(*dry, "--format", "csv").stdout.startswith("action,group,email,")
    assert desk(*dry, "--format", "markdown").stdout.startswith("# Plan for account")
    assert desk.json(*case.allowed_line)["format"] == "cld-user-groups/result/1"


@each_command
def test_what_holds_already_is_nothing_to_do(desk, case):
    desk(*case.allowed_line)
    writes = desk.writes()
    if case.line[0] in ("add", "remove", "onboard", "offboard", "copy"):
        desk(*case.line, "--yes", code=0, out="Nothing to do")
    else:  # what it was asked to change is no longer there
        desk(*case.line, "--yes", code=1)
    assert desk.writes() == writes


@each_guarded
def test_past_a_guard_nothing_is_written_until_the_number_is_exact(desk, case):
    for wrong in ((), ("--allow-removals", "40")):
        refused = desk(*case.line, "--yes", *wrong, code=3, err=" ".join(case.allowed))
        assert "allow_empty" not in refused.stderr
    assert desk.writes() == 0
    desk(*case.allowed_line, code=0)


@each_guarded
def test_a_guard_is_explained_once(desk, case):
    shown = desk(*case.line, "--yes")
    quiet = desk(*case.line, "--yes", "--quiet")
    logged = desk(*case.line, "--yes", "--log-format", "json")
    for done in (shown, quiet, logged):
        assert done.stderr.count(" ".join(case.allowed)) == 1
    document = desk.json(*case.line, "--yes")
    assert document["exit_code"] == 3
    assert len(document["error"]["breaches"]) == 1


@pytest.mark.parametrize("line", [case.line[:1] for case in CASES.values()], ids=CASES)
def test_a_missing_argument_is_a_usage_error(desk, line):
    desk(*line, code=64, out="", err="Missing")


@pytest.mark.parametrize("option", ["--allow-removals=1", "--frobnicate"])
def test_an_option_that_a_command_does_not_have_is_a_usage_error(desk, option):
    desk(f"add Designers {CHEN}", option, code=64)


def test_a_change_costs_one_read_before_one_write_and_one_read_after(desk):
    desk(f"remove Designers {JOHN} --yes")
    assert [call.method for call in desk.emulator.calls] == ["GET", "DELETE", "GET"]


def test_people_in_no_group_cost_one_more_request_however_many(desk):
    people = [
        desk.emulator.add_user_account(f"P {number}", email=f"p{number}@example.com").email
        for number in range(30)
    ]
    desk("add Designers", *people, "--yes")
    reads = [call for call in desk.emulator.calls if call.method == "GET"]
    assert len(reads) == 3


def test_an_error_as_json_has_every_problem(desk):
    document = desk.json(f"add Designers nobody@example.com 1234 {CHEN} --yes")
    assert document["format"] == "cld-user-groups/error/1"
    assert [problem["message"] for problem in document["error"]["problems"]] == [
        "no user has the e-mail `nobody@example.com`",
        "no user has the ID `1234`",
    ]
    assert json.dumps(document).count("did you mean") == 0
