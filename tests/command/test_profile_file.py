"""The everyday commands obey the file that the account follows, and say where they differ."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .shell import SAMPLE, Shell

FILE = """\
version: 1
account: acc
protect: [maria@example.com]
groups:
  Designers:
    members:
      - john@example.com
      - harry@example.com
  Marketing: {managed_by: Okta}
  Crowd:
    mode: additive
    require_until: true
    members: []
    allow_empty: true
"""


@pytest.fixture
def work(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The command with a profile that names the file, which lies beside the profiles."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(shell.folder))
    monkeypatch.setenv("CLOUDINARY_PROFILE", "work")
    folder = shell.folder / "cld-user-groups"
    folder.mkdir()
    (folder / "profiles.toml").write_text('[work]\naccount_id = "acc"\nfile = "groups.yaml"\n')
    shell.write(FILE, "cld-user-groups/groups.yaml")
    return shell


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (("remove", "Designers", "harry@example.com"), 0,
         "groups.yaml:8: the file lists `harry@example.com` in `Designers`, and its next run adds "
         "them again; remove the line, too"),
        (("add", "Designers", "chen@example.com"), 0,
         "groups.yaml:5: the file does not want `chen@example.com` in `Designers`, and its next "
         "run removes them; add them there, too"),
        (("rename", "Designers", "Artists"), 0,
         "groups.yaml:5: the file calls the group `Designers`, and its next run creates that one; "
         "rename it there, too"),
        (("delete", "Designers", "--allow-removals", "2"), 0,
         "groups.yaml:5: the file names the group `Designers`, and its next run creates it again; "
         "write `state: absent` there, or remove it"),
        (("offboard", "harry@example.com"), 0, "its next run adds them again"),
        (("add", "Marketing", "john@example.com"), 5,
         "`Marketing` is managed by `Okta`, and never written"),
        (("remove", "Marketing", "maria@example.com", "--allow-removals", "1"), 5,
         "`Marketing` is managed by `Okta`, and never written"),
        (("add", "Crowd", "chen@example.com"), 5, "require_until"),
    ],
)  # fmt: skip
def test_a_change_is_held_to_the_file_and_says_where_it_differs(work, line, code, said):
    work.emulator.add_group("Crowd")
    work(*line, "--yes", code=code, says=said)
    assert (work.writes() > 0) is (code == 0)
    work("undo --yes --allow-removals 2")


@pytest.mark.parametrize("line", ["plan", "plan --adds-only", "apply --yes", "apply --dry-run"])
def test_plan_and_apply_take_the_file_of_the_profile(work, line):
    path = str(work.folder / "cld-user-groups/groups.yaml")
    command, *options = line.split()
    options += ["--dry-run"] if command == "apply" else []
    both = [work(command, *file, *options).stdout for file in ([], [path])]
    assert len({re.sub(r"\d+ left", "", shown) for shown in both}) == 1
    assert f"from {path}" in both[0]


def test_who_is_protected_by_the_file_stays(work):
    maria = next(user for user in work.emulator.users if user.email == "maria@example.com")
    work.emulator.add_group("Press", users=[maria])
    for line in (("remove", "Press", "maria@example.com"), ("delete", "Press")):
        done = work(*line, "--yes", "--allow-removals", "1", code=3)
        assert "`Press` loses members who are protected: `maria@example.com`" in done.stderr
        assert "The file of the profile is " in done.stderr
    assert work.writes() == 0
    done = work("remove Press maria@example.com --allow-removals 1 --yes --ignore-file")
    assert (done.exit_code, work.members()) == (0, SAMPLE | {"Press": set()})


def test_what_the_file_agrees_with_or_does_not_name_is_not_commented_on(work):
    work.emulator.add_group("Press")
    done = work("add Press john@example.com --yes")
    assert (done.exit_code, "groups.yaml" in done.stderr + done.stdout) == (0, False)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot read the file"), ("version: 1\n", "`groups` is missing"),
     (FILE.replace(": acc", ": other"), "the file is for the account `other`, not `acc`")],
)  # fmt: skip
def test_without_the_file_nothing_is_written_unless_it_is_ignored(work, content, said):
    path = Path("cld-user-groups/groups.yaml")
    path.write_text(content) if content else path.unlink()
    work("offboard harry@example.com --yes", code=1, writes=0, err=said)
    work("offboard harry@example.com --yes --ignore-file", code=0)


def test_the_file_of_a_profile_is_not_that_of_another_account(work):
    work("list --account-id acc", code=0)
    done = work("offboard harry@example.com --account-id elsewhere --yes")
    assert "groups.yaml" not in done.stderr


RULED = """\
version: 1
groups:
  Crowd: {mode: additive, members: [], allow_empty: true, not_with_role: [Master Admin]}
"""


@pytest.mark.parametrize("command", ["copy", "merge"])
@pytest.mark.parametrize(
    ("group", "code", "added"), [("Designers", 5, {"harry"}), ("Marketing", 0, {"maria"})]
)
def test_roles_of_whom_a_group_names_are_read_for_a_rule(work, command, group, code, added):
    work.emulator.add_group("Crowd")
    work.write(RULED, "cld-user-groups/groups.yaml")
    line = (group, "Crowd") if command == "copy" else (group, "--into", "Crowd")
    allowed = ("--allow-removals", str(len(SAMPLE[group]))) if command == "merge" else ()
    done = work(command, *line, *allowed, "--yes", code=code)
    assert "not known (the roles were not read)" not in done.stdout + done.stderr
    assert ("`Master Admin` is held by the user" in done.stderr) is (code == 5)
    assert work.members()["Crowd"] == added


def test_roles_that_a_rule_needs_are_asked_for_once(work):
    work.emulator.add_group("Crowd")
    work.write(RULED, "cld-user-groups/groups.yaml")
    for status, times in ((None, 2), (403, 1)):
        work.emulator.roles.refused_with = status
        work.emulator.calls.clear()
        work("copy Marketing Crowd --dry-run", code=5 if status else 0)
        work.emulator.calls.assert_called("inspectMultiple", times=times)
        work.emulator.calls.clear()
        work("add Crowd maria@example.com --dry-run")
        work.emulator.calls.assert_called("inspectMultiple", times=times)
        work.emulator.calls.clear()
        work("remove Designers harry@example.com --dry-run")
        work.emulator.calls.assert_called("inspectMultiple", times=times)


@pytest.mark.parametrize(
    ("options", "owner"), [((), "ann@example.com"), (("--ignore-file",), None)]
)
def test_a_report_names_the_owners_of_the_file(work, options, owner):
    owned = FILE.replace("managed_by: Okta", "managed_by: Okta, owner: ann@example.com")
    work.write(owned, "cld-user-groups/groups.yaml")
    groups = work.json("report", *options)["groups"]
    assert {group["name"]: group["owner"] for group in groups}["Marketing"] == owner
