"""`export` and `plan`: they read, and write nothing."""

from __future__ import annotations

import errno
import json
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cld_user_groups.emulator import Emulator
from cld_user_groups.membership import load_plan, snapshot, state_directory

from .shell import EDITED, SAMPLE

OTHER = "version: 1\naccount: other\ngroups: {}"


def test_planning_an_export_from_standard_input_finds_nothing_to_do(shell):
    exported = shell("export", code=0)
    shell("plan - --detailed-exitcode", stdin=exported.stdout, code=0, out="Nothing to do")


@pytest.mark.parametrize("name", ["groups.yaml", "groups.yml", "groups.json"])
def test_an_exported_file_is_read_back_by_its_suffix(shell, name):
    shell(f"export --output {name}", code=0, out="", err="Wrote 2 groups with 3 memberships")
    assert shell.json(f"plan {name}")["changes"] == []


def test_an_export_as_json_is_one_document_that_can_be_planned(shell):
    exported = shell.json("export")
    assert list(exported["groups"]) == ["Designers", "Marketing"]
    assert shell.json("plan -", stdin=json.dumps(exported))["changes"] == []


def test_rows_are_read_back_names_that_begin_like_formulas_included(shell):
    (john, harry, *_) = shell.emulator.users
    shell.emulator.add_group("=1+1", users=[john, harry])
    shell.emulator.add_group("'=1+1", users=[harry])
    exported = shell("export --format csv", code=0, err="")
    assert "\n=" not in exported.stdout
    assert shell.json("plan -", stdin=exported.stdout)["changes"] == []
    shell.write(shell("show =1+1 --format csv").stdout, "members.csv")
    path = shell.write("version: 1\ngroups: {'=1+1': {members: {from: members.csv}}}\n")
    assert shell.json(f"plan {path}")["changes"] == []


def test_an_export_with_users_is_a_copy_of_the_account_and_plans_nothing(shell):
    shell("export --users --output account.yaml", code=0)
    assert shell.json("plan account.yaml")["changes"] == []
    copy = Emulator.from_file("account.yaml")
    assert {user.email for user in copy.users} == {user.email for user in shell.emulator.users}
    assert {user.id for user in copy.users} == {user.id for user in shell.emulator.users}
    assert "users" not in shell.json("export")
    assert len(shell.json("export --users")["users"]) == 2
    shell("export --users --format csv", code=64)


def test_rows_leave_out_empty_groups_and_say_so(shell):
    shell.emulator.add_group("Empty")
    assert shell("export --format csv").stderr == "Left out 1 group without members.\n"
    shell("export --format csv --output groups.yaml", code=64)


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--detailed-exitcode",), 2)])
def test_a_plan_shows_the_difference_and_writes_nothing(shell, options, code):
    said = ("- harry@example.com", "5 requests needed")
    shell("plan", shell.write(EDITED), *options, code=code, writes=0, members=SAMPLE, out=said)


def test_a_plan_that_a_guard_refuses_exits_with_3_and_says_what_is_needed(shell):
    people = shell.add_crowd(8)
    path = shell.write(f"version: 1\ngroups: {{Crowd: {{members: [{people[0]}]}}}}")
    shell(f"plan {path}", code=3, out="--allow-removals 7")
    shell(f"plan {path} --allow-removals 7", code=0)
    shell(f"plan {path} --allow-removals 8", code=3)
    assert shell.json(f"plan {path} --adds-only")["changes"] == []


def test_the_json_of_a_plan_is_what_is_saved(shell):
    path = shell.write(EDITED)
    document = shell.json(f"plan {path} --out plan.json")
    assert document == json.loads(Path("plan.json").read_text("utf-8"))
    assert document["summary"]["requests"] == len(load_plan("plan.json").changes) == 5


@pytest.mark.parametrize(
    ("format_name", "beginning"), [("markdown", "#"), ("html", "<!doctype html>"), ("json", "{")]
)
def test_a_plan_has_the_format_given_before_or_after_the_command(shell, format_name, beginning):
    path = shell.write(EDITED)
    after = shell(f"plan {path} --format", format_name)
    before = shell("--format", format_name, "plan", path)
    assert after.stdout.lower().startswith(beginning)
    assert before.stdout[:40] == after.stdout[:40]


