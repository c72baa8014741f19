"""Faults on demand, in process."""

import asyncio

import httpx
import pytest

from cld_user_groups.emulator import Emulator

BASE_URL = "http://emulator.invalid/v1_1/provisioning/accounts/acc"
DESIGNERS_ID = "7f08f1f1fc910bf1f25274aef11d27"
DESIGNERS = f"/user_groups/{DESIGNERS_ID}"


def names(emulator: Emulator) -> list[str]:
    return [group.name for group in emulator.groups]


def test_a_fault_happens_once_and_nothing_is_applied(
    emulator: Emulator, client: httpx.Client
) -> None:
    emulator.fail("createUserGroup")
    first = client.post("/user_groups", json={"name": "Editors"})
    assert (first.status_code, first.json()) == (
        503,
        {"error": {"message": "Service Unavailable"}},
    )
    assert names(emulator) == ["Designers", "Marketing"]
    assert client.post("/user_groups", json={"name": "Editors"}).status_code == 200


def test_a_fault_can_have_its_own_status_message_and_headers(
    emulator: Emulator, client: httpx.Client
) -> None:
    emulator.fail("*", status=429, message="Slow down", headers={"Retry-After": "7"})
    response = client.get("/user_groups")
    assert (response.status_code, response.json()) == (429, {"error": {"message": "Slow down"}})
    assert response.headers["Retry-After"] == "7"


def test_a_fault_can_replace_the_body(emulator: Emulator, client: httpx.Client) -> None:
    emulator.fail("*", status=502, body="<html>", headers={"Content-Type": "text/html"})
    response = client.get("/user_groups")
    assert (response.text, response.headers["Content-Type"]) == ("<html>", "text/html")


def test_a_fault_without_a_status_keeps_the_response(
    emulator: Emulator, client: httpx.Client
) -> None:
    emulator.fail("createUserGroup", status=None, body=b'{"id": ', headers={"X-Request-Id": "r1"})
    response = client.post("/user_groups", json={"name": "Editors"})
    assert (response.status_code, response.content) == (200, b'{"id": ')
    assert response.headers["X-Request-Id"] == "r1"
    assert "Editors" in names(emulator)


def test_a_fault_can_apply_the_write_and_return_an_error(
    emulator: Emulator, client: httpx.Client
) -> None:
    emulator.fail("deleteUserGroup", status=500, apply=True)
    assert client.delete(DESIGNERS).status_code == 500
    assert names(emulator) == ["Marketing"]


def test_a_fault_happens_as_often_as_requested(emulator: Emulator, client: httpx.Client) -> None:
    emulator.fail("getUserGroups", times=2)
    assert [client.get("/user_groups").status_code for _ in range(3)] == [503, 503, 200]


def test_a_fault_for_ever_lasts_until_it_is_cleared(
    emulator: Emulator, client: httpx.Client
) -> None:
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
    assert client.get(DESIGNERS).status_code == 500


def test_a_fault_waits_for_the_right_credentials(emulator: Emulator, client: httpx.Client) -> None:
    emulator.fail("*")
    assert client.get("/user_groups", auth=("wrong", "wrong")).status_code == 401
    assert client.get("/user_groups").status_code == 503


@pytest.mark.parametrize(("drop", "is_applied"), [("before", False), ("after", True)])
def test_a_dropped_connection_looks_as_it_does_on_a_socket(
    emulator: Emulator, client: httpx.Client, drop: str, is_applied: bool
) -> None:
    emulator.fail("createUserGroup", drop="after" if drop == "after" else "before")
    with pytest.raises(httpx.RemoteProtocolError) as caught:
        client.post("/user_groups", json={"name": "Editors"})
    assert str(caught.value) == "Server disconnected without sending a response."
    assert caught.value.request.method == "POST"
    assert ("Editors" in names(emulator)) is is_applied
    emulator.calls.assert_called("createUserGroup", times=1, status="dropped")


def test_a_connection_can_break_during_the_response(
    emulator: Emulator, client: httpx.Client
) -> None:
    emulator.fail("createUserGroup", drop="during")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        client.post("/user_groups", json={"name": "Editors"})
    assert "Editors" in names(emulator)


