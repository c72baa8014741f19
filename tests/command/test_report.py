"""`report`: the access review, in every format, compared with what came before."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cld_user_groups import __version__
from cld_user_groups.membership import list_runs, review_schema, state_directory
from cld_user_groups.membership.journal import author

from .shell import EDITED, SAMPLE, Shell

# The last login of five people, two who are in no group, and a group without a global role.
FINDINGS_OF_SAMPLE = 8


def last_run(shell: Shell) -> str:
    """Return the ID of the last run."""
    return list_runs(state_directory("acc", shell.folder / "state" / "cld-user-groups"))[0].id


def kept(shell: Shell) -> list[Path]:
    """Return the reports that are kept."""
    return sorted((shell.folder / "state" / "cld-user-groups" / "acc" / "reviews").iterdir())


def age(shell: Shell, days: int = 1) -> str:
    """Make the report that is kept so many days older, and return its day."""
    (path,) = kept(shell)
    day = (datetime.now(UTC) - timedelta(days=days)).date().isoformat()
    path.rename(path.with_name(f"{day}.json"))
    return day


def events(document: dict[str, object]) -> set[tuple[str, str, str | None]]:
    """Return what a report says has changed."""
    changes = document["changes"]
    assert isinstance(changes, dict)
    return {
        (each["event"], each["group"]["name"], (each["user"] or {}).get("email"))
        for each in changes["differences"]
    }


def test_a_report_says_who_is_in_what_and_writes_nothing_to_the_account(shell):
    done = shell("report", code=0, out="2 groups, 5 people and 3 memberships.")
    assert "Designers (2)\n  harry@example.com\n  john@example.com\n" in done.stdout
    assert "In no group (2)\n  amara@example.com\n  chen@example.com\n" in done.stdout
    assert (shell.writes(), shell.members()) == (0, SAMPLE)


@pytest.mark.parametrize(
    ("roles", "groups", "page_size", "requests"),
    [
        ("none", 2, 100, 0),
        ("groups", 2, 100, 2),
        ("groups", 100, 40, 6),
        ("groups", 400, 100, 8),
        ("people", 2, 100, 4),
    ],
)
def test_a_report_takes_three_requests_and_two_and_the_pages_for_roles(
    desk, roles, groups, page_size, requests
):
    desk.emulator.roles.page_size = page_size
    for number in range(groups - 2):
        desk.emulator.add_group(f"Group {number}")
    document = desk.json("report --roles", roles)
    # The groups, a page of users, and the end of the pages.
    assert len(desk.emulator.calls) == 3 + requests
    if roles != "none":
        desk.emulator.calls.assert_called("inspectMultiple", times=requests)
        granted = [each["granted"] for each in document["roles"]["groups"]]
        assert [each is None for each in granted] == [False] * groups
        people = document["roles"]["people"]
        assert (people is None) is (roles == "groups")
        assert all(each["granted"] is not None for each in people or ())


def test_a_report_says_who_may_do_what_and_through_which_group(desk):
    text = desk("report --roles people").stdout
    assert (
        "Who may do what\n"
        "  Master Admin (full control) in the account (1)\n"
        "    john@example.com  assigned to the person\n"
    ) in text
    assert "    harry@example.com  through Designers\n" in text
    assert "  Marketing: no global role (roles in folders and collections are not known)\n" in text
    assert "not known: " not in text


@pytest.mark.parametrize(
    ("format_name", "status", "times"),
    [("text", 401, 1), ("markdown", 403, 1), ("html", 404, 1), ("json", 500, 2), ("csv", 403, 0)],
)
def test_a_report_without_the_permissions_api_says_so_once(desk, format_name, status, times):
    desk.emulator.roles.refused_with = status
    done = desk("report --roles people --format", format_name, code=0, out="john@example.com")
    assert done.stdout.count(f"status {status}") == times
    assert "no global role" not in done.stdout
    assert '"granted": []' not in done.stdout


@pytest.mark.parametrize("status", [None, 403])
@pytest.mark.parametrize("roles", ["groups", "people", "none"])
def test_a_report_in_json_matches_its_schema(desk, roles, status):
    desk.emulator.roles.refused_with = status
    document = desk.json("report --roles", roles)
    Draft202012Validator(review_schema()).validate(document)
    assert (document["roles"] is None) is (roles == "none")
    known = document["roles"] is not None and status is None
    assert ("without_roles" in document["summary"]["findings"]) is known


def test_a_report_says_who_made_it_with_what_and_what_of(desk):
    origin = desk.json("report --roles people")["origin"]
    assert origin.pop("by") == author().name
    assert origin == {
        "server": "https://emulator.invalid",
        "api_key": "***",
        "version": __version__,
        "roles": "people",
    }


def test_an_error_about_people_leaves_what_groups_grant(desk):
    desk.emulator.fail("inspectMultiple", status=None, times=2)
    desk.emulator.fail("inspectMultiple", status=404)
    done = desk("report --roles people", out="What groups grant\n  Designers: Campaign Contributor")
    assert "Roles that people hold themselves are not known: this account or API key" in done.stdout


def rules(document: dict[str, Any]) -> list[str]:
    """Return what a report says of the rules of a file."""
    return [note for note in document["notes"] if note.startswith("Rule: ")]


def test_a_report_reads_the_roles_that_the_rules_of_a_file_need(desk):
    file = desk.write(
        "version: 1\ngroups:\n  Designers:\n    mode: additive\n    members: []\n"
        "    allow_empty: true\n    not_with_role: [Master Admin]\n"
    )
    document = desk.json(f"report --file {file}")
    (breach,) = rules(document)
    assert "john@example.com" in breach
    assert "harry" not in breach
    desk.emulator.calls.assert_called("inspectMultiple", times=4)
    (unread,) = rules(desk.json(f"report --file {file} --roles none"))
    assert "is not known (the roles were not read)" in unread


def test_a_report_as_of_a_run_does_not_know_what_a_gone_group_grants(desk):
    desk("create Old --yes")
    run = last_run(desk)
    desk("delete Old --yes")
    document = desk.json(f"report --as-of {run}")
    old = next(each["id"] for each in document["groups"] if each["name"] == "Old")
    granted = {each["group"]: each["granted"] for each in document["roles"]["groups"]}
    assert granted.pop(old) is None
    assert [len(each) for each in granted.values()] == [2, 0]


BEGINNINGS = {
    "html": "<!DOCTYPE html>", "csv": "group,group_id,email,", "markdown": "# Access review",
    "json": '{\n  "format": "cld-user-groups/review/1"', "text": "Access review",
}  # fmt: skip


@pytest.mark.parametrize("format_name", BEGINNINGS)
def test_a_report_has_the_format_that_is_asked_for(shell, format_name):
    assert shell("report --format", format_name).stdout.startswith(BEGINNINGS[format_name])


@pytest.mark.parametrize(
    ("name", "format_name"),
    [("r.html", "html"), ("r.CSV", "csv"), ("r.json", "json"), ("r.md", "markdown"),
     ("r.txt", "text"), ("r", "text")],
)  # fmt: skip
def test_a_file_s_suffix_says_the_format(shell, name, format_name):
    said = f"Wrote the report to {name}; things to look at: {FINDINGS_OF_SAMPLE}."
    shell(f"report --output {name}", code=0, out="", err=said)
    written = (shell.folder / name).read_text("utf-8")
    assert written.startswith(BEGINNINGS[format_name])


def test_a_format_that_is_asked_for_comes_before_the_suffix(shell):
    document = shell.json("report -o review.txt")
    assert document["findings"] == FINDINGS_OF_SAMPLE
    assert json.loads((shell.folder / "review.txt").read_text("utf-8"))["account"] == "acc"
    for command in (("report", "--format", "text"), ("--format", "text", "report")):
        shell(*command, "-o", "review.html", code=0)
        assert (shell.folder / "review.html").read_text("utf-8").startswith("Access review")


def test_the_journal_says_since_when_by_whom_and_why(shell):
    shell("apply", shell.write(EDITED), "--yes")
    groups = {group["name"]: group for group in shell.json("report")["groups"]}
    (john,) = groups["Interns"]["members"]
    assert (john["reason"], john["run"], john["source"]) == (
        "JIRA-1",
        last_run(shell),
        "groups.yaml:7",
    )
    assert john["by"].count("@") == 1
    assert groups["Marketing"]["members"][0]["since"] is None


def test_a_file_gives_reasons_and_last_days(shell):
    shell.write(
        "version: 1\ngroups: {Marketing: {members: "
        "[{email: maria@example.com, reason: JIRA-7, until: 2020-01-31}]}}"
    )
    document = shell.json("report --file groups.yaml")
    assert document["summary"]["findings"]["overdue"] == 1
    assert document["groups"][1]["members"][0]["reason"] == "JIRA-7"


def test_people_are_named_with_their_state_and_last_login(shell):
    seen = datetime.now(UTC) - timedelta(days=10)
    user = shell.emulator.add_user_account(
        "Gone", email="gone@example.com", enabled=False, last_login=seen
    )
    shell.emulator.add_group("Old", users=[user])
    document = shell.json("report --unseen-days 10")
    (gone,) = [person for person in document["people"] if person["name"] == "Gone"]
    assert gone["state"] == "disabled"
    found = [each["kind"] for each in document["findings"] if each["user"] == user.id]
    assert found == ["disabled_member", "not_seen"]
    assert shell.json("report")["summary"]["findings"]["not_seen"] == 0


def test_spreadsheets_run_nothing_of_what_people_call_themselves(shell):
    name = '=HYPERLINK("http://x.example","a")'
    shell.emulator.add_user_account(name, email="x@example.com")
    text = shell("report --format csv").stdout
    named = [row["name"] for row in csv.DictReader(io.StringIO(text)) if row["email"][:1] == "x"]
    assert named == [f"'{name}"]


# Changes


def test_the_first_report_has_nothing_to_compare_with(shell):
    assert shell.json("report")["changes"] is None


def test_a_report_says_what_changed_since_the_last_of_an_earlier_day(shell):
    shell("report")
    age(shell)
    shell("apply", shell.write(EDITED), "--yes")
    expected = {
        ("group_renamed", "Artists", None),
        ("member_added", "Artists", "maria@example.com"),
        ("member_removed", "Artists", "harry@example.com"),
        ("group_added", "Interns", None),
        ("member_added", "Interns", "john@example.com"),
    }
    assert events(shell.json("report")) == expected
    assert events(shell.json("report")) == expected  # one of the same day is not in the way


def test_changes_are_told_since_the_report_of_a_day(shell):
    shell("report")
    day = age(shell, days=100)
    shell("report")
    shell("apply", shell.write(EDITED), "--yes")
    assert ("group_added", "Interns", None) in events(shell.json("report --since", day))
    shell("report --since 2020-01-01", code=1, err="no report of 2020-01-01 or before is kept here")


def test_changes_are_told_since_a_report_that_was_saved_as_json(shell):
    shell("report -o before.json")
    shell("apply", shell.write(EDITED), "--yes")
    assert ("group_added", "Interns", None) in events(shell.json("report --since before.json"))


def test_changes_are_told_since_a_run(shell):
    shell("apply", shell.write(EDITED), "--yes")
    run = last_run(shell)
    gone = "version: 1\ngroups: {Interns: {state: absent, allow_empty: true}}"
    shell("apply", shell.write(gone), "--yes")
    assert events(shell.json(f"report --since {run}")) == {
        ("group_removed", "Interns", None),
        ("member_removed", "Interns", "john@example.com"),
    }


@pytest.mark.parametrize(("since", "code"), [("no-such-run", 64), ("groups.yaml", 1)])
def test_what_is_neither_a_run_nor_a_day_nor_a_report_is_an_error(shell, since, code):
    shell.write(EDITED)
    shell("report --since", since, code=code, out="", err=since)


def test_a_report_of_another_account_is_not_compared_with(shell):
    shell("report -o before.json")
    path = shell.folder / "before.json"
    path.write_text(path.read_text("utf-8").replace('"account": "acc"', '"account": "other"'))
    shell("report --since before.json", code=1, err="of the account `other`")


# The past


def test_a_report_as_of_a_run_shows_the_groups_as_they_were_right_after_it(shell):
    shell("apply", shell.write(EDITED), "--yes")
    run = last_run(shell)
    shell("undo --yes --allow-removals 2", members=SAMPLE)
    document = shell.json(f"report --as-of {run}")
    groups = {group["name"]: len(group["members"]) for group in document["groups"]}
    assert groups == {"Artists": 2, "Interns": 1, "Marketing": 1}
    assert document["as_of"] == run
    assert "Roles, states and last logins are current." in document["notes"]


def test_a_report_of_the_past_is_not_kept_for_the_next_one(shell):
    shell("apply", shell.write(EDITED), "--yes")
    shell("report --as-of", last_run(shell))
    with pytest.raises(FileNotFoundError):
        kept(shell)


def test_a_report_that_cannot_be_kept_is_written_all_the_same(shell):
    state = shell.folder / "state" / "cld-user-groups" / "acc"
    state.mkdir(parents=True)
    (state / "reviews").write_text("in the way")
    done = shell("report", err="is not kept")
    assert (done.exit_code, done.stdout[:13]) == (0, "Access review")
