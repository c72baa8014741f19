"""The tools of an assistant look at the account and make plans, and never write to it."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.operations import METHODS, OPERATIONS, arguments, method

from cld_user_groups.emulator import Emulator
from cld_user_groups.hooks import NotSent
from cld_user_groups.membership import load_plan
from cld_user_groups.membership.state import logged_calls

from .conftest import SECRET, Assistant

Make = Callable[..., Assistant]

DESIGNERS = "7f08f1f1fc910bf1f25274aef11d27"
JOHN, HARRY, MARIA = (f"{name}@example.com" for name in ("john", "harry", "maria"))
MEMBERSHIP = {"group": "Designers", "user": JOHN}
CALLS: dict[str, dict[str, Any]] = {
    "list_groups": {},
    "list_members": {"group": "Designers"},
    "find_people": {"text": "potts"},
    "show_grants": {"group": DESIGNERS},
    "who_may": {"own_roles": True},
    "explain": MEMBERSHIP,
    "list_runs": {},
    "show_run": {},
    "review": {},
    "propose": {"groups": [{"group": "Designers", "remove": [HARRY]}]},
}
LOCAL = {"list_runs", "show_run"}


def lost(*emails: str, group: str = "Designers") -> dict[str, Any]:
    """Return the arguments of a proposal that removes users."""
    return {"groups": [{"group": group, "remove": list(emails)}]}


def log(assistant: Assistant) -> list[dict[str, Any]]:
    return list(logged_calls(assistant.account.state))


def test_no_tool_or_resource_sends_anything_but_reads(make, tmp_path):
    (tmp_path / "groups.yaml").write_text(
        "version: 1\ngroups: {Designers: {members: [john@example.com]}}"
    )
    assistant = make(file="groups.yaml")
    for name, given in CALLS.items():
        assistant.call(name, **given)
    assistant.call("propose", from_file=True)
    listed = assistant.ask(lambda client: client.list_resources()).resources
    for resource in listed:
        assistant.read(resource.uri.removeprefix("cld-user-groups://"))
    assert assistant.tools.keys() == CALLS.keys()
    assert len(listed) == 3
    assert assistant.emulator.calls
    assert assistant.sent() == []


WRITES = [each for each in METHODS if OPERATIONS[each].definition["x-effect"] != "read"]


@pytest.mark.parametrize("operation_id", WRITES)
def test_the_client_of_the_server_cannot_write(assistant, operation_id):
    with pytest.raises(NotSent, match=operation_id):
        method(assistant.account.client, operation_id)(**next(arguments(operation_id)))
    assert list(assistant.emulator.calls) == []


def test_the_hints_about_each_tool_are_true(assistant):
    for name, given in CALLS.items():
        before = len(assistant.emulator.calls), sorted(assistant.account.state.rglob("*Z-*.json"))
        assistant.call(name, **given)
        hints = assistant.tools[name].annotations
        assert hints is not None
        sends = len(assistant.emulator.calls) > before[0]
        writes = sorted(assistant.account.state.rglob("*Z-*.json")) != before[1]
        assert hints.open_world_hint is sends is (name not in LOCAL)
        assert hints.read_only_hint is hints.idempotent_hint is not writes
        assert hints.destructive_hint is False
        assert writes is (name == "propose")


def test_a_read_only_server_has_no_way_to_propose(make):
    assistant = make(read_only=True)
    assert {*CALLS} - {"propose"} == {
        tool.name for tool in assistant.ask(lambda client: client.list_tools()).tools
    }
    from mcp import MCPError

    with pytest.raises(MCPError, match="no such tool"):
        assistant.ask(lambda client: client.call_tool("propose", lost(HARRY)))


def test_what_a_look_returns_has_ids_and_emails_as_data(assistant):
    (group,) = assistant.data("list_groups", text="design")["groups"]
    assert group == {"group": {"id": DESIGNERS, "name": "Designers"}, "members": 2}
    members = assistant.data("list_members", group="Designers")["members"]
    assert {each["email"] for each in members} == {JOHN, HARRY}
    (found,) = assistant.data("find_people", text="potts")["people"]
    assert (found["person"]["email"], found["groups"]) == (HARRY, [group["group"]])
    explained = assistant.data("explain", **MEMBERSHIP)["explanation"]
    assert (explained["is_member"], explained["verdict"]) == (True, "made_elsewhere")
    kinds = {each["finding"]["kind"] for each in assistant.data("review")["findings"]}
    assert "without_group" in kinds


def test_who_may_do_something_is_told_with_the_group_that_lets_them(assistant):
    found = assistant.data("who_may", role="campaign")["access"]
    assert {(each["user"]["email"], each["through"][0]["name"]) for each in found} == {
        (JOHN, "Designers"), (HARRY, "Designers"),
    }  # fmt: skip
    assert {each["own"] for each in found} == {None}
    (own, *through) = assistant.data("who_may", user=JOHN)["access"]
    assert (own["is_full_control"], own["own"], own["through"]) == (True, True, [])
    assert [each["through"][0]["id"] for each in through] == [DESIGNERS] * 2


@pytest.mark.parametrize("role", [None, "no such role"])
def test_roles_that_cannot_be_read_are_not_known_and_never_none(assistant, role):
    assistant.emulator.fail("inspectMultiple", status=403, times=None)
    for data in (
        assistant.data("show_grants", group="Designers"),
        assistant.data("explain", **MEMBERSHIP),
    ):
        assert data["granted"] is None
        assert "403" in data["not_known_because"]
    found = assistant.data("who_may", **({"role": role} if role else {}))
    assert {each["name"] for each in found["not_known"]} == {"Designers", "Marketing"}
    assert "403" in found["not_known_because"]
    assert "full_control_by_one_group" not in assistant.data("review")["looked_for"]


def test_what_groups_grant_is_known_where_own_roles_are_not(make):
    emulator = Emulator("acc", "k", SECRET)

    class RefuseUsers:
        def before_request(self, context: object, request: httpx.Request) -> None:
            if b'"user"' in request.content:
                emulator.fail("inspectMultiple", status=404)

    found = make(emulator, hooks=(RefuseUsers(),)).data("who_may", user=JOHN)
    assert found["not_known"] == []
    assert [each["own"] for each in found["access"]] == [None, None]


def test_pages_are_of_one_reading_and_have_a_bound(assistant):
    for number in range(220):
        assistant.emulator.add_group(f"Group {number}")
    page = assistant.data("list_groups")
    rows = page["groups"]
    assistant.emulator.add_group("Later")
    while page["next_page"]:
        page = assistant.data("list_groups", page=page["next_page"])
        rows += page["groups"]
        assert len(page["groups"]) <= 100
    assert len({row["group"]["id"] for row in rows}) == len(rows) == page["total"] == 222
    assert len(assistant.emulator.calls) == 1


def test_a_page_is_small_where_everybody_is_in_all_groups(assistant):
    emulator = assistant.emulator
    people = [emulator.add_user_account(f"Person {number}") for number in range(30)]
    for number in range(100):
        group = emulator.add_group(f"Group {number} {'of a long name' * 10}")
        for person in people:
            emulator.add_member(group, person)
    page = assistant.data("find_people", text="person")
    rows = page["people"]
    while page["next_page"]:
        assert len(json.dumps(page)) < 120_000
        page = assistant.data("find_people", text="person", page=page["next_page"])
        rows += page["people"]
    assert len({row["person"]["id"] for row in rows}) == len(rows) == page["total"] == 30
    assert assistant.data("find_people", text="person", page=99)["people"] == []


def test_a_list_that_is_longer_than_shown_is_named(make, tmp_path):
    listed = {f"Group {number}": {"members": [JOHN]} for number in range(201)}
    (tmp_path / "groups.json").write_text(json.dumps({"version": 1, "groups": listed}))
    assistant = make(file="groups.json")
    person = assistant.emulator.add_user_account("In all groups", user_id="many")
    for number in range(201):
        assistant.emulator.add_group(f"Group {number}", users=[person])
    data = assistant.data("find_people", text="many")
    assert len(data["people"][0]["groups"]) == 200
    assert data["cut"] == ["people.0.groups"]
    assert assistant.data("list_groups", text="group")["cut"] == []
    assert len(json.loads(assistant.read("file"))["groups"]) == 201


def test_a_page_of_what_was_not_read_is_an_error(assistant):
    for given in ({}, {"text": "x"}):
        assistant.data("list_groups", text="y")
        result = assistant.call("list_groups", page=2, **given)
        assert result.structured_content["kind"] == "invalid"
    for number in range(9):
        assistant.data("list_groups", text=str(number))
    assert assistant.call("list_groups", text="0", page=2).is_error
    assert not assistant.call("list_groups", text="8", page=2).is_error


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("list_groups", {"page": 0}),
        ("list_groups", {"page": "1"}),
        ("list_groups", {"nonsense": 1}),
        ("list_members", {}),
        ("list_members", {"group": "x" * 501}),
        ("list_members", {"group": "half a pair \ud800"}),
        ("propose", {"groups": [{"group": "Designers", "remove": ["\udfff"]}]}),
        ("propose", {"groups": [{"group": "Designers", "remove": [HARRY], "allow_removals": 2}]}),
        ("propose", {"groups": [{"group": "Designers"}] * 201}),
    ],
)
def test_arguments_that_are_not_valid_send_nothing(assistant, name, given):
    result = assistant.call(name, **given)
    assert result.is_error
    assert result.structured_content["kind"] == "arguments"
    assert list(assistant.emulator.calls) == []


def test_a_plan_past_a_guard_is_refused_and_not_saved(assistant):
    data = assistant.data("propose", **lost(JOHN, HARRY))
    (breach,) = data["breaches"]
    assert breach == {
        "guard": "empties_group",
        "group": {"id": DESIGNERS, "name": "Designers"},
        "removals": 2,
        "limit": 0,
    }
    assert (data["outcome"], data["saved"], len(data["changes"])) == ("refused", None, 2)
    assert list(assistant.account.state.rglob("*Z-*.json")) == []
    assert assistant.read("plan/last") == "null"


def test_few_removals_are_no_allowance_of_their_own(assistant):
    users = [assistant.emulator.add_user_account(f"P {each}") for each in range(10)]
    assistant.emulator.add_group("Crowd", users=users)
    named = [user.id for user in users[:3]]
    data = assistant.data("propose", **lost(*named, group="Crowd"))
    assert [each["guard"] for each in data["breaches"]] == ["max_removals_per_group"]


def test_a_saved_plan_is_whole_private_and_named_by_its_digest(assistant):
    data = assistant.data("propose", **lost(HARRY), reason="JIRA-7")
    saved = data["saved"]
    path = Path(saved["path"])
    plan = load_plan(path)
    assert [(each.action, each.user and each.user.email) for each in plan.changes] == [
        ("remove_user", HARRY)
    ]
    assert plan.changes[0].reason == "JIRA-7"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert saved["apply"] == f"cld-user-groups apply {path}"
    assert len(saved["sha256"]) == 64
    assert json.loads(assistant.read("plan/last"))["changes"] == data["changes"]


EDITS: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "add": (
        {"groups": [{"group": "Marketing", "add": [JOHN, HARRY]}]},
        [("add_user", "Marketing"), ("add_user", "Marketing")],
    ),
    "create": (
        {"groups": [{"group": "Editors", "create": True, "add": [JOHN]}]},
        [("create_group", "Editors"), ("add_user", "Editors")],
    ),
    "rename": (
        {"groups": [{"group": DESIGNERS, "rename_to": "Artists"}]},
        [("rename_group", "Artists")],
    ),
    "rename and remove": (
        {"groups": [{"group": DESIGNERS, "rename_to": "Artists", "remove": [HARRY]}]},
        [("rename_group", "Artists"), ("remove_user", "Artists")],
    ),
    "swap": (
        {"groups": [{"group": "Designers", "add": [MARIA], "remove": [HARRY]}]},
        [("add_user", "Designers"), ("remove_user", "Designers")],
    ),
    "delete": ({"groups": [{"group": "Empty", "delete": True}]}, [("delete_group", "Empty")]),
    "offboard": ({"offboard": [HARRY]}, [("remove_user", "Designers")]),
    "move": (
        {"groups": [{"group": "Marketing", "add": [HARRY]}, *lost(HARRY)["groups"]]},
        [("add_user", "Marketing"), ("remove_user", "Designers")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_each_kind_of_change_can_be_proposed(assistant, edit):
    assistant.emulator.add_group("Empty")
    given, changes = EDITS[edit]
    data = assistant.data("propose", **given)
    assert data["outcome"] == "saved"
    assert [(each["action"], each["group"]["name"]) for each in data["changes"]] == changes


def test_the_roles_that_begin_and_end_are_told(assistant):
    moves = [{"group": "Designers", "remove": [HARRY]}, {"group": "Marketing", "add": [HARRY]}]
    roles = assistant.data("propose", groups=moves)["plan"]["roles"]
    effects = {(each["effect"], each["group"]["name"]) for each in roles["effects"]}
    assert ("ends", "Designers") in effects
    assistant.emulator.fail("inspectMultiple", status=403, times=None)
    roles = assistant.data("propose", groups=moves[:1])["plan"]["roles"]
    assert "403" in roles["not_known_because"]
    assert [each["name"] for each in roles["not_known"]] == ["Designers"]


CONTRADICTIONS: list[dict[str, Any]] = [
    {},
    {"from_file": True},
    {"offboard": [HARRY], "from_file": True},
    {"groups": [{"group": "Designers", "add": [HARRY], "remove": [HARRY]}]},
    {"groups": [{"group": "Designers", "add": [HARRY]}], "offboard": [HARRY]},
    {"groups": [{"group": "Designers", "delete": True, "add": [HARRY]}]},
    {"groups": [{"group": "Designers", "delete": True, "rename_to": "x"}]},
    {"groups": [{"group": "Designers"}, {"group": DESIGNERS}]},
    {"groups": [{"group": "Designers", "create": True}]},
    {"groups": [{"group": "Editors", "create": True, "delete": True}]},
    {"groups": [{"group": "Editors", "create": True, "add": [HARRY]}], "offboard": [HARRY]},
    {"groups": [{"group": "Nobody's"}]},
    {"groups": [{"group": "Designers", "rename_to": "Market\u200bing"}]},
    {"groups": [{"group": "Designers", "add": ["nobody@example.com"]}]},
]


@pytest.mark.parametrize("given", CONTRADICTIONS, ids=str)
def test_changes_that_cannot_be_meant_are_an_error(assistant, given):
    result = assistant.call("propose", **given)
    assert result.is_error
    assert result.structured_content["kind"] == "invalid"
    assert list(assistant.account.state.rglob("*Z-*.json")) == []


FILE = """
version: 1
guards: {max_removals: 0}
protect: [john@example.com]
groups: {Designers: {mode: additive, members: [maria@example.com]}}
"""


def test_the_guards_and_the_protected_of_the_file_hold_for_each_proposal(make, tmp_path):
    (tmp_path / "groups.yaml").write_text(FILE)
    assistant = make(file="groups.yaml")
    data = assistant.data("propose", **lost(HARRY))
    assert [each["guard"] for each in data["breaches"]] == ["max_removals"]
    data = assistant.data("propose", **lost(JOHN))
    assert {each["guard"] for each in data["breaches"]} == {"protected", "max_removals"}
    data = assistant.data("propose", from_file=True)
    assert [each["user"]["email"] for each in data["changes"]] == [MARIA]
    assert json.loads(assistant.read("file"))["protect"] == [JOHN]
    assert assistant.data("explain", **MEMBERSHIP)["file_wants"] is None


MANAGED = """
version: 1
groups: {Designers: {managed_by: SCIM, members: [john@example.com]}}
"""


def test_a_group_that_something_else_manages_is_held_back(make, tmp_path):
    (tmp_path / "groups.yaml").write_text(MANAGED)
    data = make(file="groups.yaml").data("propose", **lost(HARRY))
    assert (data["outcome"], data["changes"]) == ("nothing_to_do", [])
    assert "SCIM" in data["plan"]["held_back"][0]


RULED = """
version: 1
not_together: [[Designers, Marketing]]
groups:
  Designers: {not_with_role: [Media Editor], managed_by: scim}
  Marketing: {not_with_role: [Master Admin], mode: additive, members: [maria@example.com]}
