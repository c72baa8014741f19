"""The command in processes forked from one that has imported it: a tenth of a fresh one's time.

For tests of what a command does in a process, a shell or on a terminal. Where an interpreter that
starts is the point, or its streams and signals, a test starts one.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import marshal
import os
import pkgutil
import select
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NoReturn

# Sends its streams, folder, variables and words to the server, and exits as the command does.
# Without `site` and `socket`, whose imports would take longer than all the rest.
_CLIENT = """
import _socket, marshal, os, sys
mask = os.umask(0)
call = marshal.dumps((os.getcwd(), dict(os.environ), sys.argv[2:], mask))
streams = b"".join(fd.to_bytes(4, sys.byteorder) for fd in range(3))
connection = _socket.socket(_socket.AF_UNIX)
connection.connect(sys.argv[1])
connection.sendmsg(
    [len(call).to_bytes(4, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)]
)
while call:
    call = call[connection.send(call):]
os._exit(int(connection.recv(4) or b"70"))
"""


def forked_command() -> list[str]:
    """Return the words that start the command; its own words follow. It needs POSIX."""
    return [sys.executable, "-I", "-S", "-c", _CLIENT, _server()]


@cache
def _server() -> str:
    """Start the server of this process, which ends with it, and return its address."""
    folder = tempfile.TemporaryDirectory()
    address = str(Path(folder.name) / "command")
    server = subprocess.Popen(
        [sys.executable, __file__, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )

    def stop() -> None:
        server.communicate()
        folder.cleanup()

    atexit.register(stop)
    assert server.stdout is not None
    assert server.stdout.read(1)
    return address


def _serve(address: str) -> None:
    """Fork for each connection, until standard input ends."""
    os.chdir(Path(address).parent)
    _import_all()
    _warm_up()
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        os.write(1, b".")
        while 0 not in select.select([listening, 0], [], [])[0]:
            connection, _ = listening.accept()
            with connection:
                if os.fork() == 0:
                    listening.close()
                    _supervise(connection)
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:  # those that have ended, to leave no zombies
                    pass


def _import_all() -> None:
    import cld_user_groups as package

    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("__main__") and ".assistant" not in module.name:
            importlib.import_module(module.name)


def _warm_up() -> None:
    """Make a few calls, which import what is imported when it is first used."""
    from click.testing import CliRunner

    from cld_user_groups.command.cli import cli
    from cld_user_groups.emulator import Emulator

    with Emulator("acc", "k", "s").serve() as server:
        os.environ["CLOUDINARY_ACCOUNT_URL"] = "account://k:s@acc"
        os.environ["CLOUDINARY_PROVISIONING_SERVER_URL"] = server.url
        os.environ["XDG_STATE_HOME"] = str(Path.cwd())
        for words in (
            "export --output groups.yaml",
            "plan groups.yaml",
            "add Designers maria@example.com --yes",
            "undo --yes",
        ):
            done = CliRunner().invoke(cli, words.split())
            assert done.exit_code == 0, done.output


def _supervise(connection: socket.socket) -> NoReturn:
    """Run one command in a process, and send how it ends."""
    length, streams, _, _ = socket.recv_fds(connection, 4, 3)
    with connection.makefile("rb") as received:
        folder, variables, words, mask = marshal.loads(received.read(int.from_bytes(length, "big")))
    command = os.fork()
    if command:
        for stream in streams:
            os.close(stream)
        code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
        connection.send(b"%d" % (code if code >= 0 else 128 - code))
        os._exit(0)
    connection.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    _become(folder, variables, words, mask)


def _become(folder: str, variables: dict[str, str], words: list[str], mask: int) -> NoReturn:
    """Be a process that was started in a folder, with variables and words, on its terminal."""
    os.setsid()
    if os.isatty(0):
        import fcntl
        import termios

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that it turns ^C into SIGINT
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        old = getattr(sys, name)
        options = {"encoding": old.encoding, "errors": old.errors, "closefd": False}
        stream = os.fdopen(number, old.mode, **options)
        stream.reconfigure(line_buffering=number == 2 or stream.isatty())
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    os.umask(mask)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = ["cld-user-groups", *words]

    from cld_user_groups.command import main

    try:
        main()
    except SystemExit as ended:
        # The end of an interpreter takes longer than most commands.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended.code if isinstance(ended.code, int) else 0)
    raise AssertionError("the command always exits")


if __name__ == "__main__":
    del sys.path[0]  # this folder
    _serve(sys.argv[1])
