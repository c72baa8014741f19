"""Behind a real proxy, a call reaches the resource that it addresses and no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from attrs import frozen
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cld_user_groups import CldProvisioning, models
from cld_user_groups.emulator import Emulator, EmulatorGroup

from .calls import ACCOUNT, CALLS, GROUP, KEY, SECRET, SECURITY, Mode, call
from .proxies import PROXIES, Proxy

pytestmark = pytest.mark.interop


@frozen
class Proxied:
    """An emulator behind a proxy, and a client that calls it through the proxy."""

    emulator: Emulator
    url: str
    client: CldProvisioning
    proxy: Proxy

    @property
    def other(self) -> EmulatorGroup:
        """A group that no call of the tests is meant for."""
        (other,) = (group for group in self.emulator.groups if group.name == "Marketing")
        return other


@pytest.fixture(scope="module", params=PROXIES, ids=lambda proxy: proxy.name)
def running_proxy(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxied]:
    proxy: Proxy = request.param
    if proxy.executable is None:
        pytest.skip(f"{proxy.program} is not installed")
    emulator = Emulator(ACCOUNT, KEY, SECRET)
    upstream = emulator.serve()
    with (
        upstream,
        proxy.serve(httpx.URL(upstream.url).netloc.decode(), tmp_path_factory.mktemp("p")) as url,
        CldProvisioning(
            account_id=ACCOUNT, security=SECURITY, server_url=url, retry_config=None
        ) as client,
    ):
        yield Proxied(emulator, url, client, proxy)


@pytest.fixture
def proxied(running_proxy: Proxied) -> Proxied:
    running_proxy.emulator.reset()
    return running_proxy


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_every_operation_passes(proxied: Proxied, mode: Mode) -> None:
    for operation_id in CALLS:
        call(mode, proxied.url, operation_id)
    assert [(each.operation_id, each.status) for each in proxied.emulator.calls] == [
        (operation_id, 200) for operation_id in CALLS
    ]


def test_a_bare_client_deletes_another_group_where_the_proxy_folds(proxied: Proxied) -> None:
    other = proxied.other
    path = f"/v1_1/provisioning/accounts/{ACCOUNT}/user_groups/{GROUP}/users/..%2F..%2F{other.id}"
    httpx.delete(proxied.url + path, auth=(KEY, SECRET))
    assert (other in proxied.emulator.groups) is not proxied.proxy.folds


@pytest.mark.parametrize(
    "hostile",
    [
        "../../{other}",
        "..%2F..%2F{other}",
        "..%252F..%252F{other}",
        "%2e%2e/%2e%2e/{other}",
        "%252e%252e%252f%252e%252e%252f{other}",
        "..\\..\\{other}",
        "./../../{other}",
        "x/../../../{other}",
        "../../{other}/users",
        "..",
        "%2E%2e",
        "/",
        "%2F",
        "a/b",
    ],
)
def test_an_id_that_addresses_another_resource_is_rejected(proxied: Proxied, hostile: str) -> None:
    other = proxied.other
    with pytest.raises(ValueError, match=r"^user_id must "):
        proxied.client.user_groups.remove_user(
            group_id=GROUP, user_id=hostile.format(other=other.id)
        )
    assert list(proxied.emulator.calls) == []


# What URLs, proxies and servers give a meaning to, beside anything at all.
_FRAGMENTS = (
    *("%", "%2", "%25", "%2e", "%2F", "%252F", "%00", "%0d%0a", "%5c", "%3f", "%C3%A4", "%zz"),
    *(".", "..", "...", "/", "//", "\\", ";", "?", "#", "&", "+", "=", ":", "@", "~", "*", "!"),
    *(" ", "\t", "ä", "日本", "🎨", "\u2215", "\uff0e", "'", '"', "<", "|", "{", "$uri", "users"),
)
_IDS = (
    st.lists(
        st.sampled_from((*_FRAGMENTS, GROUP, "a", "1")) | st.text(max_size=3),
        min_size=1,
        max_size=6,
    )
    .map("".join)
    .filter(lambda value: value != GROUP)
)


def _check_that_only_the_addressed_is_reached(proxied: Proxied, strange_id: str) -> None:
    """Delete a group of this ID, and remove a user of this ID from another group."""
    emulator, groups = proxied.emulator, proxied.client.user_groups
    emulator.reset()
    emulator.add_group("Addressed", group_id=strange_id)
    user = emulator.add_user_account("Addressed", user_id=strange_id)
    members = emulator.add_group("Members", users=[user])
    calls: tuple[tuple[str, dict[str, str], Callable[..., object]], ...] = (
        ("deleteUserGroup", {"group_id": strange_id}, groups.delete),
        (
            "removeUserFromUserGroup",
            {"group_id": members.id, "user_id": strange_id},
            groups.remove_user,
        ),
    )
    for operation_id, ids, send in calls:
        before = emulator.groups
        emulator.calls.clear()
        try:
            send(**ids)
        except ValueError:
            assert list(emulator.calls) == []
        except models.CloudinaryError:
            # nginx rejects %00, for one, and its rewrites do not match a line feed.
            assert [each for each in emulator.calls if each.operation_id is not None] == []
            assert emulator.groups == before
        else:
            (received,) = emulator.calls
            assert received.operation_id == operation_id
            assert received.path_params == {"account_id": ACCOUNT, **ids}
    untouched = [group for group in emulator.groups if group.name not in ("Addressed", "Members")]
    assert untouched == list(Emulator().groups)


@pytest.mark.parametrize(
    "strange_id",
    [
        *("a b", " a", "a ", "ä", "日本🎨", "a%b", "100%", "%2e", "%2ea", "a%2e", "%41", "a%3Fb"),
        *("a;b", "a?b", "a#b", "a&b=c", "a+b", "a:b", "a@b", "...", ".a", "a..b", "~", "$uri"),
        *("a\tb", "a\nb", "a%0d%0aX-Injected: 1", "\u2215", "\uff0e\uff0e", "|", '"', "%zz", "%"),
        *("a" * 300, "ä" * 300, "a" * 16_000),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_a_strange_id_reaches_its_resource_or_is_rejected(
    proxied: Proxied, strange_id: str
) -> None:
    _check_that_only_the_addressed_is_reached(proxied, strange_id)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(strange_id=_IDS)
@example(strange_id=f"../{GROUP}")
@example(strange_id=f"%252e%252e%252f{GROUP}")
def test_no_id_reaches_another_resource(proxied: Proxied, strange_id: str) -> None:
    _check_that_only_the_addressed_is_reached(proxied, strange_id)
