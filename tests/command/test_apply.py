"""`apply`: what it writes, what it refuses, what it reports."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cld_user_groups import membership
from cld_user_groups.command import running
from cld_user_groups.membership import account_lock, drafts, list_runs, snapshot, state_directory

from .shell import AS_EDITED, EDITED, SAMPLE, Shell


def test_a_file_is_applied_and_reported_and_a_plan_after_it_is_empty(shell):
    path = shell.write(EDITED)
    done = shell(f"apply {path} --yes", code=0, out="5 done.", err="Plan for account acc")
    assert "done         remove harry@example.com from Artists" in done.stdout
    assert "Verified: the account matches the file." in done.stdout
    assert shell.members() == AS_EDITED
    assert shell.json(f"plan {path}")["changes"] == []


def test_applying_reads_the_account_once_before_and_once_after(shell):
    shell("apply", shell.write(EDITED), "--yes")
    look_up = 1  # of the e-mails that are added: a second user of one may be in no group
    assert len(shell.emulator.calls) == 1 + look_up + 5 + 1


def test_applying_what_holds_already_writes_nothing_and_keeps_no_journal(shell):
    done = shell("apply -", stdin=shell("export").stdout, code=0)
    assert done.stdout == "Nothing to do: account acc matches the file.\n"
    assert list_runs(state_directory("acc")) == ()


def test_the_result_is_one_json_document(shell):
    document = shell.json("apply", shell.write(EDITED), "--yes")
    assert document["format"] == "cld-user-groups/result/1"
    assert (document["complete"], document["verified"], document["exit_code"]) == (True, True, 0)
    assert document["summary"]["done"] == 5
    assert {change["status"] for change in document["changes"]} == {"done"}
    assert all(change["group"]["id"] for change in document["changes"])


def test_without_a_terminal_and_without_yes_nothing_is_written(shell):
    shell("apply", shell.write(EDITED), stdin="y\n", code=64, err="add --yes")
    assert (shell.writes(), list_runs(state_directory("acc"))) == (0, ())


def test_a_dry_run_shows_the_plan_and_writes_nothing(shell):
    shell("apply", shell.write(EDITED), "--dry-run", code=0, out="5 requests needed")
    assert shell.json("apply groups.yaml --dry-run")["format"] == "cld-user-groups/plan/1"
    assert shell.writes() == 0


def test_past_a_guard_nothing_is_written_until_the_exact_number_is_allowed(shell):
    people = shell.add_crowd(8)
    path = shell.write(
        f"version: 1\ngroups: {{Crowd: {{members: [{people[0]}, john@example.com]}}}}"
    )
    shell(f"apply {path} --yes", code=3, err=("--allow-removals 7", "--adds-only"))
    shell(f"apply {path} --yes --allow-removals 70", code=3, writes=0)
    shell(f"apply {path} --yes --adds-only", code=0)
    assert len(shell.members()["Crowd"]) == 9
    shell(f"apply {path} --yes --allow-removals 7", code=0)
    assert shell.members()["Crowd"] == {"p0", "john"}


def test_a_refusal_as_json_names_each_guard(shell):
    path = shell.write("version: 1\ngroups: {Designers: {state: absent}}")
    document = shell.json(f"apply {path} --yes")
    assert document["exit_code"] == 3
    assert document["error"]["kind"] == "guard"
    assert [breach["guard"] for breach in document["error"]["breaches"]] == ["deletes_members"]


@pytest.mark.parametrize("is_piped", [False, True])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_saved_plan_is_applied_also_with_a_mark_and_sorted_keys(shell, is_piped, mark):
    shell("plan", shell.write(EDITED), "--out", "plan.json")
    content = Path("plan.json").read_bytes()
    if mark:
        content = mark + json.dumps(json.loads(content), sort_keys=True).encode()
    path = "-" if is_piped else shell.write(content, "plan.json")
    shell(f"apply {path} --yes", stdin=content if is_piped else None, code=0, members=AS_EDITED)


def test_what_is_left_of_a_saved_plan_is_planned_again(shell):
    path = shell.write(EDITED)
    shell(f"plan {path} --out plan.json")
    shell.emulator.fail("removeUserFromUserGroup", status=400)
    done = shell("apply plan.json --yes", code=5)
    way_on = f"create the plan again: cld-user-groups plan {path} --out plan.json"
    assert f"To resume: {way_on}\n" in done.stdout
    shell("apply plan.json --yes", code=4)
    shell(f"plan {path} --out plan.json")
    shell("apply plan.json --yes", code=0, members=AS_EDITED)


def test_a_stale_plan_writes_nothing(shell):
    shell("plan", shell.write(EDITED), "--out", "plan.json")
    designers, _ = shell.emulator.groups
    shell.emulator.remove_member(designers, designers.users[0])
    shell("apply plan.json --yes", code=4, writes=0, err="has changed")


def edit_plan(shell: Shell, edit: Callable[[dict[str, Any]], object]) -> None:
    """Edit the saved plan `plan.json`."""
    saved = json.loads(Path("plan.json").read_text("utf-8"))
    edit(saved)
    shell.write(json.dumps(saved), "plan.json")


def test_an_expired_plan_writes_nothing(shell):
    shell("plan", shell.write(EDITED), "--out", "plan.json")
    ended = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    edit_plan(shell, lambda saved: saved.update(expires_at=ended))
    reads = len(shell.emulator.calls)
    done = shell("apply plan.json --yes", err="expired")
    assert (done.exit_code, len(shell.emulator.calls)) == (4, reads)


def test_a_plan_for_another_account_sends_nothing(shell):
    shell("plan", shell.write(EDITED), "--out", "plan.json")
    reads = len(shell.emulator.calls)
    done = shell("apply plan.json --yes --account-id other", err="--account-id")
    assert (done.exit_code, len(shell.emulator.calls)) == (1, reads)


def test_a_plan_whose_breaches_were_edited_out_is_held_to_the_guards_again(shell):
    path = shell.write("version: 1\ngroups: {Designers: {state: absent}}")
    shell(f"plan {path} --out plan.json")
    edit_plan(shell, lambda saved: saved.update(breaches=[]))
    shell("apply plan.json --yes", code=3, members=SAMPLE)


def test_a_failed_change_is_reported_and_the_same_command_goes_on(shell):
    path = shell.write(EDITED, "user groups.yaml")
    shell.emulator.fail("createUserGroup", status=400, message="not today")
    done = shell("apply", path, "--yes", code=5, out="FAILED       create Interns: not today")
    assert "not started  add john@example.com to Interns" in done.stdout
    assert "does not match the file" in done.stdout
    assert "To resume: cld-user-groups apply 'user groups.yaml'\n" in done.stdout
    shell("apply", path, "--yes", code=0, members=AS_EDITED)


def test_a_quota_that_is_used_up_ends_the_run_and_says_when_to_go_on(shell):
    shell.emulator.set_quota(100, remaining=3)
    shell("apply", shell.write(EDITED), "--yes", code=5, out="once the quota is renewed at")


def test_what_is_kept_of_the_quota_is_left_to_others(shell):
    shell.emulator.set_quota(100, remaining=53)
    document = shell.json("apply", shell.write(EDITED), "--yes", "--keep-quota", "50")
    assert (document["exit_code"], document["stopped"]) == (5, "quota")
    assert document["summary"]["not_started"] > 0
    assert shell.writes() <= 2


def test_a_second_run_on_the_account_says_who_is_at_it(shell):
    path = shell.write(EDITED)
    with account_lock(state_directory("acc"), "acc"):
        done = shell(f"apply {path} --yes")
        shell(f"plan {path}", code=0)
    assert done.exit_code == 1
    assert "in progress" in done.stderr
    assert shell.writes() == 0


@pytest.mark.parametrize("value", ["", "5x", "m", "1m1h", "-1"])
def test_what_is_not_a_duration_is_a_usage_error(shell, value):
    shell("apply", shell.write(EDITED), "--yes", f"--max-wait={value}", code=64, writes=0)


@pytest.mark.parametrize(("status", "expected"), [(None, 0), (403, 5)])
def test_the_exit_code_is_that_of_the_run_where_nobody_reads_the_report(shell, status, expected):
    if status is not None:
        shell.emulator.fail("createUserGroup", status=status)
    command = [sys.executable, "-m", "cld_user_groups", "apply", shell.write(EDITED), "--yes"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    ) as process:
        process.stdout.close()
        assert process.wait(60) == expected


def test_what_somebody_else_changed_meanwhile_is_not_called_as_asked(shell, monkeypatch):
    eve = shell.emulator.add_user_account("Eve", email="eve@example.com")
    original = membership.apply

    def apply_and_interfere(*arguments: Any, **options: Any) -> Any:
        group = next(group for group in shell.emulator.groups if group.name == "Designers")
        shell.emulator.add_member(group.id, eve)
        return original(*arguments, **options)

    monkeypatch.setattr(membership, "apply", apply_and_interfere)
    done = shell("apply", shell.write(EDITED), "--yes", code=5, out="does not match the file:")
    assert "somebody else changed it: to do, remove eve@example.com from Artists" in done.stdout


def test_a_plan_for_another_day_is_refused_with_both_days(shell):
    shell("plan", shell.write(EDITED), "--today", "2031-01-01", "--out", "plan.json")
    done = shell("apply plan.json --yes", code=4, writes=0, err="2031-01-01")
    assert f"today is {datetime.now(UTC).date()} (UTC)" in done.stderr


def test_a_saved_plan_adds_nobody_whose_membership_has_ended_since(shell):
    today = datetime.now(UTC).date()
    member = f"{{email: maria@example.com, until: {today}}}"
    path = f"version: 1\ngroups: {{Designers: {{mode: additive, members: [{member}]}}}}"
    shell("plan", shell.write(path), "--out", "plan.json")
    yesterday = str(today - timedelta(days=1))

    def made_yesterday(saved: dict[str, Any]) -> None:
        saved["today"] = yesterday
        saved["changes"][0]["until"] = yesterday
        for key in ("created_at", "expires_at"):
            saved[key] = str(datetime.fromisoformat(saved[key]) - timedelta(hours=23))

    edit_plan(shell, made_yesterday)
    shell("apply plan.json --yes", code=4, writes=0, err=yesterday)


def test_a_saved_plan_is_checked_for_its_day_again_after_the_question(shell, monkeypatch):
    yesterday = datetime.now(UTC) - timedelta(days=1)
    monkeypatch.setattr(snapshot, "parse_http_date", lambda text: yesterday)
    day = str(yesterday.date())
    shell("plan", shell.write(EDITED), "--today", day, "--out", "plan.json")

    def until_the_server_is_in_a_new_day(*_: str) -> None:
        monkeypatch.setattr(snapshot, "parse_http_date", lambda text: datetime.now(UTC))

    monkeypatch.setattr(running, "confirm", until_the_server_is_in_a_new_day)
    done = shell("apply plan.json", code=4, writes=0)
    assert f"the plan is for the memberships of {day}, and today is" in done.stderr


LATER = str(datetime.now(UTC) + timedelta(days=3000))
ONE_FOR_ANOTHER = "version: 1\ngroups: {Marketing: {members: [john@example.com]}}"


@pytest.mark.parametrize(
    ("file", "edit", "code", "said"),
    [
        (EDITED, {"created_at": LATER, "expires_at": LATER}, 4, "one of the clocks is wrong"),
        (EDITED, {"changes": {2: {"user": {"id": "new"}}}}, 4, "is `new@example.com`, not `"),
        (EDITED, {"changes": {4: {"user": {"id": "new"}}}}, 4, "is `new@example.com`, not `"),
        (
            EDITED,
            {"changes": {2: {"user": {"id": "nobody", "email": None}}}},
            4,
            "no user has the id `nobody`",
        ),
        (
            ONE_FOR_ANOTHER,
            {"changes": {1: {"depends_on": []}}},
            1,
            "could leave the group 'Marketing' empty",
        ),
    ],
    ids=["created tomorrow", "two people to add", "two people to remove", "nobody", "emptied"],
)
def test_an_edited_plan_that_no_longer_fits_writes_nothing(shell, file, edit, code, said):
    shell.emulator.add_user_account("New", email="new@example.com", user_id="new")
    shell("plan", shell.write(file), "--out", "plan.json")
    edit_plan(shell, lambda saved: merge(saved, edit))
    shell("apply plan.json --yes --allow-removals 1", code=code, writes=0, err=said)


def merge(saved: Any, edit: dict[Any, Any]) -> None:
    """Put the values of an edit, however deep, into a document."""
    for key, value in edit.items():
        if isinstance(value, dict):
            merge(saved[key], value)
        else:
            saved[key] = value


HELD = """\
version: 1
groups:
  Designers:
    members: [harry@example.com]
  Designers, Marketing:
    members: [john@example.com]
  Interns:
    members: [maria@example.com]
