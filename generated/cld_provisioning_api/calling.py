# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

"""What the classes of the resources need: options, retries, raw responses, both forms of a request.

Copied into the package as it is by `make generate`. The classes send nothing themselves: whoever
creates them passes in what sends a request, and decides whether and when to send it again.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Collection, Coroutine, Mapping
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from types import FunctionType
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Final,
    Generic,
    Literal,
    NamedTuple,
    ParamSpec,
    Protocol,
    TypeVar,
    cast,
    overload,
)

import httpx
import msgspec
from attrs import NOTHING, AttrsInstance, asdict, define, field, fields, frozen

from .types import HttpRequest

if TYPE_CHECKING:
    from attrs import Attribute

T = TypeVar("T")
D = TypeVar("D")
R = TypeVar("R")
P = ParamSpec("P")
M = TypeVar("M", bound=AttrsInstance)

Effect = Literal["read", "create", "update", "delete", "add", "remove"]
"""What an operation does, and so what a second request would do."""

_INTEGER = re.compile(r"-?[0-9]{1,15}", re.ASCII)
# The three forms of an HTTP date (RFC 9110, 5.6.7). The parser would take far more than these.
_TIME = r"[0-9]{2}:[0-9]{2}:[0-9]{2}"
_HTTP_DATE = re.compile(
    rf"[A-Za-z]{{3}}, [0-9]{{2}} [A-Za-z]{{3}} [0-9]{{4}} {_TIME} (?:GMT|UTC)"
    rf"|[A-Za-z]{{6,9}}, [0-9]{{2}}-[A-Za-z]{{3}}-[0-9]{{2}} {_TIME} GMT"
    rf"|[A-Za-z]{{3}} [A-Za-z]{{3}} [ 0-9][0-9] {_TIME} [0-9]{{4}}",
    re.ASCII,
)


def warn_deprecated(what: str) -> None:
    """Warn the caller of a method of what the document calls deprecated.

    Args:
        what: The method, or the argument and its method.
    """
    message = f"{what} is deprecated: a later version of the API may not have it"
    warnings.warn(message, DeprecationWarning, stacklevel=3)


class Unset(Enum):
    """The type of UNSET, the default of arguments for which None has a meaning."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET


def _number(minimum: float) -> Any:
    def check(instance: object, attribute: Attribute[Any], value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"{attribute.name} must be a number, not {type(value).__name__}")
        if not math.isfinite(value) or value < minimum:
            raise ValueError(f"{attribute.name} must be at least {minimum}, not {value!r}")

    return check


@frozen
class BackoffStrategy:
    """Exponential backoff with full jitter.

    The n-th delay is random between zero and initial_interval * exponent ** (n - 1), at most
    max_interval, unless the server sends a delay.

        BackoffStrategy(initial_interval=200, max_elapsed_time=120_000)

    Args:
        initial_interval: The upper limit of the first delay, in milliseconds.
        max_interval: The upper limit of every delay, in milliseconds.
        exponent: The factor by which the upper limit grows with each attempt.
        max_elapsed_time: The time limit for all attempts and delays of a call, in milliseconds.
            No delay begins that would exceed it.

    Raises:
        TypeError: An argument is not a number.
        ValueError: An argument is negative or not finite, or the exponent is below 1.
    """

    initial_interval: float = field(default=500, validator=_number(0))
    max_interval: float = field(default=8_000, validator=_number(0))
    exponent: float = field(default=2.0, validator=_number(1))
    max_elapsed_time: float = field(default=30_000, validator=_number(0))


