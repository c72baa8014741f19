"""An emulator of the account that a file describes, such as an export."""

import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.membership.accounts import client_of

from cld_user_groups.emulator import Emulator, EmulatorClock
from cld_user_groups.emulator.__main__ import main
from cld_user_groups.membership import Action, FileError, export, plan, read_account, read_file

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def written(folder: Path, groups: str, name: str = "groups.yaml") -> Path:
    path = folder / name
    path.write_text(f"version: 1\ngroups:\n{groups}", encoding="utf-8")
    return path


def emulated(path: Path) -> Emulator:
    return Emulator.from_file(path, clock=EmulatorClock(NOW))


def planned(path: Path, emulator: Emulator) -> list[Action]:
    """Return what planning a file finds to do in an emulated account."""
    desired = read_file(path)
    snapshot = read_account(client_of(emulator), desired)
    made = plan(snapshot, desired, date(2026, 5, 1), now=NOW)
    return [change.action for change in made.changes]


def exported(emulator: Emulator) -> str:
    """Return the export of an emulated account."""
    return export(read_account(client_of(emulator)))


def test_an_export_comes_back_with_its_account_and_ids(tmp_path: Path) -> None:
    original = Emulator("prod-1")
    original.add_group("Empty")
    nobody = original.add_user_account("No Mail", email="-", user_id="no-mail")
    original.add_member(original.groups[0], nobody)
    path = tmp_path / "groups.yaml"
    path.write_text(exported(original), encoding="utf-8")
    copy = emulated(path)
    assert copy.account_id == "prod-1"
    assert [(group.id, group.name, [user.id for user in group.users]) for group in copy.groups] == [
        (group.id, group.name, [user.id for user in group.users]) for group in original.groups
    ]
    assert exported(copy).replace("no-mail}  # no-mail", "no-mail}  # No Mail") == path.read_text()
    assert planned(path, copy) == []


def test_people_and_groups_without_ids_get_the_same_ones_each_time(tmp_path: Path) -> None:
    path = written(tmp_path, "  Designers:\n    members: [ana@example.com]\n")
    first, second = emulated(path), emulated(path)
    assert (first.users, first.groups) == (second.users, second.groups)
    for found in (*first.users, *first.groups):
        assert re.fullmatch("[0-9a-f]{30}", found.id)
    assert planned(path, first) == []


def test_one_person_written_in_three_ways_is_one_user(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "  A:\n    members: [{id: u1}]\n"
        "  B:\n    members: [ANA@example.com]\n"
        "  C:\n    members: [{email: ana@example.com, id: u1}]\n",
    )
    emulator = emulated(path)
    assert [(user.id, user.email) for user in emulator.users] == [("u1", "ana@example.com")]
    assert planned(path, emulator) == []


def test_what_the_file_wants_gone_is_not_there(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "  Old:\n    state: absent\n"
        "  Designers:\n    members:\n"
        "      - {email: ana@example.com, until: 2026-04-30}\n"
        "      - {email: ben@example.com, until: 2026-05-01}\n",
    )
    emulator = emulated(path)
    (group,) = emulator.groups
    assert [user.email for user in group.users] == ["ben@example.com"]
    assert len(emulator.users) == 2
    assert planned(path, emulator) == []


def test_reset_restores_the_account_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "  Designers:\n    members: [ana@example.com]\n")
    emulator = emulated(path)
    before = emulator.groups
    emulator.remove_group(before[0])
    emulator.reset()
    assert emulator.groups == before


@given(
    st.dictionaries(
        st.sampled_from(["A", "B", "C", "D"]),
        st.lists(
            st.sampled_from(
                ["{id: u1}", "{id: u2, email: b@example.com}", "a@example.com", "B@example.com"]
            ),
            unique=True,
        ),
    )
)
def test_planning_the_file_finds_nothing_to_do(
    tmp_path_factory: pytest.TempPathFactory, groups: dict[str, list[str]]
) -> None:
    lines = [
        f"  {name}:\n    allow_empty: true\n    members: [{', '.join(members)}]\n"
        for name, members in groups.items()
        # One person twice in a group is an error of the file.
        if len({"{id: u2, email: b@example.com}", "B@example.com"} & set(members)) < 2
    ]
    path = written(tmp_path_factory.mktemp("drawn"), "".join(lines) or "  {}\n")
    assert planned(path, emulated(path)) == []


@pytest.mark.parametrize(
    ("groups", "problem"),
    [
        (
            "  A:\n    members: [{id: u1, email: ana@example.com}]\n"
            "  B:\n    members:\n      - {id: u1, email: ben@example.com}\n",
            "the user `u1` has the e-mail `ana@example.com` elsewhere, and `ben@example.com` here",
        ),
        (
            "  A:\n    members: [{id: u1, email: a@example.com}, {id: u2, email: a@example.com}]\n"
            "  B:\n    members:\n      - a@example.com\n",
            "the e-mail `a@example.com` is that of several users: `u1`, `u2`; add the `id`",
        ),
        (
            "  A:\n    {id: g1, name: Same, members: [ana@example.com]}\n\n\n"
            "  B:\n    {id: g2, name: Same, members: [ana@example.com]}\n",
            "an account has one group `Same`, that of line 3",
        ),
    ],
    ids=["two e-mails", "several users", "one name"],
)
def test_a_contradiction_is_named_with_the_line(tmp_path: Path, groups: str, problem: str) -> None:
    path = written(tmp_path, groups)
    with pytest.raises(FileError) as caught:
        emulated(path)
    assert str(caught.value) == f"{path}:7: {problem}"


def test_a_file_of_rows_needs_no_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    path = tmp_path / "groups.csv"
    path.write_text("group,email\nDesigners,ana@example.com\n", encoding="utf-8")
    assert [group.name for group in emulated(path).groups] == ["Designers"]
    assert emulated(path).account_id == "acc"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("missing.yaml", None, "missing.yaml: cannot read the file: No such file"),
        ("empty.yaml", "", "empty.yaml: the file is empty"),
        ("bad.yaml", "version: 1\ngroups:\n  A:\n", "bad.yaml:3: the group `A` has no `members`"),
        ("bad.json", '{"version": 1', "bad.json:1: not JSON"),
        ("bad.txt", "version: 1", "bad.txt: unknown format"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: str | None, reason: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(SystemExit) as caught:
        main(["--from", str(path)])
    output = capsys.readouterr()
    assert (caught.value.code, output.out, output.err.count("\n")) == (1, "", 1)
    assert f"error: {tmp_path}/{reason}" in output.err


def test_an_argument_can_name_another_account(tmp_path: Path) -> None:
    path = tmp_path / "groups.json"
    path.write_text('{"version": 1, "account": "prod-1", "groups": {}}', encoding="utf-8")
    assert Emulator.from_file(path, "rehearsal").account_id == "rehearsal"
    with pytest.raises(ValueError, match="account_id must not be empty"):
        Emulator.from_file(path, "")
