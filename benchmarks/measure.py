"""How things are measured here: CPU time, in interleaved pairs, as the median of their ratios.

A machine that does other things as well is slow at times, but for both halves of a pair alike.
"""

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Comparison:
    """A measured thing beside its baseline.

    Attributes:
        ratio: The median of the pairs' ratios.
        low: Their first quartile.
        high: Their third quartile.
        own: The median of the thing itself, in seconds of CPU time (or what else was measured).
        baseline: The median of the baseline.
        pairs: How many pairs there were.
    """

    ratio: float
    low: float
    high: float
    own: float
    baseline: float
    pairs: int

    def row(self, figure: str, **more: object) -> dict[str, object]:
        """Return the comparison as a row of results."""
        return {"figure": figure, **asdict(self), **more}


def compare(
    own: Callable[[], float], baseline: Callable[[], float], *, pairs: int, warm_up: int = 1
) -> Comparison:
    """Measure two things by turns, the one as often first as the other.

    Args:
        own: Does the thing once, and returns what it cost.
        baseline: Does the thing that it is compared with.
        pairs: How many pairs to measure, an even number.
        warm_up: How many pairs to do before, which do not count.
    """
    costs: list[tuple[float, float]] = []
    for number in range(warm_up + pairs):
        if number % 2:
            first = baseline()
            second = own()
            costs.append((second, first))
        else:
            costs.append((own(), baseline()))
    costs = costs[warm_up:]
    ratios = [one / other for one, other in costs]
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return Comparison(
        ratio=middle,
        low=low,
        high=high,
        own=statistics.median(one for one, _ in costs),
        baseline=statistics.median(other for _, other in costs),
        pairs=pairs,
    )
