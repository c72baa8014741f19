"""The methods of all resources, over the table of operations: help(), examples, hooks."""

from __future__ import annotations

import asyncio
import inspect
import pydoc
import textwrap
import traceback
from typing import Any

import httpx
import pytest
from tests.support import documents
from tests.support.operations import COMPOSED, GROUP, METHODS, USER, arguments, method, recorder
from tests.support.transport import KEY, SECRET, SECURITY, FakeTransport

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, HookContext, models
from cld_user_groups.emulator import Emulator

CLIENTS = (CldProvisioning, AsyncCldProvisioning)
ALL_METHODS = sorted({*METHODS.values(), *COMPOSED})
DOCUMENT = documents.load()
OPERATIONS = documents.operations(DOCUMENT)
OPTIONS = ["retries", "server_url", "timeout_ms", "http_headers"]


def found(client: type[Any], name: str) -> Any:
    """Return a method of a client by its name with the resource."""
    resource, _, method_name = name.partition(".")
    return getattr(getattr(client(account_id="acc", security=SECURITY), resource), method_name)


@pytest.mark.parametrize("name", ALL_METHODS)
@pytest.mark.parametrize("client", CLIENTS)
def test_method_is_named_after_its_class(client: type[Any], name: str) -> None:
    method = found(client, name)
    resource, _, method_name = name.partition(".")
    prefix = "Async" if client is AsyncCldProvisioning else ""
    qualified = f"{prefix}{resource.title().replace('_', '')}.{method_name}"
    assert (method.__name__, method.__qualname__) == (method_name, qualified)
    assert method.__module__ == f"cld_user_groups.{resource}"
    assert method.__func__.__code__.co_qualname == qualified
    assert inspect.iscoroutinefunction(method) is (client is AsyncCldProvisioning)


@pytest.mark.parametrize("name", ALL_METHODS)
def test_help_documents_every_argument_and_no_other(name: str) -> None:
    method = found(CldProvisioning, name)
    text = inspect.getdoc(method) or ""
    section = textwrap.dedent(text.partition("Args:\n")[2].partition("\n\n")[0])
    documented = [line.partition(":")[0] for line in section.splitlines() if line[:1] != " "]
    assert documented == list(inspect.signature(method).parameters)
    assert documented[-len(OPTIONS) :] == OPTIONS
    for part in ("Returns:\n", "Raises:\n"):
        assert part in text
    assert f"{name.partition('.')[2]}(" in pydoc.render_doc(method, renderer=pydoc.plaintext)


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


@pytest.mark.parametrize("name", ALL_METHODS)
def test_example_of_the_docstring_runs(name: str) -> None:
    text = inspect.getdoc(found(CldProvisioning, name)) or ""
    description = text.partition("Args:\n")[0]
    lines = [line for line in description.splitlines() if line.startswith("    ")]
    example = textwrap.dedent("\n".join(lines))
    assert f"client.{name}(" in example
    emulator = Emulator("acc", KEY, SECRET)
    with httpx.Client(transport=emulator.transport()) as http:
        client = CldProvisioning(account_id="acc", security=SECURITY, client=http)
        names = {"client": client, "models": models, "GROUP_ID": GROUP, "USER_ID": USER}
        exec(compile(example, name, "exec"), names)
    assert emulator.calls


def test_traceback_names_the_operation() -> None:
    with pytest.raises(ValueError) as caught:
        FakeTransport().client().user_groups.get(group_id="..")
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert [frame.name for frame in frames][1:3] == ["get", "_get"]


@pytest.mark.parametrize("operation_id", METHODS)
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_hooks_know_the_ids_in_the_path_of_each_operation(
    operation_id: str, is_async: bool
) -> None:
    contexts: list[HookContext] = []

    class Contexts:
        def before_request(self, context: HookContext, request: object) -> None:
            contexts.append(context)

    transport = recorder(DOCUMENT, operation_id)
    kwargs = next(arguments(operation_id))
    if is_async:
        client: Any = transport.async_client(hooks=[Contexts()])
        asyncio.run(method(client, operation_id)(**kwargs))
    else:
        method(transport.client(hooks=[Contexts()]), operation_id)(**kwargs)
    (context,) = contexts
    ids = [name for name in OPERATIONS[operation_id].names_of("path") if name != "account_id"]
    assert context == HookContext(operation_id, "acc", 1, {name: kwargs[name] for name in ids})
    assert (context.group_id, context.user_id) == (
        GROUP if "group_id" in ids else None,
        USER if "user_id" in ids else None,
    )
