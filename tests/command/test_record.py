"""`doctor --record` writes what an account sends, and nothing of what is in it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from .shell import Shell

KEY, SECRET = "1234567890abcde", "very-s3cret-Value"
PEOPLE = (
    "alice", "Zoë O'Brien", "a\x1b[31mred", "<script>x</script>", "department", "users",
    "application/json", "2026-01-01 Carol", '","status":"x', "\u202eevil", "admin of cloud",
    "x" * 300,
)  # fmt: skip


@pytest.fixture
def hostile(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """An account of people whose names look like everything else."""
    emulator = shell.emulator
    users = [
        emulator.add_user_account(name, email=f"p{number}.{number}@corp.example.com")
        for number, name in enumerate(PEOPLE)
    ]
    for name in ("Night Shift", "x-request-id", "id"):
        emulator.add_group(name, users=users)
    return shell


def recorded(shell: Shell, name: str = "record.json") -> dict[str, Any]:
    """Record the account, and return what was written."""
    shell(f"doctor --record {name}")
    document: dict[str, Any] = json.loads((shell.folder / name).read_text("utf-8"))
    return document


def by_operation(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the responses by operation, in order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for response in document["responses"]:
        found.setdefault(response["operation"], []).append(response)
    return found


def test_it_reads_only_and_says_to_read_it_first(shell):
    done = shell("doctor --record record.json", code=0, writes=0, out="ok\trecord\t")
    assert "read it before you send it in" in done.stdout
    assert len(shell.emulator.calls) <= 25


def test_it_has_the_shapes_of_groups_users_pages_and_roles(shell):
    found = by_operation(recorded(shell))
    assert found.keys() >= {
        "getUserGroups", "getUserGroup", "getUsersInUserGroup", "getUsers", "getUser",
        "getGroupsForUser", "getSubAccountsForUser", "getPrincipalRoles", "inspect", "getRoles",
    }  # fmt: skip
    extended = found["getUserGroups"][1]
    assert extended["query"] == ["extended_details=true"]
    groups = extended["body"]["user_groups"]
    assert groups["items"] == 2
    member = groups["shapes"][0]["users"]["shapes"][0]
    assert member["email"] == "<e-mail 1>"
    assert "content-type: application/json" in extended["headers"]
    assert any(each.startswith("x-featureratelimit-remaining: ") for each in extended["headers"])
    assert found["getUser"][0]["body"]["id"] == member["id"], "one person has one placeholder"
    assert ["page=2", "page_size=2"] in [each["query"] for each in found["getUsers"]]
    role = found["getPrincipalRoles"][0]["body"]["data"]["shapes"][0]
    assert (role["permission_type"], role["id"]) == ("global", "<role ID 1>")


def test_nothing_of_the_people_is_in_it(hostile):
    text = json.dumps(recorded(hostile), ensure_ascii=False)
    emulator = hostile.emulator
    texts = {text for user in emulator.users for text in (user.id, user.email, user.name)}
    texts |= {text for group in emulator.groups for text in (group.id, group.name)}
    # These are names of fields and headers too, and a text that is one says nothing.
    ours = {"users", "id", "x-request-id", "application/json", "department"}
    assert [each for each in texts - ours if each in text] == []
    assert "@" not in text
    assert not set("\x1b\u202e") & set(text)


def test_a_name_that_stands_for_a_field_is_not_in_it(hostile, monkeypatch):
    monkeypatch.setenv("CLOUDINARY_ACCOUNT_URL", f"account://{KEY}:{SECRET}@acc")
    hostile.emulator.api_key, hostile.emulator.api_secret = KEY, SECRET
    body = {
        "users": [{"id": "abc1", "name": "Alice", "email": "alice@example.com", "newField": 1}],
        "alice@example.com": True, "Alice": 1, "alice": {}, SECRET: 2, "verysecret": 3,
        "0123": 4, "count": 12345678901234567890, "when": "2026-01-02T03:04:05Z", "half": 0.5,
        "deep": json.loads("[" * 40 + "]" * 40),
    }  # fmt: skip
    headers = {
        "x-alice": "1", "x-user": "alice@example.com", "vary": SECRET, "content-type": "a@b.c",
        "set-cookie": "session=1",
    }  # fmt: skip
    for operation in ("getUsers", "getUserGroups"):
        hostile.emulator.fail(
            operation, status=200, body=json.dumps(body).encode(), headers=headers, times=None
        )
    text = (json.dumps(document := recorded(hostile))).casefold()
    assert [
        each for each in ("alice", "@", SECRET.casefold(), KEY, "session=", "0123") if each in text
    ] == []
    shape = by_operation(document)["getUsers"][0]["body"]
    assert shape["count"] == "<number of 20 digits>"
    assert shape["when"] == "9999-99-99T99:99:99Z"
    assert shape["users"]["shapes"][0]["newField"] == "<number of 1 digits>"
    assert "nested deeper" in text


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_an_account_that_refuses_is_recorded_too(shell, status):
    shell.emulator.fail("*", status=status, times=None)
    document = recorded(shell)
    assert {response["status"] for response in document["responses"]} == {status}
    assert len(document["responses"]) >= 5


def test_a_body_that_is_no_json_is_only_measured(shell):
    shell.emulator.fail("*", status=502, body=b"<html>alice@example.com</html>", times=None)
    (body, *_) = {response["body"] for response in recorded(shell)["responses"]}
    assert body == "<not JSON, 30 bytes>"


@pytest.mark.skipif(os.name == "nt", reason="there are no modes")
def test_only_its_owner_can_read_it(shell):
    recorded(shell)
    assert (shell.folder / "record.json").stat().st_mode & 0o777 == 0o600


def test_what_is_there_is_replaced_only_by_force(shell):
    path = shell.folder / "record.json"
    path.write_text("mine")
    path.chmod(0o644)
    shell("doctor --record", path.name, code=1, out="--force")
    assert path.read_text() == "mine"
    assert len(shell.emulator.calls) <= 4, "nothing was recorded for nothing"
    shell("doctor --record", path.name, "--force", code=0)
    assert path.stat().st_mode & 0o777 == 0o600
    link = shell.folder / "link.json"
    link.symlink_to("nowhere.json")
    shell("doctor --record", link.name, code=1)
    assert not Path("nowhere.json").exists()


def test_without_settings_nothing_is_recorded(shell, monkeypatch):
    monkeypatch.delenv("CLOUDINARY_ACCOUNT_URL")
    assert "skipped\trecord" in shell("doctor --record record.json").stdout
    assert not (shell.folder / "record.json").exists()
