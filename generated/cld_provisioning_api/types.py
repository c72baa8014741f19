# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

"""Requests, parameters and JSON, as the endpoint modules and the models use them. No I/O."""

import re
from collections.abc import Hashable, Iterable, Mapping, MutableMapping
from datetime import date, datetime
from enum import Enum
from functools import cache
from threading import RLock
from typing import Any, ClassVar, Generic, Self, TypeVar, cast
from urllib.parse import quote, urlencode

import msgspec
from attrs import NOTHING, define

T = TypeVar("T")

# Usual IDs, which need no encoding and cannot be a dot segment.
_PLAIN_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.~-]*")
# Longer than any server accepts in a path, and short enough that three fit into a URL of httpx.
_LONGEST_ID = 16_384
_HEX_DIGITS = b"0123456789abcdefABCDEF"
# Where a lenient server ends a segment: at its parameters, the query, the fragment, or a NUL.
_END_OF_SEGMENT = re.compile("[;?#\0]")
# What lenient URL parsers drop anywhere in a path.
_CONTROL_CHARACTERS = re.compile(r"[\x01-\x1f\x7f]")


@define(weakref_slot=False)
class HttpRequest:
    """An HTTP request to the API, relative to its server and without credentials.

    Attributes:
        method: The HTTP method.
        target: The path, percent-encoded, and the query.
        headers: The operation's own headers, such as its content type.
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
        status_code: The status code: an int, for `http.HTTPStatus` has no 420.
        content: The body as received.
        headers: The headers.
        parsed: The body, decoded, or None where the OpenAPI document has no body for the status.
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
        return cast("Self", _convert(src_dict, cls))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> object:
        """Let pydantic, where it is installed, validate and serialize models, as FastAPI has it do."""
        from pydantic_core import core_schema

        def validate(value: Any) -> Model:
            try:
                return value if isinstance(value, cls) else cls.from_dict(value)
            except msgspec.ValidationError as error:
                raise ValueError(str(error)) from None

        return core_schema.no_info_plain_validator_function(
            validate,
            json_schema_input_schema=core_schema.dict_schema(),
            serialization=core_schema.plain_serializer_function_ser_schema(
                cls.to_dict, return_schema=core_schema.dict_schema()
            ),
        )


def _present(value: Any) -> Any:
    """Return models as dicts of the fields that are present, and any kind of str as a plain str."""
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
    if isinstance(value, str):
        return str.__str__(value)  # msgspec encodes no subclasses of str, except Enums
    return value


class InvalidId(ValueError):
    """An ID that could address another resource than the one that it names. Nothing was sent.

    Attributes:
        parameter: The parameter: `account_id`, `group_id`, `user_id`.
        value: The ID, as the caller passed it.
    """

    parameter: str
    value: str

    def __init__(self, parameter: str, value: str, problem: str) -> None:
        super().__init__(parameter, value, problem)  # all arguments, for pickle
        self.parameter = parameter
        self.value = value
        self._problem = problem

    def __str__(self) -> str:
        shown = self.value if len(self.value) <= 100 else f"{self.value[:100]}…"
        return f"{self.parameter} must {self._problem}, but is {shown!r}"


def path_segment(name: str, value: object) -> str:
    """Return an ID percent-encoded whole, as exactly one segment of a path.

    Clients, servers and the proxies between them resolve `.` and `..` in a path, also
    percent-encoded (RFC 3986, 5.2.4), and many proxies decode a path, fold it and encode it again:
    `..%2F..` then addresses another resource. So an ID is rejected if any number of
    percent-decodings turns it into more than one segment, an empty one, or a dot segment.

    These count as what a lenient server makes of them: a backslash as a slash; `..;x`, `..?x`,
    `..#x` and `..\\0x` as `..`, and `;x` as an empty segment; control characters as nothing;
    and bytes that are not UTF-8 as anything, an overlong `/` (`%C0%AF`) for one. Characters that
    only look like a dot or a slash, full-width ones for example, are accepted: no HTTP server or
    proxy normalizes Unicode before it resolves a path.

    Args:
        name: The parameter, for the error message.
        value: The ID.

    Raises:
        TypeError: The ID is not a str.
        InvalidId: The ID is not one segment, whoever decodes it, or is too long.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    value = str.__str__(value)  # a subclass, an Enum for one, may format as something else
    if len(value) > _LONGEST_ID:
        raise InvalidId(name, value, f"have at most {_LONGEST_ID} characters")
    if _PLAIN_ID.fullmatch(value):
        return value
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        raise InvalidId(name, value, "be valid Unicode") from None
    try:
        decoded = _fully_percent_decoded(encoded).decode()
    except UnicodeDecodeError:
        raise InvalidId(name, value, "be UTF-8 when it is percent-decoded") from None
    if "/" in decoded or "\\" in decoded:
        raise InvalidId(name, value, "be one path segment, with no slash or backslash")
    first = _END_OF_SEGMENT.split(decoded, maxsplit=1)[0]
    match _CONTROL_CHARACTERS.sub("", first).strip():
        case "":
            raise InvalidId(name, value, "not be empty or blank")
        case "." | "..":
            raise InvalidId(name, value, "not be a dot segment")
        case _:
            pass
    segment = quote(encoded, safe="")
    if len(segment) > _LONGEST_ID:
        raise InvalidId(name, value, f"have at most {_LONGEST_ID} bytes, percent-encoded")
    return segment


