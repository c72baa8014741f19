"""`make contract-diff` in git repositories: what it compares with, prints and exits with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.support import documents
from tools.contract_diff.__main__ import main

CHANGELOG = "# Changelog\n\n## [Unreleased]\n"
TOLD = f"{CHANGELOG}\n### Changed\n\n- **Breaking:** `Thing` has another id.\n"
MODEL = "class Thing:\n    id: str\n"


def document(id_type: str = "string", **schema: object) -> dict[str, object]:
    thing = {"type": "object", "properties": {"id": {"type": id_type, **schema}}}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}
    responses = {"200": {"description": "A thing.", "content": content}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Small", "version": "1.0.0"},
        "paths": {"/thing": {"get": {"operationId": "getThing", "responses": responses}}},
        "components": {"schemas": {"Thing": thing}},
    }


class Project:
    """A project in a git repository of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def git(self, *arguments: str) -> None:
        identity = ("-c", "user.name=n", "-c", "user.email=n@example.com")
        subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True)

    def write(
        self, contents: dict[str, object], changelog: str = CHANGELOG, model: str = MODEL
    ) -> None:
        package = self.root / "generated" / "package"
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").write_text(model)
        (self.root / "openapi.yaml").write_text(yaml.safe_dump(contents, sort_keys=False))
        (self.root / "CHANGELOG.md").write_text(changelog)

    def commit(self, *arguments: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "A commit")

    def diff(self, *arguments: str) -> int:
        return main(["--root", str(self.root), *arguments])


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "project")
    made.root.mkdir()
    made.git("init", "--quiet", "--initial-branch=main")
    made.write(document())
    made.commit()
    return made


@pytest.fixture
def shallow(project: Project, tmp_path: Path) -> Project:
    """A clone of the last commit only."""
    project.commit()
    copied = Project(tmp_path / "shallow")
    project.git("clone", "--quiet", "--depth=1", f"file://{project.root}", str(copied.root))
    return copied


Output = pytest.CaptureFixture[str]


def test_the_changes_are_listed_by_operation_and_a_missing_entry_fails(
    project: Project, capsys: Output
):
    project.write(document("integer"))
    assert project.diff("--base", "HEAD") == 1
    printed = capsys.readouterr()
    assert printed.out == (
        "getThing\n"
        "  breaking  response 200 $.id: type: string became integer  (Thing)\n"
        "1 breaking, 0 additive, 0 cosmetic since HEAD\n"
    )
    assert printed.err == (
        "contract-diff: CHANGELOG.md does not tell users of a breaking change: under Unreleased, "
        "Changed or Removed needs an entry since HEAD that begins with **Breaking** and names "
        "`Thing` or `getThing`\n"
    )


def test_an_entry_in_the_changelog_passes(project: Project):
    project.write(document("integer"), TOLD)
    assert project.diff("--base", "HEAD") == 0


def test_a_change_of_the_generated_package_alone_fails(project: Project, capsys: Output):
    project.write(document(), model=MODEL.replace("id", "identifier"))
    assert project.diff("--base", "HEAD") == 1
    assert "breaking  Thing.id: removed  (Thing)" in capsys.readouterr().out


def test_a_change_that_breaks_nobody_passes(project: Project, capsys: Output):
    project.write(document(description="The ID."))
    assert project.diff("--base", "HEAD") == 0
    assert "0 breaking, 0 additive, 1 cosmetic since HEAD" in capsys.readouterr().out


@pytest.mark.parametrize("comment", ["", "# A comment\n"])
def test_no_change_is_said_to_be_none(project: Project, capsys: Output, comment: str):
    path = project.root / "openapi.yaml"
    path.write_text(f"{comment}{path.read_text()}")
    assert project.diff("--base", "HEAD") == 0
    assert capsys.readouterr().out == "nothing has changed for users since HEAD\n"


def base_of(project: Project, capsys: Output) -> str:
    """Return what a run without --base says it has compared with."""
    capsys.readouterr()
    assert project.diff() in (0, 1)
    return capsys.readouterr().out.splitlines()[-1].partition(" since ")[2]


def test_the_last_release_is_what_users_have(project: Project, capsys: Output):
    project.git("tag", "v0.9.0")
    project.write(document("integer"))
    project.commit()
    for tag in ("v0.10.0", "v0.11.0-rc1", "nightly"):
        project.git("tag", tag)
    project.write(document("boolean"))
    project.commit()
    project.write(document("number"))
    project.commit()
    assert base_of(project, capsys) == "v0.10.0 (the last release)"


def test_a_release_is_compared_with_the_one_before(project: Project, capsys: Output):
    project.git("tag", "v1.0.0")
    project.write(document("integer"), TOLD.replace("[Unreleased]", "[Unreleased]\n\n## [2.0.0]"))
    project.commit()
    project.git("tag", "v2.0.0")
    assert base_of(project, capsys) == "v1.0.0 (the last release)"
    assert project.diff() == 0


