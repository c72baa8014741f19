"""CPU time and peak memory of whole commands with files, beside `json.loads` of the same account.

In processes of their own, start-up and reading the account over a socket included: 100,000
memberships, each user in five groups; with BENCH_GROUPS=10000 a million.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from measure import by_turns, compare
from planning import account_json, seconds

from command import options, report

GROUPS = int(os.environ.get("BENCH_GROUPS", "1000"))
COMMANDS = {
    "export, YAML": ("export", "--output", "a.yaml", "--force"),
    "export, JSON": ("export", "--output", "a.json", "--force"),
    "plan, YAML": ("plan", "a.yaml"),
    "plan, JSON": ("plan", "a.json"),
    "diff, two files": ("diff", "a.yaml", "a.json"),
    "report": ("report",),
    "report, JSON": ("report", "--format", "json"),
}

_SERVER = """
import sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

content = Path(sys.argv[1]).read_bytes()

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = content if "user_groups" in self.path else b'{"users": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *unused):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"http://127.0.0.1:{server.server_port}", flush=True)
sys.stdin.read()
"""


class Cost(NamedTuple):
    """What a command costs: CPU time in seconds, and its peak memory in bytes."""

    cpu: float
    peak: float


class Commands:
    """Runs commands in a folder, against a server of one account."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._environment = {
            **os.environ,
            "CLOUDINARY_ACCOUNT_URL": "account://k:s@acc",
            "CLOUDINARY_PROVISIONING_SERVER_URL": url,
        }

    def run(self, *arguments: str) -> Cost:
        """Run a command, which must not fail, and return what it costs."""
        command = [sys.executable, "-m", "cld_user_groups", *arguments]
        process = subprocess.Popen(
            [*command, "--quiet", "--max-body", "1000", "--timeout", "10m"],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, arguments
        unit = 1 if sys.platform == "darwin" else 1024
        return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)


@contextmanager
def commands(content: bytes) -> Generator[Commands]:
    """Serve an account in another process, and yield what runs commands on it."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        (folder / "account").write_bytes(content)
        with subprocess.Popen(
            [sys.executable, "-c", _SERVER, str(folder / "account")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            yield Commands(folder, server.stdout.readline().strip())
            server.stdin.close()


def rows(client: str, pairs: int) -> Iterator[dict[str, object]]:
    """Yield, for each command, its CPU time beside `json.loads`, and its peak memory."""
    content = account_json(GROUPS)
    with commands(content) as own:
        for name, arguments in COMMANDS.items():
            peaks: list[float] = []

            def cpu(arguments: tuple[str, ...] = arguments, peaks: list[float] = peaks) -> float:
                cost = own.run(*arguments)
                peaks.append(cost.peak)
                return cost.cpu

            found = compare(by_turns(cpu, lambda: seconds(lambda: json.loads(content)), pairs))
            yield {**found.row(name, client), "peak": max(peaks)}


def main() -> None:
    """Measure."""
    chosen = options(__doc__)
    for row in rows(chosen.client, chosen.pairs(6)):
        report(row)


if __name__ == "__main__":
    main()
