"""The workflows of GitHub are pinned, may do no more than they need, and their steps work."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.documents import ROOT
from tests.support.workflows import Runner, load

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
# Each commit was looked up in the action's own repository and in others that pin it.
PINNED = {
    "actions/checkout": "de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2",
    "actions/setup-python": "a309ff8b426b58ec0e2a45f0f869d46889d02405 # v6.2.0",
    "actions/upload-artifact": "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0",
}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
needs_bash = pytest.mark.skipif(sys.platform == "win32", reason="the steps are for bash")


def job(workflow: str, name: str) -> list[dict[str, Any]]:
    """Return the steps of a job."""
    return load(ROOT / ".github/workflows" / workflow)["jobs"][name]["steps"]


@pytest.mark.parametrize("path", [*WORKFLOWS, ROOT / "action.yml"], ids=lambda path: path.name)
def test_an_action_is_one_of_those_that_were_looked_up(path: Path) -> None:
    for action, pin in re.findall(r"uses: ([^@\s]+)@(.*)", path.read_text("utf-8")):
        assert PINNED[action] == pin


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_do_no_more_than_its_jobs_say(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {}
    assert not {"pull_request_target", "workflow_run"} & set(workflow["on"])
    for each in workflow["jobs"].values():
        assert each["permissions"]
        assert each["timeout-minutes"]
        for step in each["steps"]:
            assert "${{" not in step.get("run", "")
            for target in re.findall(
                r"^ *make (?:--silent )?([a-z-]+)", step.get("run", ""), re.MULTILINE
            ):
                assert target in TARGETS


def test_only_the_job_that_publishes_has_an_identity() -> None:
    found = [
        name
        for path in WORKFLOWS
        for name, each in load(path)["jobs"].items()
        if "id-token" in each["permissions"]
    ]
    assert found == ["publish"]
    assert load(ROOT / ".github/workflows/release.yml")["jobs"]["publish"]["environment"]


@needs_bash
@pytest.mark.parametrize("code", [0, 1])
def test_the_comparison_is_an_output_and_its_failure_that_of_the_job(
    tmp_path: Path, code: int
) -> None:
    context = {"github.event.pull_request.base.sha": "base; exit 9"}
    runner = Runner(tmp_path, context)
    text = "one\nend\n`two`\n"
    runner.stand_in("make", f"[ $1 = setup ] || {{ printf '{text}'; exit {code}; }}")
    assert runner.run(job("contract-diff.yml", "compare")).returncode == code
    assert runner.calls == ["make setup", "make --silent contract-diff BASE=base; exit 9"]
    assert runner.output["text"].startswith("one\nend\n`two`")


@needs_bash
@pytest.mark.parametrize(
    ("found", "sent"),
    [
        ("", "repos/o/r/issues/7/comments --field"),
        ("42\n43", "--method PATCH repos/o/r/issues/comments/42 --field"),
    ],
    ids=["the first", "the next"],
)
def test_the_comment_replaces_the_one_before(tmp_path: Path, found: str, sent: str) -> None:
    context = {
        "github.token": "t",
        "github.event.pull_request.number": "7",
        "needs.compare.outputs.text": "`x` $(touch hacked) \\n",
        "GITHUB_REPOSITORY": "o/r",
    }
    runner = Runner(tmp_path, context)
    runner.stand_in("gh", f'case "$*" in *--paginate*) printf "{found}" ;; esac')
    done = runner.run(job("contract-diff.yml", "comment"))
    assert done.returncode == 0, done.stderr
    look, write = runner.calls
    assert '.user.type == "Bot"' in look
    assert f"{sent} body=@body.md" in write
    body = (tmp_path / "body.md").read_text()
    assert body.startswith("<!-- contract-diff -->\n")
    assert "`x` $(touch hacked) \\n" in body
    assert not (tmp_path / "hacked").exists()


@needs_bash
@pytest.mark.parametrize(
    ("tag", "branch", "said"),
    [("v1.2.3", "main", ""), ("v1.2.4", "main", "the version 1.2.3"), ("v1.2.3", "x", "on main")],
)
def test_a_tag_that_is_not_the_version_on_main_is_not_released(
    tmp_path: Path, tag: str, branch: str, said: str
) -> None:
    version = tmp_path / "overlay/cld_user_groups/_version.py"
    version.parent.mkdir(parents=True)
    version.write_text('__version__ = "1.2.3"\n')
    git = ["git", "-c", "user.name=n", "-c", "user.email=n@example.com", "-C", str(tmp_path)]
    for command in (["init", "-q", "-b", "main"], ["commit", "-q", "--allow-empty", "-m", "one"]):
        subprocess.run([*git, *command], check=True)
    subprocess.run([*git, "update-ref", "refs/remotes/origin/main", "HEAD"], check=True)
    subprocess.run([*git, "checkout", "-q", "-B", branch], check=True)
    if branch != "main":
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "two"], check=True)
    runner = Runner(tmp_path, {"GITHUB_REF_NAME": tag})
    runner.stand_in("make")
    done = runner.run(job("release.yml", "build"))
    assert (done.returncode, said in done.stdout) == (1 if said else 0, True)
    assert runner.calls == (
        [] if said else ["make release-check PYTHON=python", "make test PYTHON=python"]
    )


@needs_bash
def test_exactly_what_was_checked_is_published(tmp_path: Path) -> None:
    runner = Runner(tmp_path, {"github.token": "t", "GITHUB_RUN_ID": "5"})
    runner.stand_in("gh", "mkdir dist; touch dist/a.whl dist/a.tar.gz; cp SUMS dist/SHA256SUMS")
    for name in ("python", "uv"):
        runner.stand_in(name)
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    (tmp_path / "SUMS").write_text(f"{empty}  a.whl\n{empty}  a.tar.gz\n")
    assert runner.run(job("release.yml", "publish")).returncode == 0
    assert runner.calls[-2:] == [
        "python -m pypi_attestations sign dist/a.whl dist/a.tar.gz",
        "uv publish --trusted-publishing always dist/a.whl dist/a.tar.gz",
    ]
    shutil.rmtree(tmp_path / "dist")
    (tmp_path / "SUMS").write_text(f"{'0' * 64}  a.whl\n")
    assert runner.run(job("release.yml", "publish")).returncode != 0
    assert len([call for call in runner.calls if call.startswith("uv publish")]) == 1


@needs_bash
def test_the_page_of_a_release_has_its_section_of_the_changelog(tmp_path: Path) -> None:
    changes = "## [Unreleased]\n\n## [1.2.3] - 2026-01-01\n\n- A.\n\n## [1.2] - x\n\n- B.\n"
    (tmp_path / "CHANGELOG.md").write_text(changes)
    runner = Runner(
        tmp_path, {"github.token": "t", "GITHUB_RUN_ID": "5", "GITHUB_REF_NAME": "v1.2.3"}
    )
    runner.stand_in("gh")
    assert runner.run(job("release.yml", "page")).returncode == 0
    assert (tmp_path / "notes.md").read_text().strip() == "- A."
    assert "--verify-tag" in runner.calls[-1]
