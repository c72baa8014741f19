"""Routing: the operations of the OpenAPI document, each with a route and an implementation."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml

from cld_user_groups.emulator import OPERATION_IDS
from cld_user_groups.emulator.operations import HANDLERS
from cld_user_groups.emulator.routes import ROUTER, Endpoint, Route, Router

OPENAPI = Path(__file__).parents[2] / "openapi.yaml"
READ = Endpoint("readThing", "GET", "/v1/things/{thing_id}")


def test_the_routes_are_those_of_the_openapi_document() -> None:
    paths = yaml.safe_load(OPENAPI.read_text(encoding="utf-8"))["paths"]
    documented = {
        operation["operationId"]: (method.upper(), path)
        for path, item in paths.items()
        for method, operation in item.items()
        if "operationId" in operation
    }
    routes = {each.operation_id: (each.method, each.path) for each in ROUTER.endpoints.values()}
    assert routes == documented


def test_every_operation_has_a_handler() -> None:
    missing, left_over = set(OPERATION_IDS) - set(HANDLERS), set(HANDLERS) - set(OPERATION_IDS)
    assert not missing, (
        f"the emulator cannot perform {sorted(missing)}: write a method as in"
        ' overlay/cld_user_groups/emulator/operations.py, marked @handles("<operationId>"), that'
        " takes the Operation and returns the JSON value of the response"
    )
    assert not left_over, f"openapi.yaml has no {sorted(left_over)}: delete their handlers"


def test_an_operation_without_a_handler_is_a_501(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(HANDLERS, "getUser")
    response = client.get("/users/0abed8dfcc039ea05e2a1d494fd442")
    assert response.status_code == 501
    assert "does not implement getUser" in response.json()["error"]["message"]


def test_paths_of_the_same_length_are_told_apart() -> None:
    router = Router(
        [
            Endpoint("listThings", "GET", "/v1/things"),
            Endpoint("listPlaces", "GET", "/v1/places"),
            Endpoint("readPlace", "GET", "/v1/places/{place_id}"),
            READ,
        ]
    )
    found = {path: router.find("GET", path) for path in (b"/v1/things", b"/v1/places/a")}
    assert [route.operation_id for route in found.values()] == ["listThings", "readPlace"]
    assert router.find("GET", b"/v1/people") == Route()


def test_a_concrete_path_is_matched_before_a_templated_one() -> None:
    mine = Endpoint("readMine", "GET", "/v1/things/mine")
    for router in (Router([READ, mine]), Router([mine, READ])):
        found = [router.find("GET", b"/v1/things/" + each) for each in (b"mine", b"yours")]
        assert [route.operation_id for route in found] == ["readMine", "readThing"]


def test_the_emulator_imports_no_optional_dependency() -> None:
    script = "import sys, cld_user_groups.emulator; print(*sorted(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    imported = {"httpx", "msgspec", "uvicorn", "yaml", "openapi_core", "jsonschema", "pytest"}
    assert imported & set(result.stdout.split()) == {"httpx", "msgspec"}