def test_a_plan_is_for_the_day_that_is_asked_for(shell):
    path = shell.write(
        "version: 1\ngroups: {Marketing: {members: "
        "[{email: maria@example.com}, {email: john@example.com, until: 2030-01-31}]}}"
    )
    last = shell.json(f"plan {path} --today 2030-01-31")
    after = shell.json(f"plan {path} --today 2030-02-01")
    assert (last["summary"]["add_user"], after["summary"]["add_user"]) == (1, 0)
    shell(f"plan {path} --today tomorrow", code=64)


def test_a_saved_plan_is_not_taken_for_a_file_of_groups(shell):
    shell("plan", shell.write(EDITED), "--out", "plan.json")
    shell("plan plan.json", code=1, err="cld-user-groups apply plan.json")


@pytest.mark.parametrize("command", ["plan", "report --file"])
def test_a_file_for_another_account_is_rejected_before_anything_is_sent(shell, command):
    shell(f"{command} {shell.write(OTHER)}", code=1, err="`other`", calls=0)


@pytest.mark.parametrize("name", ["groups", "plan", "journal", "review", "roles"])
def test_schemas_are_printed(shell, name):
    assert shell.json(f"schema {name}")["$schema"].startswith("https://json-schema.org/")
    assert shell("schema").stdout == shell("schema groups").stdout


WRITING = [
    ("export", "--output", "out.yaml"),
    ("export", "--output", "out.json"),
    ("plan", "groups.yaml", "--out", "out.json"),
    ("report", "--output", "out.html"),
    ("report", "--output", "out.csv"),
]


@pytest.mark.parametrize("command", WRITING)
def test_what_a_person_wrote_or_edited_is_replaced_only_with_force(shell, command):
    shell.write(EDITED)
    path = shell.folder / command[-1]
    path.write_text("mine")
    done = shell(*command, err=f"{command[-1]}: it was not written by this command here")
    assert (done.exit_code, path.read_text()) == (1, "mine")
    assert not list(shell.emulator.calls)
    shell(*command, "--force", code=0)
    shell(*command, code=0)  # unedited
    path.write_bytes(edited := path.read_bytes() + b" ")
    shell(*command, code=1)
    assert path.read_bytes() == edited


def test_an_export_is_known_where_this_machine_did_not_write_it(shell):
    shell("export --output out.yaml")
    (state_directory("acc") / "written").unlink()
    shell("export --output out.yaml", code=0)


@pytest.mark.parametrize("command", WRITING)
def test_a_full_disk_leaves_the_file_that_was_there(shell, command, monkeypatch):
    shell.write(EDITED)
    shell(*command)
    path = shell.folder / command[-1]
    before, files = path.read_bytes(), set(shell.folder.iterdir())

    def fail(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    shell(*command, code=1, err=f"{command[-1]}: No space left on device")
    assert (path.read_bytes(), set(shell.folder.iterdir())) == (before, files)


@pytest.mark.parametrize("command", WRITING)
def test_a_new_file_is_for_its_owner_and_one_that_exists_keeps_its_mode(shell, command):
    shell.write(EDITED)
    path = shell.folder / command[-1]
    shell(*command)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    shell(*command)
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_link_and_a_pipe_are_written_to(shell):
    shell("export --output real.yaml")
    link, pipe = shell.folder / "link.yaml", shell.folder / "pipe.yaml"
    link.symlink_to("real.yaml")
    shell("export --output link.yaml", code=0)
    assert link.is_symlink()
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    shell("export --output pipe.yaml", code=0)
    reader.join()
    assert read == [link.read_bytes()]


@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes")])
def test_two_clocks_that_disagree_about_today_decide_no_membership(shell, command, monkeypatch):
    server_time = datetime.now(UTC) + timedelta(days=5000)
    monkeypatch.setattr(snapshot, "parse_http_date", lambda text: server_time)
    until = (datetime.now(UTC) + timedelta(days=30)).date()
    member = f"{{email: harry@example.com, until: {until}}}"
    path = shell.write(
        f"version: 1\ngroups:\n  Designers:\n    members:\n    - john@example.com\n    - {member}\n"
    )
    done = shell(*command, path, code=1, writes=0, err=str(server_time.date()))
    assert f"groups.yaml:6: whether `until: {until}` has passed is not known" in done.stderr
    assert str(datetime.now(UTC).date()) in done.stderr
    shell(f"plan {path} --today", str(server_time.date()), code=0)
    shell("plan", shell.write(EDITED), code=0)  # without a date in it
