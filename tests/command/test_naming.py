"""GROUP is a name or an ID, USER an e-mail or an ID, alone or in a file; never a guess."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cld_user_groups.membership import Finder, Group, MembershipError, Snapshot

DESIGNERS = "7f08f1f1fc910bf1f25274aef11d27"
CHEN = "9e2f60d8a1c74b35f08d6e913ab7c4"


@pytest.mark.parametrize("group", ["Designers", DESIGNERS])
@pytest.mark.parametrize("user", ["chen@example.com", " Chen@EXAMPLE.com ", CHEN])
def test_groups_and_users_are_named_in_each_way(desk, group, user):
    desk("add", group, user, "--yes", code=0)
    assert desk.members()["Designers"] == {"john", "harry", "chen"}


@pytest.mark.parametrize("group", ["designers", " Designers", "Design", "7f08"])
def test_a_name_that_is_not_exact_is_never_a_group(desk, group):
    done = desk("show", group, code=1, out="", err=f"there is no group `{group}`")
    assert "Designers" in done.stderr or "cld-user-groups list" in done.stderr


def test_groups_of_one_name_are_listed_to_choose_from():
    groups = (Group(id="d1", name="Designers"), Group(id="d2", name="Designers"))
    finder = Finder(Snapshot(account_id="acc", groups=groups, taken_at=datetime.now(UTC)))
    for find in (finder.group, finder.group_or_new):
        with pytest.raises(MembershipError, match=r"give the ID `d1` .* or the ID `d2`"):
            find("Designers")
    assert finder.group("d2") is groups[1]


def test_a_name_that_is_the_id_of_another_group_is_ambiguous(desk):
    desk.emulator.add_group(DESIGNERS, group_id="d2")
    done = desk(f"show {DESIGNERS}", code=1)
    assert f"give the name `Designers` (`{DESIGNERS}`) or the ID `d2`" in done.stderr
    for name in ("Designers", "d2"):
        desk(f"show {name}", code=0)


@pytest.mark.parametrize("command", [("create",), ("rename", "Marketing")])
def test_no_group_gets_a_name_that_is_the_id_of_another(desk, command):
    desk(*command, DESIGNERS, "--yes", code=1, writes=0, err="is the ID of the group `Designers`")


def test_a_suggestion_names_each_group_that_is_meant_and_tells_them_apart(desk):
    desk.emulator.add_group("designers")
    said = desk("show DESIGNERS").stderr
    assert "did you mean `Designers` or `designers`?" in said
    for name, typed in (("Café", "Cafe\N{COMBINING ACUTE ACCENT}"), ("a\tb", r"a\tb")):
        group = desk.emulator.add_group(name)
        assert f"(ID `{group.id}`)?" in desk("show", typed).stderr


def test_users_of_one_e_mail_are_listed_to_choose_from(desk):
    other = desk.emulator.add_user_account("Another Chen", email="CHEN@example.com")
    desk("add Designers chen@example.com --yes", code=1, writes=0, err=(CHEN, other.id))
    desk("add Designers", other.id, "--yes", code=0)


@pytest.mark.parametrize("typed", ["jhon@example.com", "john"])
def test_a_misspelled_user_gets_a_suggestion(desk, typed):
    desk("whois", typed, code=1, err="did you mean `john@example.com`?")


PEOPLE = "# who joins\r\n\nchen@example.com\n  amara@example.com  \nchen@example.com\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_users_are_read_from_a_file_or_from_standard_input(desk, encoding):
    path = desk.write(PEOPLE.encode(encoding), "people.txt")
    planned = desk.json(f"add Designers @{path} --dry-run")
    assert [(change["source"], change["line"]) for change in planned["changes"]] == [
        ("people.txt", 3),
        ("people.txt", 4),
    ]
    desk("add Designers - --yes", stdin=PEOPLE.encode(encoding), code=0)
    assert desk.members()["Designers"] == {"john", "harry", "chen", "amara"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "people.txt: the file is empty"),
        (b"# nobody\n", "people.txt: the file names nobody"),
        (b"chen@example.com, amara@example.com\n", "people.txt:1: `chen@example.com, amara"),
        (b"chen@example.com\nnobody@example.com\n", "people.txt:2: no user has the e-mail"),
        ("chén@example.com".encode("latin-1"), "people.txt:1: not UTF-8"),
        ("chen@example.com".encode("utf-16"), "people.txt:1: encoded as UTF-16"),
    ],
)
def test_a_file_that_is_wrong_is_an_error_with_its_line(desk, content, said):
    done = desk("remove Designers", "@" + desk.write(content, "people.txt"), "--yes", err=said)
    assert (done.exit_code, desk.writes()) == (1, 0)


def test_a_file_that_is_missing_is_named(desk):
    done = desk("add Designers @people.txt --yes", code=1)
    assert done.stderr == (
        "Error: people.txt: cannot read the file: No such file or directory; "
        "@ names a file of users\n"
    )


@pytest.mark.parametrize("users", [("-", "-"), ("",), ("  ",)])
def test_a_blank_user_or_standard_input_twice_is_a_usage_error(desk, users):
    desk("add Designers", *users, "--yes", stdin=PEOPLE, code=64)


@pytest.mark.parametrize(
    "command",
    [
        ("whois", " "),
        ("explain", "Designers", ""),
        ("onboard", "chen@example.com", "--like", ""),
        ("add", "Designers", "@"),
    ],
)
def test_a_user_who_is_not_named_is_a_usage_error(desk, command):
    done = desk(*command, err="must")
    assert (done.exit_code, len(desk.emulator.calls)) == (64, 0)
