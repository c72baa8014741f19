"""`--log-format json`: standard error is JSON lines, and holds no secret."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import Result

from .shell import AS_EDITED, EDITED, Shell, process, unread_pipe


def events(done: Result, name: str | None = None) -> list[dict[str, Any]]:
    """Return the events on standard error, each line of which must be one."""
    found = [json.loads(line) for line in done.stderr.splitlines()]
    assert all({"time", "level", "event"} <= event.keys() for event in found)
    return [event for event in found if name in (None, event["event"])]


def apply(shell: Shell, *options: str) -> Result:
    return shell("apply", shell.write(EDITED), "--yes", "--log-format", "json", *options)


def test_a_run_is_told_from_its_plan_to_its_end(shell):
    done = apply(shell)
    assert (done.exit_code, shell.members()) == (0, AS_EDITED)
    names = [event["event"] for event in events(done)]
    assert names[:6] == ["request", "response"] * 2 + ["plan", "run_started"]
    assert names.count("change") == 5
    assert (names.count("request"), names.count("response")) == (8, 8)
    (started,), (ended,) = events(done, "run_started"), events(done, "run_ended")
    assert started["run"] == ended["run"]
    assert (ended["complete"], ended["summary"]["done"]) == (True, 5)
    assert events(done, "plan")[0]["changes"]["add_user"] == 2
    added = next(each for each in events(done, "change") if each["action"] == "add_user")
    assert added["user"]["email"].endswith("@example.com")
    assert added["status"] == "done"


def test_a_log_that_nobody_reads_any_more_does_not_end_a_run(shell):
    command = ["apply", shell.write(EDITED), "--yes", "--log-format", "json"]
    with unread_pipe() as pipe:
        done = process(*command, stderr=pipe)
    assert (done.returncode, shell.members()) == (0, AS_EDITED)
    assert "5 done." in done.stdout


def test_a_request_is_logged_with_its_operation_a_response_with_its_status(shell):
    done = shell("export --log-format=json")
    request, response = events(done)
    assert (request["operation"], request["method"]) == ("getUserGroups", "GET")
    assert request["path"] == "/v1_1/provisioning/accounts/acc/user_groups"
    assert (response["status"], response["attempt"]) == (200, 1)
    assert response["request_id"]
    assert response["milliseconds"] >= 0


def test_a_retry_is_told_with_its_reason_and_its_delay(shell):
    shell.emulator.fail("getUserGroups", status=503, times=1)
    (retry,) = events(shell("export --log-format json"), "retry")
    assert (retry["level"], retry["operation"], retry["attempt"]) == ("warning", "getUserGroups", 1)
    assert retry["delay"] >= 0
    assert "503" in retry["message"]


def test_an_error_is_one_line_also_on_the_command_line_itself(shell):
    done = shell("plan --log-format json")
    (error,) = events(done)
    assert (error["event"], error["level"], error["exit_code"]) == ("error", "error", 64)
    refused = shell("apply", shell.write(EDITED), "--log-format", "json")
    assert refused.exit_code == 64  # there is nobody to ask
    assert "--yes" in events(refused, "error")[0]["message"]


def test_a_traceback_is_in_the_error_only_when_debugging(shell):
    assert "traceback" not in events(shell("plan nothing --log-format json"))[0]
    done = shell("plan nothing --log-format json --debug")
    assert "Traceback" in events(done, "error")[0]["traceback"]


def test_quiet_leaves_only_errors(shell):
    assert apply(shell, "--quiet").stderr == ""
    assert [each["event"] for each in events(shell("plan nothing --quiet --log-format=json"))] == [
        "error"
    ]


def test_messages_are_events(shell):
    done = shell("export --output groups.yaml --log-format json")
    assert "Wrote 2 groups" in events(done, "message")[0]["message"]


def test_a_wait_for_the_quota_is_told_before_it(shell, waits):
    shell.emulator.fail("createUserGroup", status=420, times=None)
    done = apply(shell, "--max-wait", "0")
    assert done.exit_code == 5
    (ended,) = events(done, "run_ended")
    assert (ended["level"], ended["stopped"]) == ("warning", "quota")


@pytest.mark.parametrize("debug", ["", "true"])
def test_no_line_holds_a_secret_or_is_of_another_log(shell, monkeypatch, debug):
    monkeypatch.setenv("CLOUDINARY_DEBUG", debug)
    monkeypatch.setenv("CLOUDINARY_ACCOUNT_URL", "account://k:wrong-s3cret@acc")
    done = shell("export --log-format json --debug", code=1)
    (failed,) = events(done, "call_failed")
    assert failed["error"] == "AuthorizationRequired"
    assert "s3cret" not in done.output