def test_an_uncommitted_change_is_compared_with_the_release(project: Project, capsys: Output):
    project.git("tag", "v1.0.0")
    project.write(document("integer"))
    assert base_of(project, capsys) == "v1.0.0 (the last release)"
    assert project.diff() == 1


def test_a_release_on_another_branch_is_not_what_users_had(project: Project, capsys: Output):
    project.git("checkout", "--quiet", "-b", "other")
    project.commit()
    project.git("tag", "v1.0.0")
    project.git("checkout", "--quiet", "main")
    project.commit()
    assert "the first commit: no release" in base_of(project, capsys)


def test_a_branch_is_compared_with_where_it_left_main(project: Project, capsys: Output):
    project.git("checkout", "--quiet", "-b", "work")
    project.write(document("integer"))
    project.commit()
    project.commit()
    assert base_of(project, capsys).endswith("(where this branch left main)")
    assert project.diff() == 1


def test_main_is_compared_with_what_was_pushed(project: Project, tmp_path: Path, capsys: Output):
    copied = Project(tmp_path / "clone")
    project.git("clone", "--quiet", str(project.root), str(copied.root))
    copied.write(document("integer"))
    copied.commit()
    copied.commit()
    assert base_of(copied, capsys).endswith("(where this branch left origin/main)")
    assert copied.diff() == 1


def test_all_commits_of_a_push_are_compared_without_a_release(project: Project, capsys: Output):
    project.write(document("integer"))
    project.commit()
    project.commit()
    assert "the first commit" in base_of(project, capsys)
    assert project.diff() == 1


def test_a_recorded_baseline_is_what_users_have(project: Project, capsys: Output):
    project.git("tag", "nightly")
    project.write(document("integer"))
    project.commit()
    (project.root / "pyproject.toml").write_text("[tool.contract-diff]\nbaseline = 'nightly'\n")
    project.commit()
    assert base_of(project, capsys) == "nightly (the baseline in pyproject.toml)"
    assert project.diff() == 1
    project.git("tag", "v0.1.0", "HEAD^")
    assert base_of(project, capsys) == "v0.1.0 (the last release)"


def test_uncommitted_work_is_compared_with_what_is_committed(project: Project, capsys: Output):
    project.write(document("integer"))
    project.commit()
    project.write(document("boolean"))
    assert base_of(project, capsys) == "HEAD (what is committed)"
    assert project.diff() == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("openapi: 3.0.3\npaths: {\n", "openapi.yaml, line 3: invalid YAML: "),
        ("openapi: 3.0.3\npaths: [a, *b]\n", "openapi.yaml, line 2: invalid YAML: "),
        ("", "openapi.yaml is not an OpenAPI document"),
        ("- a\n", "openapi.yaml is not an OpenAPI document"),
        ("paths: {/a: {get: 1}}\n", "openapi.yaml has a value of the wrong type"),
    ],
)
def test_a_document_that_cannot_be_read_fails(
    project: Project, capsys: Output, text: str, problem: str
):
    (project.root / "openapi.yaml").write_text(text)
    assert project.diff("--base", "HEAD") == 2
    assert capsys.readouterr().err.startswith(f"contract-diff: {problem}")


def test_a_first_commit_has_nothing_to_be_compared_with(project: Project, capsys: Output):
    assert project.diff() == 0
    assert capsys.readouterr().out == (
        "contract-diff: nothing to compare with: this is the first commit\n"
    )


def test_a_base_without_a_document_is_said_to_be_one(tmp_path: Path, capsys: Output):
    project = Project(tmp_path)
    project.git("init", "--quiet")
    project.commit()
    project.write(document())
    assert project.diff("--base", "HEAD") == 0
    assert capsys.readouterr().out == (
        "contract-diff: nothing to compare with: openapi.yaml did not exist at HEAD\n"
    )


def test_a_shallow_clone_without_a_base_fails(shallow: Project, capsys: Output):
    assert shallow.diff() == 2
    assert "`git fetch --unshallow --tags`" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["whole", "shallow"])
def test_a_base_that_is_not_there_fails(
    kind: str, project: Project, shallow: Project, capsys: Output
):
    assert {"whole": project, "shallow": shallow}[kind].diff("--base", "v9.9.9") == 2
    error = capsys.readouterr().err
    assert error.startswith("contract-diff: v9.9.9 is no commit of this repository")
    assert ("--unshallow" in error) is (kind == "shallow")


def test_what_is_no_repository_fails(tmp_path: Path, capsys: Output):
    assert Project(tmp_path).diff() == 2
    assert capsys.readouterr().err == "contract-diff: this is no git repository with a commit\n"


def test_a_reference_that_leads_nowhere_fails(project: Project, capsys: Output):
    project.write(document() | {"components": {}})
    assert project.diff("--base", "HEAD") == 2
    assert "cannot follow the reference #/components/schemas/Thing" in capsys.readouterr().err


def test_the_command_runs_as_make_calls_it():
    done = subprocess.run(
        [sys.executable, "-m", "tools.contract_diff", "--base", "nowhere"],
        cwd=documents.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
