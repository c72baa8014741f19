"""Faults on demand, in process."""

import asyncio
from typing import Any

import httpx
import pytest

from cld_user_groups.emulator import Emulator

from .conftest import BASE_URL, DESIGNERS, MARKETING, connect, names

GROUP = f"/user_groups/{DESIGNERS}"


@pytest.mark.parametrize(
    ("fault", "status", "content", "is_applied"),
    [
        ({}, 503, b'{"error":{"message":"Service Unavailable"}}', False),
        (
            {"status": 429, "message": "Slow down", "headers": {"Retry-After": "7"}},
            *(429, b'{"error":{"message":"Slow down"}}', False),
        ),
        (
            {"status": 502, "body": "<html>", "headers": {"Content-Type": "text/html"}},
            *(502, b"<html>", False),
        ),
        (
            {"status": None, "body": b'{"id": ', "headers": {"X-Request-Id": "r1"}},
            *(200, b'{"id": ', True),
        ),
        (
            {"status": 500, "apply": True},
            *(500, b'{"error":{"message":"Internal Server Error"}}', True),
        ),
        ({"status": 204}, 204, b"", False),
    ],
)
def test_a_fault_shapes_one_response_and_applies_the_write_or_not(
    emulator: Emulator,
    client: httpx.Client,
    fault: dict[str, Any],
    status: int,
    content: bytes,
    is_applied: bool,
) -> None:
    emulator.fail("createUserGroup", **fault)
    response = client.post("/user_groups", json={"name": "Editors"})
    assert (response.status_code, response.content) == (status, content)
    for name, value in fault.get("headers", {}).items():
        assert response.headers[name] == value
    assert names(emulator) == ["Designers", "Marketing", "Editors"][: 3 if is_applied else 2]
    assert client.post("/user_groups", json={"name": "Next"}).status_code == 200


def test_a_fault_lasts_as_often_as_requested_or_until_it_is_cleared(
    emulator: Emulator, client: httpx.Client
) -> None:
    emulator.fail("getUserGroups", times=2)
    assert [client.get("/user_groups").status_code for _ in range(3)] == [503, 503, 200]
    emulator.fail("*", times=None)
    assert [client.get("/user_groups").status_code for _ in range(3)] == [503] * 3
    emulator.clear_faults()
    assert client.get("/user_groups").status_code == 200


def test_faults_happen_in_order_and_to_their_operation_only(
    emulator: Emulator, client: httpx.Client
) -> None:
    emulator.fail("getUserGroup", status=500)
    emulator.fail("*", status=502)
    emulator.fail("getUserGroups", status=504)
    assert [client.get("/user_groups").status_code for _ in range(3)] == [502, 504, 200]
    assert client.get(GROUP).status_code == 500


def test_a_fault_waits_for_the_right_credentials(emulator: Emulator, client: httpx.Client) -> None:
    emulator.fail("*")
    assert client.get("/user_groups", auth=("wrong", "wrong")).status_code == 401
    assert client.get("/user_groups").status_code == 503


@pytest.mark.parametrize(
    ("drop", "message", "is_applied"),
    [
        ("before", "Server disconnected without sending a response.", False),
        ("after", "Server disconnected without sending a response.", True),
        ("during", "peer closed connection without sending complete message body", True),
    ],
)
def test_a_dropped_connection_looks_as_it_does_on_a_socket(
    emulator: Emulator, client: httpx.Client, drop: Any, message: str, is_applied: bool
) -> None:
    emulator.fail("createUserGroup", drop=drop)
    with pytest.raises(httpx.RemoteProtocolError) as caught:
        client.post("/user_groups", json={"name": "Editors"})
    assert str(caught.value).partition(" (")[0] == message
    assert caught.value.request.method == "POST"
    assert ("Editors" in names(emulator)) is is_applied
    emulator.calls.assert_called("createUserGroup", times=1, status="dropped")


def test_a_delay_sleeps_no_longer_than_the_read_timeout(emulator: Emulator) -> None:
    waits: list[float] = []
    emulator.fail("*", status=None, delay=3)
    emulator.fail("createUserGroup", status=None, delay=60)
    with connect(emulator, emulator.transport(sleep=waits.append), timeout=5) as client:
        assert client.get("/user_groups").status_code == 200
        with pytest.raises(httpx.ReadTimeout):
            client.post("/user_groups", json={"name": "Editors"})
    assert waits == [3, 5]
    assert "Editors" in names(emulator)


