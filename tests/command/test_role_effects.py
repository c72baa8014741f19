"""The roles that a plan gives and ends, through the command: requests, faults, formats."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cld_user_groups.membership import plan_schema

from .shell import EDITED, Shell

ADMIN = "cld::role::account::master_admin"
EDITOR = "Media Editor in all product environments"
MERGE = ("merge", "Crowd", "--into", "Marketing", "--allow-removals", "30")
MOVE = """\
version: 1
groups:
  Designers: {members: [john@example.com]}
  Marketing: {mode: additive, members: [harry@example.com]}
"""


def give_marketing_the_same(desk: Shell) -> None:
    marketing = desk.emulator.groups[1].id
    desk.emulator.roles.assign(marketing, "cld::role::prodenv::media_editor", "all")
    desk.emulator.roles.assign(marketing, ADMIN)


@pytest.mark.parametrize("style", ["text", "markdown", "html", "json"])
def test_a_plan_says_who_keeps_a_role(desk, style):
    give_marketing_the_same(desk)
    done = desk("plan", desk.write(MOVE), "--roles", "--format", style, code=0)
    if style == "json":
        document = json.loads(done.stdout)
        Draft202012Validator(plan_schema()).validate(document)
        said = [each for each in document["roles"]["effects"] if each["text"] == EDITOR]
        assert [each["through"][0]["group"]["name"] for each in said] == ["Designers", "Marketing"]
        return
    shown = done.stdout.replace("`", "")
    assert f"no longer: {EDITOR}, 1 person; 1 keeps it through Marketing" in shown
    assert f"from now on: {EDITOR}, 1 person; 1 has it already through Designers" in shown
    assert "Roles that begin: 1 role, 1 with full control, for 1 person." in shown
    stress = {"text": "    ", "markdown": "- **", "html": "<strong>"}[style]
    assert f"{stress}through this group from now on: Master Admin (full control)" in shown


def test_a_table_of_a_plan_leaves_its_roles_to_standard_error(desk):
    give_marketing_the_same(desk)
    done = desk("plan", desk.write(MOVE), "--roles", "--format", "csv")
    assert len(done.stdout.splitlines()) == 3
    assert done.stderr.startswith("Roles that begin: 1 role, 1 with full control, for 1 person.")


def test_a_log_in_json_says_what_begins_and_what_is_not_known(desk):
    done = desk("add Marketing john@example.com --roles --yes --log-format json")
    (event,) = [each for line in done.stderr.splitlines() if "roles" in (each := json.loads(line))]
    assert event["event"] == "plan"
    assert event["roles"][0].startswith("Roles in folders and collections are known only")


def test_own_roles_are_read_where_a_human_asks(desk):
    desk.emulator.roles.assign(desk.emulator.groups[1].id, ADMIN)
    line = ("add", "Marketing", "john@example.com", "harry@example.com", "--dry-run")
    assert "2 people\n" in desk(*line, "--roles").stdout
    shown = desk(*line, "--roles=people").stdout
    assert "2 people; 1 has it already as an own role\n" in shown
    assert "themselves is not known" not in shown


def test_own_roles_in_folders_are_not_called_unread_where_people_are_asked(desk):
    shown = desk("delete Designers --dry-run --roles=people").stdout
    reason = "the Permissions API did not show their roles in folders and collections"
    assert f"Whether people hold these roles themselves is not known: {reason}.\n" in shown
    assert "were not read" not in shown


@pytest.mark.parametrize(("page_size", "reads"), [(100, 8), (40, 24)])
def test_400_groups_take_two_reads_for_each_hundred_and_their_pages(desk, page_size, reads):
    john = desk.emulator.groups[0].users[0]
    for number in range(398):
        desk.emulator.add_group(f"Group {number}", users=[john])
    desk.emulator.roles.page_size = page_size
    desk.emulator.set_quota(1000)
    file = desk.write(
        json.dumps(
            {
                "version": 1,
                "groups": {
                    group.name: {"mode": "additive", "members": ["maria@example.com"]}
                    for group in desk.emulator.groups
                    if group.name != "Marketing"
                },
            }
        ),
        "groups.json",
    )
    document = desk.json(f"plan {file} --roles")
    assert document["roles"]["requests"] == reads
    desk.emulator.calls.assert_called("inspectMultiple", times=reads)
    assert len(desk.emulator.calls) == 2 + reads  # the groups, and Maria's e-mail
    assert document["requests_left"] == 1000 - len(desk.emulator.calls)
    desk.emulator.calls.clear()
    assert desk.json(f"plan {file}")["summary"]["requests"] == 399
    assert len(desk.emulator.calls) == 2


FAULTS: list[dict[str, Any]] = [
    *({"status": status} for status in (400, 401, 403, 404, 408, 420, 429, 500, 503)),
    {"status": 429, "headers": {"Retry-After": "86400"}},
    {"status": 420, "headers": {"X-FeatureRateLimit-Reset": "Sat, 28 Nov 2099 18:00:00 GMT"}},
    {"status": 503, "headers": {"Retry-After": "86400"}},
    {"status": 200, "body": b"<html>"},
    {"status": 200, "body": b'{"data": {"principals": null}}'},
    {"status": 200, "body": b'{"data": {"principals": []}, "next_cursor": "x"}'},
    {"status": 302, "headers": {"Location": "/login"}},
    {"status": None, "body": b'{"data": {"prin'},
    {"drop": "before"},
    {"drop": "during"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_no_fault_of_the_permissions_api_holds_back_or_ends_a_run(shell, waits, fault):
    crowd = shell.add_crowd(30)
    shell.emulator.fail("inspectMultiple", times=None, **fault)
    done = shell(*MERGE, "--yes", code=0)
    reason = done.stderr.partition("with `Crowd`: not known: ")[2].partition("\n")[0]
    assert reason
    assert done.stderr.count(reason) == 1
    assert len(shell.members()["Marketing"]) == 31
    assert not waits
    again = shell("remove Marketing", *crowd[:5], "--roles", "--yes", code=0)
    assert again.stderr.count("Roles that are not known: those of Marketing: ") == 1
    assert not waits


@pytest.mark.parametrize(("left", "reads"), [(12, 0), (13, 2), (14, 2)])
def test_reading_roles_leaves_the_quota_that_is_kept(desk, left, reads):
    file = desk.write("version: 1\ngroups: {Designers: {state: absent, allow_empty: true}}\n")
    desk.emulator.set_quota(left)
    done = desk(f"apply {file} --yes --keep-quota 10")
    desk.emulator.calls.assert_called("inspectMultiple", times=reads)
    assert len(desk.emulator.calls) <= left - 10
    if not reads:
        assert "not known: reading them takes more requests than are left" in done.stderr


def test_the_roles_that_a_rule_needs_leave_the_quota_that_is_kept(desk):
    file = desk.write(
        "version: 1\ngroups:\n  Marketing:\n    mode: additive\n"
        "    members: [john@example.com]\n    not_with_role: [Master Admin]\n"
    )
    desk.emulator.set_quota(13)
    done = desk(f"apply {file} --yes --keep-quota 10", code=5)
    desk.emulator.calls.assert_not_called("inspectMultiple")
    assert desk.writes() == 0
    assert "reading them takes more requests than are left" in done.stderr


def test_a_plan_says_how_many_requests_a_deletion_takes(desk):
    desk.emulator.set_quota(100)
    done = desk("delete Designers --allow-removals 2 --yes")
    needed = "1 request needed, and at most 2 to record roles, after 2 requests that read roles"
    assert f"{needed}; 97 left of the quota.\n" in done.stderr
    assert [call.operation_id for call in desk.emulator.calls] == [
        *("getUserGroups", "inspectMultiple", "inspectMultiple"),
        *("getPrincipalRoles", "getPrincipalRoles", "deleteUserGroup", "getUserGroups"),
    ]


def test_pages_of_roles_leave_the_quota_that_is_kept_too(desk):
    desk.emulator.roles.page_size = 1
    file = desk.write("version: 1\ngroups: {Designers: {members: [maria@example.com]}}\n")
    desk.emulator.set_quota(15)
    done = desk(f"apply {file} --roles --yes --allow-removals 2 --keep-quota 10")
    desk.emulator.calls.assert_called("inspectMultiple", times=3)
    assert len(desk.emulator.calls) == 5
    assert "Roles that are not known: those of Designers: reading them takes more" in done.stderr


@pytest.mark.parametrize("edit", ["wider", "removed"])
def test_nothing_is_taken_from_the_roles_of_a_saved_plan(desk, edit):
    give_marketing_the_same(desk)
    desk("plan", desk.write(MOVE), "--roles", "--out", "plan.json")
    saved = desk.folder / "plan.json"
    document = json.loads(saved.read_bytes())
    if edit == "removed":
        del document["roles"]
    else:
        for effect in document["roles"]["effects"]:
            effect |= {"text": "Nothing at all", "role_id": ADMIN, "people": 0, "through": []}
    saved.write_text(json.dumps(document))
    desk.emulator.calls.clear()
    done = desk("apply plan.json --yes", code=0)
    assert "through this group" not in done.stderr
    desk.emulator.calls.assert_not_called("inspectMultiple")
    desk.emulator.calls.assert_not_called("updatePrincipalRoles")
    assert desk.writes() == 2


def test_a_saved_plan_shows_roles_as_they_are_when_it_is_applied(desk):
    desk("plan", desk.write(MOVE), "--roles", "--out", "plan.json")
    give_marketing_the_same(desk)
    done = desk("apply plan.json --roles --yes")
    assert f"no longer: {EDITOR}, 1 person; 1 keeps it through Marketing\n" in done.stderr


def test_an_undo_shows_which_roles_end(desk):
    desk("add Designers maria@example.com --yes")
    desk("undo --roles --dry-run", out=f"through this group no longer: {EDITOR}, 1 person\n")


def test_an_undo_of_a_rename_names_the_group_as_it_will_be(desk):
    desk("apply", desk.write(EDITED), "--yes", code=0)
    document = json.loads(desk("undo", "--dry-run", "--format", "json").stdout)
    assert {each["group"]["name"] for each in document["roles"]["effects"]} == {"Designers"}


def test_only_additions_show_only_what_begins(desk):
    give_marketing_the_same(desk)
    effects = desk.json("plan", desk.write(MOVE), "--roles", "--adds-only")["roles"]["effects"]
    assert {each["effect"] for each in effects} == {"begins"}


def test_an_undo_that_restores_roles_shows_who_gets_them(desk):
    desk("delete Designers --allow-removals 2 --yes")
    desk("undo --roles --dry-run", out="    a new group grants no role\n")
    done = desk("undo --roles --restore-roles --dry-run")
    assert f"through this group from now on: {EDITOR}, 2 people\n" in done.stdout
    assert "a new group grants no role" not in done.stdout
    assert "Roles that begin: 2 roles, for 2 people." in done.stdout
