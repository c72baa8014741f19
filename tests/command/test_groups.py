"""The commands that change groups or who is in them: what is theirs alone."""

from __future__ import annotations

import pytest

from cld_user_groups.membership import DesiredMember, GuardLimits
from cld_user_groups.membership.everyday import limits_of

from .shell import SAMPLE, Shell


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
    desk("delete Empty --yes", code=0, members=SAMPLE)


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
    desk(*line, "--allow-removals", "4", code=0, members={"Everybody": {"john", "harry", "maria"}})
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


def crowded(desk: Shell, count: int = 8) -> list[str]:
    return desk.add_crowd(count)


def test_those_named_on_the_command_line_may_be_any_share_of_a_group(desk):
    people = crowded(desk)
    desk("remove Crowd", *people[:7], "--yes", code=0)
    assert desk.members()["Crowd"] == {"p7"}


@pytest.mark.parametrize("from_file", [True, False])
def test_those_of_a_file_are_held_to_the_guards_of_a_file(desk, from_file):
    people = crowded(desk)
    lines = "\n".join(people[:7])
    argument = "@" + desk.write(lines, "leavers.txt") if from_file else "-"
    done = desk("remove Crowd", argument, "--yes", stdin=lines, code=3, writes=0)
    assert "`Crowd` loses 7 of 8 members" in done.stderr
    allowed = ("--yes", "--allow-removals", "7")
    desk("remove Crowd", argument, *allowed, stdin=lines, code=0)


def test_more_than_anybody_types_are_held_to_the_guards_of_a_file():
    people = [DesiredMember(id=str(number)) for number in range(11)]
    assert limits_of(people[:10], 40) == GuardLimits(max_removals=40, max_removals_per_group=1.0)
    assert limits_of(people, 40) == GuardLimits()


def test_a_person_leaves_any_number_of_groups_at_once(desk):
    john = next(user for user in desk.emulator.groups[0].users if user.email == "john@example.com")
    chen = desk.emulator.add_user_account("C", email="c@example.com")
    for number in range(15):
        desk.emulator.add_group(f"G {number}", users=[john, chen])
    desk("offboard john@example.com --yes", code=0)
    assert not any("john" in members for members in desk.members().values())
    desk("undo --yes", code=0)
    assert sum("john" in members for members in desk.members().values()) == 16


def test_a_group_is_never_emptied_without_the_number(desk):
    done = desk("remove Designers john@example.com harry@example.com --yes", code=3, writes=0)
    assert "`Designers` loses all its members" in done.stderr


def test_whoever_is_not_there_is_noted(desk):
    done = desk("remove Designers maria@example.com john@example.com --yes", code=0)
    assert "Note: `maria@example.com` is not in `Designers`." in done.stderr
    desk("offboard chen@example.com --yes", code=0, err="Note: `chen@example.com` is in no group.")
    done = desk("add Designers harry@example.com --yes")
    assert "Note: `harry@example.com` is in `Designers` already." in done.stderr
