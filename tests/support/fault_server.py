"""A server that misbehaves as it is told, on a real socket.

Each step of its script is what happens to one request, or to one connection where the step does not
wait for a request. It writes its responses byte by byte: an HTTP library would not let it lie.

    with FaultServer(HangUp(), response(200, b'{"user_groups": []}')) as server:
        ...  # the first request to server.url is read and gets no response; the second does
    assert [request.method for request in server.requests] == ["GET", "GET"]
"""

from __future__ import annotations

import gzip
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol, Self

from attrs import frozen

_HOST = "127.0.0.1"
# How long stopping may take before it is a failure of the test.
_PATIENCE = 60.0


@frozen
class Request:
    """A request that the server read in full.

    Attributes:
        method: The method.
        target: What stands in the request line after it: the path and the query, as they came.
        headers: The headers, as they came.
        body: The body.
        connection: Which connection it came on, from 1.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    connection: int

    def header(self, name: str) -> str | None:
        """Return the first header of a name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Step(Protocol):
    """What happens to one request."""

    def play(self, connection: Connection) -> bool:
        """Do it, and return whether the connection stays open for another request."""
        ...


@frozen
class HangUp:
    """Closes the connection without a response.

    Args:
        unread: Do so before the request is read.
        reset: Break it off (RST), instead of ending it (FIN).
    """

    unread: bool = False
    reset: bool = False

    def play(self, connection: Connection) -> bool:
        if self.reset and self.unread:
            # Any earlier, and the client might not even find itself connected.
            connection.wait_for_first_byte()
        if self.reset:
            connection.reset()
        return False


@frozen
class Stall:
    """Reads the request and never responds: until the client gives up, or the server stops."""

    def play(self, connection: Connection) -> bool:
        connection.wait_until_closed()
        return False


@frozen
class Send:
    """Reads the request, sends bytes, and closes the connection.

    Args:
        data: The bytes.
        keep_alive: Leave the connection open for the next request.
        reset: Break it off (RST), instead of ending it (FIN).
        stall: Leave it open, but send nothing more, until the client gives up.
        pause: Send byte by byte, and wait so many seconds after each.
    """

    data: bytes
    keep_alive: bool = False
    reset: bool = False
    stall: bool = False
    pause: float | None = None

    def play(self, connection: Connection) -> bool:
        connection.send(self.data, self.pause)
        if self.stall:
            connection.wait_until_closed()
        if self.reset:
            connection.reset()
        return self.keep_alive


def response(
    status: int = 200,
    body: bytes | str = b"",
    headers: Mapping[str, str] | None = None,
    *,
    reason: str = "",
    keep_alive: bool = False,
    missing: int = 0,
    stall: bool = False,
    pause: float | None = None,
) -> Send:
    """Respond to a request.

    Args:
        status: The status.
        body: The body.
        headers: Headers besides those about the body's length and the connection.
        reason: The reason phrase.
        keep_alive: Leave the connection open for the next request.
        missing: How many bytes of the body are left out at its end, though they are promised.
        stall: Leave the connection open, but send nothing more.
        pause: Send byte by byte, and wait so many seconds after each.
    """
    content = body.encode() if isinstance(body, str) else body
    head = {
        "Content-Type": "application/json",
        **(headers or {}),
        "Connection": "keep-alive" if keep_alive else "close",
    }
    if status >= 200 and status not in (204, 304):
        head["Content-Length"] = str(len(content))
    data = _head(status, reason, head) + content[: len(content) - missing]
    return Send(data, keep_alive=keep_alive, stall=stall, pause=pause)


def gzipped(status: int, body: bytes, *, broken: bool = False) -> Send:
    """Respond to a request with a compressed body, or with one that says so but is not."""
    content = b"\x1f\x8b\x08\x00 but not really" if broken else gzip.compress(body)
    return response(status, content, {"Content-Encoding": "gzip"})


def chunked(status: int, *chunks: bytes, complete: bool = True) -> Send:
    """Respond to a request with a body in chunks, and leave out the last of them if told so."""
    data = _head(status, "", {"Transfer-Encoding": "chunked", "Connection": "close"})
    data += b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return Send(data + b"0\r\n\r\n" if complete else data)


def not_http() -> Send:
    """Respond to a request with something that is not HTTP."""
    return Send(b"\x00\x01\x02 SSH-2.0-OpenSSH_9.6\r\n\xff\xfe\r\n\r\n")


