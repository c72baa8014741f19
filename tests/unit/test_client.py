"""The clients' own behaviour: what they open, close, merge and reject."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import ModuleType
from typing import Any

import httpx
import httpx2
import pytest
from tests.support.fault_server import FaultServer, response
from tests.support.transport import OK, SECURITY, FakeTransport, error

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, maybe_applied, models, utils
from cld_user_groups._engine import config
from cld_user_groups._engine.request import check_options


def test_client_of_the_callers_is_never_closed() -> None:
    transport = FakeTransport(OK)
    with httpx.Client(transport=transport) as http:
        with CldProvisioning(account_id="acc", security=SECURITY, client=http) as client:
            client.user_groups.list()
        client.close()
        assert not http.is_closed


def test_async_client_of_the_callers_is_never_closed() -> None:
    async def check() -> None:
        async with httpx.AsyncClient(transport=FakeTransport(OK)) as http:
            async with AsyncCldProvisioning(
                account_id="acc", security=SECURITY, client=http
            ) as client:
                await client.user_groups.list()
            assert not http.is_closed

    asyncio.run(check())


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The httpx clients that the SDK makes of its own."""
    clients: list[Any] = []

    def make(kind: type[Any]) -> Any:
        def made_one(**_: Any) -> Any:
            clients.append(kind(transport=FakeTransport(OK)))
            return clients[-1]

        return made_one

    monkeypatch.setattr(httpx, "Client", make(httpx.Client))
    monkeypatch.setattr(httpx, "AsyncClient", make(httpx.AsyncClient))
    return clients


def test_own_client_is_made_by_the_first_call_used_by_all_and_closed(made: list[Any]) -> None:
    with CldProvisioning(account_id="acc", security=SECURITY) as client:
        assert made == []
        client.user_groups.list()
        client.user_groups.list()
    (http,) = made
    assert http.is_closed


def test_own_async_client_is_made_once_and_closed(made: list[Any]) -> None:
    async def check() -> None:
        async with AsyncCldProvisioning(account_id="acc", security=SECURITY) as client:
            await asyncio.gather(*(client.user_groups.list() for _ in range(5)))

    asyncio.run(check())
    (http,) = made
    assert http.is_closed


@pytest.mark.parametrize(
    ("kind", "client"),
    [
        (CldProvisioning, httpx.AsyncClient),
        (AsyncCldProvisioning, httpx.Client),
        (CldProvisioning, lambda **_: "https://example.com"),
    ],
)
def test_client_of_another_kind_is_rejected(kind: Any, client: Any) -> None:
    with pytest.raises(TypeError, match="client must be an httpx"):
        kind(account_id="acc", security=SECURITY, client=client(transport=FakeTransport(OK)))


@pytest.mark.parametrize(
    ("argument", "variable", "expected"),
    [
        (None, None, httpx),
        (None, "httpx2", httpx2),
        ("httpx2", None, httpx2),
        ("httpx", "httpx2", httpx),
    ],
)
def test_library_of_the_own_client_is_chosen_and_never_guessed(
    argument: Any, variable: str | None, expected: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable is not None:
        monkeypatch.setenv("CLOUDINARY_PROVISIONING_HTTP_LIBRARY", variable)
    used: list[Any] = []

    def answering(http: Any) -> Callable[..., Any]:
        def handle(*_: Any) -> Any:
            used.append(http)
            return http.Response(200, content=OK.content)

        return handle

    for http in (httpx, httpx2):
        monkeypatch.setattr(http.HTTPTransport, "handle_request", answering(http))
    with CldProvisioning(SECURITY, "acc", http_library=argument) as client:
        client.user_groups.list()
    assert used == [expected]


def test_library_that_is_unknown_or_not_installed_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ValueError, match=r"^http_library must be 'httpx' or 'httpx2', not 'curl'$"):
        CldProvisioning(SECURITY, "acc", http_library="curl")  # type: ignore[arg-type]
    monkeypatch.setenv("CLOUDINARY_PROVISIONING_HTTP_LIBRARY", "httpx2")
    monkeypatch.setattr(config, "find_spec", lambda _: None)
    with pytest.raises(
        ValueError, match=r"^CLOUDINARY_PROVISIONING_HTTP_LIBRARY is 'httpx2', which"
    ):
        CldProvisioning(SECURITY, "acc")


