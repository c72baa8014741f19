"""What a group grants is on disk before it is deleted; not known is recorded as such."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from cld_user_groups.emulator import Emulator
from cld_user_groups.membership.documents import journal_schema
from cld_user_groups.membership.grants import RoleRecord
from cld_user_groups.membership.journal import NoJournal
from cld_user_groups.membership.result import Result, Status, Stop

from .accounts import add, client_of, delete, emulated
from .applied import Account, Clock, on_asyncio, statuses
from .watched import Watched

EDITOR = "cld::role::prodenv::media_editor"
VIEWER = "cld::role::account::reports_viewer"
FOLDER = "cld::role::folder::contributor"
GRANTED = [
    "Reports Viewer in the account",
    "Contributor in product environment e1, folder f1",
    "Media Editor in product environment e1",
]
pytestmark = pytest.mark.usefixtures("waits")


@pytest.fixture
def one(tmp_path: Path) -> Account:
    emulator = emulated({"a": ["u1"], "b": ["u2"], "c": []}, ["u1", "u2", "u3"])
    for group in ("id-a", "id-b"):
        emulator.roles.assign(group, EDITOR, "e1")
        emulator.roles.assign(group, VIEWER)
        emulator.roles.assign(group, FOLDER, "e1", folder_id="f1")
    return Account(emulator, client_of(emulator), tmp_path)


def record(source: Result | Account, position: int = 0) -> RoleRecord:
    outcomes = source.last_run().outcomes if isinstance(source, Account) else source.outcomes
    (found,) = (outcome.roles for outcome in outcomes if outcome.position == position)
    assert found is not None
    return found


def operations(emulator: Emulator) -> list[str]:
    return [call.operation_id or "" for call in emulator.calls]


def test_what_a_group_grants_is_on_disk_before_it_is_deleted(account):
    watched = Watched(account.emulator)
    on_disk: list[RoleRecord] = []
    watched.before_write = lambda _: on_disk.append(record(account))
    account.emulator.calls.clear()
    result = account.apply(delete("a", "u1"))
    assert result.is_complete
    assert on_disk[0].texts == GRANTED
    assert on_disk[0].unknown == ""
    assert on_disk == [record(account)] == [record(result)]
    assert datetime.now(UTC) - on_disk[0].read_at < timedelta(minutes=1)
    reads = ["getPrincipalRoles", "getPrincipalRoles", "deleteUserGroup"]
    assert [each for each in operations(account.emulator) if each in reads] == reads


def test_a_record_has_all_that_identifies_an_assignment(one):
    one.apply(delete("a", "u1"))
    (folder,) = (grant for grant in record(one).granted if grant.role_id == FOLDER)
    assert (folder.scope, folder.where, folder.within) == ("prodenv", "e1", (("folder_id", "f1"),))
    assert (folder.is_system, folder.is_content) == (True, True)
    assert folder.updated_at > 0
    validator = jsonschema.Draft202012Validator(journal_schema())
    for path in one.folder.rglob("*.jsonl"):
        for line in path.read_bytes().splitlines():
            validator.validate(msgspec.json.decode(line))


def test_no_role_is_recorded_only_where_both_kinds_were_read(account):
    assert record(account.apply(delete("c"))).texts == ["no role"]


NOT_KNOWN: dict[str, dict[str, Any]] = {
    "401": {"status": 401},
    "403": {"status": 403},
    "404": {"status": 404},
    "429": {"status": 429},
    "500": {"status": 500},
    "dropped": {"drop": "before"},
    "cut off": {"drop": "during"},
    "shape": {"status": None, "body": '{"data": {"roles": []}}'},
    "parameter": {
        "status": None,
        "body": '{"data": [{"id": "r", "name": "R", "management_type": "custom", "scope_type": '
        '"prodenv", "permission_type": "content", "created_at": 1, "updated_at": 1, '
        '"policy_parameters": {"folder_id": 5}}]}',
    },
}


@pytest.mark.parametrize("fault", NOT_KNOWN)
def test_a_group_is_deleted_where_its_roles_cannot_be_read(account, fault):
    account.fail("getPrincipalRoles", times=None, **NOT_KNOWN[fault])
    result = account.apply(delete("a", "u1"), add("b", "u3"))
    assert result.is_complete
    assert record(account).granted == ()
    assert record(account).unknown
    assert record(account).texts == [f"not known: {record(account).unknown}"]


def test_global_roles_are_recorded_where_those_for_content_cannot_be_read(one):
    def refuse(request: Any) -> None:
        if request.params.get("permission_type") == "content":
            one.fail("getPrincipalRoles", status=403)

    one.client = client_of(one.emulator, hooks=[OnRequest(refuse)], retries=None)
    one.apply(delete("a", "u1"))
    assert record(one).texts[:2] == [GRANTED[0], GRANTED[2]]
    assert record(one).texts[2].startswith("not known: roles in folders and collections: ")


class OnRequest:
    """A hook that calls a function before each request for the roles of a group."""

    def __init__(self, do: Callable[[Any], None]) -> None:
        self._do = do

    def before_request(self, context: Any, request: Any) -> None:
        if context.operation_id == "getPrincipalRoles":
            self._do(request.url)


def test_a_deletion_that_waits_reads_the_roles_again(one):
    clock = Clock()

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        one.emulator.roles.assign("id-a", EDITOR, "e2")

    one.fail("deleteUserGroup", status=429)
    assert one.apply(delete("a", "u1"), now=clock.now, sleep=sleep).is_complete
    assert record(one).texts == [*GRANTED, "Media Editor in product environment e2"]


def test_roles_that_were_read_before_a_wait_are_read_again(one):
    clock = Clock()

    async def sleep(seconds: float) -> None:
        await clock.sleep_async(seconds)
        one.emulator.roles.assign("id-a", EDITOR, "e2")

    one.way = on_asyncio  # where the addition always ends first
    one.fail("addUserToUserGroup", status=429)
    changes = (add("b", "u3"), delete("a", "u1"))
    assert one.apply(*changes, concurrency=2, now=clock.now, sleep=sleep).is_complete
    assert record(one, 1).texts == [*GRANTED, "Media Editor in product environment e2"]


def test_a_deletion_that_may_have_happened_keeps_what_was_recorded(one):
    reads: list[object] = []

    def empty_afterwards(url: object) -> None:
        reads.append(url)
        if len(reads) > 2:
            one.fail("getPrincipalRoles", status=200, body='{"data": []}')

    one.client = client_of(one.emulator, hooks=[OnRequest(empty_afterwards)])
    one.fail("deleteUserGroup", status=503, apply=True)
    one.fail("deleteUserGroup", status=429)
    assert one.apply(delete("a", "u1")).is_complete
    assert len(reads) == 4
    assert record(one).texts == GRANTED


def test_an_account_is_read_again_after_roles_that_come_slowly(one):
    clock = Clock()

    def wait(_: object) -> None:
        clock.slept += 3
        if len(one.emulator.groups[0].users) == 1:
            one.emulator.add_member("id-a", "u3")

    one.client = client_of(one.emulator, hooks=[OnRequest(wait)])
    result = one.apply(delete("a", "u1"), now=clock.now)
    assert statuses(result) == [Status.NOT_STARTED]
    assert "somebody else has changed the group 'a'" in result.outcomes[0].error
    assert one.last_run().outcomes == ()


def test_an_interrupt_while_roles_are_read_deletes_nothing(one):
    reads: list[object] = []
    one.client = client_of(one.emulator, hooks=[OnRequest(reads.append)])
    result = one.apply(delete("a", "u1"), interrupts=lambda: bool(reads))
    assert (result.stopped, statuses(result)) == (Stop.REQUESTED, [Status.NOT_STARTED])
    assert one.last_run().outcomes == ()
    assert "a" in one.members


def test_a_second_interrupt_of_reading_roles_leaves_a_readable_journal(one):
    asked, is_over = threading.Event(), threading.Event()

    def hang(_: object) -> None:
        asked.set()
        is_over.wait(30)

    one.client = client_of(one.emulator, hooks=[OnRequest(hang)])
    with pytest.raises(KeyboardInterrupt):
        one.apply(delete("a", "u1"), interrupts=lambda: 2 * asked.is_set())
    is_over.set()
    assert one.last_run().outcomes == ()


@pytest.mark.parametrize("quota", range(1, 12))
def test_reading_the_roles_leaves_what_is_kept_of_the_quota(one, quota):
    plan = one.plan(delete("a", "u1"), delete("b", "u2"), delete("c"))
    one.emulator.set_quota(quota)
    one.emulator.calls.clear()
    one.run(plan, keep_quota=2, concurrency=3)
    assert quota - len(one.emulator.calls) >= min(2, quota - 1)


def test_a_run_without_a_journal_reads_no_roles(account):
    result = account.apply(delete("a", "u1"), journal=NoJournal())
    assert result.is_complete
    assert "getPrincipalRoles" not in operations(account.emulator)