def test_a_delay_calls_the_given_sleep(emulator: Emulator) -> None:
    waits: list[float] = []
    emulator.fail("*", status=None, delay=3)
    transport = emulator.transport(sleep=waits.append)
    with httpx.Client(base_url=BASE_URL, auth=("k", "s"), transport=transport) as client:
        assert client.get("/user_groups").status_code == 200
    assert waits == [3]


def test_a_delay_beyond_the_read_timeout_ends_in_a_timeout(emulator: Emulator) -> None:
    waits: list[float] = []
    emulator.fail("createUserGroup", status=None, delay=60)
    transport = emulator.transport(sleep=waits.append)
    with (
        httpx.Client(base_url=BASE_URL, auth=("k", "s"), transport=transport, timeout=5) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        client.post("/user_groups", json={"name": "Editors"})
    assert waits == [5]
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
    emulator.fail("addUserToUserGroup", status=409, group_id=DESIGNERS_ID, user_id=second, times=2)
    paths = [f"{DESIGNERS}/users/{first}", f"{DESIGNERS}/users/{second}"]
    assert [client.post(path).status_code for path in paths] == [200, 409]
    marketing = emulator.groups[1]
    assert client.post(f"/user_groups/{marketing.id}/users/{second}").status_code == 200
    assert [client.post(path).status_code for path in paths[1:] * 2] == [409, 200]


def test_a_fault_for_any_operation_can_aim_at_one_group(
    emulator: Emulator, client: httpx.Client
) -> None:
    emulator.fail("*", drop="before", group_id=DESIGNERS_ID, times=None)
    assert client.get("/user_groups").status_code == 200
    assert client.get(f"/user_groups/{emulator.groups[1].id}").status_code == 200
    for path in (DESIGNERS, f"{DESIGNERS}/users"):
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(path)


def test_an_aimed_fault_compares_decoded_ids(emulator: Emulator, client: httpx.Client) -> None:
    emulator.fail("getUserGroup", group_id="a b")
    assert client.get("/user_groups/a%20b").status_code == 503


def test_a_fault_can_be_random_and_is_the_same_in_every_run() -> None:
    def statuses(probability: float, seed: int) -> list[int]:
        emulator = Emulator()
        emulator.fail("*", times=None, probability=probability, seed=seed)
        with httpx.Client(
            base_url=BASE_URL, auth=("k", "s"), transport=emulator.transport()
        ) as client:
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


def test_a_204_has_no_body(emulator: Emulator, client: httpx.Client) -> None:
    emulator.fail("*", status=204)
    response = client.delete(DESIGNERS)
    assert (response.status_code, response.content) == (204, b"")


def test_invalid_arguments_are_rejected(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="unknown operation id 'create'"):
        emulator.fail("create")
    with pytest.raises(ValueError, match="status must be between 200 and 599"):
        emulator.fail("*", status=100)
    with pytest.raises(ValueError, match="delay must be"):
        emulator.fail("*", delay=-1)
    with pytest.raises(ValueError, match="times must be at least 1"):
        emulator.fail("*", times=0)
    with pytest.raises(ValueError, match="probability must be above 0 and at most 1"):
        emulator.fail("*", probability=0)
    with pytest.raises(ValueError, match="probability must be above 0 and at most 1"):
        emulator.fail("*", probability=1.1)
    with pytest.raises(ValueError, match="the path of getUserGroups has no group_id"):
        emulator.fail("getUserGroups", group_id="g")
    with pytest.raises(ValueError, match="the path of getUserGroup has no user_id"):
        emulator.fail("getUserGroup", group_id="g", user_id="u")
    with pytest.raises(ValueError, match="contradicts"):
        emulator.fail("*", drop="before", apply=True)
    with pytest.raises(ValueError, match="is set by the emulator"):
        emulator.fail("*", headers={"Content-Length": "1"})
    with pytest.raises(ValueError, match="invalid header name"):
        emulator.fail("*", headers={"X Y": "1"})
    with pytest.raises(ValueError, match="invalid value of the header X-Y"):
        emulator.fail("*", headers={"X-Y": "1\r\n"})
