"""Servers of other projects, each in a process that ends with the test."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from tools.node_tools import Node, find_node

# How long a server may take to start, in seconds.
_PATIENCE = 60


@contextmanager
def running(
    command: Sequence[str | Path],
    log: Path,
    is_ready: Callable[[], bool],
    *,
    environment: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Run a server in the foreground until the block ends.

    Args:
        command: Its command.
        log: The file for its output.
        is_ready: Determines whether it accepts connections.
        environment: Its environment variables; this process's own by default.

    Raises:
        RuntimeError: It ended, or was not ready in time.
    """
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            list(command), env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + _PATIENCE
        while not is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start:\n{log.read_text('utf-8')}")
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """Return a port of loopback that nothing listens on, for a server that cannot pick its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    """Determine whether something accepts connections at a port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def node_or_skip() -> Node:
    """Return Node, or skip the test."""
    node = find_node()
    if node is None:
        pytest.skip("Node is not installed")
    return node
