"""Every snippet of the vendor's reference runs unchanged, and sends exactly what it should."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import httpx
import pytest
from tests.support.code_blocks import ROOT, Block, blocks, run

from cld_user_groups import models
from cld_user_groups.emulator import Emulator

PATH = "tests/unit/documented_snippets.md"
KEY = "CLOUDINARY_PROVISIONING_API_KEY"
SECRET = "CLOUDINARY_PROVISIONING_API_SECRET"
BASE = "/v1_1/provisioning/accounts/%3Cid%3E/user_groups"
DESIGNERS = f"{BASE}/7f08f1f1fc910bf1f25274aef11d27"
JOHN = f"{DESIGNERS}/users/0abed8dfcc039ea05e2a1d494fd442"
SENT = {
    "list": ["GET", f"{BASE}?extended_details=true", b""],
    "create": ["POST", BASE, b'{"name":"Designers","extended_details":false}'],
    "get": ["GET", f"{DESIGNERS}?extended_details=true", b""],
    "update": [
        ["PUT", DESIGNERS, b'{"name":"Designers and Creatives"}'],
        ["PUT", DESIGNERS, b'{"name":"Designers","extended_details":false}'],
    ],
    "delete": ["DELETE", DESIGNERS, b""],
    "list_users": ["GET", f"{DESIGNERS}/users", b""],
    "add_user": ["POST", JOHN, b""],
    "remove_user": ["DELETE", JOHN, b""],
}
RETURNS = {
    "list": models.UserGroupsResponse,
    "create": models.UserGroup,
    "get": models.UserGroup,
    "update": models.UserGroup,
    "delete": models.SuccessResponse,
    "list_users": models.UserGroupUsersResponse,
    "add_user": models.UserGroupUser,
    "remove_user": models.UserGroupUsersResponse,
}


def method_of(code: str) -> str:
    return code.partition("cld_provisioning.user_groups.")[2].partition("(")[0]


def emulator_for(method: str, wire: str) -> Emulator:
    """An emulator in the state that the block expects."""
    emulator = Emulator("<id>", KEY, SECRET, wire=wire)  # type: ignore[arg-type]
    client = httpx.Client(transport=emulator.transport(), auth=(KEY, SECRET))
    with client:
        if method == "create":  # the name must be free
            client.delete(f"https://api.cloudinary.com{DESIGNERS}")
        if method == "add_user":  # the user must not be in yet
            client.delete(f"https://api.cloudinary.com{JOHN}")
    return emulator


@pytest.mark.parametrize("wire", ["observed", "documented"])
@pytest.mark.parametrize("block", blocks(PATH), ids=str)
def test_block_runs_unchanged_and_sends_exactly_one_request(
    block: Block, wire: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = method_of(block.code)
    transport = emulator_for(method, wire).transport()
    requests: list[httpx.Request] = []

    def handle(_: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return transport.handle_request(request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle)
    result = run(block)["res"]

    (request,) = requests
    sent = [request.method, request.url.raw_path.decode(), request.content]
    expected = SENT[method]
    assert sent == expected or sent in expected
    assert f"{request.url.scheme}://{request.url.netloc.decode()}" == "https://api.cloudinary.com"
    headers = dict(request.headers)
    assert headers.pop("authorization") == "Basic " + b64encode(f"{KEY}:{SECRET}".encode()).decode()
    assert headers.pop("host") == "api.cloudinary.com"
    assert headers.pop("accept") == "application/json"
    assert headers.pop("user-agent").startswith("cld-user-groups/")
    assert headers.pop("connection") == "keep-alive"
    assert "gzip" in headers.pop("accept-encoding")
    body = request.content
    if request.method in ("POST", "PUT"):
        assert headers.pop("content-length") == str(len(body))
    assert headers == ({"content-type": "application/json"} if body else {})
    if body:
        json.loads(body)

    assert type(result) is RETURNS[method]
    if method == "delete":
        assert result.message == "ok"
    if method == "add_user":
        assert (result.id, result.name) == ("0abed8dfcc039ea05e2a1d494fd442", "John Doe")


def test_snippets_show_every_method() -> None:
    shown = {method_of(block.code) for block in blocks(PATH)}
    assert shown == set(SENT)


@pytest.mark.skipif(
    not (seed := ROOT.parent / "shared/seed/user_groups.md").exists(),
    reason="the vendor's reference does not lie beside this clone",
)
def test_snippets_are_those_of_the_vendors_reference() -> None:
    def code(path: Path) -> list[str]:
        return path.read_text("utf-8").split("```python\n")[1:]

    theirs = [part.partition("```")[0] for part in code(seed)]
    ours = [part.partition("```")[0] for part in code(ROOT / PATH)]
    assert ours == theirs
