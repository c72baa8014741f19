"""`doctor` says what is wrong, and what to do about it."""

from __future__ import annotations

import json
import os
import socket
import sys
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

import pytest

from cld_user_groups.command import doctor, doctor_checks
from cld_user_groups.command.doctor import Check, check_import_name, check_packages
from cld_user_groups.membership import state_directory

from .shell import Shell, process

KEY = "123456789012345"
SECRET = "very-s3cret"


def found(shell: Shell, *options: str) -> dict[str, dict[str, Any]]:
    """Return what `doctor` finds, by the name of the check."""
    return {check["check"]: check for check in shell.json("doctor", *options)["checks"]}


def test_all_is_well_on_an_account_that_can_be_read(shell):
    done = shell("doctor", code=0)
    header, *lines = done.stdout.splitlines()
    assert header == "status\tcheck\tresult\thint"
    assert [line.split("\t")[:2] for line in lines] == [
        ["ok", name]
        for name in (
            "python", "packages", "import name", "credentials", "account", "journals", "server",
            "reachable", "quota", "clock", "contract",
        )
    ] + [["skipped", "providers"], ["ok", "permissions"]]  # fmt: skip
    assert (len(shell.emulator.calls), shell.writes()) == (4, 0)
    document = shell.json("doctor")
    assert (document["ok"], document["exit_code"], document["account"]) == (True, 0, "acc")
    assert shell("doctor --log-format json").stderr.count('"event":"response"') == 4


def test_credentials_are_shown_masked(shell, monkeypatch):
    monkeypatch.setenv("CLOUDINARY_ACCOUNT_URL", f"account://{KEY}:{SECRET}@acc")
    done = shell("doctor", code=1, out="***2345, from CLOUDINARY_ACCOUNT_URL")
    assert KEY not in done.output
    assert SECRET not in done.output


@pytest.mark.parametrize(
    ("status", "hint"), [(401, "credentials"), (403, "permissions"), (404, "ID"), (500, "later")]
)
def test_an_account_that_cannot_be_read_fails_with_a_hint(shell, status, hint):
    shell.emulator.fail("getUserGroups", status=status, times=None)
    shell("doctor", code=1)
    checks = found(shell)
    assert checks["reachable"]["status"] == "failed"
    assert hint in checks["reachable"]["hint"]
    assert checks["clock"]["status"] == "ok"
    assert checks["contract"]["status"] == "skipped"


def test_a_network_that_is_not_there_fails_with_a_hint(shell, monkeypatch):
    with socket.socket() as taken:  # bound, and not listened on
        taken.bind(("127.0.0.1", 0))
        closed = f"127.0.0.1:{taken.getsockname()[1]}"
        nowhere = found(shell, "--server-url", f"http://{closed}")
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:{SECRET}@{closed}")
        behind = found(shell, "--server-url", "https://api.cloudinary.example")
    assert nowhere["reachable"]["status"] == "failed"
    assert "check the network" in nowhere["reachable"]["hint"]
    assert behind["server"]["result"].endswith(f"through the proxy {closed}")
    assert behind["reachable"]["status"] == "failed"
    assert "HTTPS_PROXY" in behind["reachable"]["hint"]
    assert SECRET not in str(behind)
    monkeypatch.setenv("HTTPS_PROXY", "no proxy at all")
    broken = found(shell, "--server-url", "https://api.cloudinary.example")
    assert broken["reachable"]["status"] == broken["proxy"]["status"] == "failed"
    assert "HTTPS_PROXY='no proxy at all'" in broken["proxy"]["result"]
    monkeypatch.delenv("HTTPS_PROXY")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    assert "SSL_CERT_FILE='/nowhere/ca.pem'" in found(shell)["reachable"]["result"]


