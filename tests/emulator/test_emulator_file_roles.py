"""The roles that a file has for the emulator: what groups grant on a copy of one's account."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.membership.accounts import client_of
from tests.support.code_blocks import ROOT

from cld_user_groups.emulator import Emulator
from cld_user_groups.emulator.__main__ import main
from cld_user_groups.membership import FileError, read_file, read_roles
from cld_user_groups.models import Principal

GROUPS = """\
version: 1
groups:
  Designers: {members: [john@example.com]}
  Marketing: {id: m1, members: [{id: u7, email: maria@example.com}]}
"""
ROLES = """\
emulator:
  roles:
    - {id: uploader_1, name: Uploader, permission_type: content}
    - {id: auditor_1, scope_type: account, description: Reads all}
  assignments:
    - {group: Designers, role: uploader_1, scope_id: production, folder_id: fg38}
    - {group: Designers, role: cld::role::prodenv::media_editor}
    - {group: m1, role: auditor_1}
    - {user: JOHN@example.com, role: cld::role::account::master_admin}
    - {user: u7, role: uploader_1, collection_id: c1}
"""


def written(folder: Path, content: str, name: str = "groups.yaml") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def granted(emulator: Emulator) -> dict[str, list[str]]:
    """Return what each group and user of an emulated account has, as the API tells it."""
    named = {("group", group.id): group.name for group in emulator.groups}
    named |= {("user", user.id): user.email for user in emulator.users}
    principals = [Principal(type=kind, id=each) for kind, each in named]
    roles = read_roles(client_of(emulator, retries=None), principals)
    return {name: roles.texts(each, kind) for (kind, each), name in named.items()}


def test_groups_and_users_have_the_roles_of_the_file_in_both_scopes(tmp_path: Path) -> None:
    emulator = Emulator.from_file(written(tmp_path, GROUPS + ROLES))
    expected = {
        "Designers": [
            "Media Editor in all product environments",
            "Uploader in product environment production, folder fg38",
        ],
        "Marketing": ["auditor_1 in the account"],
        "john@example.com": ["Master Admin (full control) in the account"],
        "maria@example.com": ["Uploader in all product environments, collection c1"],
    }
    assert granted(emulator) == expected
    emulator.roles.end(emulator.groups[0].id)
    emulator.remove_group(emulator.groups[1])
    emulator.reset()
    assert granted(emulator) == expected


def test_the_documented_example_is_read(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "emulator.md").read_text("utf-8")
    (example,) = re.findall(r"```yaml\n(emulator:.*?)```", page, re.DOTALL)
    found = granted(Emulator.from_file(written(tmp_path, GROUPS + example)))
    folder = "Uploader in product environment production, folder fg38a9b0c1d2e3f4"
    assert found["Designers"] == [folder]
    assert found["john@example.com"] == ["Master Admin (full control) in the account"]


def test_json_can_hold_them_too(tmp_path: Path) -> None:
    document = {
        "version": 1,
        "groups": {"A": {"members": ["ana@example.com"]}},
        "emulator": {"assignments": [{"group": "A", "role": "cld::role::account::reports_viewer"}]},
    }
    path = written(tmp_path, json.dumps(document), "groups.json")
    assert granted(Emulator.from_file(path))["A"] == ["Reports Viewer in the account"]


def test_a_file_without_roles_grants_nothing(tmp_path: Path) -> None:
    sample = Emulator().groups[0]
    path = written(
        tmp_path,
        f"version: 1\ngroups: {{Designers: {{id: {sample.id}, members: [a@example.com]}}}}\n",
    )
    assert Emulator.from_file(path).roles.of(sample.id) == ()


def test_the_command_does_not_accept_them(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="unknown key `emulator` in the file"):
        read_file(written(tmp_path, GROUPS + ROLES))


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_an_account_without_the_permissions_api_can_be_described(
    tmp_path: Path, status: int
) -> None:
    path = written(tmp_path, f"{GROUPS}emulator: {{permissions: {status}}}\n")
    (said,) = granted(Emulator.from_file(path))["Designers"]
    assert said.startswith("not known: ")
    assert str(status) in said


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ("[]", 5, "`emulator` must be a mapping"),
        ("{role: []}", 5, "unknown key `role` in `emulator`; did you mean `roles`?"),
        ("{permissions: 418}", 5, "`permissions` must be one of 401, 403, 404, 500"),
        ("{permissions: off}", 5, "`permissions` must be a whole number"),
        ("{roles: {}}", 5, "`roles` must be a list"),
        ("{roles: [{name: N}]}", 5, "a role needs an `id`"),
        ("{roles: [{id: r, scope_type: world}]}", 5, "`scope_type` must be `prodenv` or `account`"),
        ("{assignments: [{group: A}]}", 5, "needs a `role`, and a `group` or a `user`"),
        ("{assignments: [{group: A, user: a, role: r}]}", 5, "a `group` or a `user`"),
        ("\n  assignments: [{group: Old, role: r}]", 6, "there is no group `Old` in the file"),
        ("{assignments: [{user: x@y.z, role: r}]}", 5, "there is no user `x@y.z` in the file"),
        ("{assignments: [{group: m1, role: r}]}", 5, "`r` cannot be assigned: role not found"),
        (
            "{assignments: [{group: m1, role: cld::role::folder::contributor}]}",
            *(5, "only a role for content has policy parameters"),
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, content: str, line: int, problem: str
) -> None:
    path = written(tmp_path, f"{GROUPS}emulator: {content}\n")
    with pytest.raises(FileError) as caught:
        Emulator.from_file(path)
    assert problem in str(caught.value)
    assert str(caught.value).startswith(f"{path}:{line}: ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [([], 403), (["--permissions", "on"], None), (["--permissions", "404"], 404)],
)
def test_the_switch_comes_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: int | None
) -> None:
    served: list[Any] = []
    monkeypatch.setattr(Emulator, "serve", lambda self, *_: served.append(self))
    path = written(tmp_path, f"{GROUPS}emulator: {{permissions: 403}}\n")
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(AttributeError):  # what is served is None
        main(["--from", str(path), *arguments])
    assert served[0].roles.refused_with == expected
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == handlers
