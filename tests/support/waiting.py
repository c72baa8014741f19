"""What a test waits for: that something becomes so, and that another process holds something."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path


def eventually(
    is_so: Callable[[], object], *, log: Path | None = None, seconds: float = 60
) -> None:
    """Wait until something is so; where it does not become so, show a log."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, log.read_text("utf-8") if log else "it did not happen"
        time.sleep(0.01)


@contextmanager
def held_by_another_process(
    module: str, name: str, *arguments: object, **options: object
) -> Generator[subprocess.Popen[str]]:
    """Hold a lock, by the name of its class in a module, in a process until that is killed."""
    named = (f"{option}={value!r}" for option, value in options.items())
    given = ", ".join([*map(repr, arguments), *named])
    program = (
        f"import sys\nfrom pathlib import *\nfrom {module} import {name}\n"
        f"with {name}({given}):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()
