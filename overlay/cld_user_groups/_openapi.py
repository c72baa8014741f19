"""The differences of requests and responses from an OpenAPI document, for the contract check.

openapi-core finds the operation and validates; here its errors become findings. Stricter than
openapi-core: undocumented fields, query parameters and spellings of a boolean are findings too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import httpx

from cld_user_groups._version import install_command

try:
    import yaml
    from jsonschema_path import SchemaPath
    from openapi_core import V30RequestValidator, V30ResponseValidator
    from openapi_core.casting.schemas.exceptions import CastError
    from openapi_core.datatypes import RequestParameters
    from openapi_core.exceptions import OpenAPIError
    from openapi_core.templating.media_types.exceptions import MediaTypeNotFound
    from openapi_core.templating.paths.exceptions import PathError
    from openapi_core.templating.paths.finders import APICallPathFinder
    from openapi_core.templating.paths.iterators import SimpleServersIterator
    from openapi_core.templating.responses.exceptions import ResponseNotFound
    from openapi_core.validation.request.exceptions import (
        MissingRequestBodyError,
        ParameterValidationError,
        SecurityValidationError,
    )
    from openapi_core.validation.response.exceptions import HeaderValidationError, MissingData
    from openapi_core.validation.schemas.exceptions import InvalidSchemaValue
    from werkzeug.datastructures import ImmutableMultiDict
except ImportError as missing:
    raise ImportError(
        f"the contract check needs more packages: {install_command('contract')}"
    ) from missing

Document = Mapping[str, Any]

_NO_FIELD = "no such field"
_SOME_OPERATION = "a method, a path and a server of the document"


class Violation(NamedTuple):
    """One difference: its place, what the document requires, and the actual value, unmasked."""

    path: str
    expected: str
    got: str


class OpenAPIDocument:
    """An OpenAPI document that allows no undocumented fields in any object.

    With `any_server`, requests may go to undocumented servers, such as an emulator.
    """

    def __init__(self, document: Document, *, any_server: bool = True) -> None:
        finder = _AnyServerPathFinder if any_server else APICallPathFinder
        spec = SchemaPath.from_dict(_closed(document))
        self._finder = finder(spec)
        self._requests = V30RequestValidator(spec, path_finder_cls=finder)
        self._responses = V30ResponseValidator(spec, path_finder_cls=finder)

    @classmethod
    def from_yaml(cls, text: str) -> OpenAPIDocument:
        """Parse a document."""
        return cls(yaml.safe_load(text))

    def check_request(self, operation_id: str, request: httpx.Request) -> list[Violation]:
        """Return the differences of an operation's request, whose body has been read."""
        return [*dict.fromkeys(self._request_findings(operation_id, _Request(request)))]

    def check_response(self, request: httpx.Request, response: httpx.Response) -> list[Violation]:
        """Return the differences of the response to a request, whose body has been read."""
        sent, received = _Request(request), _Response(response)
        errors = self._responses.iter_errors(sent, received)
        return [*dict.fromkeys(_all_findings(errors, received.data))]

    def _request_findings(self, operation_id: str, request: _Request) -> Iterator[Violation]:
        sent = f"{request.method.upper()} {request.path}"
        try:
            found = cast("Any", self._finder.find(request.method, request.host_url + request.path))
        except PathError:
            yield Violation("operation", _SOME_OPERATION, sent)
            return
        if found.operation["operationId"] != operation_id:
            yield Violation("operation", f"a request of {operation_id}", sent)
            return
        parameters = (*found.path.get("parameters", ()), *found.operation.get("parameters", ()))
        yield from _query_findings(request.query, parameters)
        yield from _all_findings(self._requests.iter_errors(request), request.body)


class _AnyServerPathFinder(APICallPathFinder):
    """Finds an operation by its path alone, on any server."""

    servers_iterator = SimpleServersIterator()


class _Request:
    """An httpx request as openapi-core reads one, without its credentials."""

    def __init__(self, request: httpx.Request) -> None:
        url = request.url
        headers = httpx.Headers(request.headers)
        if "authorization" in headers:
            # Only the scheme is validated, and openapi-core's objects show all their headers.
            scheme, space, _ = headers["authorization"].partition(" ")
            headers["authorization"] = f"{scheme}{space}***"
        query = ImmutableMultiDict(url.params.multi_items())  # for arrays, sent as repetitions
        self.parameters = RequestParameters(query=query, header=headers)
        self.query = url.params
        self.method = request.method.lower()
        self.body = request.content or None
        self.content_type = headers.get("content-type", "").lower()
        self.host_url = f"{url.scheme}://{url.netloc.decode('ascii')}"
        self.path = url.raw_path.partition(b"?")[0].decode("ascii")


class _Response:
    """An httpx response as openapi-core reads one."""

    def __init__(self, response: httpx.Response) -> None:
        self.status_code = response.status_code
        self.headers = response.headers
        self.content_type = response.headers.get("content-type", "").lower()
        self.data = response.content or None


