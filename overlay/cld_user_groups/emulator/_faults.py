"""Faults on demand: what goes wrong, for which operation, and how often."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import attrs

from ._messages import Drop
from ._routes import OPERATION_IDS

_ANY: Final = "*"
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# The emulator frames its answers itself; a wrong length would fail in the server, not the client.
_FRAMING: Final = frozenset({"content-length", "transfer-encoding", "connection"})


@attrs.frozen(kw_only=True)
class Fault:
    """One thing that goes wrong; see ``Emulator.fail`` for what the parts mean."""

    operation_id: str
    status: int | None
    message: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes | None
    delay: float
    drop: Drop | None
    is_applied: bool


def build_fault(
    operation_id: str,
    *,
    status: int | None,
    message: str | None,
    headers: Mapping[str, str] | None,
    body: str | bytes | None,
    delay: float,
    drop: Drop | None,
    apply: bool,
) -> Fault:
    """Check the arguments of ``Emulator.fail`` and make a fault of them.

    Raises:
        ValueError: An argument is out of range, or two contradict each other.
    """
    if operation_id != _ANY and operation_id not in OPERATION_IDS:
        known = ", ".join(OPERATION_IDS)
        raise ValueError(f"unknown operation id {operation_id!r}: use '*' or one of {known}")
    if status is not None and not 200 <= status <= 599:
        raise ValueError(f"status must be between 200 and 599, or None, not {status}")
    if not 0 <= delay < float("inf"):
        raise ValueError(f"delay must be a number of seconds from 0 up, not {delay}")
    if drop not in (None, "before", "after", "during"):
        raise ValueError(f"drop must be 'before', 'after', 'during' or None, not {drop!r}")
    if drop == "before" and apply:
        raise ValueError("drop='before' contradicts apply=True: use drop='after'")
    return Fault(
        operation_id=operation_id,
        status=status,
        message=message if message is not None else _default_message(status),
        headers=tuple(_raw_header(name, value) for name, value in (headers or {}).items()),
        body=body.encode() if isinstance(body, str) else body,
        delay=delay,
        drop=drop,
        is_applied=apply or drop in ("after", "during") or (drop is None and status is None),
    )


class Faults:
    """The faults that are still to happen, oldest first."""

    def __init__(self) -> None:
        self._pending: list[tuple[Fault, int | None]] = []

    def add(self, fault: Fault, times: int | None) -> None:
        """Queue a fault.

        Args:
            fault: What goes wrong.
            times: How often, or None for until the faults are cleared.
        """
        if times is not None and times < 1:
            raise ValueError(f"times must be at least 1, or None for always, not {times}")
        self._pending.append((fault, times))

    def take(self, operation_id: str) -> Fault | None:
        """Return the oldest fault for an operation and count it, or return None."""
        for index, (fault, times) in enumerate(self._pending):
            if fault.operation_id not in (_ANY, operation_id):
                continue
            if times == 1:
                del self._pending[index]
            elif times is not None:
                self._pending[index] = (fault, times - 1)
            return fault
        return None

    def clear(self) -> None:
        """Forget every fault that has not happened yet."""
        self._pending.clear()


def _raw_header(name: str, value: str) -> tuple[bytes, bytes]:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is not a header name")
    if not _FIELD_VALUE.fullmatch(value) or value != value.strip():
        raise ValueError(f"{value!r} is not a value for the header {name}")
    if name.lower() in _FRAMING:
        raise ValueError(f"{name} is set by the emulator: use drop= to break an answer")
    return name.lower().encode("ascii"), value.encode("latin-1")


def _default_message(status: int | None) -> str:
    if status == 420:
        return "Rate limit exceeded"
    try:
        return HTTPStatus(status or 200).phrase
    except ValueError:
        return f"Error {status}"
