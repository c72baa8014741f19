"""An httpx client of the caller's own, with proxies, hooks and TLS, keeps every promise."""

from __future__ import annotations

import pickle
import socket
import ssl
import subprocess
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from tests.support.fault_calls import (
    CREATE,
    GET,
    SECURITY,
    Operation,
    call,
    error_of,
)
from tests.support.fault_server import FaultServer, response
from tests.support.transport import Mode, both

from cld_user_groups import maybe_applied, models

pytestmark = pytest.mark.usefixtures("waits")


@both
@pytest.mark.parametrize("no_proxy", ["", "::1,.example.com"])
def test_a_proxy_of_the_environment_never_sees_plain_http(
    no_proxy: str, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultServer() as proxy, FaultServer() as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", no_proxy)
        with pytest.raises(ValueError, match="must not go over http://"):
            use(mode, GET, server.url)
    assert proxy.requests == server.requests == []


def use(mode: Mode, operation: Operation, url: str, **http: Any) -> Any:
    """Call an operation on an httpx client with these settings."""
    return call(mode, operation, url, http=http)


class OwnTransport(httpx.HTTPTransport):
    """A transport of the caller's own that stands on httpx's."""


class Choice(NamedTuple):
    """What the environment names, the settings of the client, and what is done with http://."""

    variables: tuple[str, ...]
    http: Callable[[], dict[str, Any]]  # opened anew for each test
    is_refused: bool


CHOICES = {
    "none, and a proxy for all": Choice(("ALL_PROXY",), dict, True),
    "none, and a proxy for each": Choice(("HTTP_PROXY", "ALL_PROXY"), dict, True),
    "none, and a proxy for https": Choice(("HTTPS_PROXY",), dict, False),
    "no environment": Choice(("HTTP_PROXY",), lambda: {"trust_env": False}, False),
    "a transport": Choice(
        ("HTTP_PROXY", "ALL_PROXY"), lambda: {"transport": httpx.HTTPTransport()}, False
    ),
    # That it is not the library's own transport is not known.
    "a transport, and only a proxy for all": Choice(
        ("ALL_PROXY",), lambda: {"transport": httpx.HTTPTransport()}, True
    ),
    "a kind of transport": Choice(("ALL_PROXY",), lambda: {"transport": OwnTransport()}, False),
    "a mount": Choice(
        ("ALL_PROXY",), lambda: {"mounts": {"http://": httpx.HTTPTransport()}}, False
    ),
    "a mount for this machine": Choice(
        ("HTTP_PROXY",), lambda: {"mounts": {"http://127.0.0.1": httpx.HTTPTransport()}}, False
    ),
}


@pytest.mark.parametrize("no_proxy", ["10.0.0.1", "localhost, 127.0.0.1", "*"])
@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_plain_http_goes_where_the_caller_chose(
    choice: Choice, no_proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultServer() as proxy, FaultServer(response(200, GET.body)) as server:
        for variable in choice.variables:
            monkeypatch.setenv(variable, proxy.url)
        monkeypatch.setenv("NO_PROXY", no_proxy)
        is_refused = choice.is_refused and no_proxy == "10.0.0.1"
        with pytest.raises(ValueError, match="NO_PROXY") if is_refused else nullcontext():
            assert use("sync", GET, server.url, **choice.http()) == GET.result
    assert proxy.requests == []
    assert len(server.requests) == (not is_refused)


@both
def test_where_plain_http_goes_is_not_known_without_the_name(
    mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(httpx.Client if mode == "sync" else httpx.AsyncClient, "_transport_for_url")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with pytest.raises(ValueError, match="must not go over http://"):
        use(mode, GET, "http://127.0.0.1:9")


class BrokenPipeOfAnother(Exception):
    """The exception of an HTTP library that a transport stands on."""


@both
@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_what_an_adapter_says_of_connecting_may_follow_the_request(
    kind: type[httpx.TransportError], mode: Mode
) -> None:
    sent: list[httpx.Request] = []

    def drop(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        raise kind("server disconnected") from BrokenPipeOfAnother

    error = error_of(mode, CREATE, transport=httpx.MockTransport(drop))
    assert type(error) is kind
    assert maybe_applied(error)
    assert len(sent) == 1


@both
def test_a_proxy_that_the_caller_passes_is_used(mode: Mode) -> None:
    with FaultServer(response(200, GET.body)) as proxy:
        assert use(mode, GET, "http://127.0.0.1:9", proxy=proxy.url) == GET.result
    assert [request.target for request in proxy.requests] == [f"http://127.0.0.1:9{GET.path}"]


@both
@pytest.mark.parametrize(("status", "attempts"), [(503, 2), (407, 1), (403, 1)])
def test_what_a_proxy_responds_to_connect_may_pass_or_not(
    status: int, attempts: int, mode: Mode
) -> None:
    with (
        FaultServer(response(status), response(407)) as proxy,
        pytest.raises(httpx.ProxyError) as caught,
    ):
        use(mode, CREATE, "https://api.invalid", proxy=proxy.url, trust_env=False)
    assert [request.method for request in proxy.requests] == ["CONNECT"] * attempts
    assert not maybe_applied(caught.value)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that no one has signed, with its key."""
    path = tmp_path_factory.mktemp("tls") / "self-signed.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    both_in = ["-subj", "/CN=127.0.0.1", "-keyout", str(path), "-out", str(path) + ".crt"]
    try:
        subprocess.run([*command.split(), *both_in], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no openssl")
    path.write_text(path.read_text() + Path(str(path) + ".crt").read_text())
    return path


@contextmanager
def tls_server(certificate: Path) -> Iterator[tuple[str, list[str]]]:
    """Serve TLS, and give the address and the handshakes that were begun."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    handshakes: list[str] = []

    def accept() -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            handshakes.append("begun")
            with accepted:
                try:
                    context.wrap_socket(accepted, server_side=True).close()
                except OSError:
                    continue

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}", handshakes
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@both
def test_a_certificate_that_does_not_verify_is_not_tried_again(
    mode: Mode, certificate: Path
) -> None:
    with tls_server(certificate) as (url, handshakes), pytest.raises(httpx.ConnectError) as caught:
        use(mode, CREATE, url, verify=ssl.create_default_context(), trust_env=False)
    assert handshakes == ["begun"]
    assert not maybe_applied(caught.value)


@both
def test_a_parameter_of_the_call_wins_over_a_default_of_the_client(mode: Mode) -> None:
    operation = Operation(
        "get", "getUserGroup", {"group_id": "g1", "extended_details": True}, "GET", GET.path,
        GET.body, GET.result,
    )  # fmt: skip
    with FaultServer(response(200, GET.body)) as server:
        use(mode, operation, server.url, params={"extended_details": "false", "x": "1"})
    query = httpx.URL(server.requests[0].target).params
    assert query.get_list("extended_details") == ["true"]
    assert query["x"] == "1"


# --- limits


def bomb(mebibytes: int) -> bytes:
    """Return gzip that expands a thousandfold, without expanding it here."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    chunk = bytes(1 << 20)
    return b"".join(compressor.compress(chunk) for _ in range(mebibytes)) + compressor.flush()


@both
def test_a_body_that_expands_is_read_up_to_the_maximum_only(mode: Mode) -> None:
    step = response(200, bomb(24), {"Content-Encoding": "gzip"})
    with FaultServer(step) as server:
        tracemalloc.start()
        try:
            error = error_of(mode, CREATE, server.url, max_response_bytes=1 << 20)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert isinstance(error, models.ResponseValidationError)
    assert error.maybe_applied
    assert peak < 8 << 20


@both
def test_a_404_with_a_huge_body_is_not_found(mode: Mode) -> None:
    with FaultServer(response(404, bytes(100_000))) as server:
        error = error_of(mode, GET, server.url, max_response_bytes=1000)
    assert isinstance(error, models.NotFound)
    assert error.body == ""


# --- credentials that the server echoes outside the body


@both
def test_credentials_in_a_reason_phrase_or_a_header_are_masked(mode: Mode) -> None:
    secret = SECURITY.provisioning_api_secret
    assert secret is not None
    headers = {"X-Echo": f"you sent {secret}", "X-Request-Id": secret}
    with FaultServer(response(418, "", headers, reason=f"No {secret}")) as server:
        error = error_of(mode, GET, server.url)
    assert isinstance(error, models.APIError)
    again = pickle.loads(pickle.dumps(error))
    for each in (error, again):
        assert secret not in f"{each} {each!r} {each.headers} {each.raw_response.extensions}"
    assert secret.encode() not in pickle.dumps(error)
    with FaultServer(response(200, GET.body, headers)) as server:
        raw = call(mode, GET, server.url, raw=True)
    assert secret not in repr(raw.headers.raw) + str(raw.request_id)
