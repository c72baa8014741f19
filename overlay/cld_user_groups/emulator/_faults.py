"""Faults on demand: which calls go wrong, how, and how often."""

import random
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import attrs

from ._messages import Drop
from ._routes import OPERATION_IDS, ROUTER

_ANY: Final = "*"
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# The emulator frames its responses itself; a wrong length would fail in the server, not the client.
_FRAMING: Final = frozenset({"content-length", "transfer-encoding", "connection"})


@attrs.frozen(kw_only=True)
class Target:
    """The calls that a fault is for.

    Attributes:
        operation_id: The operation, or "*" for any.
        path_params: The path parameters, decoded, that a call must have.
    """

    operation_id: str
    path_params: Mapping[str, str]

    def includes(self, operation_id: str, path_params: Mapping[str, str]) -> bool:
        """Return whether a call is one of them."""
        return self.operation_id in (_ANY, operation_id) and all(
            path_params.get(name) == value for name, value in self.path_params.items()
        )


@attrs.frozen(kw_only=True)
class Fault:
    """The effect of a fault; see ``Emulator.fail`` for its parts."""

    status: int | None
    message: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes | None
    delay: float
    drop: Drop | None
    is_applied: bool


def build_target(operation_id: str, *, group_id: str | None, user_id: str | None) -> Target:
    """Check the arguments of ``Emulator.fail`` that say which calls go wrong.

    Raises:
        ValueError: The operation is unknown, or its path has no such parameter.
    """
    if operation_id != _ANY and operation_id not in OPERATION_IDS:
        known = ", ".join(OPERATION_IDS)
        raise ValueError(f"unknown operation id {operation_id!r}: use '*' or one of {known}")
    path_params = {
        name: value
        for name, value in (("group_id", group_id), ("user_id", user_id))
        if value is not None
    }
    for name in path_params:
        if operation_id != _ANY and name not in ROUTER.endpoints[operation_id].path_parameters:
            raise ValueError(f"the path of {operation_id} has no {name}")
    return Target(operation_id=operation_id, path_params=path_params)


def build_fault(
    *,
    status: int | None,
    message: str | None,
    headers: Mapping[str, str] | None,
    body: str | bytes | None,
    delay: float,
    drop: Drop | None,
    apply: bool,
) -> Fault:
    """Check the arguments of ``Emulator.fail`` that say what goes wrong.

    Raises:
        ValueError: An argument is out of range, or two contradict each other.
    """
    if status is not None and not 200 <= status <= 599:
        raise ValueError(f"status must be between 200 and 599, or None, not {status}")
    if not 0 <= delay < float("inf"):
        raise ValueError(f"delay must be a finite number of seconds and at least 0, not {delay}")
    if drop not in (None, "before", "after", "during"):
        raise ValueError(f"drop must be 'before', 'after', 'during' or None, not {drop!r}")
    if drop == "before" and apply:
        raise ValueError("drop='before' contradicts apply=True: use drop='after'")
    return Fault(
        status=status,
        message=message if message is not None else _default_message(status),
        headers=tuple(_raw_header(name, value) for name, value in (headers or {}).items()),
        body=body.encode() if isinstance(body, str) else body,
        delay=delay,
        drop=drop,
        is_applied=apply or drop in ("after", "during") or (drop is None and status is None),
    )


@attrs.define
class _Pending:
    target: Target
    fault: Fault
    times: int | None
    probability: float
    random: random.Random


class Faults:
    """The faults that are still to happen, oldest first."""

    def __init__(self) -> None:
        self._pending: list[_Pending] = []

    def add(
        self, target: Target, fault: Fault, *, times: int | None, probability: float, seed: int
    ) -> None:
        """Queue a fault.

        Args:
            target: The calls that it is for.
            fault: Its effect.
            times: How often it happens, or None for until the faults are cleared.
            probability: The probability of each such call to go wrong.
            seed: The seed of the random numbers.

        Raises:
            ValueError: An argument is out of range.
        """
        if times is not None and times < 1:
            raise ValueError(f"times must be at least 1, or None for always, not {times}")
        if not 0 < probability <= 1:
            raise ValueError(f"probability must be above 0 and at most 1, not {probability}")
        # Repeatable numbers are the point here, not unpredictable ones.
        numbers = random.Random(seed)  # noqa: S311
        self._pending.append(_Pending(target, fault, times, probability, numbers))

    def take(self, operation_id: str, path_params: Mapping[str, str]) -> Fault | None:
        """Return the fault that happens to a call and count it, or return None."""
        for index, pending in enumerate(self._pending):
            if not pending.target.includes(operation_id, path_params):
                continue
            if pending.probability < 1 and pending.random.random() >= pending.probability:
                continue
            if pending.times == 1:
                del self._pending[index]
            elif pending.times is not None:
                pending.times -= 1
            return pending.fault
        return None

    def clear(self) -> None:
        """Forget every fault that has not happened yet."""
        self._pending.clear()


def _raw_header(name: str, value: str) -> tuple[bytes, bytes]:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"invalid header name: {name!r}")
    if not _FIELD_VALUE.fullmatch(value) or value != value.strip():
        raise ValueError(f"invalid value of the header {name}: {value!r}")
    if name.lower() in _FRAMING:
        raise ValueError(f"{name} is set by the emulator: use drop= to break a response")
    return name.lower().encode("ascii"), value.encode("latin-1")


def _default_message(status: int | None) -> str:
    if status == 420:
        return "Rate limit exceeded"
    try:
        return HTTPStatus(status or 200).phrase
    except ValueError:
        return f"Error {status}"
