"""The recipes of the documents work as they stand there."""

from __future__ import annotations

import configparser
import json
import shlex
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
import yaml
from tests.support.workflows import Runner, evaluated

from .recipes import Machine, block, shell_blocks
from .shell import AS_EDITED, EDITED, SAMPLE, Shell

#: What a guard refuses where there is a crowd.
REFUSED = "version: 1\ngroups: {Crowd: {members: [p0@example.com]}}\n"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the recipes are for POSIX shells")


@pytest.fixture
def machine(shell: Shell) -> Machine:
    """A machine, whose checkout has a file that changes the sample account."""
    shell.write(EDITED)
    return Machine(shell.folder)


def test_the_job_that_finds_drift_fails_with_the_plan_as_its_summary(shell, machine):
    given = {"secrets.CLOUDINARY_ACCOUNT_URL": "account://k:s@acc", **machine.environment}
    (job,) = yaml.safe_load(block(".github/workflows/groups-drift.yml"))["jobs"].values()
    used = [step["uses"] for step in job["steps"] if "run" not in step]
    assert all(each.startswith("actions/checkout@") for each in used)
    context = given | {key: evaluated(text, given) for key, text in job["env"].items()}
    done = Runner(machine.folder, context).run(job["steps"])
    assert (done.returncode, shell.writes()) == (2, 0)
    assert Path("summary.md").read_text().startswith("#")


@pytest.fixture
def server(machine: Machine) -> Machine:
    """A machine with the scripts and the file at their places."""
    for name in ("nightly", "notify", "drift"):
        machine.install_block(f"/usr/local/bin/user-groups-{name}")
    for place in ("srv/user-groups", "var/log", "etc/user-groups"):
        (machine.folder / place).mkdir(parents=True)
    shutil.copy(machine.folder / "groups.yaml", machine.folder / "srv/user-groups")
    (machine.folder / "etc/user-groups/credentials").write_text("k:s\n")
    return machine


