"""The emulator on a real socket, served by uvicorn in a thread of its own."""

import asyncio
import contextlib
import logging
import os
import socket
import threading
from typing import TYPE_CHECKING, Any, Final, Self

from cld_user_groups._version import install_command

try:
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol
    from uvicorn.server import ServerState
except ImportError as error:
    raise ImportError(
        f"the emulator's server needs uvicorn: {install_command('emulator')}"
    ) from error

from .transport import ABORT_KEY

if TYPE_CHECKING:
    from .emulator import Emulator

# How long requests in flight may take to end after the server is told to stop.
_GRACE_SECONDS: Final = 0.5
_POLL_SECONDS: Final = 0.002
_BACKLOG: Final = 2048
_CONFIG: Final[dict[str, Any]] = {
    "ws": "none",
    "loop": "asyncio",
    "lifespan": "off",
    "interface": "asgi3",
    "log_config": None,
    "date_header": False,  # the emulator's own Date follows its clock
    "server_header": False,
    "proxy_headers": False,
    # Longer than clients keep idle connections, so that no request meets a closing one.
    "timeout_keep_alive": 75,
    # Long IDs get a response of the API, not of the server's parser.
    "h11_max_incomplete_event_size": 1024 * 1024,
}

# As JSON, like every error of the API.
_INVALID_REQUEST: Final = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b'content-length: 44\r\n\r\n{"error":{"message":"Invalid HTTP request"}}'
)

# Not uvicorn's loggers: those belong to the service under test.
_silent_logger = logging.getLogger(f"{__name__}.silent")
_silent_logger.setLevel(logging.CRITICAL + 1)


class EmulatorServer:
    """An emulator that listens on a socket until the ``with`` statement ends.

    Args:
        emulator: The emulator to serve.
        host: The address to bind to.
        port: The port, 0 for a free one.

    Attributes:
        emulator: The emulator that is served.
        account_id: The ID of the emulated account.
        api_key: The provisioning API key to use.
        api_secret: The provisioning API secret to use.
    """

    def __init__(self, emulator: "Emulator", host: str = "127.0.0.1", port: int = 0) -> None:
        self.emulator = emulator
        self.account_id = emulator.account_id
        self.api_key = emulator.api_key
        self.api_secret = emulator.api_secret
        self._address = host, port
        self._url: str | None = None
        self._thread: threading.Thread | None = None

    def __repr__(self) -> str:
        return f"<EmulatorServer {self._url or 'not started'}>"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The server's address, such as ``http://127.0.0.1:49152``.

        Raises:
            RuntimeError: The server was never started.
        """
        if self._url is None:
            raise RuntimeError("the emulator's server has no address before it is started")
        return self._url

    @property
    def is_running(self) -> bool:
        """Whether the server is listening."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Listen, and return as soon as connections are accepted.

        Raises:
            OSError: The address cannot be bound.
            RuntimeError: The server is running.
        """
        if self.is_running:
            raise RuntimeError(f"the emulator's server is running at {self._url}")
        # In the caller's thread, so that it raises there.
        listener = _listen(*self._address)
        host, port = listener.getsockname()[:2]
        self._url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self._loop, self._must_stop = asyncio.new_event_loop(), asyncio.Event()
        # The socket takes connections from now on, whenever the loop begins to read them.
        self._thread = threading.Thread(
            target=self._run, args=(listener,), name="cloudinary-emulator", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and wait for the server to end. May be called twice."""
        if self._thread is None:
            return
        # The loop is closed if the server has failed.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._must_stop.set)
        self._thread.join()
        self._thread = None

    def _run(self, listener: socket.socket) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve(listener))

    async def _serve(self, listener: socket.socket) -> None:
        # uvicorn's own server would notice only every 0.1 s that it must stop.
        config, state = uvicorn.Config(self.emulator.asgi, **_CONFIG), ServerState()
        server = await self._loop.create_server(
            lambda: _Protocol(config, state, {}), sock=listener, backlog=_BACKLOG
        )
        await self._must_stop.wait()
        server.close()
        for is_last in (False, True):
            for connection in list(state.connections):
                connection.transport.abort() if is_last else connection.shutdown()
            # Most connections are idle, and end in the next iteration of the loop.
            await asyncio.sleep(0)
            deadline = self._loop.time() + _GRACE_SECONDS
            while (state.connections or state.tasks) and self._loop.time() < deadline:  # noqa: ASYNC110
                await asyncio.sleep(_POLL_SECONDS)


class _Protocol(H11Protocol):
    """uvicorn's HTTP protocol, without logging, and able to break its connection on demand."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = _silent_logger
        self.access_log = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # uvicorn copies this into the state of every ASGI scope.
        self.app_state = {**self.app_state, ABORT_KEY: transport.abort}

    def send_400_response(self, msg: str) -> None:
        self.transport.write(_INVALID_REQUEST)
        self.transport.close()


def _listen(host: str, port: int) -> socket.socket:
    if not host:
        # To getaddrinfo this means every interface of the machine.
        raise OSError("the host is empty")
    error = OSError(f"no address for {host}")
    for family, *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        # asyncio sets TCP_NODELAY only where the protocol is named: else each response takes 40 ms.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if os.name == "posix":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError as failure:
            listener.close()
            error = failure
        else:
            return listener
    raise error
