"""How a peer tells tools/interop.py what came of each operation: in lines of JSON."""

import json
from collections.abc import Callable


def expect(got: object, expected: object) -> None:
    """Make sure of a value."""
    if got != expected:
        raise AssertionError(f"expected {expected!r}, got {got!r}")


def check(operation_id: str, action: Callable[[], object]) -> None:
    """Do something, and write what came of it."""
    problem = None
    try:
        action()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
        problem = f"{type(error).__name__}: {error}"
    print(json.dumps({"operation": operation_id, "problem": problem}), flush=True)
