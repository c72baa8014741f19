"""A client whose server is a list of answers, and what it was sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from cld_user_groups import CldProvisioning, Security

KEY = "the-api-key"
SECRET = "the-api-secret"
SECURITY = Security(provisioning_api_key=KEY, provisioning_api_secret=SECRET)

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class Wire(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that gives the answers in their order, the last one again and again."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        request.read()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            # Anew, for a response can be read only once.
            return httpx.Response(
                answer.status_code, headers=answer.headers, content=answer.content
            )
        return answer(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)

    @property
    def lines(self) -> list[str]:
        """The request lines that were sent."""
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]

    def client(self, **options: Any) -> CldProvisioning:
        """Return a client of this server."""
        defaults: dict[str, Any] = {"account_id": "acc", "security": SECURITY}
        return CldProvisioning(**{**defaults, **options}, client=httpx.Client(transport=self))


def json(body: Any, status: int = 200, **headers: str) -> httpx.Response:
    """Return a JSON answer; in a header's name, `_` stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=body, headers=named)


def error(status: int, message: str = "no", **headers: str) -> httpx.Response:
    """Return a documented error."""
    return json({"error": {"message": message}}, status, **headers)


OK = json({"user_groups": []})
GROUP = json({"id": "g1", "name": "Designers"})
USERS = json({"users": [{"id": "u1", "name": "John Doe", "email": "john@example.com"}]})
