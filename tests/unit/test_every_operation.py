"""What must know every operation does: references, the demo, the typing tests, the faults."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import cache

import pytest
from tests.faults.ways import PLAYED
from tests.support import scripts
from tests.support.code_blocks import ROOT
from tests.support.operations import COMPOSED, METHODS
from tools.docs.http_api import with_methods

from cld_user_groups.emulator import Emulator

ALL_METHODS = sorted({*METHODS.values(), *COMPOSED})


@cache
def reference(resource: str) -> str:
    path = ROOT / f"docs/{resource}.md"
    return with_methods(path.read_text("utf-8")) if path.is_file() else ""


@pytest.mark.parametrize("name", ALL_METHODS)
def test_reference_has_a_section_with_an_example(name: str) -> None:
    resource, _, method = name.partition(".")
    missing = f"write docs/{resource}.md, with `<!-- methods: {resource} -->` before its types"
    _, _, section = reference(resource).partition(f"\n## {method}\n")
    assert section, missing
    # The vendor's snippets call their client cld_provisioning.
    call = re.compile(rf"\b(client|cld_provisioning)\.{re.escape(name)}\(")
    assert any(call.search(code) for code in re.findall(r"```python\n(.*?)```", section, re.DOTALL))


@pytest.mark.parametrize("name", ALL_METHODS)
@pytest.mark.parametrize("function", ["def sync_use(", "async def async_use("])
def test_typing_tests_call_the_method(name: str, function: str) -> None:
    text = (ROOT / "tests/typing/usage.py").read_text("utf-8")
    body = re.split(r"\n\n\n", text.partition(f"\n{function}")[2], maxsplit=1)[0]
    assert f"client.{name}(" in body, f"tests/typing/usage.py: call it in {function}...)"


@pytest.mark.parametrize("operation_id", METHODS)
def test_faults_are_played_on_the_operation(operation_id: str) -> None:
    is_played = operation_id in {operation.operation_id for operation in PLAYED}
    assert is_played, "tests/support/fault_calls.py: add an Operation, to OPERATIONS and WRITES too"


@pytest.fixture(scope="module")
def demonstrated() -> dict[str, set[str]]:
    """The operations that the demo makes, by client."""
    demo = scripts.load("examples/demo.py")
    shown: dict[str, Callable[[str], object]] = {
        "sync": demo.show_sync,
        "async": lambda url: asyncio.run(demo.show_async(url)),
    }
    made: dict[str, set[str]] = {}
    for client, show in shown.items():
        emulator = Emulator("acc", "demo-key", "demo-secret")
        with emulator.serve() as server:
            show(server.url)
        made[client] = {call.operation_id for call in emulator.calls if call.operation_id}
    return made


@pytest.mark.parametrize("operation_id", METHODS)
@pytest.mark.parametrize("client", ["sync", "async"])
def test_demo_makes_the_operation(
    demonstrated: dict[str, set[str]], client: str, operation_id: str
) -> None:
    is_made = operation_id in demonstrated[client]
    missing = "examples/demo.py calls it as openapi.yaml says: give the parameters examples"
    assert is_made, missing
