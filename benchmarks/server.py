"""What the benchmarks call over a socket, in a process of its own, to keep the CPU times apart.

`server.py emulator FILE`, or `server.py answering CERTIFICATE`: the same response at once.
"""

import asyncio
import os
import ssl
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from wire import ACCOUNT_ID, GROUP, KEY, SECRET, TWO_GROUPS, response_headers


@contextmanager
def emulator(file: str = "") -> Generator[str]:
    """Yield the URL of an emulator: of the sample account, or of that in a file of groups."""
    with _process("emulator", file) as found:
        yield found


@contextmanager
def answering(certificate: str) -> Generator[str]:
    """Yield the URL of a server that sends a response at once: over TLS with a certificate."""
    with _process("answering", certificate) as found:
        yield found


@contextmanager
def _process(*arguments: str) -> Generator[str]:
    with subprocess.Popen(
        [sys.executable, __file__, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def certificate(folder: Path) -> str:
    """Return the path of a new certificate for 127.0.0.1, with its key; openssl makes it."""
    both, key = folder / "server.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    command += " -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    command += f" -addext basicConstraints=CA:FALSE -keyout {key} -out {both}"
    subprocess.run(command.split(), check=True, capture_output=True)
    both.write_text(both.read_text() + key.read_text())
    return str(both)


def _response(body: bytes) -> bytes:
    head = b"".join(b"%b: %b\r\n" % header for header in response_headers(body))
    return b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + body


_RESPONSES = {b"GET": _response(TWO_GROUPS), b"PUT": _response(GROUP)}


class _Answering(asyncio.Protocol):
    """Sends a response for each whole request; none is sent before the response to the last."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._rest = transport, b""

    def data_received(self, data: bytes) -> None:
        self._rest += data
        head, found, body = self._rest.partition(b"\r\n\r\n")
        if not found:
            return
        _, _, length = head.lower().partition(b"content-length:")
        if len(body) >= int(length.split(b"\r\n")[0] or b"0"):
            self._rest = b""
            self._transport.write(_RESPONSES[head[:3]])


async def _answer(certificate: str) -> None:
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Answering, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    print(f"http{'s' if certificate else ''}://127.0.0.1:{port}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    os._exit(0)  # connections may be open


def main() -> None:
    """Serve until the parent process closes the pipe, or ends."""
    kind, argument = sys.argv[1:]
    if kind == "answering":
        asyncio.run(_answer(argument))
        return
    from cld_user_groups.emulator import Emulator

    arguments = {"account_id": ACCOUNT_ID, "api_key": KEY, "api_secret": SECRET}
    account = Emulator.from_file(argument, **arguments) if argument else Emulator(**arguments)
    with account.serve() as server:
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
