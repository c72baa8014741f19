"""How the cost of decoding grows with the number of users.

As the exponent of the power law that fits best: 1.0 is linear, 2.0 quadratic.
"""

import gc
import json
import math
import statistics
import time
from collections.abc import Callable, Sequence

from clients import CLIENTS
from wire import groups_with_users

from command import options, report

USERS = (100, 1_000, 10_000, 100_000)


def exponent(sizes: Sequence[int], costs: Sequence[float]) -> float:
    """Return the slope of the costs over the sizes, both as logarithms."""
    fitted = statistics.linear_regression(
        [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    )
    return fitted.slope


def cost(action: Callable[[], object], repeats: int) -> float:
    """Return the CPU time of an action, the least of five turns, in seconds."""
    turns: list[float] = []
    for _ in range(6):
        gc.collect()
        start = time.process_time()
        for _ in range(repeats):
            action()
        turns.append((time.process_time() - start) / repeats)
    return min(turns[1:])


def decoding(client: str) -> list[float]:
    """Return the cost of decoding so many users."""
    decode = json.loads if client == "httpx" else CLIENTS[client].decoder()
    contents = [groups_with_users(users // 100, 100) for users in USERS]
    return [
        cost(lambda content=content: decode(content), max(1, 20_000 // users))
        for users, content in zip(USERS, contents, strict=True)
    ]


def main() -> None:
    """Measure one client, and json.loads beside it."""
    chosen = options(__doc__)
    for client in (chosen.client, "httpx"):
        costs = decoding(client)
        row: dict[str, object] = {"figure": "decoding, by users", "client": client}
        report(row | {"exponent": exponent(USERS, costs), "sizes": USERS, "costs": costs})


if __name__ == "__main__":
    main()
