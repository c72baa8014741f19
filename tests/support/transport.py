"""The fake transport of all tests: a script of responses, and the requests that were sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Literal

import httpx
import pytest

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, Security

KEY = "the-api-key"
SECRET = "the-api-secret"
SECURITY = Security(provisioning_api_key=KEY, provisioning_api_secret=SECRET)

Mode = Literal["sync", "async"]
MODES: tuple[Mode, ...] = ("sync", "async")
both = pytest.mark.parametrize("mode", MODES)

Outcome = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]
"""What an attempt ends in: a response, an exception, or whatever a function returns or raises."""


class FakeTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport with one outcome for each request, in their order; the last one is repeated."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        request.read()
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        if isinstance(outcome, httpx.Response):
            # A copy, because a response can be read only once.
            return httpx.Response(
                outcome.status_code, headers=outcome.headers, content=outcome.content
            )
        return outcome(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)

    @property
    def lines(self) -> list[str]:
        """The request lines that were sent."""
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]

    def client(self, **options: Any) -> CldProvisioning:
        """Return a sync client on this transport."""
        http = httpx.Client(transport=self)
        return CldProvisioning(
            **{"account_id": "acc", "security": SECURITY, **options}, client=http
        )

    def async_client(self, **options: Any) -> AsyncCldProvisioning:
        """Return an async client on this transport."""
        options = {"account_id": "acc", "security": SECURITY, **options}
        return AsyncCldProvisioning(**options, client=httpx.AsyncClient(transport=self))

    def call(
        self,
        name: str,
        mode: Mode = "sync",
        /,
        *,
        is_raw: bool = False,
        options: Mapping[str, Any] | None = None,
        **arguments: Any,
    ) -> Any:
        """Call a method, such as "users.list", on a client of its own, and return the result."""
        resource, _, method = name.partition(".")
        is_async = mode == "async"
        client: Any = (self.async_client if is_async else self.client)(**(options or {}))
        methods = getattr(client, resource)
        call = getattr(methods.with_raw_response if is_raw else methods, method)
        return asyncio.run(call(**arguments)) if is_async else call(**arguments)


def json(body: Any, status: int = 200, **headers: str) -> httpx.Response:
    """Return a JSON response; in a header's name, `_` stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=body, headers=named)


def error(status: int, message: str = "no", **headers: str) -> httpx.Response:
    """Return a documented error."""
    return json({"error": {"message": message}}, status, **headers)


OK = json({"user_groups": []})
GROUP = json({"id": "g1", "name": "Designers"})
USERS = json({"users": [{"id": "u1", "name": "John Doe", "email": "john@example.com"}]})
