"""The emulator on a real socket."""

import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cld_user_groups.emulator import Emulator
from cld_user_groups.emulator.server import EmulatorServer

from .conftest import ACCOUNT, DESIGNERS

PATH = ACCOUNT + "/user_groups"


@pytest.fixture
def server(emulator: Emulator) -> Iterator[EmulatorServer]:
    with emulator.serve() as running:
        yield running


@pytest.fixture
def socket_client(server: EmulatorServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url + ACCOUNT, auth=("k", "s"), trust_env=False) as client:
        yield client


def exchange(server: EmulatorServer, request: bytes | str) -> bytes:
    """Send raw bytes, or a request line, and return all that comes back before the end."""
    if isinstance(request, str):
        headers = "Host: x\r\nAuthorization: Basic azpz\r\nConnection: close"
        request = f"{request} HTTP/1.1\r\n{headers}\r\n\r\n".encode()
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        response = b""
        while chunk := connection.recv(65536):
            response += chunk
    return response


def wait_for_a_call(emulator: Emulator) -> None:
    """Wait until the server's thread has handled a request."""
    deadline = time.monotonic() + 30
    while not emulator.calls and time.monotonic() < deadline:
        time.sleep(0)


def test_it_serves_the_same_state(emulator: Emulator, socket_client: httpx.Client) -> None:
    created = socket_client.post("/user_groups", json={"name": "Editors"})
    assert created.status_code == 200
    assert "Editors" in [group.name for group in emulator.groups]
    assert created.headers["Date"] == "Wed, 01 May 2024 12:30:00 GMT"
    emulator.calls.assert_called("createUserGroup", times=1, json={"name": "Editors"})