"""


@pytest.mark.parametrize("form", ["text", "json", "csv", "markdown"])
@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_what_looks_like_an_accident_is_held_back_and_the_rest_is_done(shell, form, quiet):
    done = shell("apply", shell.write(HELD), "--yes", "--format", form, *quiet, code=5)
    held = (shell.members()["Designers"], shell.members()["Interns"])
    assert held == ({"john", "harry"}, {"maria"})
    said = done.stdout + done.stderr
    assert "groups.yaml:5: `Designers, Marketing` looks like several groups in one" in said
    assert "the removal of `john@example.com` from `Designers` waits" in said
    assert "the account matches" not in done.stdout
    if form == "json":
        document = json.loads(done.stdout)
        assert (document["complete"], document["exit_code"]) == (False, 5)
        assert len(document["held_back"]) == 2
        assert "1 of 2 groups of the account is not named" in document["warnings"][0]


@pytest.mark.parametrize("form", ["text", "json", "csv", "markdown", "html"])
def test_a_plan_shows_warnings_and_exits_with_5_where_a_part_is_held_back(shell, form):
    for options in ([], ["--detailed-exitcode"]):
        done = shell("plan", shell.write(HELD), "--format", form, *options, code=5)
    said = done.stdout + done.stderr
    assert "looks like several groups in one" in said
    assert "1 of 2 groups of the account is not named" in said


def test_a_group_is_created_once_a_human_says_that_it_is_meant(shell):
    path = shell.write(HELD)
    unknown = shell(f"apply {path} --yes --allow-new Designer", code=1, writes=0)
    assert "--allow-new: the file has no group `Designer`" in unknown.stderr
    name = ["--allow-new", "Designers, Marketing"]
    shell(f"plan {path} --out plan.json", *name, code=0)
    shell("apply plan.json --yes", *name, code=64)
    shell("apply plan.json --yes", code=0)
    assert shell.members()["Designers, Marketing"] == {"john"}
    shell(f"plan {path}", code=0)


def test_a_saved_plan_that_holds_something_back_is_incomplete_too(shell):
    shell("plan", shell.write(HELD), "--out", "plan.json", code=5)
    shell("apply plan.json --yes", code=5)
    assert shell.members()["Designers"] == {"john", "harry"}


def test_what_the_file_asks_since_midnight_is_nobody_elses_change(shell, monkeypatch):
    today = datetime.now(UTC).date()
    yesterday = today - timedelta(days=1)
    original = drafts.make_draft
    # As if the plan had been made before midnight, for the last day of Harry's membership.
    monkeypatch.setattr(
        *(drafts, "make_draft"),
        lambda client, desired, **guards: original(client, desired, yesterday, **guards),
    )
    rows = f"Designers,harry@example.com,{yesterday}\nDesigners,john@example.com,\n"
    rows += "Designers,maria@example.com,\n"
    done = shell("apply", shell.write(f"group,email,until\n{rows}", "g.csv"), "--yes", code=5)
    assert f"{today} has begun (UTC): to do, remove harry@example.com from Desig" in done.stdout
    assert "somebody else" not in done.stdout
