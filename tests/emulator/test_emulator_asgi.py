"""The emulator as an ASGI application."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import httpx
import pytest
import uvicorn

from cld_user_groups.emulator import Emulator

PATH = "/v1_1/provisioning/accounts/acc/user_groups"


def test_it_is_an_asgi_application(emulator: Emulator) -> None:
    async def scenario() -> None:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(emulator.asgi), auth=("k", "s")
        ) as client:
            response = await client.get("http://emulator.invalid" + PATH)
            assert len(response.json()["user_groups"]) == 2
            emulator.fail("*", drop="before")
            with pytest.raises(RuntimeError, match="cannot break connections on demand"):
                await client.get("http://emulator.invalid" + PATH)

    asyncio.run(scenario())


def test_uvicorn_sees_by_itself_which_interface_it_has(emulator: Emulator) -> None:
    config = uvicorn.Config(emulator.asgi)
    config.load()
    assert config.interface == "asgi3"


def test_it_supports_the_lifespan_protocol(emulator: Emulator) -> None:
    received = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[str] = []

    async def receive() -> dict[str, str]:
        return next(received)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message["type"])

    asyncio.run(emulator.asgi({"type": "lifespan"}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