def _head(status: int, reason: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


class Connection:
    """One connection of a client, on the server's side."""

    def __init__(self, accepted: socket.socket, number: int, stopping: threading.Event) -> None:
        self._socket = accepted
        self._buffer = bytearray()
        self._stopping = stopping
        self.number = number

    def read_request(self) -> Request | None:
        """Return the next request, or None if the client closed the connection before its end."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if not self._receive():
                return None
        lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        pairs = (line.partition(":") for line in lines[1:])
        headers = tuple((name, value.strip()) for name, _, value in pairs)
        method, target, _ = lines[0].split(" ")
        length = next(
            (int(value) for name, value in headers if name.lower() == "content-length"), 0
        )
        while len(self._buffer) < length:
            if not self._receive():
                return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return Request(method, target, headers, body, self.number)

    def _receive(self) -> bool:
        try:
            received = self._socket.recv(1 << 16)
        except OSError:
            return False
        self._buffer += received
        return bool(received)

    def wait_for_first_byte(self) -> None:
        """Wait until the client sends, but take nothing of it."""
        with suppress(OSError):
            self._socket.recv(1, socket.MSG_PEEK)

    def wait_until_closed(self) -> None:
        """Wait until the client closes the connection, or the server stops."""
        while self._receive():
            pass

    def send(self, data: bytes, pause: float | None) -> None:
        """Send bytes, for as long as someone takes them."""
        parts = [data] if pause is None else [data[at : at + 1] for at in range(len(data))]
        with suppress(OSError):
            for part in parts:
                self._socket.sendall(part)
                if pause is not None and self._stopping.wait(pause):
                    return

    def reset(self) -> None:
        """Close the connection so that the client is told with RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def cut(self) -> None:
        """Wake the thread that serves the connection."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


class FaultServer:
    """Plays a script on a free port of the loopback address, until its `with` block ends.

    Args:
        script: What happens, step by step. Once it is over, the status code is 599.
        respond: Gives the step for a request; used once the script is over.
        refuse: Refuse connections until `listen` is called.

    Attributes:
        url: The server's address.
        requests: The requests that were read in full, in their order.
    """

    def __init__(
        self, *script: Step, respond: Callable[[Request], Step] | None = None, refuse: bool = False
    ) -> None:
        self._script = deque(script)
        self._respond = respond or _script_is_over
        self._refuses = refuse
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._open: set[Connection] = set()
        self._accepted = 0
        self._changed = threading.Condition(self._lock)
        self.requests: list[Request] = []
        self.url = ""

    def __enter__(self) -> Self:
        self._listener = socket.socket()
        # A port that is bound, but not listened to, refuses connections and is nobody else's.
        self._listener.bind((_HOST, 0))
        self.url = f"http://{_HOST}:{self._listener.getsockname()[1]}"
        if not self._refuses:
            self.listen()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopping.set()
        if self._threads:
            # accept() does not notice that its socket is closed.
            with suppress(OSError):
                socket.create_connection(self._listener.getsockname(), _PATIENCE).close()
            self._threads[0].join(_PATIENCE)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                connection.cut()
        for thread in self._threads:
            thread.join(_PATIENCE)
            assert not thread.is_alive(), "the server does not stop"

    def listen(self) -> None:
        """Take connections from now on."""
        self._listener.listen(512)
        self._start(self._accept)

    def wait_for_requests(self, count: int) -> bool:
        """Wait until so many requests have been read, and return True."""
        with self._changed:
            came = self._changed.wait_for(lambda: len(self.requests) >= count, _PATIENCE)
        assert came, f"{len(self.requests)} requests came, not {count}"
        return True

    def wait_for_hang_up(self) -> None:
        """Wait until every connection is closed."""
        with self._changed:
            closed = self._changed.wait_for(lambda: not self._open, _PATIENCE)
        assert closed, "a connection is still open"

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except ConnectionAbortedError:
                continue
            if self._stopping.is_set():
                accepted.close()
                return
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._accepted += 1
                connection = Connection(accepted, self._accepted, self._stopping)
                self._open.add(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: Connection) -> None:
        try:
            is_open = True
            while is_open and not self._stopping.is_set():
                step = self._step_before_request()
                if step is None:
                    request = connection.read_request()
                    if request is None:
                        return
                    step = self._step_for(request)
                is_open = step.play(connection)
        finally:
            with self._lock:
                connection.close()
                self._open.discard(connection)
                self._changed.notify_all()

    def _step_before_request(self) -> Step | None:
        with self._lock:
            if self._script and isinstance(step := self._script[0], HangUp) and step.unread:
                return self._script.popleft()
        return None

    def _step_for(self, request: Request) -> Step:
        with self._lock:
            self.requests.append(request)
            self._changed.notify_all()
            if self._script:
                return self._script.popleft()
        return self._respond(request)


def _script_is_over(request: Request) -> Step:
    return response(599, reason="The script is over")
