"""`create`, `rename`, `delete`, `copy`, `merge` and `onboard`: what is theirs alone."""

from __future__ import annotations

import pytest

from .shell import SAMPLE


@pytest.mark.parametrize("name", ["Designers", "designers", " DESIGNERS ", "", "  "])
@pytest.mark.parametrize("command", [("create",), ("rename", "Marketing")])
def test_a_name_that_is_taken_blank_or_looks_like_another_is_rejected(desk, command, name):
    done = desk(*command, name, "--yes", code=1, members=SAMPLE)
    assert "choose another name" in done.stderr or "blank" in done.stderr


@pytest.mark.parametrize("command", [("create",), ("rename", "Marketing"), ("copy", "Marketing")])
def test_a_name_that_is_not_utf_8_is_rejected_before_there_is_a_plan(desk, command):
    done = desk(*command, "caf\udce9", "--yes", code=1, members=SAMPLE)
    assert done.stderr == "Error: the name `caf\\udce9` is not valid Unicode; type it in UTF-8\n"


def test_a_rename_may_change_only_the_case(desk):
    group_id = desk.emulator.groups[0].id
    desk("rename Designers DESIGNERS --yes", code=0)
    assert desk.emulator.groups[0].id == group_id
    assert "DESIGNERS" in desk.members()


def test_an_empty_group_is_deleted_without_a_number(desk):
    desk.emulator.add_group("Empty")
    desk("delete Empty --yes", code=0)
    assert desk.members() == SAMPLE


def test_a_deletion_shows_who_is_in_the_group(desk):
    shown = desk("delete Designers --dry-run", code=3, out="- Designers  delete, with 2 members")
    assert "    - john@example.com" in shown.stdout


def test_a_copy_creates_its_target_where_there_is_none(desk):
    desk("copy Designers Interns --yes", code=0, members={**SAMPLE, "Interns": {"john", "harry"}})


@pytest.mark.parametrize(
    "line", [("copy", "Designers", "Designers"), ("merge", "Designers", "--into", "Designers")]
)
def test_a_group_is_not_combined_with_itself(desk, line):
    desk(*line, "--yes", code=1, writes=0, err="`Designers` is on both sides")


def test_a_merge_adds_everybody_once_before_it_deletes(desk):
    designers, marketing = desk.emulator.groups
    desk.emulator.add_member(marketing.id, designers.users[0])
    line = ("merge", "Designers", marketing.id, "Designers", "--into", "Everybody", "--yes")
    desk(*line, "--allow-removals", "4", code=0)
    assert desk.members() == {"Everybody": {"john", "harry", "maria"}}
    reads = {"getUserGroups", "getUsers", "inspectMultiple", "getPrincipalRoles"}
    methods = [call.method for call in desk.emulator.calls if call.operation_id not in reads]
    assert methods == ["POST"] * 4 + ["DELETE"] * 2


def test_a_merge_deletes_nothing_where_somebody_could_not_be_added(desk):
    desk.emulator.fail("addUserToUserGroup", status=400, times=1)
    line = ("merge", "Designers", "--into", "Marketing", "--yes", "--allow-removals", "2")
    desk(*line, code=5)
    assert "Designers" in desk.members()


def test_onboarding_like_somebody_joins_every_group_of_theirs(desk):
    designers, marketing = desk.emulator.groups
    desk.emulator.add_member(marketing.id, designers.users[0])
    people = ("chen@example.com", "amara@example.com")
    desk("onboard", *people, "--like", designers.users[0].id, "--yes", code=0)
    assert all({"chen", "amara"} <= members for members in desk.members().values())


def test_onboarding_like_somebody_in_no_group_is_an_error(desk):
    done = desk("onboard john@example.com --like chen@example.com --yes", code=1, writes=0)
    assert "`chen@example.com` is in no group" in done.stderr
