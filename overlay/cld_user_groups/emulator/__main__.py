"""``python -m cld_user_groups.emulator``: serve the emulator from a shell."""

import argparse
import signal
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn, get_args

from .emulator import Emulator
from .operations import Wire
from .roles import REFUSALS

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
        emulator = _emulator(options, parser)
    except ValueError as error:
        parser.error(str(error))
    if options.permissions is not None:
        refused = options.permissions != "on"
        emulator.roles.refused_with = int(options.permissions) if refused else None
    with _stopped_by_signals():
        return _serve(emulator, options.host, options.port, parser)


def _emulator(options: argparse.Namespace, parser: argparse.ArgumentParser) -> Emulator:
    settings = (options.api_key, options.api_secret, options.wire)
    if options.file is None:
        return Emulator("acc" if options.account_id is None else options.account_id, *settings)
    from cld_user_groups.membership import FileError

    try:
        return Emulator.from_file(options.file, options.account_id, *settings)
    except (FileError, ImportError) as error:
        parser.exit(1, f"{parser.prog}: error: {error}\n")


def _serve(emulator: Emulator, host: str, port: int, parser: argparse.ArgumentParser) -> int:
    try:
        server = emulator.serve(host, port)
        server.start()
    # Looking up a host name that is none raises UnicodeError.
    except (ImportError, OSError, UnicodeError) as error:
        reason = str(error)
        if not isinstance(error, ImportError):
            reason = getattr(error, "strerror", None) or reason
            reason = f"cannot listen on {host!a} port {port}: {reason}"
        sys.stderr.write(f"{parser.prog}: error: {reason}\n")
        return 1
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
    try:
        yield
    finally:
        # Not after a signal: a second one must not interrupt the end of the process.
        if signal.getsignal(signal.SIGINT) is _stop:
            for number, handler in before.items():
                signal.signal(number, handler)


def _stop(signal_number: int, frame: FrameType | None) -> NoReturn:
    # A second signal during the shutdown must not interrupt it with a traceback.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)


class _OneLineParser(argparse.ArgumentParser):
    """Reports an error without the usage in front of it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


class CommandFormatter(argparse.RawDescriptionHelpFormatter):
    """Writes the help as those of the other commands are."""

    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, prefix or "Usage: ")


def build_parser(program: str = _PROGRAM) -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = _OneLineParser(
        prog=program,
        usage="%(prog)s [OPTIONS]",
        description="  Serve an emulated account: groups, users and roles, until Ctrl-C.",
        epilog=f"Examples:\n  {program} --port 8080\n  {program} --from groups.yaml",
        formatter_class=CommandFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    option = parser.add_argument_group("Options").add_argument
    default = "Default: %(default)s."
    option("--host", default="127.0.0.1", help=f"The address to bind to. {default}")
    port = f"The port to listen on, 0 for a free one. {default}"
    option("--port", default=0, type=_port, help=port)
    account = "The ID of the emulated account. Default: that of the file, else acc."
    option("--account-id", metavar="ID", help=account)
    option("--api-key", metavar="KEY", default="k", help=f"The API key to accept. {default}")
    secret = f"The API secret to accept. {default}"
    option("--api-secret", metavar="SECRET", default="s", help=secret)
    wire = f"Response bodies as observed, or as documented. {default}"
    option("--wire", choices=get_args(Wire), default="observed", help=wire)
    source = "The file of groups to start with, such as an export. Default: a sample account."
    option("--from", dest="file", metavar="FILE", help=source)
    choices = ("on", *map(str, REFUSALS))
    refused = "Refuse the Permissions API with a status code. Default: as the file says, else on."
    option("--permissions", choices=choices, help=refused)
    option("-h", "--help", action="help", help="Show this message and exit.")
    return parser


def _port(text: str) -> int:
    # int() alone accepts "1_000", " 80 " and the digits of other scripts.
    if text.isascii() and text.isdigit() and int(text[:6]) <= 65535 and len(text) <= 5:
        return int(text)
    raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")


if __name__ == "__main__":
    sys.exit(main())