"""


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ({"group": "Designers", "remove": [HARRY]}, "`Designers` is managed by `scim`"),
        ({"group": "Marketing", "add": [HARRY]}, "also in `Designers`"),
        ({"group": "Marketing", "add": ["amara@example.com"]}, ""),
    ],
)
def test_the_rules_of_the_file_hold_for_each_proposal(make, tmp_path, edit, said):
    (tmp_path / "groups.yaml").write_text(RULED)
    data = make(file="groups.yaml").data("propose", groups=[edit])
    assert data["outcome"] == ("nothing_to_do" if said else "saved")
    assert said in "".join(data["plan"]["held_back"])


def test_what_looks_like_an_accident_is_held_back(assistant):
    data = assistant.data(
        "propose",
        groups=[
            {"group": "Designers", "remove": [HARRY]},
            {"group": "Desiqners", "create": True, "add": [JOHN, HARRY]},
        ],
    )
    assert data["plan"]["held_back"] or data["plan"]["warnings"]


def test_a_part_of_the_quota_is_left_to_others(make):
    assistant = make(keep_quota=5)
    assistant.emulator.set_quota(1000, 6)
    assistant.data("list_groups")
    result = assistant.call("list_groups")
    assert result.structured_content["kind"] == "not_sent"
    assert len(assistant.emulator.calls) == 1


def test_each_call_is_logged_for_its_owner_alone(assistant):
    saved = assistant.data("propose", **lost(HARRY))["saved"]
    assistant.call("list_groups", text="x" * 10_000)
    assistant.call("list_members", group="None")
    last, long, first = log(assistant)
    assert (long["result"], long["arguments"]) == ("arguments", "too long")
    assert (last["tool"], last["result"], last["requests"]) == ("list_members", "invalid", 1)
    assert (first["plan"], first["result"], first["arguments"]) == (
        saved["id"],
        "saved",
        lost(HARRY),
    )
    (path,) = assistant.account.state.rglob("calls.jsonl")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_call_that_cannot_be_logged_is_an_error(assistant):
    (assistant.account.state / "assistant").mkdir(parents=True)
    (assistant.account.state / "assistant/calls.jsonl").mkdir()
    assert assistant.call("list_groups").structured_content["kind"] == "system"


class Stuck:
    """A hook that keeps a request from being sent until it is set free."""

    def __init__(self) -> None:
        self.free = threading.Event()

    def before_request(self, context: object, request: httpx.Request) -> None:
        self.free.wait(30)


def test_a_call_that_takes_too_long_ends(make):
    from mcp import MCPError

    stuck = Stuck()
    assistant = make(timeout=0.05, hooks=(stuck,))
    try:
        with pytest.raises(MCPError, match="took too long"):
            assistant.ask(lambda client: client.call_tool("list_groups", {}))
    finally:
        stuck.free.set()


@pytest.mark.parametrize(("status", "kind"), [(401, "api"), (420, "quota"), (404, "api")])
def test_an_error_of_the_api_is_data_without_secrets(make, status, kind):
    assistant = make(Emulator("acc", "k-4f1c0e", SECRET))
    assistant.emulator.fail("*", status=status, message="<b>no</b> \u202e", times=None)
    result = assistant.call("list_groups")
    assert result.structured_content["kind"] == kind
    shown = result.model_dump_json() + json.dumps(log(assistant))
    assert SECRET not in shown
    assert "k-4f1c0e" not in shown
    assert "\u202e" not in shown
