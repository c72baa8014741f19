"""The quota, the clock, and the account as a test arranges it."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from cld_user_groups.emulator import Emulator, EmulatorClock, EmulatorGroup, EmulatorUser

from .conftest import AMARA, DESIGNERS, names


@pytest.mark.parametrize("status", [420, 429])
def test_requests_beyond_the_quota_are_rejected_until_the_next_full_hour(
    emulator: Emulator, client: httpx.Client, status: int
) -> None:
    emulator.set_quota(2, status=status)
    responses = [client.get("/user_groups") for _ in range(3)]
    assert [response.status_code for response in responses] == [200, 200, status]
    remaining = [response.headers["X-FeatureRateLimit-Remaining"] for response in responses]
    assert remaining == ["1", "0", "0"]
    assert responses[2].headers["X-FeatureRateLimit-Limit"] == "2"
    assert responses[2].headers["X-FeatureRateLimit-Reset"] == "Wed, 01 May 2024 13:00:00 GMT"
    assert responses[2].headers["Retry-After"] == "1800"

    emulator.clock.advance(minutes=30)
    response = client.get("/user_groups")
    assert response.status_code == 200
    assert response.headers["X-FeatureRateLimit-Remaining"] == "1"
    assert response.headers["X-FeatureRateLimit-Reset"] == "Wed, 01 May 2024 14:00:00 GMT"


def test_a_quota_that_is_used_up_from_the_start_is_reset_by_the_clock(
    emulator: Emulator, client: httpx.Client
) -> None:
    emulator.set_quota(5, remaining=0)
    emulator.clock.advance(hours=1)
    assert client.get("/user_groups").headers["X-FeatureRateLimit-Remaining"] == "4"


def test_a_rejected_write_changes_nothing(emulator: Emulator, client: httpx.Client) -> None:
    emulator.set_quota(5, remaining=0)
    assert client.delete(f"/user_groups/{DESIGNERS}").status_code == 420
    assert len(emulator.groups) == 2


def test_requests_without_credentials_use_up_nothing(
    emulator: Emulator, client: httpx.Client
) -> None:
    emulator.set_quota(5)
    response = client.get("/user_groups", auth=("wrong", "wrong"))
    assert response.headers["X-FeatureRateLimit-Remaining"] == "5"


def test_the_clock_runs_until_it_is_set() -> None:
    clock = EmulatorClock()
    clock.advance(hours=2)
    ahead = clock.now() - datetime.now(UTC)
    assert timedelta(minutes=119) < ahead <= timedelta(hours=2)
    clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    clock.advance(days=1, seconds=1)
    assert clock.now() == datetime(2030, 1, 2, 0, 0, 1, tzinfo=UTC)
    clock.reset()
    assert clock.now() - datetime.now(UTC) < timedelta(minutes=1)


def test_the_clock_needs_a_time_zone() -> None:
    naive = datetime(2030, 1, 1)
    with pytest.raises(ValueError, match="has no time zone"):
        EmulatorClock().set(naive)


def test_groups_change_behind_the_apis_back(emulator: Emulator, client: httpx.Client) -> None:
    emulator.rename_group(DESIGNERS, "Creatives")
    emulator.add_member(DESIGNERS, AMARA)
    emulator.remove_member(DESIGNERS, emulator.groups[0].users[0])
    emulator.remove_group(emulator.groups[1])
    (group,) = client.get("/user_groups?extended_details=1").json()["user_groups"]
    assert group["name"] == "Creatives"
    assert [user["name"] for user in group["users"]] == ["Harry Potts", "Amara Okafor"]
    emulator.calls.assert_not_called("updateUserGroup")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda it: it.rename_group(DESIGNERS, "Marketing"), "already exists"),
        (lambda it: it.rename_group(DESIGNERS, ""), "must not be blank"),
        (lambda it: it.add_member(DESIGNERS, it.users[0]), "User is already in the user group"),
        (lambda it: it.remove_member(DESIGNERS, AMARA), "User is not in the user group"),
        (lambda it: it.remove_group("unknown"), "User group not found"),
        (lambda it: it.add_group("Designers"), "already exists"),
        (lambda it: it.add_group("E", group_id=DESIGNERS), "already has a user group with the id"),
        (lambda it: it.add_group("E", users=["nobody"]), "User not found"),
        (lambda it: it.add_group(" "), "must not be blank"),
        (lambda it: it.add_user_account("A", user_id=AMARA), "already has a user with the id"),
        (lambda it: it.update_user_account("nobody", name="N."), "User not found"),
        (lambda it: it.remove_user_account("nobody"), "User not found"),
        (lambda it: it.set_quota(-1), "limit must not be negative"),
        (lambda it: it.set_quota(1, remaining=2), "remaining must be between"),
        (lambda it: it.set_quota(1, status=403), "status must be 420 or 429"),
    ],
)
def test_a_change_behind_the_apis_back_follows_its_rules(
    emulator: Emulator, change: Callable[[Emulator], object], reason: str
) -> None:
    before = (emulator.users, emulator.groups)
    with pytest.raises(ValueError, match=reason):
        change(emulator)
    assert (emulator.users, emulator.groups) == before


def test_users_and_groups_can_be_added(emulator: Emulator, client: httpx.Client) -> None:
    zoe = emulator.add_user_account("Zoe Lind")
    group = emulator.add_group("Editors", users=[zoe, AMARA])
    assert zoe.email == "zoe.lind@example.com"
    users = client.get(f"/user_groups/{group.id}/users").json()["users"]
    assert [user["id"] for user in users] == [zoe.id, AMARA]
    assert emulator.groups[-1] == group


def test_an_account_can_be_seeded() -> None:
    ana = EmulatorUser("u1", "Ana", "ana@example.com")
    emulator = Emulator(groups=[EmulatorGroup(id="g1", name="Only", users=(ana,))])
    assert emulator.users == (ana,)
    assert names(emulator) == ["Only"]
    assert Emulator(users=[]).groups == ()


def test_reset_goes_back_to_the_start(emulator: Emulator, client: httpx.Client) -> None:
    started = emulator.clock.now()
    before = (emulator.users, emulator.groups)
    emulator.add_group("Editors")
    emulator.add_user_account("Zoe Lind")
    emulator.fail("*", times=None)
    emulator.set_quota(1)
    emulator.clock.advance(hours=1)
    client.get("/user_groups")
    emulator.reset()
    assert (emulator.users, emulator.groups) == before
    assert emulator.clock.now() == started
    assert len(emulator.calls) == 0
    assert [client.get("/user_groups").status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"account_id": " "}, "account_id must not be empty"),
        ({"api_key": ""}, "api_key must not be empty"),
        ({"api_key": "key:hidden"}, "api_key must not contain a colon"),
        ({"api_secret": ""}, "api_secret must not be empty"),
        *(
            ({name: "telepathic"}, f"invalid {name} 'telepathic': use one of '")
            for name in ("wire", "users_filters", "users_paging")
        ),
    ],
)
def test_an_invalid_setting_is_rejected(arguments: dict[str, str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        Emulator(**arguments)  # type: ignore[arg-type]
    assert "hidden" not in str(caught.value)


def test_a_setting_that_was_checked_is_not_replaced_by_another(emulator: Emulator) -> None:
    with pytest.raises(AttributeError):
        emulator.wire = "telepathic"  # type: ignore[misc,assignment]
    assert emulator.wire == "observed"


def test_the_secret_is_in_no_repr(emulator: Emulator, client: httpx.Client) -> None:
    emulator = Emulator(api_secret="hidden-secret")
    transport = emulator.transport()
    shown = repr([emulator, emulator.calls, emulator.clock, transport, emulator.serve()])
    assert "hidden-secret" not in shown


def test_concurrent_writes_lose_nothing(emulator: Emulator, client: httpx.Client) -> None:
    def create(worker: int) -> None:
        for number in range(50):
            client.post("/user_groups", json={"name": f"Group {worker}-{number}"})
            client.post("/user_groups", json={"name": f"Shared {number}"})

    threads = [threading.Thread(target=create, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    created = names(emulator)
    assert len(created) == len(set(created)) == 2 + 8 * 50 + 50
    assert len({group.id for group in emulator.groups}) == len(created)
    assert len(emulator.calls) == 8 * 50 * 2
