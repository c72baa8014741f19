"""A pull request shows its plan, and its merge applies exactly that: action.yml, ci/gitlab.yml."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import yaml
from attrs import define, evolve, frozen
from click.testing import CliRunner
from tests.support.documents import ROOT
from tests.support.workflows import Runner, load
from tools import groups_action

from cld_user_groups.command.cli import cli

from . import forges
from .forges import BOT, PERSON, TOKEN, Forge, archive
from .recipes import block
from .shell import AS_EDITED, EDITED, SAMPLE, Shell

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the steps are for bash")

HEAD, MERGED = "a" * 40, "b" * 40
MARKER = "<!-- cld-user-groups: groups.yaml 78aee4e33388 -->\n"
MANY = "version: 1\ngroups: {Crowd: {members: [p0@example.com]}}\n"
E_MAILS = ("john@example.com", "harry@example.com", "maria@example.com")


@define
class InProcess(Runner):
    """A machine on which bash notes how it calls the action's script, which then runs in here."""

    def script(self, text: str, given: Mapping[str, object]) -> subprocess.CompletedProcess[str]:
        """Run a script with variables, and the action's script with those that bash gave it."""
        done = super().script(text, given)
        noted = self.folder / "environment"
        if done.returncode or not noted.exists():
            return done
        variables = [line for line in noted.read_text("utf-8").split("\0") if line]
        noted.unlink()
        _, script, what = shlex.split(self.calls[-1])
        assert (self.folder / script).resolve() == ROOT / "tools/groups_action.py"
        with patch.object(subprocess, "run", run_command), redirect_stdout(StringIO()) as output:
            code = groups_action.main(dict(line.split("=", 1) for line in variables), what)
        return subprocess.CompletedProcess(done.args, code, done.stdout + output.getvalue(), "")


def run_command(
    arguments: Sequence[str], *, env: Mapping[str, str], capture_output: bool, **_: object
) -> subprocess.CompletedProcess[str]:
    """Run the command in this process, as `subprocess.run` does in another."""
    assert arguments[:3] == [sys.executable, "-m", "cld_user_groups"]
    assert TOKEN not in env.values()
    with patch.dict(os.environ, env, clear=True):
        done = CliRunner().invoke(cli, arguments[3:])
    if not capture_output:
        print(done.output, end="")
    return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


@frozen
class Job:
    """A job of a forge, which plans on a request and applies on its merge."""

    runner: Runner
    forge: Forge
    is_gitlab: bool

    def __call__(self, what: str, **context: str) -> int:
        """Run the job of an event, and return its exit code."""
        return self.run(what, **context).returncode

    def run(self, what: str, **context: str) -> Any:
        """Run the job of an event, and return what its script ended in."""
        runner = evolve(self.runner, context=self.runner.context | context)
        if not self.is_gitlab:
            event = {"plan": "pull_request", "apply": "push"}[what]
            runner.context["github.event_name"] = event
            which = "github.event_name == 'pull_request' && 'plan' || 'apply'"
            runner.context[which] = what
            return runner.run(load(ROOT / "action.yml")["runs"]["steps"])
        pipeline = yaml.safe_load((ROOT / "ci/gitlab.yml").read_text("utf-8"))
        job, template = pipeline[f"groups-{what}"], pipeline[".groups"]
        script = "\n".join([*template["before_script"], *job["script"]])
        variables = pipeline["variables"] | {"GROUPS_SOURCE": "source"} | template["variables"]
        done = runner.script(script, variables)
        for path in job["artifacts"]["paths"]:
            files = [each for each in (runner.folder / path).parent.rglob("*") if each.is_file()]
            if (runner.folder / path).exists():
                runner.artifacts["groups-plan" if what == "plan" else "groups-journal"] = {
                    each.name: each.read_bytes() for each in files
                }
        return done

    def artifacts(self, kind: str) -> list[tuple[str, dict[str, bytes]]]:
        """Return the names and the files of the artifacts whose names begin with a kind."""
        return [each for each in self.runner.artifacts.items() if each[0].startswith(kind)]

    def stand_in_python(self, script: str) -> None:
        """Let a script take what Python is to run, but for what installs the action."""
        for name in ("python", "python3"):
            install = '*"pip install"* | "-m venv"*'
            self.runner.stand_in(name, f'case "$*" in {install}) ;; *) {script} ;; esac')

    def keep_plan(self, **changes: Any) -> None:
        """Let the forge keep the plan that was uploaded, as that of a merged request."""
        plans = [(name, files["plan.json"]) for name, files in self.artifacts("groups-plan")]
        repository, documents = "/repos/o/r", self.forge.documents
        if self.is_gitlab:
            repository = "/projects/3"
            merged = {"state": "merged", "iid": 7, "sha": HEAD, "merge_commit_sha": MERGED}
            merged["target_branch"] = "main"
            pipeline = {"id": 42, "sha": HEAD, "project_id": 3}
            job = {"id": 9, "name": "groups-plan", "status": "success"}
            documents |= {
                f"{repository}/repository/commits/{MERGED}/merge_requests": [
                    {**merged, "squash_commit_sha": None, **changes}
                ],
                f"{repository}/merge_requests/7/pipelines": [
                    {**pipeline, "id": 41}, {**pipeline, **changes}, {**pipeline, "sha": "c" * 40},
                ],
                f"{repository}/pipelines/41/jobs": [],
                f"{repository}/pipelines/42/jobs": [{**job, **changes}, {**job, "name": "x"}],
                f"{repository}/jobs/9/artifacts/groups/plan.json": plans[0][1],
            }  # fmt: skip
            return
        pull = {"number": 7, "merged_at": "x", "merge_commit_sha": MERGED, "head": {"sha": HEAD}}
        pull["base"] = {"ref": "main"}
        run = {
            "id": 42, "path": ".github/workflows/groups.yml", "head_sha": HEAD,
            "head_repository": {"full_name": "o/r"},
        }  # fmt: skip
        elsewhere = self.forge.url.replace("127.0.0.1", "localhost")
        documents |= {
            f"{repository}/commits/{MERGED}/pulls": [{**pull, **changes}],
            f"{repository}/actions/runs": {"workflow_runs": [{**run, **changes}]},
            f"{repository}/actions/runs/42/artifacts": {
                "artifacts": [
                    {"id": number, "expired": False, **changes, "name": name}
                    for number, (name, _) in enumerate(plans)
                ]
            },
        }
        for number, (_, plan) in enumerate(plans):
            documents[f"{repository}/actions/artifacts/{number}/zip"] = f"{elsewhere}/blob{number}"
            documents[f"/blob{number}"] = archive(plan=plan)