def test_a_server_that_needs_no_proxy_is_shown_without(shell, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert "proxy" not in found(shell)["server"]["result"]
    monkeypatch.setenv("NO_PROXY", "localhost")
    checks = found(shell, "--server-url", "https://localhost:1")
    assert checks["server"]["result"] == "https://localhost:1"


@pytest.mark.parametrize(
    ("spoil", "failed"),
    [
        (lambda emulator: emulator.clock.advance(hours=-1), {"clock": ("ahead of", "NTP")}),
        (lambda emulator: emulator.clock.advance(hours=1), {"clock": ("behind", "NTP")}),
        (lambda emulator: emulator.set_quota(100, 0),
         {"quota": ("", ""), "reachable": ("", "")}),
        (lambda emulator: emulator.fail("getUsers", status=404, times=None),
         {"contract": ("", "")}),
    ],
    ids=["clock ahead", "clock behind", "used-up quota", "unreadable member"],
)  # fmt: skip
def test_what_is_off_fails(shell, spoil, failed):
    spoil(shell.emulator)
    shell("doctor", code=1)
    for name, (result, hint) in failed.items():
        check = found(shell)[name]
        assert check["status"] == "failed"
        assert result in check["result"]
        assert hint in (check["hint"] or "")


def test_the_quota_is_shown_and_a_low_one_is_a_warning(shell):
    shell.emulator.set_quota(100)
    quota = found(shell)["quota"]
    assert quota["status"] == "ok"
    assert quota["result"].startswith("99 of 100 requests left, renewed at ")
    shell.emulator.set_quota(100, 10)
    low = found(shell)["quota"]
    assert (low["status"], "--keep-quota" in low["hint"]) == ("warning", True)
    shell("doctor", code=0)


def test_responses_unlike_the_contract_fail_and_json_has_each_difference(shell):
    body = b'{"user_groups": [{"id": "g", "name": "G", "users": [], "a": 1, "b": 2}]}'
    shell.emulator.fail("getUserGroups", status=200, body=body, times=None)
    shell("doctor", code=1)
    document = shell.json("doctor")
    (check,) = [each for each in document["checks"] if each["check"] == "contract"]
    assert check["status"] == "failed"
    assert "(and 1 more)" in check["result"]
    assert len(document["details"]["contract"]) == 2


def users(*people: dict[str, Any]) -> bytes:
    """Return the body of a response that lists users."""
    return json.dumps({"users": people}).encode()


@pytest.mark.parametrize(
    ("people", "status", "result"),
    [
        ([{"id": "u1"}], "skipped", "no response says which providers users come from"),
        ([{"id": "u1", "providers": []}], "ok", "0 of 1 users listed come from one"),
        (
            [
                {"id": "u1", "email": "ann@example.com", "providers": ["scim", "saml"]},
                {"id": "u2", "providers": ["saml"]},
                {"id": "u3", "providers": []},
                {"id": "u4"},
            ],
            "ok",
            "2 of 4 users listed come from one: saml (2), scim (1); of 1 it is not known",
        ),
    ],
)
def test_it_says_who_comes_from_a_provider(shell, people, status, result):
    shell.emulator.fail("getUsers", status=200, body=users(*people), times=None)
    document = shell.json("doctor")
    (check,) = [each for each in document["checks"] if each["check"] == "providers"]
    assert (check["status"], check["result"]) == (status, result)
    if "scim" in result:
        listed = ["saml: ann@example.com", "saml: u2", "scim: ann@example.com"]
        assert document["details"]["providers"] == listed
        assert "managed_by" in check["hint"]


@pytest.mark.parametrize("refused_with", [401, 403, 404, 500])
def test_without_the_permissions_api_roles_are_not_known_and_all_is_well(shell, refused_with):
    shell.emulator.roles.refused_with = refused_with
    shell("doctor", code=0)
    permissions = found(shell)["permissions"]
    assert permissions["status"] == "skipped"
    assert permissions["result"].startswith("what groups grant is not known: ")
    assert str(refused_with) in permissions["result"]
    shell.emulator.calls.assert_called("inspectMultiple", times=2)  # once each time


def test_without_the_extra_the_contract_is_skipped_with_the_extras_name(shell, monkeypatch):
    monkeypatch.setitem(sys.modules, "cld_user_groups.contract", None)
    shell("doctor", code=0)
    contract = found(shell)["contract"]
    assert contract["status"] == "skipped"
    assert "cld-user-groups[contract]" in contract["hint"]
    # Nothing is read that no check looks at.
    asked = [call.operation_id for call in shell.emulator.calls]
    assert asked == ["getUserGroups", "getUsers", "inspectMultiple"] * 2  # once each time


def test_settings_that_are_not_valid_fail_and_nothing_is_sent(shell, monkeypatch):
    checks = found(shell, "--server-url", "ftp://host")
    assert (checks["server"]["status"], checks["reachable"]["status"]) == ("failed", "skipped")
    monkeypatch.delenv("CLOUDINARY_ACCOUNT_URL")
    assert "CLOUDINARY_ACCOUNT_URL" in found(shell)["profile"]["result"]
    assert found(shell, "--profile", "work")["profile"]["status"] == "failed"
    monkeypatch.setenv("CLOUDINARY_PROVISIONING_API_KEY", "k")
    checks = found(shell)
    assert "CLOUDINARY_PROVISIONING_API_SECRET" in checks["credentials"]["result"]
    assert "CLOUDINARY_ACCOUNT_ID" in checks["account"]["result"]
    assert len(shell.emulator.calls) == 0


def test_a_profile_is_shown_with_where_its_credentials_come_from(shell, monkeypatch):
    program = "print('k:s')"
    credentials = f"credentials.command = {[sys.executable, '-c', program]}"
    path = shell.write(f"[work]\naccount_id = 'acc'\n{credentials}", "profiles.toml")
    monkeypatch.setenv("CLOUDINARY_PROFILES_FILE", path)
    checks = found(shell, "--profile", "work")
    assert checks["profile"]["result"] == "work, profiles.toml"
    assert checks["credentials"]["result"] == f"key ***, from the command '{sys.executable}'"
    assert checks["reachable"]["status"] == "ok"


def test_unreadable_journals_are_a_warning_and_a_folder_of_files_a_failure(shell, monkeypatch):
    state = state_directory("acc")
    state.mkdir(parents=True)
    (state / "20990101T000000.jsonl").write_text("nonsense\n")
    journals = found(shell)["journals"]
    assert journals["status"] == "warning"
    assert "20990101T000000" in journals["result"]
    monkeypatch.setenv("XDG_STATE_HOME", str(shell.folder / shell.write("", "file")))
    shell("doctor", code=1)
    assert "XDG_STATE_HOME" in found(shell)["journals"]["hint"]


def foreign(folder: Path, content: str, *, listed_in: str = "RECORD") -> str:
    """Install a distribution that has the documented import name; return its import path."""
    (folder / "cloudinary_account_provisioning").mkdir()
    (folder / "cloudinary_account_provisioning" / "__init__.py").write_text(content)
    info = folder / "another_sdk-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: another-sdk\nVersion: 1.2\n")
    files = "another/__init__.py,,\ncloudinary_account_provisioning/__init__.py,,\n"
    top_level = "another\ncloudinary_account_provisioning\n"
    (info / listed_in).write_text(files if listed_in == "RECORD" else top_level)
    return str(folder)


