"""Routing: from a method and a raw path to an operation of the API.

The table is built from the generated endpoint modules, and so from the OpenAPI document: a new
operation has its route as soon as the client is generated.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import unquote_to_bytes

import attrs

from cld_provisioning_api import api

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


@attrs.frozen
class Endpoint:
    """An operation as the OpenAPI document declares it."""

    operation_id: str
    method: str
    path: str

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """The names of the path parameters, in order."""
        return tuple(each[1:-1] for each in self.path.split("/") if _is_parameter(each))


@attrs.frozen
class Route:
    """A matched path, decoded; without an operation if the path does not support the method."""

    operation_id: str | None
    path_params: Mapping[str, str]
    allowed: tuple[str, ...]


class Router:
    """Matches raw paths against path templates: as OpenAPI demands, concrete ones first."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self.endpoints = {each.operation_id: each for each in sorted(endpoints, key=_sort_key)}
        self._operations: dict[tuple[str, ...], dict[str, str]] = {}
        for each in self.endpoints.values():
            segments = tuple(each.path.split("/"))
            self._operations.setdefault(segments, {})[each.method] = each.operation_id

    def find(self, method: str, raw_path: bytes) -> Route | None:
        """Return the route of a raw path, or None for an unknown path.

        The path is split before it is decoded, and each segment is decoded exactly once, so that an
        ID with an encoded slash, dot or percent sign stays one segment.
        """
        segments = [_decode(segment) for segment in raw_path.split(b"/")]
        for template, operations in self._operations.items():
            path_params = _match(template, segments)
            if path_params is not None:
                return Route(operations.get(method), path_params, tuple(operations))
        return None


def _generated_endpoints() -> Iterator[Endpoint]:
    for resource in pkgutil.iter_modules(api.__path__, f"{api.__name__}."):
        package = importlib.import_module(resource.name)
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(found.name)
            yield Endpoint(module.OPERATION_ID, module.METHOD, module.PATH)


def _sort_key(endpoint: Endpoint) -> tuple[list[tuple[bool, str]], int]:
    segments = [(_is_parameter(each), each) for each in endpoint.path.split("/")]
    return segments, _METHODS.index(endpoint.method)


def _is_parameter(segment: str) -> bool:
    return segment.startswith("{")


def _match(template: Sequence[str], segments: Sequence[str]) -> dict[str, str] | None:
    if len(template) != len(segments):
        return None
    path_params: dict[str, str] = {}
    for own, given in zip(template, segments, strict=True):
        if _is_parameter(own) and given:
            path_params[own[1:-1]] = given
        elif own != given:
            return None
    return path_params


def _decode(segment: bytes) -> str:
    # surrogateescape never fails and keeps different bytes different; such an ID is never found.
    raw = unquote_to_bytes(segment) if b"%" in segment else segment
    return raw.decode("utf-8", "surrogateescape")


ROUTER: Final = Router(_generated_endpoints())
"""The routes of the API."""

OPERATION_IDS: Final[tuple[str, ...]] = tuple(ROUTER.endpoints)
"""The operation ids of the OpenAPI document, as used by faults and by the call log."""