def _closed(node: Any) -> Any:
    """Return a part of a document in which no object allows other than the documented fields.

    Nothing in it is deprecated: openapi-core would warn, and fail tests that make warnings errors.
    """
    if isinstance(node, Sequence) and not isinstance(node, str):
        return [_closed(item) for item in cast("Sequence[object]", node)]
    if not isinstance(node, Mapping):
        return node
    closed = {
        name: value if name in ("example", "examples") else _closed(value)
        for name, value in cast("Mapping[str, Any]", node).items()
        if name != "deprecated" or not isinstance(value, bool)
    }
    if closed.get("type") == "object" and isinstance(closed.get("properties"), dict):
        closed.setdefault("additionalProperties", False)
    return closed


def _json_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _query_findings(query: httpx.QueryParams, parameters: Iterable[Any]) -> Iterator[Violation]:
    """Find what openapi-core accepts: undocumented parameters, "yes" for true, repetitions."""
    types = {
        parameter["name"]: parameter["schema"].get("type")
        for parameter in parameters
        if parameter["in"] == "query"
    }
    for name, value in query.multi_items():
        if name not in types:
            yield Violation(f"query {name}", "no such parameter", _json_text(value))
        elif types[name] == "boolean" and value not in ("true", "false"):
            yield Violation(f"query {name}", "true or false", _json_text(value))
        elif types[name] != "array" and len(query.get_list(name)) > 1:
            yield Violation(f"query {name}", "one value", _json_text(query.get_list(name)))


def _all_findings(errors: Iterable[Exception], body: bytes | None) -> Iterator[Violation]:
    try:
        for error in errors:
            yield from _findings(error, body)
    except RecursionError:
        yield Violation("$", "JSON", "JSON that is nested too deeply")
    except (OpenAPIError, ValueError):
        # openapi-core does not handle a malformed parameter of a content type.
        yield Violation("content type", "application/json", "one that cannot be read")


def _findings(error: Exception, body: bytes | None) -> Iterator[Violation]:
    """Turn an error of openapi-core into findings."""
    match error:
        case PathError():
            yield Violation("operation", _SOME_OPERATION, "none")
        case ResponseNotFound():
            yield Violation("status", " or ".join(error.availableresponses), error.http_status)
        case SecurityValidationError():
            schemes: list[list[str]] = getattr(error.__cause__, "schemes", [])
            known = " or ".join(" and ".join(names) for names in schemes) or "credentials"
            yield Violation("credentials", known, "none, or of another scheme")
        case MissingRequestBodyError() | MissingData():
            yield Violation("$", "a body", "nothing")
        case ParameterValidationError():
            yield from _value_findings(error.__cause__, f"{error.location} {error.name}", body)
        case HeaderValidationError():
            yield from _value_findings(error.__cause__, f"header {error.name}", body)
        case _:
            yield from _value_findings(error.__cause__, "$", body)


def _value_findings(cause: object, at: str, body: bytes | None) -> Iterator[Violation]:
    """Turn the error of a value, of a parameter or a body, into findings."""
    match cause:
        case InvalidSchemaValue():
            for error in cause.schema_errors:
                yield from _schema_findings(error, at)
        case MediaTypeNotFound():
            known = " or ".join(cause.availableMimetypes)
            yield Violation("content type", known, cause.mimetype or "none")
        case CastError():
            yield Violation(at, str(cause.type), _json_text(cause.value))
        case None:
            yield Violation(at, "a value", "nothing")
        case _:
            yield Violation(at, "JSON", (body or b"").decode("utf-8", "replace"))


def _schema_findings(error: Any, at: str) -> Iterator[Violation]:
    """Turn an error of jsonschema into findings, one per field."""
    where = error.json_path if at == "$" else at
    match error.validator:
        case "additionalProperties":
            for name, value in error.instance.items():
                if name not in error.schema["properties"]:
                    yield Violation(f"{where}.{name}", _NO_FIELD, _json_text(value))
        case "required":
            for name in error.validator_value:
                if name not in error.instance:
                    yield Violation(f"{where}.{name}", "a value", "nothing")
        case "anyOf" | "oneOf" if error.context:
            yield from _nearest_alternative(error, at)
        case "type" | "format":
            yield Violation(where, str(error.validator_value), _json_text(error.instance))
        case keyword:
            expected = f"{keyword} {_json_text(error.validator_value)}"
            yield Violation(where, expected, _json_text(error.instance))


def _nearest_alternative(error: Any, at: str) -> Iterator[Violation]:
    """Find for the alternative with the fewest undocumented fields, then the fewest findings."""
    by_alternative: dict[str | int, list[Violation]] = {}
    for inner in error.context:
        findings = by_alternative.setdefault(inner.relative_schema_path[0], [])
        findings.extend(_schema_findings(inner, at))
    yield from min(
        by_alternative.values(),
        key=lambda found: (sum(each.expected == _NO_FIELD for each in found), len(found)),
    )
