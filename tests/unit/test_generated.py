"""The generated client on its own, and what a change of openapi.yaml changes in it."""

from __future__ import annotations

import asyncio
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tests.support.code_blocks import ROOT
from tests.support.transport import FakeTransport, Outcome, error, json

from cld_provisioning_api import AuthenticatedClient
from cld_provisioning_api.api.user_groups import (
    add_user_to_user_group,
    delete_user_group,
    get_user_group,
    get_user_groups,
    update_user_group,
)
from cld_provisioning_api.errors import UnexpectedStatus
from cld_provisioning_api.models import (
    Acknowledgement,
    ErrorResponse,
    SuccessResponse,
    UserGroup,
    UserGroupUser,
    UserGroupUsersResponse,
)


def client(*outcomes: Outcome, **options: Any) -> AuthenticatedClient:
    wire = FakeTransport(*outcomes)
    return AuthenticatedClient(
        base_url="https://api.example.com",
        token="aGlkZGVu",
        httpx_args={"transport": wire},
        **options,
    )


def test_client_works_without_the_overlay() -> None:
    with client(json({"id": "g1", "name": "D"})) as built:
        group = get_user_group.sync("acc", "g1", client=built, extended_details=True)
        assert group == UserGroup(id="g1", name="D")
        (request,) = built._httpx_args["transport"].requests
    assert request.headers["authorization"] == "Basic aGlkZGVu"
    assert request.url.raw_path.endswith(b"/accounts/acc/user_groups/g1?extended_details=true")


def test_client_works_async() -> None:
    async def check() -> None:
        async with client(json({"user_groups": []})) as built:
            response = await get_user_groups.asyncio_detailed("acc", client=built)
            assert (response.status_code, response.content) == (200, b'{"user_groups":[]}')
            assert await get_user_groups.asyncio("acc", client=built) == response.parsed

    asyncio.run(check())


@pytest.mark.parametrize("status", [401, 404, 420, 429])
def test_documented_error_is_parsed_whatever_its_status(status: int) -> None:
    with client(error(status, "no")) as built:
        response = get_user_groups.sync_detailed("acc", client=built)
    assert response.status_code == status
    assert isinstance(response.parsed, ErrorResponse)


def test_undocumented_status_is_not_parsed_or_raises_on_request() -> None:
    with client(httpx.Response(599)) as built:
        response = get_user_groups.sync_detailed("acc", client=built)
        assert (response.status_code, response.parsed) == (599, None)
    with client(httpx.Response(599), raise_on_unexpected_status=True) as built:
        with pytest.raises(UnexpectedStatus):
            get_user_groups.sync("acc", client=built)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"users": [{"id": "u1"}]}, UserGroupUsersResponse(users=[UserGroupUser(id="u1")])),
        ({"id": "u1"}, UserGroupUser(id="u1")),
        ({"id": "u1", "users": [], "email": "e"}, UserGroupUser(id="u1", email="e")),
        # As many fields of the one as of the other, but only the one's required field.
        ({"users": [], "name": "n", "email": "e"}, UserGroupUsersResponse(users=[])),
    ],
)
def test_the_shapes_of_adding_a_user_are_told_apart_by_their_fields(
    body: Any, expected: Any
) -> None:
    content = msgspec.json.encode(body)
    assert add_user_to_user_group.decode_success(content) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [({"ok": True}, Acknowledgement(ok=True)), ({"message": "ok"}, SuccessResponse(message="ok"))],
)
def test_the_shapes_of_deleting_a_group_are_told_apart_by_their_fields(
    body: Any, expected: Any
) -> None:
    assert delete_user_group.decode_success(msgspec.json.encode(body)) == expected


def test_wrong_type_is_named_by_its_path() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"\$\.users\[1\]\.email"):
        UserGroupUsersResponse.from_dict({"users": [{"id": "u1"}, {"id": "u2", "email": 5}]})


def test_absent_fields_are_none_and_are_left_out_again() -> None:
    content = {"id": "g1", "name": "D", "created_at": "2016-09-27T08:00:16Z"}
    group = UserGroup.from_dict(content)
    assert (group.users, group.updated_at) == (None, None)
    assert group.to_dict() == content


def test_the_repr_of_a_client_does_not_show_the_token() -> None:
    with client(json({}), headers={"X-Token": "aGlkZGVu"}) as built:
        built.get_httpx_client()
        assert "aGlkZGVu" not in repr(built)


def test_a_body_of_another_model_is_rejected() -> None:
    with pytest.raises(TypeError, match="body must be a UserGroupRequest"):
        update_user_group.build_request("acc", "g1", body=UserGroupUser(id="u1"))  # type: ignore[arg-type]


# Changes of openapi.yaml, in a copy.


