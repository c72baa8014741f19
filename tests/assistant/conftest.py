"""An assistant at the sample account, in process: the official client, and the server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from attrs import field, frozen
from jsonschema import Draft202012Validator

from cld_user_groups import CldProvisioning, Security
from cld_user_groups.emulator import Emulator
from cld_user_groups.hooks import OnlyReads
from cld_user_groups.membership import state_directory
from cld_user_groups.utils import waiting_disabled

if TYPE_CHECKING:  # every process that collects tests would import it for a second
    import mcp_types as types
    from mcp import Client
    from mcp.server import Server

    from cld_user_groups.assistant.tools import Account

SECRET = "s3cr3t-4f1c0e"


@cache
def _validator(schema: str) -> Draft202012Validator:
    """Return the validator of a schema, which takes far longer to make than to use."""
    Draft202012Validator.check_schema(json.loads(schema))
    return Draft202012Validator(json.loads(schema))


@frozen
class Assistant:
    """Calls tools as an assistant does; each result must be as its schema says."""

    emulator: Emulator
    account: Account
    server: Server[Any]
    tools: dict[str, types.Tool] = field(factory=dict[str, "types.Tool"])

    def ask(self, what: Callable[[Client], Any]) -> Any:
        """Ask the server something, in a session of its own."""
        from mcp import Client, MCPError

        async def session() -> Any:
            async with Client(self.server) as client:
                try:
                    return await what(client)
                except MCPError as error:  # not to leave the session as a group of them
                    return error

        found = anyio.run(session)
        if isinstance(found, MCPError):
            raise found
        return found

    def call(self, name: str, **arguments: Any) -> types.CallToolResult:
        """Call a tool."""
        if not self.tools:
            listed = self.ask(lambda client: client.list_tools()).tools
            self.tools.update({tool.name: tool for tool in listed})
        result: types.CallToolResult = self.ask(lambda client: client.call_tool(name, arguments))
        _validator(json.dumps(self.tools[name].output_schema)).validate(result.structured_content)
        return result

    def data(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Return what a tool returns, which must be no error."""
        result = self.call(name, **arguments)
        assert not result.is_error, result
        data: dict[str, Any] = result.structured_content
        return data

    def read(self, name: str) -> str:
        """Return the text of a resource, or of the error that there is instead."""
        from mcp import MCPError

        try:
            found = self.ask(lambda client: client.read_resource(f"cld-user-groups://{name}"))
            (content,) = found.contents
            return str(content.text)
        except MCPError as error:
            return error.error.model_dump_json()

    def sent(self) -> list[str]:
        """Return what the emulator got that is no read."""
        reads = {"inspectMultiple"}  # a POST
        return [
            f"{call.method} {call.operation_id}"
            for call in self.emulator.calls
            if call.method != "GET" and call.operation_id not in reads
        ]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Assistant]]:
    """Return a function that makes an assistant at an emulator of its own."""
    from cld_user_groups.assistant.server import make_server
    from cld_user_groups.assistant.tools import Account

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)

    def assistant(
        emulator: Emulator | None = None,
        *,
        file: str | None = None,
        keep_quota: int = 0,
        read_only: bool = False,
        timeout: float = 60.0,
        hooks: tuple[object, ...] = (),
    ) -> Assistant:
        emulator = emulator or Emulator("acc", "k", SECRET)
        reads = OnlyReads(keep_quota=keep_quota)
        client = CldProvisioning(
            account_id=emulator.account_id,
            security=Security(emulator.api_key, emulator.api_secret),
            client=httpx.Client(transport=emulator.transport()),
            hooks=(reads, *hooks),
        )
        account = Account(
            client=client,
            reads=reads,
            file=file,
            source_timeout=10.0,
            command_line=_command_line,
            state=state_directory(client.account_id),
        )
        return Assistant(
            emulator, account, make_server(account, read_only=read_only, timeout=timeout)
        )

    with waiting_disabled():
        yield assistant


def _command_line(*words: str) -> str:
    return " ".join(["cld-user-groups", *words])


@pytest.fixture
def assistant(make: Callable[..., Assistant]) -> Assistant:
    """An assistant at the sample account."""
    return make()
