"""Faults on demand: which calls go wrong, how, and how often."""

import random
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Final, get_args

import attrs

from .messages import Drop, RawHeaders
from .routes import OPERATION_IDS, ROUTER

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# The emulator frames its responses itself; a wrong length would fail in the server, not the client.
_FRAMING: Final = frozenset({"content-length", "transfer-encoding", "connection"})


def _raw_headers(headers: Mapping[str, str] | None) -> RawHeaders:
    for name, value in (headers or {}).items():
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"invalid header name: {name!r}")
        if not _FIELD_VALUE.fullmatch(value) or value != value.strip():
            raise ValueError(f"invalid value of the header {name}: {value!r}")
        if name.lower() in _FRAMING:
            raise ValueError(f"{name} is set by the emulator: use drop= to break a response")
    return [(k.lower().encode("ascii"), v.encode("latin-1")) for k, v in (headers or {}).items()]


@attrs.define(eq=False)
class Fault:
    """A fault that is still to happen; see ``Emulator.fail`` for its parts."""

    operation_id: str
    path_params: Mapping[str, str]
    status: int | None
    message: str | None
    headers: RawHeaders = attrs.field(converter=_raw_headers)
    body: bytes | None
    delay: float
    drop: Drop | None
    is_applied: bool
    times: int | None
    probability: float
    # Repeatable numbers are the point here, not unpredictable ones.
    numbers: random.Random = attrs.field(converter=random.Random)

    def __attrs_post_init__(self) -> None:
        for is_valid, message in self._checks():
            if not is_valid:
                raise ValueError(message)
        self.is_applied |= self.drop in ("after", "during")
        self.is_applied |= self.drop is None and self.status is None
        if self.message is None:
            self.message = _default_message(self.status)

    def _checks(self) -> Iterator[tuple[bool, str]]:
        name, status, delay, drop = self.operation_id, self.status, self.delay, self.drop
        known = ", ".join(OPERATION_IDS)
        is_known = name in ("*", *OPERATION_IDS)
        yield is_known, f"unknown operation id {name!r}: use '*' or one of {known}"
        for each in self.path_params if name != "*" else ():
            path = ROUTER.endpoints[name].path
            yield f"{{{each}}}" in path, f"the path of {name} has no {each}"
        is_code = status is None or 200 <= status <= 599
        yield is_code, f"status must be between 200 and 599, or None, not {status}"
        is_finite = 0 <= delay < float("inf")
        yield is_finite, f"delay must be a finite number of seconds and at least 0, not {delay}"
        is_drop = drop in (None, *get_args(Drop))
        yield is_drop, f"drop must be 'before', 'after', 'during' or None, not {drop!r}"
        is_lost = drop == "before" and self.is_applied
        yield not is_lost, "drop='before' contradicts apply=True: use drop='after'"
        is_count = self.times is None or self.times >= 1
        yield is_count, f"times must be at least 1, or None for always, not {self.times}"
        is_share = 0 < self.probability <= 1
        yield is_share, f"probability must be above 0 and at most 1, not {self.probability}"

    def happens_to(self, operation_id: str, path_params: Mapping[str, str]) -> bool:
        """Return whether a call goes wrong, which draws a number if that is random."""
        return (
            self.operation_id in ("*", operation_id)
            and all(path_params.get(name) == each for name, each in self.path_params.items())
            and (self.probability == 1 or self.numbers.random() < self.probability)
        )


def take_fault(
    faults: list[Fault], operation_id: str, path_params: Mapping[str, str]
) -> Fault | None:
    """Return the oldest fault that happens to a call and count it, or return None."""
    for fault in faults:
        if fault.happens_to(operation_id, path_params):
            if fault.times is not None:
                fault.times -= 1
                if fault.times == 0:
                    faults.remove(fault)
            return fault
    return None


def _default_message(status: int | None) -> str:
    if status == 420:
        return "Rate limit exceeded"
    try:
        return HTTPStatus(status or 200).phrase
    except ValueError:
        return f"Error {status}"