def _fully_percent_decoded(encoded: bytes) -> bytes:
    """Percent-decode a text until decoding no longer changes it.

    In one pass, where repeating takes quadratic time. The result is the same: two escapes never
    overlap, so their order does not matter.
    """
    decoded = bytearray()
    for byte in encoded:
        decoded.append(byte)
        while (
            len(decoded) > 2 and decoded[-3] == 0x25 and all(d in _HEX_DIGITS for d in decoded[-2:])
        ):
            decoded[-3:] = bytes([int(decoded[-2:], 16)])
    return bytes(decoded)


def parameter(name: str, value: Any, expected: Any) -> Any:
    """Return a query or header parameter as a str, or a list of str.

    Args:
        name: The parameter, for the error message.
        value: Its value.
        expected: Its type in the OpenAPI document.

    Raises:
        TypeError: The value is not of that type.
        ValueError: A str is not valid Unicode.
    """
    try:
        converted = _convert(value, expected)
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
    pairs = list(parameters)
    if not pairs:  # as most calls: urlencode costs as much as the rest of this request
        return ""
    encoded = urlencode(pairs, doseq=True, quote_via=quote)
    return f"?{encoded}" if encoded else ""


# While msgspec examines a class, another thread that does so too finds it half examined, and crashes
# the process.
_examining = RLock()


@cache
def _decoder(expected: Hashable) -> msgspec.json.Decoder[Any]:
    with _examining:
        return msgspec.json.Decoder(expected)


def _convert(value: Any, expected: Any) -> Any:
    _decoder(expected)  # from now on the class is examined
    return msgspec.convert(value, expected)


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


def decode_nothing(content: bytes) -> None:
    """Accept the body of a success whose body is not documented: none, null, or a JSON object.

    Raises:
        msgspec.DecodeError: It is something else, such as the login page of a network, or an error.
    """
    if content.strip() and "error" in (decode(content, dict[str, Any] | None) or ()):  # type: ignore[arg-type]
        raise msgspec.ValidationError("Expected no error - at `$.error`")


def decode_any_of(content: bytes, *expected: type[Model]) -> Any:
    """Decode a JSON body as one of several models, told apart by the names of the body's fields.

    A model whose required fields are all there goes before one that lacks any, then the model that
    shares more fields with the body, then the first.

    Raises:
        msgspec.DecodeError: As for decode.
    """
    names = decode(content, dict[str, msgspec.Raw]).keys()

    def fit(model: type[Model]) -> tuple[bool, int]:
        required, known = _field_names(model)  # type: ignore[arg-type]  # as in decode
        return required <= names, len(known & names)

    return decode(content, max(expected, key=fit))


@cache
def _field_names(model: type[Model]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of a model's required fields, and of all its fields."""
    fields = model.__attrs_attrs__
    required = frozenset(field.name for field in fields if field.default is NOTHING)
    return required, frozenset(field.name for field in fields)


def encode_body(body: Model, expected: type[Model]) -> bytes:
    """Return a model as a JSON body, every value checked.

    Raises:
        TypeError: The body is not of the expected model, a field is of the wrong type, or a dict in
            it has a field that its model has not.
        ValueError: A str is not valid Unicode.
    """
    if not isinstance(body, expected):
        raise TypeError(f"body must be a {expected.__name__}, not {type(body).__name__}")
    fields = _present(body)
    try:
        converted = _convert(fields, expected)
        if not {list, dict}.isdisjoint(map(type, fields.values())):
            # A field that the server would ignore, such as a misspelt scope, must not be left out.
            _reject_unknown(expected.__name__, fields, converted)
            fields = _present(converted)
        return msgspec.json.encode(fields)
    except msgspec.ValidationError as error:
        raise TypeError(f"{expected.__name__}: {error}") from None
    except UnicodeEncodeError as error:
        field = next((name for name, value in fields.items() if value == error.object), "a field")
        raise ValueError(f"{expected.__name__}: {field} must be valid Unicode") from None


def _reject_unknown(place: str, given: Any, converted: Any) -> None:
    if isinstance(converted, list | tuple):
        for item, model in zip(given, cast("list[Any]", converted), strict=True):
            _reject_unknown(place, item, model)
    elif isinstance(converted, Model):
        _, known = _field_names(type(converted))  # type: ignore[arg-type]  # as in decode
        for name, value in given.items():
            if name not in known:
                raise TypeError(f"{place} has no field {name!r}")
            _reject_unknown(f"{place}.{name}", value, getattr(converted, name))


__all__ = [
    "HttpRequest",
    "InvalidId",
    "Model",
    "Response",
    "decode",
    "decode_any_of",
    "decode_nothing",
    "encode_body",
    "parameter",
    "path_segment",
    "query",
]
