"""`diff` shows how two exports differ, or an export and the account."""

from __future__ import annotations

import pytest

from .shell import EDITED, Shell


@pytest.fixture
def exported(shell: Shell) -> Shell:
    """The account has changed since it was exported to before.yaml."""
    shell("export --output before.yaml")
    assert shell("apply", shell.write(EDITED), "--yes").exit_code == 0
    return shell


def test_an_export_is_compared_with_the_account_as_it_is_now(exported):
    done = exported("diff before.yaml", code=0)
    header, *rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert header == ["change", "group", "user", "old_name", "group_id", "user_id"]
    assert [row[:4] for row in rows] == [
        ["rename_group", "Artists", "", "Designers"],
        ["add_user", "Artists", "maria@example.com", ""],
        ["remove_user", "Artists", "harry@example.com", ""],
        ["create_group", "Interns", "", ""],
        ["add_user", "Interns", "john@example.com", ""],
    ]


def test_two_exports_are_compared_without_a_request(exported):
    exported("export --output after.json")
    sent = len(exported.emulator.calls)
    live = exported.json("diff before.yaml")
    sent += 1
    assert exported.json("diff before.yaml after.json") == live
    assert len(exported.emulator.calls) == sent
    back = exported.json("diff after.json before.yaml")
    assert len(back["differences"]) == len(live["differences"])


def test_detailed_exit_codes_tell_whether_they_differ(exported):
    exported("diff before.yaml --detailed-exitcode", code=2)
    exported("diff before.yaml before.yaml --detailed-exitcode", code=0, err="no differences")


def test_one_side_may_come_from_standard_input_and_only_one(exported):
    now = exported("export").stdout
    assert exported.json("diff before.yaml -", stdin=now)["differences"] != []
    assert exported.json("diff -", stdin=now)["differences"] == []
    exported("diff - -", stdin=now, code=64)


def test_accounts_are_compared_by_names_and_emails(exported):
    text = (exported.folder / "before.yaml").read_text()
    exported.write(
        text.replace("account: acc", "account: other").replace("id: ", "id: x"), "other.yaml"
    )
    done = exported("diff before.yaml other.yaml")
    assert (done.exit_code, len(done.stdout.splitlines())) == (0, 1)
    assert "Accounts acc and other: compared by names and e-mails" in done.stderr


@pytest.mark.parametrize(
    ("name", "content"),
    [("plan.json", None), ("nothing.yaml", None), ("bad.yaml", "version: 1\ngroups: [")],
)
def test_what_is_no_file_of_groups_is_an_error(exported, name, content):
    exported("plan before.yaml --out plan.json")
    if content:
        exported.write(content, name)
    exported(f"diff before.yaml {name}", code=1, out="", err=name)


@pytest.mark.parametrize(
    ("format_name", "beginning"), [("csv", "change,"), ("markdown", "| change")]
)
def test_differences_are_printed_in_every_format_of_tables(exported, format_name, beginning):
    done = exported("diff before.yaml --format", format_name)
    assert done.stdout.startswith(beginning)
