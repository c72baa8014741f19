"""The emulator as a command."""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING, NoReturn, get_args

from ._emulator import Emulator
from ._messages import Wire

if TYPE_CHECKING:
    from ._server import EmulatorServer

_PROGRAM = "python -m cld_user_groups.emulator"


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the emulator until SIGINT or SIGTERM.

    Args:
        arguments: The command line; this process's own unless given.

    Returns:
        The exit status: 1 if the server could not start, or stopped by itself.

    Raises:
        SystemExit: A signal came, or help was asked for (0), or the command line is wrong (2).
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        emulator = Emulator(
            account_id=options.account_id,
            api_key=options.api_key,
            api_secret=options.api_secret,
            wire=options.wire,
        )
    except ValueError as error:
        parser.error(str(error))
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    try:
        server = emulator.serve(options.host, options.port)
        server.start()
    except ImportError as error:
        return _fail(str(error))
    # UnicodeError is what a host name that cannot be looked up at all ends in.
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return _fail(f"cannot listen on {options.host!a} port {options.port}: {reason}")
    try:
        sys.stdout.write(_greeting(server) + "\n")
        sys.stdout.flush()
        while server.is_running:
            time.sleep(0.5)
    finally:
        server.stop()
    return 1


def _greeting(server: "EmulatorServer") -> str:
    emulator = server.emulator
    return (
        f"Cloudinary user-groups emulator on {server.url}"
        f" (account {emulator.account_id!a}, API key {emulator.api_key!a}, {emulator.wire} wire)"
    )


def _stop(signal_number: int, frame: FrameType | None) -> NoReturn:
    # A second signal while the server goes down must not cut that short with a traceback.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)


def _fail(message: str) -> int:
    sys.stderr.write(f"{_PROGRAM}: error: {message}\n")
    return 1


class _OneLineParser(argparse.ArgumentParser):
    """Says what is wrong, without the usage in front of it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _OneLineParser(
        prog=_PROGRAM,
        description="A stand-in for the user-groups part of Cloudinary's Provisioning API.",
        allow_abbrev=False,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to bind to (127.0.0.1)")
    parser.add_argument("--port", type=_port, default=0, help="port, 0 for a free one (0)")
    parser.add_argument("--account-id", default="acc", help="id of the emulated account (acc)")
    parser.add_argument("--api-key", default="k", help="provisioning API key to take (k)")
    parser.add_argument("--api-secret", default="s", help="provisioning API secret to take (s)")
    parser.add_argument(
        "--wire",
        choices=get_args(Wire),
        default="observed",
        help="answer as the live API was observed to, or as it is documented (observed)",
    )
    return parser


def _port(text: str) -> int:
    # int() alone would take "1_000", " 80 " and the digits of other scripts.
    if text.isascii() and text.isdigit() and int(text[:6]) <= 65535 and len(text) <= 5:
        return int(text)
    raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
