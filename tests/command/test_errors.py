"""Errors: one sentence with a hint, an exit code, no traceback and no secret."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.forked import forked_command

from cld_user_groups.identity import printable

from .shell import AS_EDITED, EDITED, process, unread_pipe

COMMANDS = (
    ("export",),
    ("plan", "groups.yaml"),
    ("apply", "groups.yaml", "--yes"),
)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("status", "hint"),
    [(401, "credentials"), (403, "permissions"), (404, "account's ID"), (418, "try again later")],
)
def test_a_response_that_is_an_error_says_what_to_do(shell, command, status, hint):
    shell.write(EDITED)
    shell.emulator.fail("getUserGroups", status=status, times=None)
    done = shell(*command, code=1, out="", err=hint)
    assert "Traceback" not in done.stderr
    document = shell.json(*command)
    assert document["format"] == "cld-user-groups/error/1"
    assert document["error"]["status_code"] == status


@pytest.mark.parametrize(
    ("reset", "at"),
    [
        ("Fri, 01 Jan 2100 00:00:00 GMT", "2100-01-01T00:00:00+00:00"),
        ("Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-31T23:59:59+00:00"),
    ],
)
@pytest.mark.parametrize("command", [*COMMANDS, (*COMMANDS[-1], "--max-wait", "1h")])
def test_a_quota_used_up_at_the_first_read_is_incomplete_until_a_time(shell, command, reset, at):
    shell.write(EDITED)
    headers = {"x-featureratelimit-remaining": "0", "x-featureratelimit-reset": reset}
    shell.emulator.fail("getUserGroups", status=420, headers=headers, times=None)
    done = shell(*command, code=5, err="nothing was written: the quota of requests is used up")
    assert f"{at[:10]} {at[11:19]} UTC" in done.stderr
    assert {call.operation_id for call in shell.emulator.calls} == {"getUserGroups"}
    document = shell.json(*command)
    assert (document["error"]["kind"], document["error"]["resume_at"]) == ("quota", at)


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("export --server-url http://127.0.0.1:1", 1, ("127.0.0.1", "--server-url")),
        ("export --output groups.csv", 64, "must end in .yaml, .yml or .json"),
        ("report --output out.xlsx", 64, "out.xlsx must end in one of .html, .csv"),
        ("report --as-of 20200101T000000Z-aaaa", 1, "there is no run '20200101T000000Z-aaaa'"),
        ("emulator --from missing.yaml", 1, "missing.yaml: cannot read the file"),
        ("frobnicate", 64, "Error: "),
        ("--frobnicate", 64, "Error: "),
        ("plan", 64, "Error: "),
        ("plan groups.yaml --format pdf", 64, "Error: "),
        ("apply groups.yaml --yes --format html", 64, "Error: "),
        ("--format html export", 64, "Error: "),
        ("apply groups.yaml --concurrency 0", 64, "Error: "),
        ("apply groups.yaml --allow-removals -1", 64, "Error: "),
        ("--region mars export", 64, "Error: "),
        ("schema nothing", 64, "Error: "),
        ("export --log-format xml", 64, "Error: "),
        ("lst", 64, "there is no command 'lst'; did you mean `list`?"),
        ("offbord", 64, "there is no command 'offbord'; did you mean `offboard`?"),
        ("xyz", 64, ("there is no command 'xyz'; ", "--help")),
    ],
)
def test_what_cannot_be_done_is_one_error_and_writes_no_file(shell, line, code, said):
    files = {*shell.folder.iterdir()}
    shell(line, code=code, writes=0, out="", err=said)
    assert {*shell.folder.iterdir()} == files


def test_missing_credentials_are_named_before_anything_is_sent(shell, monkeypatch):
    monkeypatch.delenv("CLOUDINARY_ACCOUNT_URL")
    shell("export --account-id acc", code=1, err="CLOUDINARY_PROVISIONING_API_KEY", calls=0)


@pytest.mark.parametrize("debug", [(), ("--debug",)])
def test_a_secret_is_never_shown(shell, debug, monkeypatch):
    monkeypatch.setenv("CLOUDINARY_ACCOUNT_URL", "account://k:wrong-s3cret@acc")
    done = process("export", *debug, command=forked_command())
    assert done.returncode == 1
    assert "s3cret" not in done.stdout + done.stderr
    assert ("Traceback" in done.stderr) is bool(debug)
    assert ("getUserGroups" in done.stderr) is bool(debug)


def test_a_usage_error_is_one_json_document_too(shell):
    document = shell.json("plan")
    assert (document["error"]["kind"], document["exit_code"]) == ("usage", 64)


def test_help_and_version_exit_with_0(shell):
    assert shell("--version").stdout.startswith("cld-user-groups ")
    for command in ((), ("export",), ("plan",), ("apply",), ("undo",), ("runs",), ("schema",)):
        assert shell(*command, "--help").stdout.startswith("Usage: ")


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_version_and_help_load_no_client_no_rich_and_no_reader_of_files(option):
    program = (
        "import sys\n"
        "from cld_user_groups.command import main\n"
        f"try: main(['{option}'])\n"
        "except SystemExit as done: assert done.code == 0\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not {"httpx", "msgspec", "rich", "yaml", "filelock", "jinja2"} & loaded
    assert not {"cld_user_groups.client", "cld_user_groups.membership"} & loaded


def test_quiet_leaves_out_all_but_the_result(shell):
    shell("apply", shell.write(EDITED), "--yes", "--quiet", code=0, out="5 done.", err="")


def test_a_reader_that_goes_away_is_no_traceback(shell):
    shell.add_crowd(3000)
    with unread_pipe() as pipe:
        assert process("export", stdout=pipe).stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (("apply", "groups.yaml", "--yes"), 0, "The run is recorded: cld-user-groups runs show 2"),
        (("apply", "groups.yaml", "--yes", "--format", "json"), 0, "The run is recorded"),
        (("list",), 1, "Error: No space left on device."),
        (("list", "--format", "json"), 1, "Error: No space left on device."),
    ],
)
def test_a_full_disk_is_reported_and_changes_no_exit_code_of_a_run_made(shell, command, code, said):
    shell.write(EDITED)
    with Path("/dev/full").open("w") as full:
        done = process(*command, stdout=full)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert (shell.members() == AS_EDITED) is (command[0] == "apply")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    "command",
    [
        ("export", "--output", "full.yaml"),
        ("plan", "groups.yaml", "--out", "full.yaml"),
        ("report", "--output", "full.yaml"),
    ],
)
def test_a_file_for_which_there_is_no_space_is_named(shell, command):
    shell.write(EDITED)
    (shell.folder / "full.yaml").symlink_to("/dev/full")
    done = shell(*command, code=1, out="")
    assert done.stderr == "Error: full.yaml: No space left on device.\n"


def test_what_names_a_terminal_would_obey_is_shown_escaped(shell):
    shell.emulator.add_group("evil\x1b]0;title\x07", group_id="evil")
    path = shell.write("version: 1\ngroups: {Nice: {id: evil, allow_empty: true, members: []}}")
    done = shell(f"apply {path} --yes", code=0)
    assert "\x1b" not in done.stdout + done.stderr + shell("runs show").stdout


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {"content-type": "text/html"}, "<html>Please log in</html>"),
        (200, {"content-type": "text/plain"}, ""),
        (302, {"location": "https://login.example.com/"}, ""),
    ],
)
@pytest.mark.parametrize("command", ["list", "doctor"])
def test_what_is_not_the_api_is_not_to_be_tried_again_later(shell, status, headers, body, command):
    shell.emulator.fail("getUserGroups", status=status, headers=headers, body=body, times=None)
    done = shell(command, code=1)
    assert "that is not the API: check --server-url and the proxy" in done.output
    assert "later" not in done.output


def test_where_nothing_can_be_recorded_the_error_says_where_it_could(shell, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", shell.write("not a folder"))
    done = shell("create Interns --yes", code=1, writes=0)
    assert "let this user write there, or set XDG_STATE_HOME to another directory" in done.stderr


@pytest.mark.parametrize(
    ("command", "said"),
    [
        *((each, "set XDG_STATE_HOME") for each in ("create Interns", "runs", "report", "doctor")),
        ("list --profile work", "name the file of profiles in CLOUDINARY_PROFILES_FILE"),
    ],
)
def test_a_user_without_a_home_is_told_which_variable_to_set(shell, monkeypatch, command, said):
    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(Path, "home", home)
    done = shell(*command.split(), code=1, writes=0)
    assert "this user has no home directory" in done.output
    assert said in done.output
    shell("list", code=0)


def test_without_a_command_the_help_is_shown_and_it_is_called_missing(shell):
    done = shell(code=64, out="")
    assert done.stderr.startswith("Usage: ")
    assert done.stderr.endswith("\nError: a command is missing.\n")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("runs", "shwo"), "there is no command 'shwo'; did you mean `show`?"),
        (("runs", "show", "20260101"), "; the latest is 2"),
        (("undo", "20260101", "--yes"), "; the latest is 2"),
    ],
)
def test_a_run_that_is_not_there_has_a_hint(desk, command, said):
    desk("create Interns --yes", code=0)
    done = desk(*command, err=said)
    assert done.exit_code in (1, 64)


HOSTILE = "no \x1b]0;title\x07 \u202eway"


@pytest.mark.parametrize("options", [(), ("--debug",), ("--log-format", "json")])
@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_server_says_reaches_no_terminal_unescaped(shell, command, options):
    shell.write(EDITED)
    shell.emulator.fail("getUserGroups", status=418, message=HOSTILE, times=None)
    for done in (shell(*command, *options), shell(*command, *options, "--format", "json")):
        assert done.exit_code == 1
        assert "way" in done.stderr
        assert not {"\x1b", "\x07", "\u202e"} & {*done.stdout, *done.stderr}
    assert printable(HOSTILE) in shell.json(*command, *options)["error"]["message"]


def test_a_response_that_is_too_large_names_the_option_that_allows_it(shell):
    shell.emulator.add_group("x" * 1_200_000)
    done = shell("list --max-body 1", code=1, err="larger than 1048576 bytes")
    assert "allow more with --max-body, in MiB" in done.stderr
    shell("list --max-body 2", code=0)
    shell("doctor --max-body 1", code=1)
    shell("doctor --max-body 2", code=0)


def test_a_file_that_is_too_large_names_the_option_that_allows_it(shell):
    file = shell.write(shell("export").stdout + f"# {'x' * 1_200_000}\n")
    done = shell(f"plan {file} --max-body 1", code=1)
    assert "larger than 1048576 bytes; allow more with --max-body, in MiB" in done.stderr
    shell(f"plan {file} --max-body 2", code=0)


@pytest.mark.parametrize("status", [420, 429])
@pytest.mark.parametrize(
    "headers",
    [
        {"retry-after": "1764322800000"},
        {"retry-after": "9" * 400},
        {"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"},
        {"x-featureratelimit-reset": "Fri, 31 Dec 9999 23:59:59 GMT"},
        {"x-featureratelimit-reset": "Sat, 01 Jan 0001 00:00:00 GMT"},
    ],
)
def test_whatever_delay_a_server_names_a_run_ends_with_its_report(shell, status, headers):
    headers = {"x-featureratelimit-remaining": "0", **headers}
    shell.emulator.fail("removeUserFromUserGroup", status=status, headers=headers, times=None)
    document = shell.json("apply", shell.write(EDITED), "--yes", "--concurrency", "1")
    assert document["exit_code"] == 5
    assert (document["stopped"], document["summary"]["done"]) == ("quota", 4)
    (run,) = shell.json("runs")["runs"]
    assert run["ended_at"] is not None
