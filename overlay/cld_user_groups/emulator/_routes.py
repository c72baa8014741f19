"""Routing: from a method and a raw path to an operation of the API.

The table is built from the generated endpoint modules, and so from the OpenAPI document: a new
operation has its route as soon as the client is generated.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

import attrs

from cld_provisioning_api import api

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


@attrs.frozen
class Endpoint:
    """An operation as the OpenAPI document declares it.

    Attributes:
        operation_id: The operation's id.
        method: The HTTP method, upper case.
        path: The path template.
    """

    operation_id: str
    method: str
    path: str

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """The names of the path parameters, in order."""
        return tuple(each[1:-1] for each in self.path.split("/") if _is_parameter(each))


@attrs.frozen
class Route:
    """A matched path, decoded.

    Attributes:
        operation_id: The operation, or None if the path does not support the method.
        path_params: The path parameters by name.
        allowed: The methods that the path supports.
    """

    operation_id: str | None
    path_params: Mapping[str, str]
    allowed: tuple[str, ...]


@attrs.define
class _Path:
    template: str
    segments: list[str]
    operation_ids: dict[str, str] = attrs.Factory(dict[str, str])


class Router:
    """Matches raw paths against the path templates of endpoints.

    As OpenAPI demands, a concrete path is matched before a templated one.

    Args:
        endpoints: The endpoints, in any order.

    Raises:
        ValueError: Two endpoints share an operation id, or method and path, or their paths differ
            in nothing but the names of the parameters.
    """

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._endpoints: dict[str, Endpoint] = {}
        self._paths_by_length: dict[int, list[_Path]] = {}
        paths_by_shape: dict[tuple[str, ...], _Path] = {}
        for endpoint in sorted(endpoints, key=_sort_key):
            self._require_new_operation_id(endpoint)
            segments = endpoint.path.split("/")
            shape = tuple("{}" if _is_parameter(each) else each for each in segments)
            path = paths_by_shape.get(shape)
            if path is None:
                path = paths_by_shape[shape] = _Path(endpoint.path, segments)
                self._paths_by_length.setdefault(len(segments), []).append(path)
            elif path.template != endpoint.path or endpoint.method in path.operation_ids:
                other = ", ".join(path.operation_ids.values())
                raise ValueError(
                    f"{endpoint.operation_id} ({endpoint.method} {endpoint.path}) cannot be told"
                    f" apart from {other} ({path.template})"
                )
            path.operation_ids[endpoint.method] = endpoint.operation_id
            self._endpoints[endpoint.operation_id] = endpoint

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """The endpoints by operation id, sorted by path and method."""
        return self._endpoints

    def find(self, method: str, raw_path: bytes) -> Route | None:
        """Return the route of a raw path, or None for an unknown path.

        The path is split before it is decoded, and each segment is decoded exactly once, so that an
        ID with an encoded slash, dot or percent sign stays one segment.
        """
        segments = [_decode(segment) for segment in raw_path.split(b"/")]
        for path in self._paths_by_length.get(len(segments), ()):
            path_params = _match(path.segments, segments)
            if path_params is not None:
                operation_ids = path.operation_ids
                return Route(operation_ids.get(method), path_params, tuple(operation_ids))
        return None

    def _require_new_operation_id(self, endpoint: Endpoint) -> None:
        if endpoint.operation_id in self._endpoints:
            raise ValueError(f"the operation id {endpoint.operation_id} occurs twice")


def generated_endpoints() -> Iterator[Endpoint]:
    """Yield the endpoint of each generated endpoint module."""
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


def _match(template: list[str], segments: list[str]) -> dict[str, str] | None:
    path_params: dict[str, str] = {}
    for expected, segment in zip(template, segments, strict=True):
        if _is_parameter(expected):
            if not segment:
                return None
            path_params[expected[1:-1]] = segment
        elif expected != segment:
            return None
    return path_params


def _decode(segment: bytes) -> str:
    # surrogateescape never fails and keeps different bytes different; such an ID is never found.
    if b"%" in segment:
        segment = unquote_to_bytes(segment)
    return segment.decode("utf-8", "surrogateescape")


ROUTER: Final = Router(generated_endpoints())
"""The routes of the API."""

OPERATION_IDS: Final[tuple[str, ...]] = tuple(ROUTER.endpoints)
"""The operation ids of the OpenAPI document, as used by faults and by the call log."""


def require_operation_id(operation_id: str) -> Endpoint:
    """Return the endpoint of an operation.

    Raises:
        ValueError: The operation id is unknown.
    """
    endpoint = ROUTER.endpoints.get(operation_id)
    if endpoint is None:
        raise ValueError(
            f"unknown operation id {operation_id!r}: use one of {', '.join(OPERATION_IDS)}"
        )
    return endpoint