@frozen
class RetryConfig:
    """What to retry, and when. Pass None instead to disable retries.

        RetryConfig(retry_connection_errors=False)  # retry status codes only

    Args:
        strategy: "backoff", or "none", which disables retries too.
        backoff: The delays.
        retry_connection_errors: Whether to retry if no response was received: it could not
            connect, the connection broke, or a time limit expired. Status codes are retried either
            way.
        retry_throttled: Whether to retry 420 and 429. False for a caller that paces its calls
            itself, as `cld_user_groups.membership` does.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: The strategy is neither "backoff" nor "none".
    """

    strategy: Literal["backoff", "none"] = "backoff"
    backoff: BackoffStrategy = field(factory=BackoffStrategy)
    retry_connection_errors: bool = True
    retry_throttled: bool = field(default=True, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.strategy not in ("backoff", "none"):
            raise ValueError(f'strategy must be "backoff" or "none", not {self.strategy!r}')
        if not isinstance(self.backoff, BackoffStrategy):
            raise TypeError(f"backoff must be a BackoffStrategy, not {type(self.backoff).__name__}")
        for name in ("retry_connection_errors", "retry_throttled"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be a bool")


@frozen
class RateLimit:
    """The account's quota of requests, as the X-FeatureRateLimit-* headers report it.

    Attributes:
        limit: How many requests the account may make an hour, or None if the header is missing.
        remaining: How many of them are left, never below zero, or None.
        reset: When the hour is over, as an aware datetime in UTC, or None.
    """

    limit: int | None = None
    remaining: int | None = None
    reset: datetime | None = None


def parse_http_date(text: str) -> datetime | None:
    """Return an HTTP date, in any of its three forms, as an aware datetime, or None."""
    text = text.strip()
    if not _HTTP_DATE.fullmatch(text):
        return None
    try:
        if text[3] == ",":  # the form that servers send
            return parsedate_to_datetime(text).replace(tzinfo=UTC)
        # Only the two obsolete forms need it, and it is slow to import.
        from dateutil.parser import parse

        date: datetime = parse(text)
    except (ValueError, OverflowError):
        return None
    return date.replace(tzinfo=UTC)  # all three forms are in UTC, and the third does not say so


def parse_remaining(headers: httpx.Headers) -> int | None:
    """Return how many requests are left of the quota, never below zero, or None."""
    remaining = _integer(headers.get("x-featureratelimit-remaining"))
    return None if remaining is None else max(0, remaining)


def parse_limit(headers: httpx.Headers) -> int | None:
    """Return how many requests the account may make an hour, or None."""
    return _integer(headers.get("x-featureratelimit-limit"))


def parse_rate_limit(headers: httpx.Headers) -> RateLimit:
    """Parse the quota from the headers."""
    return RateLimit(
        limit=parse_limit(headers),
        remaining=parse_remaining(headers),
        reset=parse_http_date(headers.get("x-featureratelimit-reset") or ""),
    )


def _integer(text: str | None) -> int | None:
    return int(text) if text is not None and _INTEGER.fullmatch(text.strip()) else None


@frozen
class RawResponse(Generic[T]):
    """A result together with its response.

    Attributes:
        parsed: The result, as the method returns it.
        status_code: The status code of the response.
        headers: The headers of the response.
        retries: How many attempts there were before the last one.
    """

    parsed: T
    status_code: int
    headers: httpx.Headers
    retries: int

    @property
    def request_id(self) -> str | None:
        """The server's ID of the request, for the vendor's support."""
        return cast("str | None", self.headers.get("x-request-id"))

    @property
    def rate_limit(self) -> RateLimit:
        """The account's quota, as the response reports it."""
        return parse_rate_limit(self.headers)


@frozen
class Operation(Generic[D, R]):
    """An operation of the OpenAPI document.

    Attributes:
        id: Its operationId.
        effect: What it does.
        decode: Decodes the body of a success.
        is_converted: Whether its result is of another type than that body, as `x-result` says.
    """

    id: str
    effect: Effect
    decode: Callable[[bytes], D]
    is_converted: bool = False


class Options(NamedTuple):
    """The options of a call, as they were passed."""

    retries: RetryConfig | Unset | None
    server_url: str | None
    timeout_ms: float | None
    http_headers: Mapping[str, str] | None


class Send(Protocol):
    """Sends a request of an operation, and returns the operation's result."""

    def __call__(
        self,
        operation: Operation[Any, R],
        request: HttpRequest,
        ids: Mapping[str, str],
        options: Options,
        /,
    ) -> R: ...


class AsyncSend(Protocol):
    """Sends a request of an operation, and returns the operation's result."""

    async def __call__(
        self,
        operation: Operation[Any, R],
        request: HttpRequest,
        ids: Mapping[str, str],
        options: Options,
        /,
    ) -> R: ...


@define(repr=False)
class SyncResource:
    """The base of the resources of a sync client.

    Args:
        account_id: The account.
        send: Sends a request, and returns the result.
        send_raw: The same, but returns a RawResponse.
    """

    account_id: str
    _send: Send
    _send_raw: Send


@define(repr=False)
class AsyncResource:
    """The base of the resources of an async client; see SyncResource."""

    account_id: str
    _send: AsyncSend
    _send_raw: AsyncSend


class Raw(Generic[P, T]):
    """A method of another class that returns a RawResponse here: `list = Raw(UserGroups.list)`.

    What the class gets is a plain function, so that help() and tracebacks show it as any other.

    Args:
        method: The method.
    """

    def __init__(self, method: Callable[Concatenate[Any, P], T]) -> None:
        self._method = method

    def __set_name__(self, owner: type, name: str) -> None:
        setattr(owner, name, _raw(cast("FunctionType", self._method), owner))

    @overload
    def __get__(
        self, instance: None, owner: type
    ) -> Callable[Concatenate[Any, P], RawResponse[T]]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Callable[P, RawResponse[T]]: ...
    def __get__(self, instance: object, owner: type) -> Any:
        raise NotImplementedError  # the class has the function by then


class AsyncRaw(Generic[P, T]):
    """The same for a coroutine method; see Raw."""

    def __init__(self, method: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]) -> None:
        self._method = method

    def __set_name__(self, owner: type, name: str) -> None:
        setattr(owner, name, _raw(cast("FunctionType", self._method), owner))

    @overload
    def __get__(
        self, instance: None, owner: type
    ) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, RawResponse[T]]]: ...
    @overload
    def __get__(
        self, instance: object, owner: type
    ) -> Callable[P, Coroutine[Any, Any, RawResponse[T]]]: ...
    def __get__(self, instance: object, owner: type) -> Any:
        raise NotImplementedError


