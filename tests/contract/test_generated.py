"""The generated client matches the OpenAPI document."""

from __future__ import annotations

import filecmp
import functools
import importlib
import inspect
import json
import keyword
import pkgutil
import re
import shutil
import types
import typing
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support import documents, operations, scripts

import cld_user_groups
from cld_provisioning_api import api, models
from cld_provisioning_api.types import Model
from cld_user_groups import AsyncCldProvisioning, CldProvisioning
from cld_user_groups._engine.config import REGIONS, SERVERS

generate = scripts.load("tools/generate.py")

ENDPOINTS = {
    module.OPERATION_ID: module
    for found in pkgutil.walk_packages(api.__path__, f"{api.__name__}.")
    if hasattr(module := importlib.import_module(found.name), "OPERATION_ID")
}
MODELS: dict[str, type[Model]] = {
    name: model
    for name in models.__all__
    if isinstance(model := getattr(models, name), type) and issubclass(model, Model)
}


def made_from(document: documents.Document, tmp_path: Path) -> Path:
    """Generate the package from a document, and return its path."""
    project = tmp_path / "project"
    project.mkdir()
    for name in ("generator-config.yaml", "templates"):
        (project / name).symlink_to(documents.ROOT / name)
    # The unchanged document as a file, for its comments and anchors matter as well.
    if document == documents.load():
        shutil.copy(documents.PATH, project)
    else:
        (project / "openapi.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    return generate.generate(project, tmp_path)


def test_generating_again_changes_nothing(document: documents.Document, tmp_path: Path):
    made = made_from(document, tmp_path)
    current = documents.ROOT / "generated" / made.name
    comparison = filecmp.dircmp(current, made, ignore=["__pycache__"], hide=[])
    assert generate.differences(comparison) == []


def test_each_schema_has_a_model_and_each_model_a_schema(document: documents.Document):
    assert documents.model_schemas(document).keys() == MODELS.keys()


@pytest.mark.parametrize("name", MODELS)
def test_a_model_has_the_fields_of_its_schema_with_their_types(
    document: documents.Document, name: str
):
    schema = documents.model_schemas(document)[name]
    required = schema.get("required", ())
    _python_type = functools.partial(_type_of, document, name in _sent(document))
    fields = {
        field: _python_type(each) if field in required else _python_type(each) | None
        for field, each in schema["properties"].items()
    }
    assert _annotations(MODELS[name]) == fields


@pytest.mark.parametrize("name", MODELS)
def test_only_the_required_fields_of_a_model_have_no_default(
    document: documents.Document, name: str
):
    parameters = inspect.signature(MODELS[name]).parameters.values()
    needed = [each.name for each in parameters if each.default is inspect.Parameter.empty]
    assert needed == documents.model_schemas(document)[name].get("required", [])


def test_operations_endpoints_and_methods_are_the_same(document: documents.Document):
    documented = documents.operations(document).keys()
    assert documented == ENDPOINTS.keys()
    tags = {each.definition["tags"][0] for each in documents.operations(document).values()}
    for client in (CldProvisioning, AsyncCldProvisioning):
        missing = {tag for tag in tags if not hasattr(client, tag)}
        assert not missing, f"overlay/cld_user_groups/client.py: {client.__name__} lacks {missing}"
    assert documented == operations.METHODS.keys()


@pytest.mark.parametrize("operation_id", ENDPOINTS)
def test_an_endpoint_sends_the_method_and_the_path_of_its_operation(
    document: documents.Document, operation_id: str
):
    operation = documents.operations(document)[operation_id]
    ids = {name: f"the-{name}" for name in operation.names_of("path")}
    query = {
        each["name"]: each["example"]
        for each in operation.parameters
        if each["in"] == "query" and each.get("required")
    }
    request = ENDPOINTS[operation_id].build_request(**ids, **query, **_body(document, operation))
    path = request.target.partition("?")[0]
    assert (request.method, path) == (operation.method, operation.path.format(**ids))


@pytest.mark.parametrize("operation_id", ENDPOINTS)
def test_an_endpoint_has_the_parameters_of_its_operation(
    document: documents.Document, operation_id: str
):
    operation = documents.operations(document)[operation_id]
    parameters = inspect.signature(ENDPOINTS[operation_id].build_request).parameters
    names = {_python_name(each["name"]) for each in operation.parameters}
    assert parameters.keys() == names | ({"body"} if operation.body else set())
    optional = {name for name, each in parameters.items() if each.default is None}
    assert optional == {
        _python_name(each["name"]) for each in operation.parameters if not each.get("required")
    }


@pytest.mark.parametrize("client", [CldProvisioning, AsyncCldProvisioning])
@pytest.mark.parametrize("operation_id", operations.METHODS)
def test_each_parameter_of_an_operation_is_an_argument_of_its_method(
    document: documents.Document, operation_id: str, client: type[Any]
):
    operation = documents.operations(document)[operation_id]
    names = {_python_name(each["name"]) for each in operation.parameters} - {"account_id"}
    if operation.body:
        names |= documents.model_schemas(document)[operation.body]["properties"].keys()
    missing = names - inspect.signature(_method(client, operation_id)).parameters.keys()
    assert not missing, f"{operations.METHODS[operation_id]} lacks {missing}: `make generate`"


@pytest.mark.parametrize("client", [CldProvisioning, AsyncCldProvisioning])
@pytest.mark.parametrize("operation_id", operations.METHODS)
def test_the_result_of_each_method_is_in_the_public_models(operation_id: str, client: type[Any]):
    result = typing.get_type_hints(_method(client, operation_id))["return"]
    public = cld_user_groups.models
    missing = {
        each.__name__
        for each in typing.get_args(result) or [result]
        if each not in {getattr(public, name) for name in public.__all__}
    }
    assert not missing, f"overlay/cld_user_groups/models.py lacks {missing}: add it to __all__"


@pytest.mark.parametrize("operation_id", ENDPOINTS)
def test_an_endpoint_decodes_exactly_the_documented_status_codes(
    document: documents.Document, operation_id: str
):
    operation = documents.operations(document)[operation_id]
    known = {str(status) for status in range(100, 600) if _decodes(operation_id, status)}
    assert known == operation.responses.keys()


def test_the_servers_are_those_of_the_document(document: documents.Document):
    documented = [
        (server["url"], {name: each["default"] for name, each in server["variables"].items()})
        for server in document["servers"]
    ]
    assert list(SERVERS) == documented
    assert list(REGIONS) == document["servers"][0]["variables"]["region"]["enum"]


def _method(client: type[Any], operation_id: str) -> Callable[..., Any]:
    resource, _, method = operations.METHODS[operation_id].partition(".")
    of_the_client = typing.get_type_hints(getattr(client, resource).func)["return"]
    return getattr(of_the_client, method)


def _python_name(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def _body(document: documents.Document, operation: documents.Operation) -> dict[str, Any]:
    """Return the argument that is the body, if there is one: its first example."""
    examples = documents.request_examples(document, operation.operation_id)
    return {"body": MODELS[operation.body].from_dict(examples[0])} if examples else {}


def _decodes(operation_id: str, status: int) -> bool:
    try:
        ENDPOINTS[operation_id].decode_response(status, b"{}")
    except Exception as error:
        return type(error).__name__ != "UnexpectedStatus"
    return True


def _annotations(model: type[Model]) -> dict[str, Any]:
    return {
        name: annotation
        for name, annotation in typing.get_type_hints(model).items()
        if typing.get_origin(annotation) is not typing.ClassVar
    }


def _sent(document: documents.Document) -> set[str]:
    """Return the schemas of what is sent: bodies of requests, and what they refer to."""
    sent = {each.body for each in documents.operations(document).values() if each.body}
    for _ in range(3):  # as deep as bodies are
        text = json.dumps([document["components"]["schemas"][name] for name in sent])
        sent |= set(re.findall(r"#/components/schemas/(\w+)", text))
    return sent


def _type_of(document: documents.Document, is_sent: bool, schema: dict[str, Any]) -> Any:
    name = schema.get("$ref", "").rpartition("/")[2]
    if name in MODELS:
        return MODELS[name]
    schema = documents.resolve(document, schema)
    if "enum" in schema:
        return typing.Literal[tuple(sorted(schema["enum"]))] if is_sent else str
    if "type" not in schema:
        return Any
    if schema["type"] == "object":
        return dict[str, Any]
    if schema["type"] == "array":
        return types.GenericAlias(list, (_type_of(document, is_sent, schema["items"]),))
    if schema.get("format") == "date-time":
        return datetime
    return {"string": str, "boolean": bool, "integer": int, "number": float}[schema["type"]]