def test_settings_of_the_callers_client_hold() -> None:
    transport = FakeTransport(OK)
    http = httpx.Client(
        transport=transport,
        base_url="https://ignored.example.com",
        auth=("not", "these"),
        headers={"X-Team": "media", "User-Agent": "our-service/1"},
        params={"trace": "on"},
        cookies={"session": "c1"},
        timeout=7,
        follow_redirects=True,
    )
    CldProvisioning(account_id="acc", security=SECURITY, client=http).user_groups.list(
        extended_details=True
    )
    (request,) = transport.requests
    assert request.url.host == "api.cloudinary.com"
    assert dict(request.url.params) == {"extended_details": "true", "trace": "on"}
    assert request.headers["x-team"] == "media"
    assert request.headers["user-agent"] == "our-service/1"
    assert request.headers["cookie"] == "session=c1"
    assert request.headers["accept"] == "application/json"
    assert request.headers["authorization"] != httpx.BasicAuth("not", "these")._auth_header
    assert request.extensions["timeout"]["read"] == 7


def test_host_of_the_callers_client_is_sent_once() -> None:
    transport = FakeTransport(OK)
    http = httpx.Client(transport=transport, headers={"Host": "inner.example.com"})
    CldProvisioning(account_id="acc", security=SECURITY, client=http).user_groups.list()
    assert transport.requests[0].headers.get_list("host") == ["inner.example.com"]


def test_change_of_the_callers_client_is_noticed() -> None:
    transport = FakeTransport(OK)
    http = httpx.Client(transport=transport)
    client = CldProvisioning(account_id="acc", security=SECURITY, client=http)
    client.user_groups.list()
    http.headers["X-Team"] = "media"
    client.user_groups.list()
    assert ["x-team" in request.headers for request in transport.requests] == [False, True]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_an_error_and_is_not_followed(status: int) -> None:
    redirect = httpx.Response(status, headers={"location": "https://evil.example.com/"})
    transport = FakeTransport(redirect)
    http = httpx.Client(transport=transport, follow_redirects=True, auth=("not", "these"))
    client = CldProvisioning(account_id="acc", security=SECURITY, client=http)
    with pytest.raises(models.APIError, match="redirects are not followed") as caught:
        client.user_groups.delete(group_id="g1")
    assert caught.value.status_code == status
    assert caught.value.raw_response.next_request is None
    assert [request.url.host for request in transport.requests] == ["api.cloudinary.com"]


@pytest.mark.parametrize("location", ["http://[::1", "mailto:someone", "//[", "ht!tp://x", "\x01"])
def test_redirect_to_what_is_no_http_url_is_an_error_with_its_status(location: str) -> None:
    redirect = response(302, headers={"Location": location, "X-Request-Id": "r1"})
    with FaultServer(redirect) as server, httpx.Client(trust_env=False) as http:
        client = CldProvisioning(SECURITY, "acc", server_url=server.url, client=http)
        with pytest.raises(models.APIError) as caught:
            client.user_groups.delete(group_id="g1")
    assert len(server.requests) == 1
    assert (caught.value.status_code, caught.value.request_id) == (302, "r1")
    assert caught.value.maybe_applied is False


def test_whether_a_redirect_without_a_url_came_is_not_known() -> None:
    transport = FakeTransport(httpx.Response(302, headers={"location": "http://[::1"}))
    with pytest.raises(httpx.RemoteProtocolError) as caught:
        transport.client().user_groups.create(name="Designers")
    assert maybe_applied(caught.value)
    assert len(transport.requests) == 1


def timeout_sent(client_ms: float | None, call_ms: float | None) -> dict[str, float]:
    transport = FakeTransport(OK)
    transport.client(timeout_ms=client_ms).user_groups.list(timeout_ms=call_ms)
    timeout: dict[str, float] = transport.requests[0].extensions["timeout"]
    return timeout


def test_time_limit_of_the_call_goes_before_that_of_the_client() -> None:
    assert set(timeout_sent(2000, None).values()) == {2.0}
    assert set(timeout_sent(2000, 500).values()) == {0.5}
    assert set(timeout_sent(2000, 0.5).values()) == {0.0005}
    assert set(timeout_sent(None, None).values()) == {5.0}  # the caller's httpx client's own


def test_own_client_waits_30_seconds_by_default(made: list[Any]) -> None:
    with CldProvisioning(account_id="acc", security=SECURITY) as client:
        client.user_groups.list()
        (request,) = made[0]._transport.requests
    assert request.extensions["timeout"] == {"connect": 10, "read": 30, "write": 30, "pool": 30}