# An example in a docstring shows the method of the other class.
_EXAMPLE = re.compile(r"\n\n {12}.*?(?=\n\n {8}\w)", re.DOTALL)
_RETURNS = re.compile(r"(Returns:\n *)(\w)")


def _raw(method: FunctionType, owner: type) -> FunctionType:
    name = f"{owner.__qualname__}.{method.__name__}"
    code = method.__code__.replace(co_qualname=name)
    copy = FunctionType(code, method.__globals__, method.__name__, None, method.__closure__)
    copy.__kwdefaults__ = method.__kwdefaults__
    copy.__qualname__, copy.__module__ = name, owner.__module__
    result = method.__annotations__["return"]
    copy.__annotations__ = {**method.__annotations__, "return": f"RawResponse[{result}]"}
    copy.__doc__ = _RETURNS.sub(
        lambda found: f"{found[1]}A RawResponse, with this as its `parsed`: {found[2].lower()}",
        _EXAMPLE.sub("", method.__doc__ or "", count=1),
        count=1,
    )
    return copy


def one_request(argument: str, request: object, model: type[M], **values: Any) -> M:
    """Return the request, from whichever form was passed.

    The values of the fields are not checked here, but where the request is encoded.

    Args:
        argument: The name of the argument that accepts a model or a dict.
        request: Its value.
        model: The model.
        **values: The values of the arguments that accept a field each, None for absent.

    Raises:
        TypeError: Both forms are passed, a required field is missing, or a field is unknown.
    """
    if request is None:
        return _complete(argument, model, values)
    given = [name for name, value in values.items() if value is not None]
    if given:
        raise TypeError(f"{argument} has all fields: pass it alone, or {min(given)}= without it")
    if isinstance(request, model):
        return request
    if not isinstance(request, Mapping):
        raise TypeError(
            f"{argument} must be a {model.__name__} or a dict, not {type(request).__name__}"
        )
    passed = cast("Mapping[str, Any]", request)
    unknown = [name for name in passed if name not in values]
    if unknown:
        raise TypeError(f"{argument} has no field {unknown[0]!r}: it can have {', '.join(values)}")
    return _complete(argument, model, dict(passed))


def _complete(argument: str, model: type[M], values: dict[str, Any]) -> M:
    for each in fields(model):
        if each.default is NOTHING and values.get(each.name) is None:
            raise TypeError(
                f"{each.name} is missing: pass {each.name}=, or {argument}= with a {each.name}"
            )
    return model(**values)


def query_parameters(query: AttrsInstance, maxima: Mapping[str, int]) -> dict[str, Any]:
    """Return the parameters of a query; the endpoint module checks the types of all others.

    Args:
        query: The query.
        maxima: The parameters that are lists, and how many items each may have.

    Raises:
        TypeError: A value is of the wrong type.
        ValueError: A list is empty or too long, holds a blank, or a date is not one.
    """
    parameters = asdict(query, recurse=False)
    for name, maximum in maxima.items():
        if parameters[name] is not None:
            _check_items(name, parameters[name], maximum)
    for attribute in fields(type(query)):
        value = parameters[attribute.name]
        if isinstance(value, str) and "datetime.date" in str(attribute.type):
            parameters[attribute.name] = _date(attribute.name, value)
    return parameters


def _check_items(name: str, items: object, maximum: int) -> None:
    """Check a list to filter by. An empty one cannot be sent: it would filter nothing."""
    if not isinstance(items, list | tuple | set | frozenset):
        raise TypeError(f"{name} must be a list of str, not {type(items).__name__}")
    items = cast("Collection[object]", items)
    if not items:
        raise ValueError(f"{name} must not be empty: without a filter, every user is returned")
    if len(items) > maximum:
        raise ValueError(f"{name} must have at most {maximum} items, but has {len(items)}")
    if any(isinstance(item, str) and not item.strip() for item in items):
        raise ValueError(f"{name} must not hold an empty or blank str")


def _date(name: str, text: str) -> date:
    try:
        return msgspec.convert(text, date)
    except msgspec.ValidationError:
        raise ValueError(f"{name} must be a date as yyyy-mm-dd, but is {text!r}") from None