def test_cron_runs_it_every_night_with_a_profile(shell, server):
    toml = server.here(block("~/.config/cld-user-groups/profiles.toml"))
    path = server.folder / ".config/cld-user-groups/profiles.toml"
    path.parent.mkdir(parents=True)
    path.write_text(toml.replace("ACCOUNT_ID", "acc"))
    server.install_command(sys.executable, "-m", "cld_user_groups")
    *assignments, job = server.here(block("crontab")).splitlines()
    environment = dict(line.split("=", 1) for line in assignments)
    done = server.run("/bin/sh", "-c", job.split(maxsplit=5)[5], environment=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert shell.members() == AS_EDITED
    lines = (server.folder / "var/log/user-groups.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines][-1] == "run_ended"


@pytest.mark.parametrize(
    ("words", "content", "code", "subject", "said"),
    [
        (("nightly",), REFUSED, 3, "were not changed: a guard refuses", "--allow-removals 19"),
        (("nightly",), "version: 1\ngroups: [", 1, "could not be compared or changed", "yaml:"),
        (("plan",), REFUSED, 3, "were not changed: a guard refuses", "--allow-removals 19"),
        (("plan",), None, 2, "differ from the file", "+ john@example.com"),
        (("true",), REFUSED, 0, None, ""),
    ],
)
def test_whatever_did_not_end_well_is_mailed_with_its_reason(
    shell, server, words, content, code, subject, said
):
    shell.add_crowd(20)
    file = server.folder / "srv/user-groups/groups.yaml"
    if content is not None:
        file.write_text(content)
    plan = ["cld-user-groups", "plan", str(file), "--detailed-exitcode", "--quiet"]
    nightly = [str(server.folder / "usr/local/bin/user-groups-nightly")]
    command = {"nightly": nightly, "plan": plan}.get(words[0], list(words))
    environment = {"CLOUDINARY_ACCOUNT_URL": "account://k:s@acc"}
    notify = str(server.folder / "usr/local/bin/user-groups-notify")
    done = server.run(notify, *command, environment=environment)
    assert (done.returncode, done.stdout) == (code, "")
    mail = server.folder / "mail"
    assert mail.exists() is (subject is not None)
    if subject is not None:
        assert said in mail.read_text()
        calls = (server.folder / "calls").read_text()
        assert f"mail -s User groups {subject} root" in calls
    assert shell.writes() == 0


def test_systemd_runs_it_every_night_and_out_of_quota_is_no_failure(shell, server):
    service = units(server, "user-groups.service")["Service"]
    environment = dict(line.split("=", 1) for line in service["Environment"].splitlines())
    environment["CLOUDINARY_ACCOUNT_URL"] = "account://k:s@acc"
    shell.emulator.clock.advance(hours=3)  # the quota is renewed later than the script waits
    shell.emulator.set_quota(1000, 204)
    done = server.run(*shlex.split(service["ExecStart"]), environment=environment)
    assert done.returncode == int(service["SuccessExitStatus"]) == 5
    assert shell.members() not in (SAMPLE, AS_EDITED)
    shell.emulator.set_quota(1000)
    done = server.run(*shlex.split(service["ExecStart"]), environment=environment)
    assert done.returncode == 0
    assert shell.members() == AS_EDITED
    journals = server.folder / "var/lib/user-groups/cld-user-groups/acc"
    assert len(list(journals.glob("*.jsonl"))) == 2


def units(machine: Machine, name: str) -> configparser.ConfigParser:
    """Return a unit of systemd, of whose repeated keys each value is a line."""
    repeated: dict[str, str] = {}
    lines: list[str] = []
    for line in machine.here(block(f"/etc/systemd/system/{name}")).splitlines():
        key, _, value = line.partition("=")
        if key in repeated:
            lines.append(f"  {value}")
        else:
            lines.append(line)
        repeated[key] = value
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read_string("\n".join(lines))
    return parser


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd")
def test_systemd_accepts_the_units(server):
    for name in ("user-groups.service", "user-groups.timer"):
        text = block(f"/etc/systemd/system/{name}").replace("/usr/local/bin", "/usr/bin")
        (server.folder / name).write_text(text.replace("user-groups-nightly", "env"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "./user-groups.timer", "./user-groups.service"],
        cwd=server.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in done.stderr.splitlines() if "user-groups" in line] == []


def test_the_alarm_is_silent_until_the_account_drifts(shell, server):
    alarm = str(server.folder / "usr/local/bin/user-groups-drift")
    environment = {"CLOUDINARY_ACCOUNT_URL": "account://k:s@acc"}
    mail = server.folder / "mail"
    exported = shell("export").stdout
    (server.folder / "srv/user-groups/groups.yaml").write_text(exported)
    assert server.run(alarm, environment=environment).returncode == 0
    assert not mail.exists()
    shell.emulator.remove_member(shell.emulator.groups[0], shell.emulator.groups[0].users[0])
    assert server.run(alarm, environment=environment).returncode == 2
    assert "+ john@example.com" in mail.read_text()
    assert server.run(alarm).returncode == 1
    assert "there are no credentials" in mail.read_text()
    calls = (server.folder / "calls").read_text()
    assert "mail -s The user groups are not what the file says root" in calls
    assert "mail -s The user groups cannot be compared with the file root" in calls
    assert shell.writes() == 0


def test_the_exports_of_four_programs_are_planned_as_the_page_says(shell, machine):
    shutil.copytree(Path(__file__).parent / "exports", machine.folder, dirs_exist_ok=True)
    page = "how-to/import-from-another-program.md"
    google, okta, entra, hr = machine.replay(page)
    for done in (google, okta, entra):
        assert (done.returncode, "Nothing to do" in done.stdout) == (0, True)
    assert "+ john@example.com" in hr.stdout
    assert shell.writes() == 0


def test_journals_are_pruned_and_verified_as_the_page_says(shell, machine):
    shell("apply groups.yaml --yes", code=0)
    machine.environment["XDG_STATE_HOME"] = str(machine.folder / "state")
    pruned, reviews, verified = machine.replay("explanation/personal-data.md")
    assert [done.returncode for done in (pruned, verified)] == [0, 0]
    assert "No run is older than" in pruned.stderr
    assert verified.stderr == "Verified 1 journal.\n"
    assert reviews.returncode == 1  # this machine has kept none there


def test_a_file_is_rehearsed_on_a_copy_and_then_applied(shell, machine):
    real = {"CLOUDINARY_ACCOUNT_URL": "account://k:s@acc"}
    export, serve, rehearse, apply, forget = shell_blocks("how-to/rehearse.md")
    assert machine.run("sh", "-ec", export, environment=real).returncode == 0
    with machine.rehearse(
        serve.replace("cld-user-groups", f"{sys.executable} -m cld_user_groups")
    ) as url:
        text = rehearse.replace("http://127.0.0.1:8642", url).replace("ACCOUNT_ID", "acc")
        done = machine.run("sh", "-ec", text)
    assert done.returncode == 0, done.stderr
    assert "create_group\tInterns" in done.stdout
    assert "john@example.com" in done.stdout
    assert (shell.writes(), shell.members()) == (0, SAMPLE)
    done = machine.run("sh", "-ec", f"{apply.strip()} --yes", environment=real)
    assert (done.returncode, shell.members()) == (0, AS_EDITED)
    assert machine.run("sh", "-ec", forget).returncode == 0
    assert not (machine.folder / "rehearsal").exists()


def test_a_team_is_renamed_by_hand_and_in_the_file_as_the_page_says(shell, machine):
    ids = {group.id for group in shell.emulator.groups}
    asking = ("cld-user-groups rename Designers Artists", "cld-user-groups apply renamed.yaml")
    by_hand, in_file = machine.replay("how-to/rename-a-team.md", confirming=asking)
    assert (by_hand.returncode, in_file.returncode) == (0, 0)
    assert "Nothing to do" in in_file.stderr + in_file.stdout
    shell("rename Artists Designers --yes", code=0)
    shell("apply renamed.yaml --yes", code=0)
    assert shell.members() == {"Artists": SAMPLE["Designers"], "Marketing": SAMPLE["Marketing"]}
    assert {group.id for group in shell.emulator.groups} == ids


def test_a_wrong_run_is_found_and_restored_as_the_page_says(shell, machine):
    (machine.folder / "groups.yaml").write_text(shell("export").stdout)
    machine.environment["XDG_STATE_HOME"] = str(machine.folder / "state")
    shell("remove Designers harry@example.com --yes", code=0)
    page = "how-to/restore-after-a-wrong-run.md"
    undo = "cld-user-groups undo"
    replay = machine.replay(page, confirming=[undo, f"{undo} --restore-roles"])
    found, undone, explained, compared = islice(replay, 4)
    assert shell.members() == SAMPLE
    shell("delete Marketing --yes --allow-removals 1", code=0)
    (brought_back,) = replay
    for done in (found, undone, explained, compared, brought_back):
        assert done.returncode == 0, done.stderr
    assert "cld-user-groups remove Designers harry@example.com" in found.stdout
    assert "+ harry@example.com" in undone.stdout
    assert "made_by_run" in explained.stdout
    assert "Nothing to do" in compared.stdout
    assert shell.members() == SAMPLE
