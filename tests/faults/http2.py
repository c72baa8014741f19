"""A server that misbehaves over HTTP/2, on a real socket without TLS (prior knowledge)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import RequestReceived, StreamEnded
from h2.exceptions import ProtocolError

Fault = Callable[[H2Connection, int], bytes]
"""What follows a whole request on a stream: acts on the connection, returns raw bytes to add."""


def reset_stream(connection: H2Connection, stream: int) -> bytes:
    """Reset the stream (RST_STREAM) without a response."""
    connection.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)
    return b""


def go_away(connection: H2Connection, stream: int) -> bytes:
    """Close the connection (GOAWAY), the request included in what was processed."""
    connection.close_connection(ErrorCodes.NO_ERROR, last_stream_id=stream)
    return b""


def garbage(connection: H2Connection, stream: int) -> bytes:
    """Send a SETTINGS frame whose length is not possible."""
    return b"\x00\x00\x05\x04\x00\x00\x00\x00\x00" + b"\xff" * 5


def push(connection: H2Connection, stream: int) -> bytes:
    """Send a frame that the client has forbidden (PUSH_PROMISE)."""
    promised = (stream + 1).to_bytes(4, "big")
    return b"\x00\x00\x04\x05\x04" + stream.to_bytes(4, "big") + promised


def cut_body(connection: H2Connection, stream: int) -> bytes:
    """Send a success, and reset the stream in its body."""
    connection.send_headers(stream, [(":status", "200")])
    connection.send_data(stream, b'{"id": ')
    connection.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)
    return b""


def respond_with(body: bytes) -> Fault:
    """Return what sends a success with this body."""

    def respond(connection: H2Connection, stream: int) -> bytes:
        connection.send_headers(stream, [(":status", "200")])
        connection.send_data(stream, body, end_stream=True)
        return b""

    return respond


class Http2Server:
    """Responds to the first request with a fault, and to all others with a success.

    Args:
        fault: What follows the first request.
        body: The body of the successes.

    Attributes:
        url: The server's address.
        requests: The method and the target of each request that was read in full.
    """

    def __init__(self, fault: Fault, body: bytes) -> None:
        self._fault = fault
        self._body = body
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.requests: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._start(self._accept)
        return self

    def __exit__(self, *exception: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        for accepted in self._open:
            with suppress(OSError):
                accepted.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                accepted, _ = self._listener.accept()
                self._open.append(accepted)
                self._start(self._serve, accepted)

    def _serve(self, accepted: socket.socket) -> None:
        connection = H2Connection(H2Configuration(client_side=False, header_encoding="ascii"))
        connection.initiate_connection()
        targets: dict[int, tuple[str, str]] = {}
        with accepted, suppress(OSError, ProtocolError):
            accepted.sendall(connection.data_to_send())
            while data := accepted.recv(1 << 16):
                raw = b""
                for event in connection.receive_data(data):
                    if isinstance(event, RequestReceived):
                        headers = dict(event.headers)
                        targets[event.stream_id] = headers[":method"], headers[":path"]
                    elif isinstance(event, StreamEnded):
                        raw += self._respond(connection, event.stream_id, targets)
                accepted.sendall(connection.data_to_send() + raw)

    def _respond(
        self, connection: H2Connection, stream: int, targets: dict[int, tuple[str, str]]
    ) -> bytes:
        with self._lock:
            self.requests.append(targets[stream])
            fault = self._fault if len(self.requests) == 1 else respond_with(self._body)
        return fault(connection, stream)
