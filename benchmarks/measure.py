"""Measure in interleaved pairs, and report the median of the pairs' ratios.

A machine that does other things as well is slow at times, but then for both halves of a pair.
"""

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Comparison:
    """A cost compared with its baseline.

    Attributes:
        ratio: The median of the pairs' ratios.
        low: Their first quartile.
        high: Their third quartile.
        own: The median of the thing itself, in seconds or bytes.
        baseline: The median of the baseline.
        pairs: How many pairs there were.
    """

    ratio: float
    low: float
    high: float
    own: float
    baseline: float
    pairs: int

    def row(self, figure: str, client: str) -> dict[str, object]:
        """Return the comparison as a row of results."""
        return {"figure": figure, "client": client, **asdict(self)}


def by_turns(own: Callable[[], T], baseline: Callable[[], T], pairs: int) -> list[tuple[T, T]]:
    """Measure two actions alternately, each first equally often.

    Args:
        own: Does the thing, and returns what it cost.
        baseline: Does the thing that it is compared with.
        pairs: How many pairs to measure; one more is done before, which does not count.
    """
    measured: list[tuple[T, T]] = []
    for number in range(pairs + 1):
        if number % 2:
            cost = own()
            measured.append((cost, baseline()))
        else:
            cost = baseline()
            measured.append((own(), cost))
    return measured[1:]


def compare(measured: Sequence[tuple[float, float]]) -> Comparison:
    """Summarize pairs of costs, each with the baseline second."""
    ratios = [own / baseline for own, baseline in measured]
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return Comparison(
        ratio=middle,
        low=low,
        high=high,
        own=statistics.median(own for own, _ in measured),
        baseline=statistics.median(baseline for _, baseline in measured),
        pairs=len(measured),
    )


def seconds(run: Callable[[], object]) -> float:
    """Return the CPU time of an action, in seconds; what it returns is kept until then."""
    gc.collect()
    start = time.process_time()
    made = run()
    spent = time.process_time() - start
    del made
    return spent


def peak_bytes(run: Callable[[], object]) -> int:
    """Return the peak of the memory that an action takes, as tracemalloc counts it."""
    gc.collect()
    tracemalloc.start()
    try:
        made = run()
        peak = tracemalloc.get_traced_memory()[1]
        del made
        return peak
    finally:
        tracemalloc.stop()
