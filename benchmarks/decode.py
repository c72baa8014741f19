"""CPU time and peak memory of decoding 1,000 groups with 100 users each, with dates, into models.

Beside json.loads of the same bytes, which checks nothing and leaves the dates as text. The memory
is the same each time: two pairs will do.
"""

import json

from clients import CLIENTS
from measure import by_turns, compare, peak_bytes, seconds
from wire import groups_with_users

from command import options, report


def main() -> None:
    """Measure one client."""
    chosen = options(__doc__)
    content = groups_with_users(1_000, 100)
    decode = CLIENTS[chosen.client].decoder()
    for figure, measure, pairs in (
        ("decode", seconds, chosen.pairs(30)),
        ("memory", peak_bytes, 2),
    ):
        measured = by_turns(
            lambda measure=measure: measure(lambda: decode(content)),
            lambda measure=measure: measure(lambda: json.loads(content)),
            pairs,
        )
        report(compare(measured).row(figure, chosen.client))


if __name__ == "__main__":
    main()