def test_the_command_says_that_it_works_where_another_has_the_import_name(shell, tmp_path):
    (tmp_path / "site").mkdir()
    path = foreign(tmp_path / "site", "raise SystemExit('this is somebody else')\n")
    done = process("doctor", env={**os.environ, "PYTHONPATH": path})
    assert (done.returncode, done.stderr) == (1, "")
    (line,) = [line for line in done.stdout.splitlines() if "\timport name\t" in line]
    assert line.startswith("failed\t")
    assert "another-sdk 1.2" in line
    assert "import cld_user_groups" in line
    assert "pip install --force-reinstall" in line
    assert "ok\treachable" in done.stdout


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that comes first on the import path."""
    monkeypatch.delitem(sys.modules, "cloudinary_account_provisioning", raising=False)
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.mark.parametrize("listed_in", ["RECORD", "top_level.txt"])
def test_another_distribution_under_ours_is_a_warning(elsewhere, listed_in):
    foreign(elsewhere, "from cld_user_groups import *\n", listed_in=listed_in)
    check = check_import_name()
    assert check.status == "warning"
    assert "another-sdk 1.2 has it too" in check.result


def test_a_folder_of_the_documented_name_fails_whosever_it_is(elsewhere):
    (elsewhere / "cloudinary_account_provisioning").mkdir()
    (elsewhere / "cloudinary_account_provisioning" / "__init__.py").write_text("")
    assert check_import_name().status == "failed"
    (elsewhere / "cloudinary_account_provisioning" / "__init__.py").unlink()
    (elsewhere / "cloudinary_account_provisioning.py").write_text("")
    assert "something else" in check_import_name().result


def test_a_documented_name_that_is_gone_fails(monkeypatch):
    monkeypatch.setattr(doctor, "DOCUMENTED_NAME", "no_such_package")
    check = check_import_name()
    assert (check.status, check.result) == ("failed", "no_such_package cannot be imported")


def test_parts_of_two_versions_and_missing_packages_fail(monkeypatch):
    monkeypatch.setattr(doctor, "__version__", "0.0.1")
    assert "parts of two versions" in check_packages().result
    monkeypatch.undo()

    def without_rich(name: str) -> Distribution:
        return distribution("no-such-distribution" if name == "rich" else name)

    monkeypatch.setattr(doctor, "distribution", without_rich)
    check = check_packages()
    assert (check.status, check.result) == ("failed", "rich not installed")
    assert "cld-user-groups[cli]" in check.hint
    monkeypatch.setattr(doctor, "DISTRIBUTION", "no-such-distribution")
    assert check_packages().status == "warning"


def test_a_check_that_ends_in_an_error_has_failed_and_stops_no_other(shell, monkeypatch):
    def broken() -> list[Distribution]:
        raise PermissionError(13, "Permission denied", "METADATA")

    monkeypatch.setattr(doctor, "distributions", broken)
    checks = found(shell)
    assert checks["import name"]["status"] == "failed"
    assert checks["import name"]["result"] == "METADATA: Permission denied"
    assert checks["contract"]["status"] == "ok"


def test_a_python_that_is_too_old_fails(monkeypatch):
    monkeypatch.setattr(doctor, "OLDEST_PYTHON", (99, 0))
    assert doctor.check_python() == Check(
        "python", "failed", doctor.check_python().result, "install Python 99.0 or later"
    )


def test_a_server_that_never_responds_does_not_hang_it(shell, monkeypatch):
    monkeypatch.setattr(doctor_checks, "TIME_LIMIT_MS", 100)
    shell.emulator.fail("getUserGroups", delay=1.0)
    assert found(shell)["reachable"]["status"] == "failed"
