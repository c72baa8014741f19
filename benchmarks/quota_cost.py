"""What asking a limiter costs: in process, in machine instructions of a list(); on Redis, in time.

valgrind counts the instructions, as in instructions.py. On Redis, a whole acquire and observe are
compared with a bare PING on the same connection: one round trip.
"""

import shutil
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from call_sync import respond
from instructions import of_one_call
from measure import by_turns, compare
from wire import ACCOUNT_ID, KEY, SECRET, SERVER

from cld_user_groups import CldProvisioning, Security
from cld_user_groups.limits import LocalLimiter, RedisLimiter, Ticket
from command import options, report

LIMITERS: dict[str, Callable[[], Any]] = {
    "none": lambda: None,
    "default": LocalLimiter,
    "reserve": lambda: LocalLimiter(reserve=10),
}
_CALLS = 150
_QUOTA = {
    "X-FeatureRateLimit-Limit": "500",
    "X-FeatureRateLimit-Remaining": "400",
    "X-FeatureRateLimit-Reset": "Fri, 01 May 2026 13:00:00 GMT",
    "Date": "Fri, 01 May 2026 12:00:00 GMT",
}


def make_calls(limiter: str, calls: int) -> None:
    """Make so many calls; this is what runs under valgrind."""

    def respond_with_quota(request: httpx.Request) -> httpx.Response:
        response = respond(request)
        response.headers.update(_QUOTA)
        return response

    http = httpx.Client(transport=httpx.MockTransport(respond_with_quota))
    security = Security(KEY, SECRET)
    client = CldProvisioning(
        security, ACCOUNT_ID, server_url=SERVER, client=http, limiter=LIMITERS[limiter]()
    )
    for _ in range(calls):
        client.user_groups.list()


def _on_redis(pairs: int) -> dict[str, Any]:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    import redis
    from tests.support.redis_server import RedisServer

    response = httpx.Response(200, headers=_QUOTA)

    def seconds(action: Callable[[], Any]) -> float:
        start = time.perf_counter()
        for _ in range(_CALLS):
            action()
        return (time.perf_counter() - start) / _CALLS

    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        server = stack.enter_context(RedisServer(Path(folder)))
        limiter = stack.enter_context(RedisLimiter(server.url, timeout=5.0))
        bare = stack.enter_context(redis.Redis.from_url(server.url))

        def ask() -> None:
            ticket = Ticket(ACCOUNT_ID, 30.0, None)
            assert limiter.acquire(ticket) is None
            limiter.observe(ticket, response)

        found = compare(by_turns(lambda: seconds(ask), lambda: seconds(bare.ping), pairs))
        return found.row("acquire and observe on Redis, against PING", "sdk")


def main() -> None:
    """Print the costs."""
    if sys.argv[1:2] == ["--make"]:
        make_calls(sys.argv[2], int(sys.argv[3]))
        return
    chosen = options(__doc__)
    report(_on_redis(chosen.pairs(20)))
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind is not installed: instructions are not counted")
    without = of_one_call(sys.executable, __file__, "--make", "none")
    for limiter in ("default", "reserve"):
        own = of_one_call(sys.executable, __file__, "--make", limiter)
        report(
            {
                "figure": f"list() with a limiter in process: {limiter}",
                "client": chosen.client,
                "ratio": own / without,
                "own": own,
                "baseline": without,
            }
        )


if __name__ == "__main__":
    main()
