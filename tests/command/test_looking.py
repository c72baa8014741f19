"""`list`, `show`, `users` and `whois`: they read, and write nothing."""

from __future__ import annotations

import csv
import io

import pytest
from tests.membership.accounts import client_of

from cld_user_groups.command import people
from cld_user_groups.command.people import read_everyone, state_of
from cld_user_groups.emulator import Emulator
from cld_user_groups.models import User

LOOKS = {
    "list": ("list",),
    "show": ("show", "Designers"),
    "users": ("users",),
    "whois": ("whois", "john@example.com"),
}
each_look = pytest.mark.parametrize("line", LOOKS.values(), ids=LOOKS)


def test_groups_are_listed_by_name(desk):
    desk.emulator.add_group("aardvarks", group_id="a1")
    assert desk("list").stdout.splitlines() == [
        "name\tmembers\tid",
        "aardvarks\t0\ta1",
        "Designers\t2\t7f08f1f1fc910bf1f25274aef11d27",
        "Marketing\t1\tc2b9e47d1806f35a9d4e72b1c08f63",
    ]


def test_the_members_of_a_group_are_listed_by_e_mail(desk):
    assert desk("show Designers").stdout.splitlines() == [
        "email\tname\tid",
        "harry@example.com\tHarry Potts\tasdf1234uiopjkl7890wernmjlcaeg",
        "john@example.com\tJohn Doe\t0abed8dfcc039ea05e2a1d494fd442",
    ]
    document = desk.json("show Designers")
    assert document["group"]["name"] == "Designers"
    assert len(document["members"]) == 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("CHEN@", ["chen@example.com"]),
        ("potts", ["harry@example.com"]),
        ("3c7a1be0", ["maria@example.com"]),
        ("ar", ["amara@example.com", "harry@example.com", "maria@example.com"]),
        ("nobody", []),
    ],
)
def test_users_are_found_by_any_part_of_e_mail_name_or_id(desk, text, found):
    done = desk("users", text, code=0)
    assert [line.split("\t")[0] for line in done.stdout.splitlines()[1:]] == found
    assert ("There is no such user." in done.stderr) is (not found)


@pytest.mark.parametrize(
    ("paging", "is_complete"), [("on_request", True), ("always", True), ("ignored", False)]
)
def test_all_users_are_read_however_the_server_pages(paging, is_complete):
    emulator = Emulator(users_paging=paging)
    for number in range(250):
        emulator.add_user_account(f"P {number}", email=f"p{number}@example.com")
    everyone = read_everyone(client_of(emulator))
    assert (len(everyone[0]), everyone[1]) == (255, is_complete)


def test_a_list_of_users_that_may_lack_some_says_so(desk, monkeypatch):
    monkeypatch.setattr(people, "read_everyone", lambda client: ([User(id="1")], False))
    desk("users", code=0, err="There may be more users")


@pytest.mark.parametrize(
    ("pending", "enabled", "state"),
    [
        (True, True, "pending"),
        (False, False, "disabled"),
        (False, True, "active"),
        (None, True, "active"),
        (None, None, None),
    ],
)
def test_a_user_is_pending_disabled_or_active_if_the_api_tells(pending, enabled, state):
    assert state_of(User(id="1", pending=pending, enabled=enabled)) == state


def test_a_user_is_shown_with_role_state_last_login_and_groups(desk):
    designers, marketing = desk.emulator.groups
    john = designers.users[0]
    desk.emulator.add_member(marketing.id, john)
    (user,) = desk.json("whois", john.id)["users"]
    assert [group["name"] for group in user["groups"]] == ["Designers", "Marketing"]
    assert user["role"]
    assert user["state"] == "active"
    assert "last_login" in user
    assert desk("whois john@example.com").stdout.splitlines()[1].split("\t")[5] == (
        "Designers, Marketing"
    )


@each_look
def test_a_look_writes_nothing_and_has_every_format(desk, line):
    tsv = [row.split("\t") for row in desk(*line).stdout.splitlines()]
    assert list(csv.reader(io.StringIO(desk(*line, "--format", "csv").stdout))) == tsv
    markdown = desk(*line, "--format", "markdown").stdout.splitlines()
    assert len(markdown) == len(tsv) + 1
    document = desk.json(*line)
    assert document["format"].startswith("cld-user-groups/")
    (rows,) = (value for value in document.values() if isinstance(value, list))
    assert [list(row) for row in rows] == [tsv[0]] * (len(tsv) - 1)
    assert desk.writes() == 0


@each_look
def test_a_look_that_fails_says_what_to_do(desk, line):
    desk.emulator.fail("*", status=403, times=None)
    desk(*line, code=1, out="", err="check its permissions")


@pytest.mark.parametrize("line", [("show",), ("whois",), ("list", "x"), ("users", "--format=html")])
def test_a_look_with_a_wrong_command_line_is_a_usage_error(desk, line):
    desk(*line, code=64)