def test_no_response_waits_for_the_acknowledgement_of_its_head(
    server: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: list[tuple[Any, ...]] = []
    original = socket.socket.setsockopt

    def recorded(sock: socket.socket, *arguments: Any) -> None:
        options.append(arguments)
        original(sock, *arguments)

    monkeypatch.setattr(socket.socket, "setsockopt", recorded)
    exchange(server, f"GET {PATH}")  # a client that sets no option itself
    assert (socket.IPPROTO_TCP, socket.TCP_NODELAY, True) in options


def test_it_reads_the_raw_path(emulator: Emulator, socket_client: httpx.Client) -> None:
    assert socket_client.get("/user_groups/a%2Fb%252e").status_code == 404
    assert emulator.calls[-1].group_id == "a/b%2e"


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_dropped_connection_is_closed_without_a_byte(
    emulator: Emulator, server: EmulatorServer, drop: Any
) -> None:
    emulator.fail("*", drop=drop)
    # Kept alive otherwise.
    request = f"DELETE {PATH}/{DESIGNERS} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic azpz\r\n\r\n"
    assert exchange(server, request.encode()) == b""
    assert len(emulator.groups) == (2 if drop == "before" else 1)


@pytest.mark.parametrize(
    ("drop", "message"),
    [("after", "without sending a response"), ("during", "without sending complete message body")],
)
def test_httpx_sees_a_dropped_connection_and_the_next_one_works(
    emulator: Emulator, socket_client: httpx.Client, drop: Any, message: str
) -> None:
    emulator.fail("*", drop=drop)
    with pytest.raises(httpx.RemoteProtocolError, match=message):
        socket_client.get("/user_groups")
    assert socket_client.get("/user_groups").status_code == 200


def test_a_delay_meets_the_clients_read_timeout(
    emulator: Emulator, socket_client: httpx.Client
) -> None:
    emulator.fail("createUserGroup", status=None, delay=600)
    with pytest.raises(httpx.ReadTimeout):
        socket_client.post(
            "/user_groups", json={"name": "Editors"}, timeout=httpx.Timeout(10, read=0.05)
        )
    wait_for_a_call(emulator)
    assert emulator.groups[-1].name == "Editors"


def test_a_short_delay_precedes_the_response(
    emulator: Emulator, socket_client: httpx.Client
) -> None:
    emulator.fail("*", delay=0.01)
    assert socket_client.get("/user_groups").status_code == 503


@pytest.mark.parametrize("status", [204, 304, 404, 420, 599])
def test_every_status_code_can_be_sent(
    emulator: Emulator, socket_client: httpx.Client, status: int
) -> None:
    emulator.fail("*", status=status)
    assert socket_client.get("/user_groups").status_code == status
    assert socket_client.get("/user_groups").status_code == 200


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PATCH"])
def test_other_methods_leave_the_connection_usable(
    socket_client: httpx.Client, method: str
) -> None:
    assert socket_client.request(method, "/user_groups").status_code == 405
    assert socket_client.get("/user_groups").status_code == 200


def test_a_huge_query_reaches_the_api(server: EmulatorServer) -> None:
    response = exchange(server, f"GET {PATH}?extended_details={'x' * 300_000}")
    assert response.startswith(b"HTTP/1.1 200 ")


def test_a_large_body_in_chunks_is_read_whole(socket_client: httpx.Client) -> None:
    name = "x" * 500_000

    def chunks() -> Iterator[bytes]:
        yield b'{"name": "'
        yield name.encode()
        yield b'"}'

    assert socket_client.post("/user_groups", content=chunks()).json()["name"] == name


@pytest.mark.parametrize(
    "request_", [b"nonsense\r\n\r\n", b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n"]
)
def test_invalid_http_is_a_400_in_json(server: EmulatorServer, request_: bytes) -> None:
    response = exchange(server, request_)
    assert response.startswith(b"HTTP/1.1 400 ")
    assert response.endswith(b'{"error":{"message":"Invalid HTTP request"}}')


def test_stopping_disconnects_clients_that_wait(emulator: Emulator) -> None:
    outcome: list[Exception] = []
    emulator.fail("*", delay=600)
    server = emulator.serve()
    server.start()

    def get() -> None:
        with httpx.Client(auth=("k", "s"), timeout=60, trust_env=False) as client:
            try:
                client.get(server.url + PATH)
            except httpx.TransportError as error:
                outcome.append(error)

    waiting = threading.Thread(target=get)
    waiting.start()
    wait_for_a_call(emulator)
    server.stop()
    waiting.join(timeout=30)
    assert isinstance(outcome[0], httpx.TransportError)


@pytest.mark.parametrize(
    "target",
    [
        "http://emulator.invalid" + PATH + "?extended_details=true",
        "HTTPS://user@emulator.invalid:8443" + PATH + "?extended_details=true",
    ],
)
def test_a_request_target_in_absolute_form_is_read_as_its_path(
    emulator: Emulator, server: EmulatorServer, target: str
) -> None:
    response = exchange(server, f"GET {target}")
    assert response.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"created_at"' in response
    call = emulator.calls[-1]
    assert (call.path, call.query) == (PATH, {"extended_details": "true"})


@pytest.mark.parametrize(
    "request_line",
    [
        "GET http://emulator.invalid",
        "GET http://emulator.invalid?x=1",
        "GET ftp://emulator.invalid" + PATH,
        "GET //emulator.invalid" + PATH,
        "OPTIONS *",
        "CONNECT emulator.invalid:443",
    ],
)
def test_a_request_target_that_is_no_path_of_the_api_is_a_404(
    server: EmulatorServer, request_line: str
) -> None:
    assert exchange(server, request_line).startswith(b"HTTP/1.1 404 ")


def test_stopping_does_not_poll(emulator: Emulator) -> None:
    durations: list[float] = []
    for _ in range(5):
        with emulator.serve() as server, httpx.Client(auth=("k", "s"), trust_env=False) as client:
            assert client.get(server.url + PATH).status_code == 200
            started = time.perf_counter()
            server.stop()
            durations.append(time.perf_counter() - started)
    # Polling, as uvicorn does it, takes 0.1 s at least.
    assert min(durations) < 0.05


def test_stopping_frees_the_port_and_the_thread(emulator: Emulator) -> None:
    before = set(threading.enumerate())
    with emulator.serve() as server:
        port = int(server.url.rpartition(":")[2])
        assert server.is_running
    assert not server.is_running
    assert set(threading.enumerate()) <= before
    with emulator.serve(port=port) as again:
        assert again.url == server.url
    server.stop()


def test_a_server_starts_once_and_on_loopback_unless_told_otherwise(
    emulator: Emulator, server: EmulatorServer
) -> None:
    address, _, port = server.url.rpartition(":")
    assert address == "http://127.0.0.1"
    with pytest.raises(RuntimeError, match="is running at"):
        server.start()
    with pytest.raises(OSError, match="in use"):
        emulator.serve(port=int(port)).start()
    with pytest.raises(OSError, match="the host is empty"):  # not every interface
        emulator.serve(host="").start()
    with pytest.raises(RuntimeError, match="no address before it is started"):
        _ = emulator.serve().url


def test_it_causes_no_warning() -> None:
    script = """
        import gc, httpx
        from cld_user_groups.emulator import Emulator
        emulator = Emulator()
        emulator.fail("deleteUserGroup", drop="after")
        with emulator.serve() as server:
            with httpx.Client(auth=("k", "s"), trust_env=False) as client:
                url = server.url + "/v1_1/provisioning/accounts/acc/user_groups"
                assert client.get(url).status_code == 200
                try:
                    client.delete(url + "/7f08f1f1fc910bf1f25274aef11d27")
                except httpx.RemoteProtocolError:
                    pass
        gc.collect()
    """
    result = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_a_missing_uvicorn_is_named_with_the_extra(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "cld_user_groups.emulator.server", raising=False)
    with pytest.raises(ImportError, match=r'pip install "./cld-user-groups\[emulator\]"'):
        emulator.serve()