@pytest.mark.parametrize("timeout_ms", [0, -1, 2**31, float("inf"), float("nan"), "1", True, [1]])
def test_invalid_time_limit_is_rejected(timeout_ms: Any) -> None:
    transport = FakeTransport(OK)
    with pytest.raises((TypeError, ValueError), match="timeout_ms"):
        transport.client(timeout_ms=timeout_ms)
    with pytest.raises((TypeError, ValueError), match="timeout_ms"):
        transport.client().user_groups.list(timeout_ms=timeout_ms)
    assert transport.requests == []


@pytest.mark.parametrize("app_info", ["media-sync", "media-sync/1.2.0", "a!#$%&'*+.^_`|~/b"])
def test_calling_application_is_named_at_the_end_of_the_user_agent(app_info: str) -> None:
    transport = FakeTransport(OK)
    transport.client(app_info=app_info).user_groups.list()
    transport.client().user_groups.list()
    with_it, without = (request.headers["user-agent"] for request in transport.requests)
    assert with_it == f"{without} {app_info}"
    assert without.startswith("cld-user-groups/")


@pytest.mark.parametrize(
    ("app_info", "kind"),
    [
        *((text, ValueError) for text in ("", " ", "a b", "a/", "/1", "a/1/2", "a\nX: y", "ä")),
        *((other, TypeError) for other in (5, b"a", ("a", "1"))),
    ],
)
def test_calling_application_that_is_no_product_is_rejected(
    app_info: Any, kind: type[Exception]
) -> None:
    with pytest.raises(kind, match="app_info"):
        FakeTransport(OK).client(app_info=app_info)


def test_headers_of_a_call_are_added_or_replace() -> None:
    transport = FakeTransport(OK)
    transport.client().user_groups.list(http_headers={"X-Ticket": "T-1", "user-agent": "mine"})
    assert transport.requests[0].headers["x-ticket"] == "T-1"
    assert transport.requests[0].headers.get_list("user-agent") == ["mine"]


def test_options_show_the_names_of_headers_and_not_their_values() -> None:
    options = check_options(http_headers={"X-Token": "hush", "A": "b"}, timeout_ms=5)
    assert "http_headers=['A', 'X-Token']" in repr(options)
    assert "hush" not in repr(options)
    assert "http_headers=None" in repr(check_options())


def test_retries_are_on_by_default_and_none_switches_them_off(waits: list[float]) -> None:
    config = utils.RetryConfig("backoff", utils.BackoffStrategy(1, 50, 1.1, 100), False)
    none = utils.RetryConfig("none")
    for client_options, call_options, attempts in [
        ({}, {}, 2),
        ({"retry_config": None}, {}, 1),
        ({"retry_config": none}, {}, 1),
        ({}, {"retries": None}, 1),
        ({"retry_config": None}, {"retries": config}, 2),
        ({"retry_config": config}, {}, 2),
        ({"retry_config": utils.UNSET}, {"retries": utils.UNSET}, 2),
    ]:
        transport = FakeTransport(error(503), OK)
        client = transport.client(**client_options)
        if attempts == 1:
            with pytest.raises(models.APIError):
                client.user_groups.list(**call_options)
        else:
            client.user_groups.list(**call_options)
        assert len(transport.requests) == attempts
    assert len(waits) == 4


@pytest.mark.parametrize("retries", [5, "backoff", True, {}])
def test_retries_of_another_type_are_rejected(retries: Any) -> None:
    with pytest.raises(TypeError, match="retry_config must be a RetryConfig"):
        FakeTransport(OK).client(retry_config=retries)
    with pytest.raises(TypeError, match="retries must be a RetryConfig"):
        FakeTransport(OK).client().user_groups.list(retries=retries)


def test_default_retries_end_within_their_time(waits: list[float]) -> None:
    transport = FakeTransport(error(503))
    with pytest.raises(models.APIError):
        transport.client().user_groups.list()
    assert 3 <= len(transport.requests) < 100
    assert sum(waits) <= 30


def test_repr_names_the_account_and_the_server() -> None:
    client = CldProvisioning(account_id="acc", security=SECURITY)
    expected = "CldProvisioning(account_id='acc', server_url='https://api.cloudinary.com')"
    assert repr(client) == expected
