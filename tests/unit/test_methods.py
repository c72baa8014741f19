"""The methods of all resources, over the table of operations: help(), examples, hooks."""

from __future__ import annotations

import ast
import asyncio
import inspect
import pydoc
import textwrap
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any, get_type_hints

import httpx
import pytest
from tests.support import documents
from tests.support.operations import COMPOSED, GROUP, METHODS, USER, arguments, method, recorder
from tests.support.transport import KEY, SECRET, SECURITY, FakeTransport, Mode, both

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, HookContext, models
from cld_user_groups.emulator import Emulator

CLIENTS = (CldProvisioning, AsyncCldProvisioning)
ALL_METHODS = sorted({*METHODS.values(), *COMPOSED})
DOCUMENT = documents.load()
OPERATIONS = documents.operations(DOCUMENT)
OPTIONS = ["retries", "server_url", "timeout_ms", "http_headers"]


def found(client: type[Any], name: str, *, is_raw: bool = False) -> Any:
    """Return a method of a client by its name with the resource."""
    resource, _, method_name = name.partition(".")
    own = getattr(client(account_id="acc", security=SECURITY), resource)
    return getattr(own.with_raw_response if is_raw else own, method_name)


def every_kind(name: str) -> Iterator[Any]:
    """Return the methods of a name: sync and async, plain and raw."""
    for client in CLIENTS:
        for is_raw in [False] if name in COMPOSED else [False, True]:
            yield found(client, name, is_raw=is_raw)


@pytest.mark.parametrize("name", ALL_METHODS)
def test_method_is_a_plain_function_of_its_class(name: str) -> None:
    for client in CLIENTS:
        for is_raw in [False] if name in COMPOSED else [False, True]:
            method = found(client, name, is_raw=is_raw)
            resource, _, method_name = name.partition(".")
            prefix = "Async" * (client is AsyncCldProvisioning) + "Raw" * is_raw
            qualified = f"{prefix}{resource.title().replace('_', '')}.{method_name}"
            assert (method.__name__, method.__qualname__) == (method_name, qualified)
            package = "cld_user_groups" if name in COMPOSED else "cld_provisioning_api.api"
            assert method.__module__ == f"{package}.{resource}"
            assert method.__func__.__code__.co_qualname == qualified
            assert inspect.iscoroutinefunction(method) is (client is AsyncCldProvisioning)
            assert not hasattr(method, "__wrapped__")
            assert not hasattr(method, "__signature__")


@pytest.mark.parametrize("name", ALL_METHODS)
def test_help_documents_every_argument_and_no_other(name: str) -> None:
    for each in every_kind(name):
        text = inspect.getdoc(each) or ""
        section = textwrap.dedent(text.partition("Args:\n")[2].partition("\n\n")[0])
        documented = [line.partition(":")[0] for line in section.splitlines() if line[:1] != " "]
        assert documented == list(inspect.signature(each).parameters)
        assert documented[-len(OPTIONS) :] == OPTIONS
        assert get_type_hints(each).keys() == {*documented, "return"}
        for part in ("Returns:\n", "Raises:\n"):
            assert part in text
        assert f"{name.partition('.')[2]}(" in pydoc.render_doc(each, renderer=pydoc.plaintext)


@pytest.mark.parametrize("operation_id", METHODS)
def test_signature_returns_what_the_call_returns(operation_id: str) -> None:
    client = FakeTransport().client()
    returned = inspect.signature(method(client, operation_id)).return_annotation
    transport = recorder(DOCUMENT, operation_id)
    kwargs = next(arguments(operation_id))
    assert type(method(transport.client(), operation_id)(**kwargs)).__name__ == returned
    resource, _, name = METHODS[operation_id].partition(".")
    raw = getattr(getattr(client, resource).with_raw_response, name)
    assert inspect.signature(raw).return_annotation == f"RawResponse[{returned}]"


def example(method: Any, name: str) -> CodeType:
    """Return the example of a method's docstring, which may await."""
    description = (inspect.getdoc(method) or "").partition("Args:\n")[0]
    lines = [line for line in description.splitlines() if line.startswith("    ")]
    code = textwrap.dedent("\n".join(lines))
    assert f"client.{name}(" in code
    return compile(code, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("name", ALL_METHODS)
@pytest.mark.parametrize("kind", CLIENTS)
def test_example_of_the_docstring_runs(kind: type[Any], name: str) -> None:
    code = example(found(kind, name), name)
    emulator = Emulator("acc", KEY, SECRET)
    parameters = (each for operation in OPERATIONS.values() for each in operation.parameters)
    names = {each["name"].upper(): each["example"] for each in parameters if each["in"] == "path"}
    names["models"] = models

    async def run_async() -> None:
        async with httpx.AsyncClient(transport=emulator.transport()) as http:
            names["client"] = AsyncCldProvisioning(account_id="acc", security=SECURITY, client=http)
            await eval(code, names)

    if kind is AsyncCldProvisioning:
        asyncio.run(run_async())
    else:
        with httpx.Client(transport=emulator.transport()) as http:
            names["client"] = CldProvisioning(account_id="acc", security=SECURITY, client=http)
            exec(code, names)
    assert emulator.calls


@pytest.mark.parametrize("client", CLIENTS)
def test_traceback_names_the_method_and_its_operation(client: type[Any]) -> None:
    get = found(client, "user_groups.get")
    with pytest.raises(ValueError) as caught:
        asyncio.run(get(group_id=".."))  # the sync method raises before that
    frames = traceback.extract_tb(caught.value.__traceback__)
    places = [(Path(frame.filename).parent.name, frame.name) for frame in frames]
    own = places.index(("user_groups", "get"))
    assert places[own + 1] == ("user_groups", "build_request")


@pytest.mark.parametrize("operation_id", METHODS)
@both
def test_hooks_know_the_ids_in_the_path_of_each_operation(operation_id: str, mode: Mode) -> None:
    contexts: list[HookContext] = []

    class Contexts:
        def before_request(self, context: HookContext, request: object) -> None:
            contexts.append(context)

    transport = recorder(DOCUMENT, operation_id)
    kwargs = next(arguments(operation_id))
    transport.call(METHODS[operation_id], mode, options={"hooks": [Contexts()]}, **kwargs)
    (context,) = contexts
    ids = [name for name in OPERATIONS[operation_id].names_of("path") if name != "account_id"]
    assert context == HookContext(operation_id, "acc", 1, {name: kwargs[name] for name in ids})
    assert (context.group_id, context.user_id) == (
        GROUP if "group_id" in ids else None,
        USER if "user_id" in ids else None,
    )
