"""Every way out of a call tells whether the write may have been applied, on real sockets."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence

import pytest
from tests.faults import places, ways
from tests.faults.play import Runtime
from tests.faults.ways import PLAYED, PROMISES, WAYS, measure, promise
from tests.support.fault_calls import ADD_USER, CREATE, GET, Operation

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="sends SIGINT"),
    # httpcore leaves a socket to the garbage collector where it is cancelled while it connects.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

# One of each column; `make test FULL=1` and `make faults` play all operations.
SHORT = (GET, CREATE, ADD_USER)
CASES = [(name, runtime) for name, way in WAYS.items() for runtime in way.runtimes]


def test_the_table_holds_every_way() -> None:
    assert list(PROMISES) == list(WAYS)


@pytest.mark.parametrize(
    "operations",
    [
        pytest.param(SHORT, id="short"),
        pytest.param(
            [each for each in PLAYED if each not in SHORT],
            id="others",
            marks=pytest.mark.exhaustive,
        ),
    ],
)
@pytest.mark.parametrize(("name", "runtime"), CASES)
def test_a_way_out_ends_as_promised(
    name: str, runtime: Runtime, operations: Sequence[Operation]
) -> None:
    for operation in operations:
        assert measure(name, operation, runtime) == promise(name, operation), operation
    if WAYS[name].place is places.shaking_hands:
        gc.collect()  # the sockets of httpcore: a later test would be blamed for them


def test_no_read_is_ever_maybe_applied() -> None:
    assert not any("?" in cells["reads"] for cells in ways.PROMISES.values())
