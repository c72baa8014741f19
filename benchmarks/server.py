"""The emulator on a local socket, in a process of its own, to keep the CPU times apart."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

from wire import ACCOUNT_ID, KEY, SECRET


@contextmanager
def emulator(url: str | None = None) -> Generator[str]:
    """Yield the URL of an emulator: the given one, or that of a new one."""
    if url is not None:
        yield url
        return
    with subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def main() -> None:
    """Serve until the parent process closes the pipe, or ends."""
    from cld_user_groups.emulator import Emulator

    with Emulator(account_id=ACCOUNT_ID, api_key=KEY, api_secret=SECRET).serve() as server:
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
