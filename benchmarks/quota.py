"""Eight worker processes against a server that allows 500 requests an hour, which takes 40 seconds.

Each worker makes calls for two of these hours, over sockets, as fast as it can, in four threads,
and waits for the quota where it is told to. Without a shared limiter each has the default one.
"""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from wire import ACCOUNT_ID, KEY, SECRET

from cld_user_groups import CldProvisioning, Security
from cld_user_groups.emulator import Emulator
from cld_user_groups.emulator.clock import Quota
from cld_user_groups.limits import LocalLimiter, RedisLimiter
from cld_user_groups.models import RateLimited
from cld_user_groups.utils import BackoffStrategy, RetryConfig
from command import options, report

LIMIT, HOUR, HOURS = 500, 40, 2
WORKERS, THREADS = 8, 4
MODES = ("none", "local", "redis")


def serve() -> None:
    """Serve until the parent process closes the pipe; then print how many requests came to what."""
    emulator = Emulator(account_id=ACCOUNT_ID, api_key=KEY, api_secret=SECRET)
    emulator._quota = Quota(HOUR)
    emulator.set_quota(LIMIT)
    with emulator.serve() as server:
        print(server.url, flush=True)
        sys.stdin.readline()
        print(json.dumps(Counter(call.status for call in emulator.calls)), flush=True)


def work(server: str, mode: str, redis_url: str) -> None:
    """Make calls while it is time, and print how many succeeded, and when the last one did."""
    limiter: Any = {
        "none": lambda: None,
        "local": LocalLimiter,
        "redis": lambda: RedisLimiter(redis_url, timeout=5.0),
    }[mode]()
    done: list[tuple[int, float]] = []
    print("ready", flush=True)
    begins, ends = map(float, sys.stdin.readline().split())

    def make_calls() -> None:
        count, last = 0, begins
        while time.time() < ends:
            left = max(1.0, ends - time.time()) * 1000
            retries = RetryConfig(backoff=BackoffStrategy(max_elapsed_time=left))
            try:
                client.user_groups.list(retries=retries)
            except RateLimited as error:  # it would have to wait for longer than it is here
                time.sleep(min(max(0.0, ends - time.time()), error.retry_after or 0.1))
            else:
                count, last = count + 1, time.time()
        done.append((count, last))

    with CldProvisioning(
        Security(KEY, SECRET), ACCOUNT_ID, server_url=server, limiter=limiter
    ) as client:
        time.sleep(max(0.0, begins - time.time()))
        threads = [threading.Thread(target=make_calls) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(sum(count for count, _ in done), max(last for _, last in done) - begins, flush=True)


def _start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, __file__, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def measure(mode: str, redis_url: str) -> dict[str, Any]:
    """Run the workers, and return what became of their requests."""
    server = _start("--serve")
    assert server.stdout is not None
    assert server.stdin is not None
    url = server.stdout.readline().strip()
    workers = [_start("--work", url, mode, redis_url) for _ in range(WORKERS)]
    for worker in workers:
        assert worker.stdout is not None
        worker.stdout.readline()
    begins = (int(time.time() + 1) // HOUR + 1) * HOUR
    ends = begins + HOURS * HOUR - 0.5
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write(f"{begins} {ends}\n")
        worker.stdin.flush()
    printed = [worker.communicate()[0] for worker in workers]
    if not all(printed):
        raise RuntimeError(f"a worker failed: {[worker.returncode for worker in workers]}")
    done = [int(text.split()[0]) for text in printed]
    statuses = Counter(json.loads(server.communicate("\n")[0]))
    allowed = LIMIT * HOURS
    return {
        "figure": f"8 workers, 500 an hour, limiter: {mode}",
        "sent": statuses.total(),
        "refused": statuses["420"] + statuses["429"],
        "used": statuses["200"] / allowed,
        "seconds": max(float(text.split()[1]) for text in printed),
        "fairness": min(done) / max(done),
        "fewest": min(done),
        "most": max(done),
    }


def main() -> None:
    """Print a row for each limiter."""
    if sys.argv[1:2] == ["--serve"]:
        serve()
        return
    if sys.argv[1:2] == ["--work"]:
        work(*sys.argv[2:5])
        return
    chosen = options(__doc__)
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tests.support.redis_server import RedisServer

    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        redis = stack.enter_context(RedisServer(Path(folder)))
        for mode in MODES:
            report({"client": chosen.client, **measure(mode, redis.url)})


if __name__ == "__main__":
    main()
