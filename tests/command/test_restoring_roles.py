"""`undo` says which roles were recorded, and assigns them only with --restore-roles."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve

from cld_user_groups.membership import list_runs, state_directory

from .shell import SAMPLE, Shell
from .terminal import converse

EDITOR = "Media Editor in all product environments"
FOLDER = (
    "Campaign Contributor in product environment 0aaaaa1bbbbb2ccccc3ddddd4eeeee5f, "
    "folder fg38a9b0c1d2e3f4"
)
FORMATS = ["text", "json", "csv", "markdown"]
LOCAL_FILE = "a local file, which anybody under this user can edit"


@pytest.fixture
def deleted(shell: Shell) -> Shell:
    shell("delete Designers --allow-removals 2 --yes")
    assert "Designers" not in shell.members()
    return shell


def assigned(shell: Shell) -> set[Any]:
    """Return the roles of Designers, in a form that can be compared."""
    (group,) = (each for each in shell.emulator.groups if each.name == "Designers")
    return {str(each) for each in shell.emulator.roles.of(group.id)}


def run_id() -> str:
    return list_runs(state_directory("acc"))[0].id


def test_a_group_deleted_by_mistake_comes_back_whole(shell):
    before = assigned(shell)
    shell("delete Designers --allow-removals 2 --yes")
    done = shell("undo --restore-roles --yes", code=0, members=SAMPLE)
    assert assigned(shell) == before != set()
    assert f"assign {EDITOR} to Designers" in done.stdout
    assert "Roles" not in done.stdout.partition("Verified")[2]


@pytest.mark.parametrize("form", FORMATS)
def test_each_role_is_shown_before_it_is_assigned_in_every_format(deleted, form):
    written = deleted.writes()
    shown = deleted("undo --restore-roles --dry-run --format", form, code=0, writes=written)
    if form == "json":
        changes = json.loads(shown.stdout)["changes"]
        roles = [each["role"]["role_id"] for each in changes if each["action"] == "assign_role"]
        assert sorted(roles) == [
            "campaign_contributor_12334565",
            "cld::role::prodenv::media_editor",
        ]
    else:
        assert EDITOR in shown.stdout
        assert FOLDER in shown.stdout


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("options", [("--dry-run",), ("--yes",), ("--yes", "--quiet")])
def test_a_role_that_cannot_be_restored_is_listed_by_name_in_every_format(deleted, form, options):
    roles = deleted.emulator.roles
    (editor,) = (each for each in roles.all if each.name == "Media Editor")
    roles.define(evolve(editor, updated_at=2_000_000_000))
    done = deleted("undo --restore-roles --format", form, *options, code=5)
    said = f"Not restored for `Designers`: {EDITOR}: the role was changed since."
    printed = done.stdout if form == "json" else done.stdout + done.stderr
    assert said in printed.replace("\\`", "`")
    if "--yes" in options:
        assert "campaign_contributor_12334565" in "".join(assigned(deleted))
        assert "media_editor" not in "".join(assigned(deleted))
    if form == "json" and "--yes" in options:
        document = json.loads(done.stdout)
        assert (document["complete"], document["exit_code"]) == (False, 5)
        assert said in document["differences"]


@pytest.mark.parametrize("form", FORMATS)
def test_an_undo_names_the_roles_that_nobody_asked_it_to_restore(deleted, form):
    run = run_id()
    quiet = ["--quiet"] if form in ("text", "json") else []
    done = deleted("undo --yes --format", form, *quiet, code=0)
    assert assigned(deleted) == set()
    printed = done.stdout + done.stderr
    assert EDITOR in printed
    assert FOLDER in printed
    assert f"undo {run} --restore-roles" in printed
    deleted(f"undo {run} --restore-roles --yes", code=0)
    assert len(assigned(deleted)) == 2


@pytest.mark.parametrize("form", FORMATS)
def test_roles_that_cannot_be_read_for_an_undo_make_it_incomplete(deleted, form):
    deleted.emulator.roles.refused_with = 403
    done = deleted("undo --restore-roles --yes --format", form, code=5, members=SAMPLE)
    printed = done.stdout + done.stderr
    assert f"{EDITOR}: the roles that can be assigned are not known" in printed


def test_the_prompt_shows_each_role_and_where_the_record_is(deleted):
    screen = converse("undo", "--restore-roles", "--quiet", typed="y\n")
    before, _, _ = screen.replace("\r", "").partition("[y/N]")
    assert f"Roles as recorded in the journal, {LOCAL_FILE}:" in before
    assert f"assign {EDITOR} to Designers" in before
    assert f"assign {FOLDER} to Designers" in before


def test_a_record_that_was_edited_is_not_restored_without_a_warning(deleted):
    path = list_runs(state_directory("acc"))[0].path
    edited = path.read_text("utf-8").replace("fg38a9b0c1d2e3f4", "another")
    said = "The journal is not as it was written: line 2 was changed"
    line = ("undo", "--restore-roles", "--dry-run")
    assert said not in deleted(*line).stdout
    path.write_text(edited, "utf-8")
    for form in FORMATS:
        deleted(*line, "--format", form, says=said)
    assert said not in deleted("undo --dry-run").stdout
    screen = converse("undo", "--restore-roles", "--quiet", typed="n\n", code=1)
    assert said in " ".join(screen.split())


def test_the_help_says_where_the_record_is(shell):
    assert LOCAL_FILE in " ".join(shell("undo --help").stdout.split())


def test_a_role_that_changes_while_the_question_stands_is_not_assigned(deleted):
    roles = deleted.emulator.roles
    (editor,) = (each for each in roles.all if each.name == "Media Editor")
    changed = evolve(editor, updated_at=2_000_000_000)
    line = ("undo", "--restore-roles")
    screen = converse(*line, typed="y\n", meanwhile=lambda: roles.define(changed), code=5)
    assert "the role was changed since" in screen
    assert "media_editor" not in "".join(assigned(deleted))


def test_what_is_printed_for_an_undo_cannot_be_applied_as_a_saved_plan(deleted):
    plan = deleted("undo --restore-roles --dry-run --format json").stdout
    done = deleted("apply", deleted.write(plan, "plan.json"), "--yes", code=1)
    assert "which only `undo` with --restore-roles does" in done.stderr


def test_the_undo_of_a_merge_restores_the_roles_of_each_group(shell):
    before = assigned(shell)
    merge = ("merge", "Designers", "Marketing", "--into", "All", "--allow-removals", "3", "--yes")
    shell(*merge, code=0)
    shell("undo --restore-roles --yes --allow-removals 3", code=0)
    assert (shell.members(), assigned(shell)) == (SAMPLE, before)


def test_a_run_that_assigned_roles_is_shown_with_them(deleted):
    deleted("undo --restore-roles --yes")
    assert f"assign {EDITOR} to Designers" in deleted("runs show").stdout
    changes = deleted.json("runs show")["changes"]
    assert sum(change["role"] is not None for change in changes) == 2
