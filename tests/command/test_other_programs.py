"""Exports of other programs are planned with one command, and a mistake never removes anybody."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from .shell import SAMPLE, Shell

EXPORTS = Path(__file__).parent / "exports"

ENTRA = """\
version: 1
groups:
  Designers:
    members: {from: entra-design.csv, columns: {email: userPrincipalName}}
"""
OKTA = """\
version: 1
protect: [maria@example.com]
groups:
  from: okta.csv
  columns: {group: groupName, email: login}
  names: {okta-design: Designers, okta-marketing: Marketing, Everyone: null}
  Interns: {state: absent}
"""
OKTA_OPTIONS = (
    *("--columns", "group=groupName,email=login", "--names", "okta-design=Designers"),
    *("--names", "okta-marketing=Marketing", "--names", "Everyone="),
)
GOOGLE = (
    *("--columns", "group=group email [required],email=Member Email"),
    *("--names", "design@example.com=Designers", "--names", "marketing@example.com=Marketing"),
)
HR = (
    *("--columns", "group=Teams,email=Work e-mail,until=Contract ends"),
    *("--date-format", "DD.MM.YYYY", "--group-separator", ","),
    *("--names", "Brand Design=Designers", "--names", "Field Marketing=Marketing"),
    *("--names", "Legal="),
)


@pytest.fixture(autouse=True)
def exports(shell: Shell) -> None:
    """The exports, beside the files that read them."""
    shutil.copytree(EXPORTS, shell.folder, dirs_exist_ok=True)
    shell.write(OKTA, "okta.yaml")
    shell.write(ENTRA, "entra.yaml")


@pytest.mark.parametrize(
    ("arguments", "added"),
    [
        (("hr.csv", *HR), [("Marketing", "john@example.com", "2099-01-31")]),
        (("okta.csv", *OKTA_OPTIONS), []),
        (("okta.yaml",), []),
        (("entra.yaml",), []),
        (("google.csv", *GOOGLE), []),
    ],
)
def test_an_export_of_another_program_is_planned_with_one_command(shell, arguments, added):
    changes = shell.json("plan", *arguments)["changes"]
    found = [(each["group"]["name"], each["user"]["email"], each["until"]) for each in changes]
    assert found == added


def test_a_leaver_of_another_programs_group_is_removed_by_apply(shell):
    text = (EXPORTS / "google.csv").read_text()
    shell.write(text.replace("design@example.com,harry@example.com,USER,MEMBER\n", ""), "g.csv")
    shell("apply g.csv", *GOOGLE, "--yes", code=0, members=SAMPLE | {"Designers": {"john"}})


def test_a_run_that_ends_early_is_resumed_with_the_same_columns(shell):
    shell.emulator.set_quota(1000, 3)
    done = shell("apply hr.csv", *HR, "--yes", "--keep-quota", "1", code=5)
    assert "apply hr.csv --columns 'group=Teams,email=Work e-mail,until=Contract ends'" in (
        done.stdout + done.stderr
    )


@pytest.mark.parametrize("more", [[], ["--adds-only"]])
def test_a_saved_plan_knows_how_its_file_was_read(shell, more):
    shell("plan hr.csv", *HR, "--out", "p.json", code=0)
    shell.emulator.set_quota(1000, 3)
    done = shell("apply p.json --yes --keep-quota 1", *more, code=5)
    (said,) = re.findall("create the plan again: (cld-user-groups plan .* p.json)", done.stdout)
    assert sorted(shlex.split(said)[2:]) == sorted(["hr.csv", *HR, *more, "--out", "p.json"])


def test_exports_of_two_programs_are_compared(shell):
    shell("export --output account.yaml", code=0)
    done = shell("diff account.yaml okta.csv", *OKTA_OPTIONS, "--detailed-exitcode")
    assert (done.exit_code, done.stdout.count("\n")) == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("okta.csv",), 1,
         "okta.csv:1: unknown columns `groupId`, `groupName`, `groupType`, `userId`, `login`, "
         "`firstName`, `lastName`, `status`; if another program wrote it: --columns "
         "group=groupName,email=email, of its columns `groupId`, `groupName`, "),
        (("google.csv",), 1, "--columns 'group=Group Email [Required],email=Member Email'"),
        (("okta.csv", "--columns", "group=groupName,email=logon"), 1,
         "okta.csv:1: there is no column `logon`; did you mean `login`?"),
        (("okta.csv", "--columns", "group=groupName,email=UPN"), 1,
         "there is no column `UPN`; known: groupId, groupName, groupType, userId, login,"),
        (("okta.csv", "--columns", "email=login"), 1,
         "okta.csv:1: `columns` does not name the column of `group`; the file has: `groupId`, "),
        (("okta.csv", *OKTA_OPTIONS[:4]), 1,
         "okta.csv:2: `names` lacks the group `Everyone`; known: okta-design (null leaves it out)"),
        (("okta.csv", *OKTA_OPTIONS, "--names", "okta-brand=Brand"), 1,
         "okta.csv: `names` has `okta-brand`, a group that no row of okta.csv has"),
        (("hr.csv", *HR[:2], *HR[4:]), 1,
         "hr.csv:2: `until` is not a date: `31.01.2099`; write YYYY-MM-DD"),
        (("hr.csv", *HR, "--date-format", "M/D/YYYY"), 1,
         "hr.csv:2: `until` is not a date: `31.01.2099`; the format is M/D/YYYY"),
        (("hr.csv", *HR, "--group-separator", "Design"), 1,
         "hr.csv:4: an empty name between the separators of `Brand Design`; is it cut off?"),
        (("hr.csv", *HR, "--date-format", "%d.%m.%Y"), 1,
         "not a date format: `%d.%m.%Y`; write one such as DD.MM.YYYY"),
        (("hr.csv", "--columns", "group=Teams,email=Teams"), 1,
         "the column `Teams` must be named, and for one purpose only"),
        (("hr.csv", "--columns", "team=Teams"), 1, "there is no column `team` to read into"),
        (("hr.csv", "--columns", "group"), 64, "--columns: 'group' is no pair such as email=login"),
        (("okta.yaml", "--columns", "email=login"), 1,
         "a file in YAML names the columns of its sources itself"),
    ],
)  # fmt: skip
def test_a_wrong_name_is_an_error_with_file_and_line(shell, arguments, code, said):
    shell("plan", *arguments, code=code, out="", err=said)
