"""What the endpoint modules and the models share: requests, parameters, JSON. Nothing here does I/O."""

import re
from collections.abc import Hashable, Iterable, Mapping, MutableMapping
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, ClassVar, Generic, Self, TypeVar, cast
from urllib.parse import quote, unquote, urlencode

import msgspec
from attrs import define

T = TypeVar("T")

# Usual IDs, which need no encoding and cannot be a dot segment.
_PLAIN_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.~-]*")
# Longer than any server takes in a path, and short enough that three fit into a URL of httpx.
_LONGEST_ID = 16_384
# How often an ID is percent-decoded in search of a dot segment: more often than any server does.
_DECODINGS = 8


@define(weakref_slot=False)
class HttpRequest:
    """An HTTP request to the API, relative to its server and without credentials.

    Attributes:
        method: The HTTP method.
        target: The path, percent-encoded, and the query.
        headers: Headers that the operation itself takes, its content type among them.
        content: The body, or None.
    """

    method: str
    target: str
    headers: dict[str, str]
    content: bytes | None = None


@define
class Response(Generic[T]):
    """A response from an endpoint.

    Attributes:
        status_code: The status: an int, for the API has statuses that `http.HTTPStatus` has not.
        content: The body as it came.
        headers: The headers.
        parsed: The body, decoded, or None where the description has no body for the status.
    """

    status_code: int
    content: bytes
    headers: MutableMapping[str, str]
    parsed: T | None


class Model:
    """The base of all models: attrs classes that msgspec fills, with None for an absent field."""

    __slots__ = ()
    __attrs_attrs__: ClassVar[Any]  # msgspec evaluates annotations: attrs.Attribute is not generic

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that are present, as JSON types."""
        return cast("dict[str, Any]", msgspec.to_builtins(_present(self)))

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Return a model with the fields of a decoded JSON object; unknown fields are ignored.

        Raises:
            msgspec.ValidationError: A value is of the wrong type; the message has its path.
        """
        return msgspec.convert(src_dict, cls)


def _present(value: Any) -> Any:
    """Return models as dicts of the fields that are present, and all else as it is."""
    if isinstance(value, Model):
        return {
            field.name: _present(item)
            for field in value.__attrs_attrs__
            if (item := getattr(value, field.name)) is not None
        }
    if isinstance(value, list | tuple):
        return [_present(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: _present(item) for key, item in cast("dict[str, Any]", value).items()}
    return value


def path_segment(name: str, value: object) -> str:
    """Return an ID percent-encoded whole, as exactly one segment of a path.

    HTTP clients and servers resolve `.` and `..` in a path, also percent-encoded, and an empty
    segment addresses the collection: such an ID would address another resource (RFC 3986, 5.2.4).

    Args:
        name: The parameter, for the error message.
        value: The ID.

    Raises:
        TypeError: The ID is not a str.
        ValueError: The ID is empty, blank, a dot segment, too long, or cannot be encoded.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    value = str.__str__(value)  # a subclass, an Enum for one, may format as something else
    if len(value) > _LONGEST_ID:
        raise ValueError(f"{name} must not be longer than {_LONGEST_ID} characters")
    if _PLAIN_ID.fullmatch(value):
        return value
    decoded = value
    for _ in range(_DECODINGS):
        decoded = unquote(decoded)
    stripped = decoded.strip()
    if not stripped:
        raise ValueError(f"{name} must not be empty or blank, but is {value!r}")
    if stripped in (".", ".."):
        raise ValueError(f"{name} must not be a dot segment, but is {value!r}")
    try:
        segment = quote(value, safe="")
    except UnicodeEncodeError:
        raise ValueError(f"{name} must be valid Unicode, but is {value!r}") from None
    if len(segment) > _LONGEST_ID:
        raise ValueError(f"{name} must not be longer than {_LONGEST_ID} bytes, percent-encoded")
    return segment


def parameter(name: str, value: Any, expected: Any) -> Any:
    """Return a query or header parameter as a str, or a list of str.

    Args:
        name: The parameter, for the error message.
        value: Its value.
        expected: The type that the description gives it.

    Raises:
        TypeError: The value is not of that type.
        ValueError: A str is not valid Unicode.
    """
    try:
        converted = msgspec.convert(value, expected)
    except msgspec.ValidationError as error:
        raise TypeError(f"{name}: {error}") from None
    text = _parameter_text(converted)
    try:
        "".join(text).encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name} must be valid Unicode") from None
    return text


def _parameter_text(value: Any) -> Any:
    match value:
        case bool():
            return "true" if value else "false"
        case Enum():
            return str(value.value)
        case datetime() | date():
            return value.isoformat()
        case list() | tuple():
            return [_parameter_text(item) for item in cast("list[Any]", value)]
        case _:
            return str(value)


def query(parameters: Iterable[tuple[str, Any]]) -> str:
    """Return a query with its question mark, or an empty str where there are no parameters."""
    encoded = urlencode(list(parameters), doseq=True, quote_via=quote)
    return f"?{encoded}" if encoded else ""


@cache
def _decoder(expected: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(expected)


def decode(content: bytes, expected: type[T]) -> T:
    """Return a JSON body as the expected type, every value checked; unknown fields are ignored.

    Raises:
        msgspec.DecodeError: The body is not JSON, or (ValidationError) a value is of the wrong
            type; then the message has its path.
    """
    try:
        decoder = _decoder(expected)  # type: ignore[arg-type]  # mypy takes a class for unhashable
        return cast("T", decoder.decode(content))
    except UnicodeDecodeError as error:
        problem = f"JSON is malformed: {error}"
    except RecursionError:
        problem = "JSON is nested too deeply"
    # Not in the handler: the other error would stay its context, and holds the whole body.
    raise msgspec.DecodeError(problem)


def decode_any_of(content: bytes, *expected: type[Model]) -> Any:
    """Return a JSON body as that one of some models which has most of the body's fields.

    Where fields are optional, a body may fit several models; its own field names tell them apart.
    Of equals the first is taken.

    Raises:
        msgspec.DecodeError: As decode does.
    """
    names = decode(content, dict[str, msgspec.Raw]).keys()
    return decode(content, max(expected, key=lambda model: len(names & _field_names(model))))


def _field_names(model: type[Model]) -> set[str]:
    return {field.name for field in model.__attrs_attrs__}


def encode_body(body: Model, expected: type[Model]) -> bytes:
    """Return a model as a JSON body, every value checked.

    Raises:
        TypeError: The body is not of the expected model, or a field is of the wrong type.
        ValueError: A str is not valid Unicode.
    """
    if not isinstance(body, expected):
        raise TypeError(f"body must be a {expected.__name__}, not {type(body).__name__}")
    fields = _present(body)
    try:
        msgspec.convert(fields, expected)
        return msgspec.json.encode(fields)
    except msgspec.ValidationError as error:
        raise TypeError(f"{expected.__name__}: {error}") from None
    except UnicodeEncodeError as error:
        field = next((name for name, value in fields.items() if value == error.object), "a field")
        raise ValueError(f"{expected.__name__}: {field} must be valid Unicode") from None


__all__ = [
    "HttpRequest",
    "Model",
    "Response",
    "decode",
    "decode_any_of",
    "encode_body",
    "parameter",
    "path_segment",
    "query",
]