@pytest.fixture(params=["github", "gitlab"])
def job(
    request: pytest.FixtureRequest, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Generator[Job]:
    """A job in a private repository, whose file changes the sample account."""
    shell.write(EDITED)
    temporary = tmp_path / "temporary"
    python = temporary / "cld-user-groups/bin/python"
    python.parent.mkdir(parents=True)
    (tmp_path / "source").symlink_to(ROOT)
    with forges.serve(Forge()) as forge:
        event = {
            "repository": {"visibility": "private"},
            "pull_request": {"number": 7, "head": {"repo": {"full_name": "o/r"}}},
        }
        (tmp_path / "event.json").write_text(json.dumps(event))
        context = {
            "CLOUDINARY_PROVISIONING_SERVER_URL": os.environ["CLOUDINARY_PROVISIONING_SERVER_URL"],
            "GITHUB_API_URL": forge.url,
            "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
            "GITHUB_REF_NAME": "main",
            "GITHUB_REPOSITORY": "o/r",
            "GITHUB_SHA": MERGED,
            "GITHUB_WORKFLOW_REF": "o/r/.github/workflows/groups.yml@refs/heads/main",
            "github.action_path": str(ROOT),
            "runner.temp": str(temporary),
            "inputs.account-url": "account://k:s@acc",
            "inputs.file": "groups.yaml",
            "inputs.max-wait": "15m",
            "inputs.public": "false",
            "inputs.token": TOKEN,
        }
        if request.param == "gitlab":
            context = {
                "CLOUDINARY_PROVISIONING_SERVER_URL": context["CLOUDINARY_PROVISIONING_SERVER_URL"],
                "CLOUDINARY_ACCOUNT_URL": "account://k:s@acc",
                "CI_API_V4_URL": forge.url,
                "CI_COMMIT_BRANCH": "main",
                "CI_COMMIT_SHA": MERGED,
                "CI_MERGE_REQUEST_IID": "7",
                "CI_PROJECT_ID": "3",
                "CI_PROJECT_VISIBILITY": "private",
                "GITLAB_CI": "true",
                "GROUPS_TOKEN": TOKEN,
            }
            forge.documents["/user"] = {"id": BOT["id"]}
        job = Job(InProcess(tmp_path, context), forge, request.param == "gitlab")
        job.stand_in_python(f"env -0 >{shlex.quote(str(tmp_path))}/environment")
        python.symlink_to(tmp_path / "programs/python")
        yield job


def publish(job: Job) -> None:
    """Make the repository public."""
    job.runner.context["CI_PROJECT_VISIBILITY"] = "public"
    event = job.runner.folder / "event.json"
    event.write_text(event.read_text().replace('"private"', '"public"'))


def test_a_request_shows_its_plan_and_its_merge_applies_exactly_that(job, shell):
    job.stand_in_python(f'exec {shlex.quote(sys.executable)} "$@"')  # the action, and the command
    assert job("plan") == 0
    (comment,) = job.forge.comments
    assert comment["body"].startswith(f"{MARKER}#")
    assert "harry@example.com" in comment["body"]
    assert (shell.writes(), shell.members()) == (0, SAMPLE)
    job.keep_plan()

    shell.write(MANY)  # the plan that was reviewed is applied, whatever the file says now
    assert job("apply") == 0
    assert shell.members() == AS_EDITED
    ((_, journal),) = job.artifacts("groups-journal")
    assert [name for name in journal if name.endswith(".jsonl")]
    assert TOKEN not in str(job.runner.artifacts)


def test_uses_for_several_files_or_accounts_keep_their_plans_apart(job, shell):
    if job.is_gitlab:
        pytest.skip("a pipeline includes the template once")
    uses = [
        {},
        {"inputs.file": "more.yaml"},
        {"inputs.account-url": "account://k:s@other"},
    ]
    shell.write("version: 1\ngroups: {Later: {members: [john@example.com]}}\n", "more.yaml")
    assert [job("plan", **use) for use in uses[:2]] == [0, 0]
    job("plan", **uses[2])  # which this server does not know
    assert len({each["body"].splitlines()[0] for each in job.forge.comments}) == 3
    job.keep_plan()
    assert job("apply", **uses[1]) == 0
    assert shell.members() == {**SAMPLE, "Later": {"john"}}
    assert job("apply") == 0
    assert shell.members() == {**AS_EDITED, "Later": {"john"}}
    assert len(job.artifacts("groups-plan")) == len(job.artifacts("groups-journal")) == 2


def test_a_name_in_the_log_is_no_command_to_the_forge(job, shell):
    shell.write("version: 1\ngroups: {'::add-mask::e': {members: [john@example.com]}}\n")
    assert job("plan") == 0
    job.keep_plan()
    done = job.run("apply")
    assert done.returncode == 0
    if not job.is_gitlab:  # which has no commands in its logs
        first, *between, last = done.stdout.splitlines()
        assert last == f"::{first.removeprefix('::stop-commands::')}::"
        assert "::add-mask::e" in "\n".join(between)


def test_the_checkout_is_installed_and_never_a_name(job):
    job("plan")
    (installed,) = [call for call in job.runner.calls if "pip install" in call]
    assert installed.split()[-1] == ("./source[cli]" if job.is_gitlab else f"{ROOT}[cli]")


def test_a_push_replaces_the_comment_of_the_job_and_nobody_elses(job):
    theirs = {"id": 1, "user": PERSON, "author": PERSON, "body": f"{MARKER}All is well."}
    other = {"id": 2, "user": BOT, "author": BOT, "body": "Unrelated."}
    gone = {"id": 3, "user": None, "author": {"id": 3}, "body": "Whose author is gone."}
    job.forge.comments += [dict(theirs), dict(other), dict(gone)]
    assert job("plan") == 0
    assert job("plan") == 0
    *before, ours = job.forge.comments
    assert before == [theirs, other, gone]
    assert ours["id"] == 4


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [(MANY, 3, "--allow-removals 19"), ("version: 1\ngroups: [", 1, "groups.yaml:")],
)
def test_a_plan_that_must_not_be_applied_fails_and_the_comment_says_why(
    job, shell, content, code, said
):
    shell.add_crowd(20)
    shell.write(content)
    assert job("plan") == code
    assert said in job.forge.comments[0]["body"]
    assert not job.runner.artifacts


