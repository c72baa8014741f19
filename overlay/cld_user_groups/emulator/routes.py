"""Routing: from a method and a raw path to an operation, by the generated endpoint modules."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from cld_provisioning_api import api

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Endpoint(NamedTuple):
    """An operation as the OpenAPI document declares it."""

    operation_id: str
    method: str
    path: str


class Route(NamedTuple):
    """The operation of a request, or None; the decoded path, and the methods that it allows."""

    operation_id: str | None = None
    path_params: Mapping[str, str] = {}
    allowed: tuple[str, ...] = ()


class Router:
    """Matches raw paths against path templates: as OpenAPI demands, concrete ones first."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self.endpoints = {each.operation_id: each for each in sorted(endpoints, key=_sort_key)}
        self._operations: dict[tuple[str, ...], dict[str, str]] = {}
        for each in self.endpoints.values():
            template = tuple(each.path.split("/"))
            self._operations.setdefault(template, {})[each.method] = each.operation_id

    def find(self, method: str, raw_path: bytes) -> Route:
        """Return the route of a raw path, split before each segment is decoded exactly once."""
        # surrogateescape never fails, and keeps different bytes different: such an ID is not found.
        segments = [
            (unquote_to_bytes(each) if b"%" in each else each).decode("utf-8", "surrogateescape")
            for each in raw_path.split(b"/")
        ]
        for template, operations in self._operations.items():
            if len(template) == len(segments):
                params: dict[str, str] = {}
                for own, given in zip(template, segments, strict=True):
                    if given and own.startswith("{"):
                        params[own[1:-1]] = given
                    elif own != given:
                        break
                else:
                    return Route(operations.get(method), params, tuple(operations))
        return Route()


def _sort_key(endpoint: Endpoint) -> tuple[list[tuple[bool, str]], int]:
    segments = [(each.startswith("{"), each) for each in endpoint.path.split("/")]
    return segments, _METHODS.index(endpoint.method)


def _generated_endpoints() -> Iterator[Endpoint]:
    for found in pkgutil.walk_packages(api.__path__, f"{api.__name__}."):
        if not found.ispkg:
            module = importlib.import_module(found.name)
            yield Endpoint(module.OPERATION_ID, module.METHOD, module.PATH)


ROUTER: Final = Router(_generated_endpoints())
"""The routes of the API."""
OPERATION_IDS: Final[tuple[str, ...]] = tuple(ROUTER.endpoints)
"""The operation ids of the OpenAPI document, as used by faults and by the call log."""