def test_an_async_client_sees_the_same_faults(emulator: Emulator) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def scenario() -> None:
        transport = emulator.transport(async_sleep=sleep)
        async with httpx.AsyncClient(
            base_url=BASE_URL, auth=("k", "s"), transport=transport
        ) as client:
            assert (await client.get("/user_groups")).status_code == 503
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get("/user_groups")
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get("/user_groups")
            created = await client.post("/user_groups", json={"name": "Editors"})
            assert created.json()["name"] == "Editors"

    emulator.fail("*", delay=2)
    emulator.fail("*", drop="before")
    emulator.fail("*", drop="during")
    asyncio.run(scenario())
    assert waits == [2]


def test_a_fault_can_aim_at_one_user_of_one_group(emulator: Emulator, client: httpx.Client) -> None:
    first, second = (user.id for user in emulator.users[-2:])
    emulator.fail("addUserToUserGroup", status=409, group_id=DESIGNERS, user_id=second, times=2)
    paths = [f"{GROUP}/users/{first}", f"{GROUP}/users/{second}"]
    assert [client.post(path).status_code for path in paths] == [200, 409]
    assert client.post(f"/user_groups/{MARKETING}/users/{second}").status_code == 200
    assert [client.post(path).status_code for path in paths[1:] * 2] == [409, 200]


def test_a_fault_for_any_operation_can_aim_at_one_group(
    emulator: Emulator, client: httpx.Client
) -> None:
    emulator.fail("*", drop="before", group_id=DESIGNERS, times=None)
    assert client.get("/user_groups").status_code == 200
    assert client.get(f"/user_groups/{MARKETING}").status_code == 200
    for path in (GROUP, f"{GROUP}/users"):
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(path)


def test_an_aimed_fault_compares_decoded_ids(emulator: Emulator, client: httpx.Client) -> None:
    emulator.fail("getUserGroup", group_id="a b")
    assert client.get("/user_groups/a%20b").status_code == 503


def test_a_fault_can_be_random_and_is_the_same_in_every_run() -> None:
    def statuses(probability: float, seed: int) -> list[int]:
        emulator = Emulator()
        emulator.fail("*", times=None, probability=probability, seed=seed)
        with connect(emulator) as client:
            return [client.get("/user_groups").status_code for _ in range(200)]

    first = statuses(0.25, 1)
    assert 20 < first.count(503) < 80
    assert statuses(0.25, 1) == first != statuses(0.25, 2)
    assert set(statuses(1, 1)) == {503}


def test_a_random_fault_leaves_a_call_to_the_next_fault(
    emulator: Emulator, client: httpx.Client
) -> None:
    emulator.fail("*", status=500, times=None, probability=0.5)
    emulator.fail("*", status=502, times=None)
    assert {client.get("/user_groups").status_code for _ in range(50)} == {500, 502}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"operation_id": "create"}, "unknown operation id 'create'"),
        ({"status": 100}, "status must be between 200 and 599"),
        ({"delay": -1}, "delay must be"),
        ({"times": 0}, "times must be at least 1"),
        ({"probability": 0}, "probability must be above 0 and at most 1"),
        ({"probability": 1.1}, "probability must be above 0 and at most 1"),
        (
            {"operation_id": "getUserGroups", "group_id": "g"},
            "the path of getUserGroups has no group_id",
        ),
        (
            {"operation_id": "getUserGroup", "group_id": "g", "user_id": "u"},
            "the path of getUserGroup has no user_id",
        ),
        ({"drop": "before", "apply": True}, "contradicts"),
        ({"headers": {"Content-Length": "1"}}, "is set by the emulator"),
        ({"headers": {"X Y": "1"}}, "invalid header name"),
        ({"headers": {"X-Y": "1\r\n"}}, "invalid value of the header X-Y"),
    ],
)
def test_an_invalid_argument_is_rejected(
    emulator: Emulator, arguments: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        emulator.fail(**{"operation_id": "*"} | arguments)