def test_a_stale_plan_is_refused_and_the_message_says_to_plan_again(job, shell):
    assert job("plan") == 0
    job.keep_plan()
    (designers,) = [group for group in shell.emulator.groups if group.name == "Designers"]
    shell.emulator.remove_member(designers, designers.users[0])
    done = job.run("apply")
    assert done.returncode == 4
    assert "stale" in done.stdout
    assert "plan again" in done.stdout
    assert shell.writes() == 0


@pytest.mark.parametrize("visibility", ["public", "internal", ""])
def test_where_others_read_the_repository_no_member_is_shown(job, shell, visibility):
    publish(job)
    if visibility != "public":
        job.runner.context["CI_PROJECT_VISIBILITY"] = visibility
        event = job.runner.folder / "event.json"
        event.write_text(event.read_text().replace('"public"', f'"{visibility}"'))
    done = job.run("plan")
    assert done.returncode == 0
    body = job.forge.comments[0]["body"]
    assert "add_user: 2" in body
    shown = f"{body}{done.stdout}{done.stderr}{job.runner.artifacts}"
    assert not [each for each in (*E_MAILS, "Designers", "Artists") if each in shown]
    done = job.run("apply")
    assert done.returncode == 1
    assert "public: true" in done.stdout
    assert shell.writes() == 0


