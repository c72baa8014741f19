"""The call log and its assertions."""

import httpx
import pytest

from cld_user_groups.emulator import Emulator, EmulatorRequest

from .conftest import AMARA, DESIGNERS


def test_a_call_is_recorded_without_the_credentials(
    emulator: Emulator, client: httpx.Client
) -> None:
    client.put(f"/user_groups/{DESIGNERS}?a=b", json={"name": "Editors"}, headers={"X-A": "1"})
    (call,) = emulator.calls
    assert (call.operation_id, call.method, call.status) == ("updateUserGroup", "PUT", 200)
    assert call.path == f"/v1_1/provisioning/accounts/acc/user_groups/{DESIGNERS}"
    assert call.path_params == {"account_id": "acc", "group_id": DESIGNERS}
    assert (call.query, call.json) == ({"a": "b"}, {"name": "Editors"})
    assert call.headers["x-a"] == "1"
    assert "authorization" not in call.headers


def test_calls_can_be_asserted(emulator: Emulator, client: httpx.Client) -> None:
    client.post("/user_groups", json={"name": "Editors"})
    client.post(f"/user_groups/{DESIGNERS}/users/{AMARA}")
    client.get("/user_groups", params={"extended_details": "true"})
    emulator.calls.assert_called("createUserGroup", times=1, json={"name": "Editors"})
    emulator.calls.assert_called("addUserToUserGroup", group_id=DESIGNERS, user_id=AMARA)
    emulator.calls.assert_called("getUserGroups", query={"extended_details": "true"}, status=200)
    emulator.calls.assert_not_called("deleteUserGroup")
    assert [call.operation_id for call in emulator.calls[-2:]] == [
        "addUserToUserGroup",
        "getUserGroups",
    ]


def test_a_failed_assertion_shows_what_happened_instead(
    emulator: Emulator, client: httpx.Client
) -> None:
    client.post("/user_groups", json={"name": "Editors"})
    with pytest.raises(AssertionError) as caught:
        emulator.calls.assert_called("createUserGroup", times=1, json={"name": "Designers"})
    assert str(caught.value) == (
        "expected createUserGroup to be called exactly 1 time with json={'name': 'Designers'},"
        " but 0 calls of 1 to it matched.\n"
        "The emulator received 1 call:\n"
        "  createUserGroup: POST /v1_1/provisioning/accounts/acc/user_groups"
        ' {"name":"Editors"} -> 200'
    )
    with pytest.raises(AssertionError, match=r"not to be called, but it was called 1 time\."):
        emulator.calls.assert_not_called("createUserGroup")


def test_an_assertion_with_no_calls_says_so(emulator: Emulator, client: httpx.Client) -> None:
    client.get("/user_groups")
    emulator.calls.clear()
    with pytest.raises(AssertionError, match="received no call at all"):
        emulator.calls.assert_called("createUserGroup")
    assert emulator.calls.assert_called("createUserGroup", times=0) == list(emulator.calls) == []


def test_a_misspelt_operation_id_is_rejected(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="unknown operation id"):
        emulator.calls.assert_not_called("createGroup")


@pytest.mark.parametrize(
    ("path", "auth", "body"),
    [
        ("/user_groups", ("k", "s"), b"{}"),
        ("/user_groups", ("k", "wrong"), b""),
        ("/unknown", ("k", "s"), b"{}"),
        ("/unknown", ("k", "wrong"), b""),
    ],
)
def test_a_body_is_recorded_only_with_the_right_credentials(
    emulator: Emulator, client: httpx.Client, path: str, auth: tuple[str, str], body: bytes
) -> None:
    client.post(path, content=b"{}", auth=auth)
    assert emulator.calls[0].body == body


def test_a_long_body_is_cut_off(emulator: Emulator, client: httpx.Client) -> None:
    client.post("/user_groups", json={"name": "x" * 2**20})
    assert len(emulator.calls[0].body) == 2**20
    assert emulator.groups[-1].name == "x" * 2**20


def test_the_log_keeps_the_latest_10_000_calls(emulator: Emulator) -> None:
    for number in range(10_010):
        emulator.handle(EmulatorRequest("GET", b"/%d" % number))
    assert len(emulator.calls) == 10_000
    assert emulator.calls[0].path == "/10"


def test_the_log_keeps_no_more_than_64_mib(emulator: Emulator) -> None:
    name, value = b"x" * 2**19, b"y" * 2**19
    for number in range(100):
        emulator.handle(EmulatorRequest("GET", b"/%d" % number, b"", [(name, value)]))
    assert 60 < len(emulator.calls) < 64
    assert emulator.calls[-1].path == "/99"