class Project:
    """A copy of the generator's input, and the package that is generated from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("openapi.yaml", "generator-config.yaml"):
            (folder / name).write_bytes((ROOT / name).read_bytes())
        (folder / "templates").symlink_to(ROOT / "templates")

    def change(self, old: str, new: str) -> None:
        path = self.folder / "openapi.yaml"
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    def generate(self) -> subprocess.CompletedProcess[str]:
        script = str(ROOT / "tools/generate.py")
        return subprocess.run(
            [sys.executable, script, "--root", str(self.folder)],
            capture_output=True,
            text=True,
            check=False,
        )

    def load(self, module: str, monkeypatch: pytest.MonkeyPatch) -> Any:
        """Import a module of the generated package in place of the installed one."""
        monkeypatch.syspath_prepend(str(self.folder / "generated"))
        return importlib.import_module(f"cld_provisioning_api.{module}")


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """What is generated where there are new fields and parameters, and deprecated ones."""
    project = Project(tmp_path_factory.mktemp("changed"))
    project.change(
        "          description: When the group was created. Only with extended details.\n",
        NEW_FIELDS,
    )
    project.change(PARAMETERS, PARAMETERS + NEW_PARAMETERS)
    project.change(
        "      operationId: getUser\n", "      operationId: getUser\n      deprecated: true\n"
    )
    project.change("\n      in: query\n", "\n      in: query\n      deprecated: true\n")
    done = project.generate()
    assert done.returncode == 0, done.stderr
    return project


@pytest.fixture
def not_installed() -> Iterator[None]:
    """Let the generated package be imported anew."""
    installed = {n: m for n, m in sys.modules.items() if n.startswith("cld_provisioning_api")}
    for name in installed:
        del sys.modules[name]
    yield
    for name in [n for n in sys.modules if n.startswith("cld_provisioning_api")]:
        del sys.modules[name]
    sys.modules.update(installed)


GROUP = {"id": "g1", "name": "Designers"}
NEW_FIELDS = """\
          description: When the group was created. Only with extended details.
        kind:
          type: string
          enum: [team, guests]
          description: What the group is for.
        size:
          type: integer
        labels:
          type: object
          additionalProperties:
            type: string
        parent:
          $ref: '#/components/schemas/UserGroup'
        levels:
          type: array
          items: {type: string, nullable: true, enum: [high, low, null]}
"""


PARAMETERS = "      parameters:\n        - $ref: '#/components/parameters/ExtendedDetails'\n"
NEW_PARAMETERS = """\
        - {name: tags, in: query, schema: {type: array, items: {type: string}}}
        - {name: limit, in: query, required: true, schema: {type: integer}}
        - {name: X-Reason, in: header, schema: {type: string}}
"""


@pytest.mark.usefixtures("not_installed")
def test_new_fields_and_parameters_become_typed_fields_and_arguments(
    changed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = changed.load("models", monkeypatch)
    content = {
        "kind": "guests",
        "size": 3,
        "labels": {"a": "b"},
        "parent": {"id": "g0", "name": "All"},
        "unknown": 1,
        **GROUP,
    }
    group = models.UserGroup.from_dict(content)
    assert (group.kind, group.size, group.labels) == ("guests", 3, {"a": "b"})
    assert group.parent.id == "g0"
    del content["unknown"]
    assert group.to_dict() == content
    with pytest.raises(msgspec.ValidationError, match=r"\$\.size"):
        models.UserGroup.from_dict({**GROUP, "size": "3"})
    module = changed.load("api.user_groups.get_user_groups", monkeypatch)
    request = module.build_request("acc", limit=5, tags=["a b", "c"], x_reason="audit")
    assert request.target.endswith("/user_groups?tags=a%20b&tags=c&limit=5")
    assert request.headers == {"X-Reason": "audit"}
    with pytest.raises(TypeError, match="limit"):
        module.build_request("acc", limit="5")


@pytest.mark.usefixtures("not_installed")
def test_an_unknown_value_of_an_enumeration_does_not_break_a_read(
    changed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = changed.load("types", monkeypatch).decode
    group = changed.load("models.user_group", monkeypatch).UserGroup
    found = decode(b'{"id": "g", "name": "A", "kind": "new", "levels": ["newer", null]}', group)
    assert (found.kind, found.levels) == ("new", ["newer", None])


@pytest.mark.usefixtures("not_installed")
def test_what_is_deprecated_is_described_and_warns(
    changed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[object] = []
    users = changed.load("api.users", monkeypatch).Users(
        "acc", lambda *call: sent.append(call), None
    )
    groups = changed.load("api.user_groups", monkeypatch).UserGroups(
        "acc", lambda *call: sent.append(call), None
    )
    assert "Deprecated" in (users.get.__doc__ or "")
    assert (groups.list.__doc__ or "").count("Deprecated") == 1
    with pytest.warns(DeprecationWarning, match=r"^users\.get is deprecated") as found:
        users.get(user_id="u1")
    assert found[0].filename == __file__
    with pytest.warns(DeprecationWarning, match=r"^extended_details of user_groups\.list is"):
        groups.list(extended_details=True, limit=1)
    groups.list(limit=1)  # which warns of nothing: a warning is an error here
    assert len(sent) == 3


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("        message:\n", "        x-message:\n", "the field name x-message"),
        pytest.param(
            *("\n      in: query\n", "\n      in: cookie\n", "a cookie parameter"),
            marks=pytest.mark.exhaustive,
        ),
    ],
)
def test_an_unsupported_construct_stops_the_generator(
    tmp_path: Path, old: str, new: str, named: str
) -> None:
    project = Project(tmp_path)
    project.change(old, new)
    done = project.generate()
    assert done.returncode != 0
    assert named in done.stderr
    assert not (project.folder / "generated/cld_provisioning_api/models").exists()


def test_each_generated_module_says_that_it_is_generated_and_from_what() -> None:
    modules = list((ROOT / "generated").rglob("*.py"))
    assert len(modules) > 20
    for module in modules:
        first = module.read_text("utf-8").partition("\n")[0]
        assert re.fullmatch("# Generated from openapi.yaml by .*`make generate`.*", first), module
