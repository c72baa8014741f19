"""What groups grant, in `show`, `list --roles`, `whois` and `explain`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cld_user_groups import CldProvisioning
from cld_user_groups.membership import Roles, read_roles, roles_schema

EDITOR = "Media Editor in all product environments"
EDITOR_ID = "cld::role::prodenv::media_editor"
FOLDER = (
    "Campaign Contributor in product environment 0aaaaa1bbbbb2ccccc3ddddd4eeeee5f, "
    "folder fg38a9b0c1d2e3f4"
)
NONE = "no global role (roles in folders and collections are not known)"
each_look = pytest.mark.parametrize(
    "line",
    [
        ("show", "Designers"),
        ("list", "--roles"),
        ("whois", "john@example.com"),
        ("explain", "Designers", "john@example.com"),
    ],
    ids=lambda line: line[0],
)


@each_look
def test_a_look_shows_what_groups_grant_for_two_reads(desk, line):
    desk(*line, code=0, says=(EDITOR, FOLDER))
    desk.emulator.calls.assert_called("inspectMultiple", times=2)
    assert desk.writes() == 0


@each_look
@pytest.mark.parametrize("status", [401, 403, 404])
def test_without_the_permissions_api_the_rest_is_shown_roles_are_unknown(desk, line, status):
    desk.emulator.add_member(desk.emulator.groups[1], desk.emulator.users[0])
    desk.emulator.roles.refused_with = status
    done = desk(*line, code=0)
    assert len(done.stdout.splitlines()) > 1
    said = done.stdout + done.stderr
    why = f"this account or API key does not have the Permissions API (status {status})"
    assert said.count(why) == said.count(f"not known: {why}") == 1
    assert "no global role" not in said
    assert '"granted": []' not in desk(*line, "--format", "json").stdout


@each_look
@pytest.mark.parametrize("status", [None, 403])
def test_what_is_granted_matches_its_schema_in_json(desk, line, status):
    desk.emulator.roles.refused_with = status
    document = desk.json(*line)
    schema = Draft202012Validator(roles_schema())
    schema.validate(document)
    assert not schema.is_valid({**document, "roles": "none"})
    assert not schema.is_valid({**document, "format": "cld-user-groups/plan/1"})


@each_look
def test_a_role_through_several_groups_names_them(desk, line):
    marketing = desk.emulator.groups[1]
    desk.emulator.add_member(marketing, desk.emulator.users[0])
    desk.emulator.roles.assign(marketing.id, EDITOR_ID)
    desk.emulator.roles.assign(desk.emulator.users[0].id, EDITOR_ID, principal_type="user")
    done = desk(*line)
    is_of_user = line[0] in ("whois", "explain")
    said = f"{EDITOR} (own, and through Designers, Marketing)" in done.stdout + done.stderr
    assert said is is_of_user


def test_a_json_document_has_the_roles_of_a_group(desk):
    roles = desk.json("show Designers")["roles"]
    assert roles["not_known_because"] is None
    assert roles["granted"][1] == {
        "role": "Media Editor",
        "role_id": "cld::role::prodenv::media_editor",
        "scope": "prodenv",
        "where": "all",
        "within": {},
        "full_control": False,
    }
    assert roles["granted"][0]["within"] == {"folder_id": "fg38a9b0c1d2e3f4"}


def test_roles_that_are_not_known_are_null_in_json(desk):
    desk.emulator.roles.refused_with = 404
    roles: dict[str, Any] = desk.json("show Designers")["roles"]
    assert roles["granted"] is None
    assert "404" in roles["not_known_because"]


def test_a_user_has_own_roles_and_those_of_groups(desk):
    row = desk("whois john@example.com").stdout.splitlines()[1].split("\t")
    assert row[-1] == (
        f"Master Admin (full control) in the account; {FOLDER} (through Designers); "
        f"{EDITOR} (through Designers)"
    )
    roles = desk.json("whois john@example.com")["roles"]
    assert [grant["full_control"] for grant in roles["own"]["granted"]] == [True]
    (through,) = roles["through_groups"]
    assert through["group"]["name"] == "Designers"
    assert len(through["granted"]) == 2


def test_a_group_that_grants_nothing_says_of_what_that_is_known(desk):
    assert NONE in desk("show Marketing").stderr
    line = desk("list --roles").stdout.splitlines()[2]
    assert line.startswith("Marketing\t1\t")
    assert NONE in line


def test_explain_has_the_roles_of_who_is_there(desk):
    assert (
        desk.json("explain Designers maria@example.com")["user_roles"]
        == (desk.json("whois maria@example.com")["roles"])
    )
    desk("add Designers maria@example.com --yes")
    desk.emulator.remove_user_account(desk.emulator.users[2])
    document = desk.json("explain Designers maria@example.com")
    assert document["user_roles"] is None
    assert len(document["roles"]["granted"]) == 2


def test_a_group_that_the_response_leaves_out_is_not_known(desk):
    body = '{"data": {"principals": [{"type": "group", "id": "%s", "roles": []}]}}'
    body %= desk.emulator.groups[0].id
    desk.emulator.fail("inspectMultiple", status=200, body=body, times=2)
    done = desk("list --roles")
    assert done.stderr == (
        "What 1 of the groups grants is not known: the Permissions API did not say.\n"
    )
    assert [line.split("\t")[-1] for line in done.stdout.splitlines()] == [
        "roles",
        NONE,
        "not known",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "list",
        "remove Designers harry@example.com --dry-run",
        "add Designers harry@example.com --roles --yes",  # which changes nothing
        "plan groups.yaml",
    ],
)
def test_roles_that_nothing_needs_are_not_read(desk, line):
    desk.write("version: 1\nnot_together: [[Designers, Marketing]]\ngroups: {}\n")
    desk(line, code=0)
    desk.emulator.calls.assert_not_called("inspectMultiple")


def test_a_group_that_is_gone_has_no_roles_to_read(shell):
    shell("delete Marketing --allow-removals 1 --yes")
    shell.emulator.calls.clear()
    shell("explain Marketing maria@example.com", code=0)
    shell.emulator.calls.assert_not_called("inspectMultiple")
    assert shell.json("explain Marketing maria@example.com")["roles"] is None


def test_a_plan_that_deletes_a_group_says_what_ends(desk):
    done = desk("delete Designers --allow-removals 2 --dry-run")
    assert f"Note: Roles that end with `Designers`: {FOLDER}; {EDITOR}." in done.stdout
    desk.emulator.calls.assert_called("inspectMultiple", times=2)
    assert desk.writes() == 0


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_group_is_deleted_also_where_its_roles_are_not_known(desk, status):
    desk.emulator.roles.refused_with = status
    done = desk("delete Designers --allow-removals 2 --yes", code=0)
    assert "Roles that end with `Designers`: not known: this account or API key" in done.stderr
    assert "Designers" not in desk.members()


def test_a_merge_says_what_ends_with_each_group(desk):
    line = ("merge", "Designers", "Marketing", "--into", "Everybody", "--allow-removals", "3")
    notes = desk.json(*line, "--dry-run")["notes"]
    assert f"Roles that end with `Designers`: {FOLDER}; {EDITOR}." in notes
    assert f"Roles that end with `Marketing`: {NONE}." in notes
    desk.emulator.calls.assert_called("inspectMultiple", times=2)


def test_a_saved_plan_that_deletes_a_group_says_what_ends(desk):
    file = desk.write("version: 1\ngroups: {Designers: {state: absent, allow_empty: true}}\n")
    desk.emulator.set_quota(100)
    saved = desk(f"plan {file} --out plan.json", out="97 left of the quota")
    assert f"Roles that end with `Designers`: {FOLDER}; {EDITOR}." in saved.stdout
    applied = desk("apply plan.json --yes", code=0)
    assert applied.stderr.count("Roles that end with `Designers`") == 1


@pytest.mark.parametrize(
    "option", [("--roles",), ("--roles", "groups"), ("--roles=groups",), ("--roles=people",)]
)
def test_a_plan_reads_roles_where_a_human_asks(desk, option):
    file = desk.write("version: 1\ngroups: {Marketing: {members: [john@example.com]}}\n")
    for line in (
        ("plan", *option, file),
        ("apply", *option, file, "--dry-run"),
        ("add", *option, "Marketing", "john@example.com", "--dry-run"),
        ("remove", "Designers", "harry@example.com", *option, "--dry-run"),
    ):
        desk.emulator.calls.clear()
        assert desk(*line).exit_code in (0, 3)
        desk.emulator.calls.assert_called("inspectMultiple", times=2)


@pytest.mark.parametrize("status", [420, 429, 500, 503])
def test_a_plan_asks_once_for_roles_and_counts_it(desk, status):
    desk.emulator.roles.refused_with = status
    desk.emulator.set_quota(100)
    document = desk.json("delete Designers --allow-removals 2 --dry-run")
    desk.emulator.calls.assert_called("inspectMultiple", times=1)
    assert document["requests_left"] == 100 - len(desk.emulator.calls)


def test_reading_roles_takes_nothing_of_the_quota_that_is_kept(desk):
    emails = desk.add_crowd(9)
    file = desk.write(
        "version: 1\ngroups:\n"
        f"  Marketing: {{mode: additive, members: [{', '.join(emails)}]}}\n"
        "  Designers: {state: absent, allow_empty: true}\n"
    )
    desk.emulator.set_quota(20)
    desk(f"apply {file} --yes --keep-quota 10")
    assert len(desk.emulator.calls) <= 10


def test_an_account_read_before_roles_that_come_slowly_is_read_again(desk, monkeypatch):
    group = desk.emulator.groups[0]

    def change_meanwhile(client: CldProvisioning, *asked: Any) -> Roles:
        client.user_groups.remove_user(group_id=group.id, user_id=group.users[0].id)
        return read_roles(client, *asked)

    monkeypatch.setattr("cld_user_groups.membership.roles.read_roles", change_meanwhile)
    monkeypatch.setattr("cld_user_groups.membership.pace.LONG_PAUSE", 0.0)
    desk("delete Designers --allow-removals 2 --yes", code=4)
    desk.emulator.calls.assert_not_called("deleteUserGroup")


DELETION = ("delete", "Designers", "--allow-removals", "2", "--yes")


def test_a_deletion_reports_the_roles_that_it_recorded(desk):
    line = f"Recorded roles of Designers: {FOLDER}; {EDITOR}."
    assert line in desk(*DELETION).stdout
    assert line in desk("runs show").stdout
    (change,) = desk.json("runs show")["changes"]
    assert [grant["role"] for grant in change["roles"]["granted"]] == [
        "Campaign Contributor",
        "Media Editor",
    ]
    assert change["roles"]["not_known_because"] is None


@pytest.mark.parametrize("form", ["text", "json", "csv", "markdown"])
def test_a_deletion_reports_in_every_format_that_the_roles_are_not_known(desk, form):
    desk.emulator.roles.refused_with = 403
    done = desk(*DELETION, "--format", form, "--quiet", code=0)
    said = "does not have the Permissions API (status 403)"
    assert said in done.stdout + done.stderr
    if form == "json":
        assert said in json.loads(done.stdout)["changes"][0]["roles"]["not_known_because"]
    else:
        assert "Recorded roles of Designers: not known: " in done.stdout + done.stderr
