"""``python -m cld_user_groups.emulator``: serve the emulator from a shell."""

import argparse
import signal
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, get_args

from .emulator import Emulator
from .messages import Wire

_PROGRAM = "python -m cld_user_groups.emulator"


def main(arguments: Sequence[str] | None = None, program: str = _PROGRAM) -> int:
    """Serve the emulator until SIGINT or SIGTERM.

    Args:
        arguments: The command line; that of this process by default.
        program: How the user called it.

    Returns:
        The exit code: 1 if the server could not start, or stopped by itself.

    Raises:
        SystemExit: After a signal or ``--help`` (0), for a file that cannot be used (1), or for an
            invalid command line (2).
    """
    parser = build_parser(program)
    options = parser.parse_args(arguments)
    try:
        emulator = _emulator(options, program)
    except ValueError as error:
        parser.error(str(error))
    with _stopped_by_signals():
        return _serve(emulator, options.host, options.port, program)


def _emulator(options: argparse.Namespace, program: str) -> Emulator:
    settings = (options.api_key, options.api_secret, options.wire)
    if options.file is None:
        account_id = "acc" if options.account_id is None else options.account_id
        return Emulator(account_id, *settings)
    from cld_user_groups.membership import FileError

    try:
        return Emulator.from_file(options.file, options.account_id, *settings)
    except (FileError, ImportError) as error:
        raise SystemExit(_fail(program, str(error))) from None


def _serve(emulator: Emulator, host: str, port: int, program: str) -> int:
    try:
        server = emulator.serve(host, port)
        server.start()
    except ImportError as error:
        return _fail(program, str(error))
    # Looking up a host name that is none raises UnicodeError.
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return _fail(program, f"cannot listen on {host!a} port {port}: {reason}")
    try:
        sys.stdout.write(
            f"Cloudinary user-groups emulator on {server.url} (account {emulator.account_id!a},"
            f" API key {emulator.api_key!a}, {emulator.wire} wire)\n"
        )
        sys.stdout.flush()
        while server.is_running:
            time.sleep(0.5)
    finally:
        server.stop()
    return 1


@contextmanager
def _stopped_by_signals() -> Generator[None]:
    before = {number: signal.signal(number, _stop) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    # Not after a signal: a second one must not interrupt the end of the process.
    for number, handler in before.items():
        signal.signal(number, handler)


def _stop(signal_number: int, frame: FrameType | None) -> NoReturn:
    # A second signal during the shutdown must not interrupt it with a traceback.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)


def _fail(program: str, message: str) -> int:
    sys.stderr.write(f"{program}: error: {message}\n")
    return 1


class _OneLineParser(argparse.ArgumentParser):
    """Reports an error without the usage in front of it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def build_parser(program: str = _PROGRAM) -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = _OneLineParser(
        prog=program,
        description="An emulator of the user groups of Cloudinary's Account Provisioning API.",
        allow_abbrev=False,
    )
    for name, default, meaning in (
        ("--host", "127.0.0.1", "address to bind to"),
        ("--port", 0, "port to listen on, 0 for a free one"),
        ("--account-id", None, "ID of the emulated account"),
        ("--api-key", "k", "provisioning API key to accept"),
        ("--api-secret", "s", "provisioning API secret to accept"),
    ):
        shown = "that of the file, else acc" if default is None else default
        parser.add_argument(
            name,
            default=default,
            type=_port if name == "--port" else str,
            help=f"{meaning} (default: {shown})",
        )
    parser.add_argument(
        "--wire",
        choices=get_args(Wire),
        default="observed",
        help="response bodies as observed, or as documented (default: observed)",
    )
    parser.add_argument(
        "--from",
        dest="file",
        metavar="FILE",
        help="file of groups to start with, such as an export (default: a sample account)",
    )
    return parser


def _port(text: str) -> int:
    # int() alone accepts "1_000", " 80 " and the digits of other scripts.
    if text.isascii() and text.isdigit() and int(text[:6]) <= 65535 and len(text) <= 5:
        return int(text)
    raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")


if __name__ == "__main__":
    sys.exit(main())
