"""`remove` and `offboard`: whoever is named may go; sources and empty groups need a number."""

from __future__ import annotations

import pytest

from cld_user_groups.membership import DesiredMember, GuardLimits
from cld_user_groups.membership.everyday import limits_of

from .shell import Shell


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
