"""How the other Python clients report the outcome of each operation: one line of JSON each."""

import json
from collections.abc import Callable


def expect(got: object, expected: object) -> None:
    """Raise an AssertionError unless a value is as expected."""
    if got != expected:
        raise AssertionError(f"expected {expected!r}, got {got!r}")


def check(operation_id: str, action: Callable[[], object]) -> None:
    """Run a check, and print whether it passed."""
    problem = None
    try:
        action()
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
    print(json.dumps({"operation": operation_id, "problem": problem}), flush=True)