def test_a_public_repository_whose_members_all_may_know_is_as_another(job, shell):
    publish(job)
    may = {"inputs.public": "true", "GROUPS_PUBLIC": "true"}
    assert job("plan", **may) == 0
    assert "harry@example.com" in job.forge.comments[0]["body"]
    job.keep_plan()
    assert job("apply", **may) == 0
    assert shell.members() == AS_EDITED


def test_a_failed_plan_of_a_public_repository_shows_no_member(job, shell):
    publish(job)
    shell.add_crowd(20)
    shell.write(MANY)
    done = job.run("plan")
    assert done.returncode == 3
    body = job.forge.comments[0]["body"]
    assert "exit code 3" in body
    assert "@" not in f"{body}{done.stdout}{done.stderr}".replace(MARKER, "")


@pytest.mark.parametrize(
    "changes",
    [
        {"merge_commit_sha": "c" * 40},
        {"merged_at": None, "state": "closed"},
        {"base": {"ref": "other"}, "target_branch": "other"},
        {"path": ".github/workflows/other.yml", "name": "other"},
        {"head_repository": {"full_name": "fork/r"}, "project_id": 4},
        {"head_sha": "c" * 40, "status": "failed"},
        {"expired": True, "status": "failed"},
    ],
    ids=[
        "another commit",
        "not merged",
        "another branch",
        "another workflow",
        "a fork's",
        "another head",
        "expired",
    ],
)
def test_no_other_plan_is_applied(job, shell, changes):
    assert job("plan") == 0
    job.keep_plan(**changes)
    done = job.run("apply")
    assert done.returncode == 1
    assert "plan again" in done.stdout or "no plan was reviewed" in done.stdout
    assert (shell.writes(), shell.members()) == (0, SAMPLE)


def test_a_download_that_is_redirected_elsewhere_gets_no_token(job):
    assert job("plan") == 0
    job.keep_plan()
    assert job("apply") == 0
    theirs = {path: given for path, given in job.forge.tokens.items() if given is None}
    assert list(theirs) == ([] if job.is_gitlab else ["localhost/blob0"])


def test_a_fork_gets_no_plan_and_is_told(job):
    if job.is_gitlab:
        pytest.skip("a fork's pipeline is the fork's own")
    event = job.runner.folder / "event.json"
    event.write_text(event.read_text().replace('"o/r"', '"fork/r"'))
    done = job.run("plan")
    assert done.returncode == 1
    assert "::error::a pull request from a fork gets no secrets" in done.stdout
    assert job.forge.comments == []


def test_a_comment_that_may_not_be_written_fails_the_check(job):
    job.forge.documents.clear()
    job.runner.context["GITHUB_REPOSITORY"] = "o/other"
    event = job.runner.folder / "event.json"
    event.write_text(event.read_text().replace('"o/r"', '"o/other"').replace(": 7", ": 8"))
    done = job.run("plan")
    assert done.returncode == 1
    assert "responded 404" in done.stdout
    if not job.is_gitlab:  # which keeps what a failed job wrote, and the merge does not take it
        assert not job.runner.artifacts


def test_a_plan_that_is_too_long_for_a_comment_is_cut_off_in_it(job, shell):
    groups = (f"G {number}: {{members: [john@example.com]}}" for number in range(1500))
    shell.write("version: 1\ngroups:\n" + "".join(f"  {group}\n" for group in groups))
    assert job("plan") == 0
    body = job.forge.comments[0]["body"]
    assert len(body) < 65_536
    assert body.endswith("(The rest is in the artifact `groups-plan`.)")


def test_the_documents_use_the_action_and_the_template_as_they_are():
    workflow = yaml.safe_load(block(".github/workflows/user-groups.yml"))
    (step,) = [
        each for each in workflow["jobs"]["user-groups"]["steps"] if each["uses"].startswith("./")
    ]
    inputs = load(ROOT / "action.yml")["inputs"]
    required = {name for name, given in inputs.items() if given.get("required")}
    assert required <= step["with"].keys() <= inputs.keys()
    needed = inputs["token"]["description"].partition("with ")[2]
    assert ", ".join(f"{key}: {value}" for key, value in workflow["permissions"].items()) == needed
    pipeline = yaml.safe_load(block(".gitlab-ci.yml"))
    assert (ROOT / pipeline["include"]["file"]).is_file()
    template = yaml.safe_load((ROOT / "ci/gitlab.yml").read_text("utf-8"))
    assert pipeline["variables"].keys() <= template["variables"].keys()
    assert not pipeline["variables"].keys() & template[".groups"]["variables"].keys()
