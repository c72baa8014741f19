"""Validate requests and responses against the OpenAPI document, with a hook.

For tests, and for runs against a real account. It is stricter than the client, which ignores
unknown fields and raises an ordinary error for an undocumented status code: here, both are
differences.

    with CldProvisioning(hooks=[ContractCheck()]) as client:
        client.user_groups.list()  # raises ContractError if the API differs from the document

Needs the extra `contract`: pip install "./cld-user-groups[contract]".
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any, Literal, cast

import httpx
from attrs import frozen

from ._engine.retry import parse_http_date
from ._openapi import OpenAPIDocument, Violation
from .hooks import HookContext
from .security import Authorization, Security

_NAME = "openapi.yaml"
_RESET = "X-FeatureRateLimit-Reset"
_QUOTA = ("X-FeatureRateLimit-Limit", "X-FeatureRateLimit-Remaining", _RESET)
# The number of characters of a value that are shown.
_EXCERPT = 80


@frozen
class Difference:
    """One place where a request or a response does not match the OpenAPI document.

    Attributes:
        operation_id: The ID of the operation in the document.
        side: The side that differs: the "request" or the "response".
        path: The place: in the body, as in `$.user_groups[0].id`, or "status", "content type",
            "header X-Request-Id", "query extended_details", "path group_id", "credentials",
            "operation".
        expected: What the document requires.
        got: The actual value, shortened, without credentials.
    """

    operation_id: str
    side: Literal["request", "response"]
    path: str
    expected: str
    got: str

    def __str__(self) -> str:
        return (
            f"{self.operation_id} {self.side} {self.path}: expected {self.expected}, got {self.got}"
        )


class ContractError(AssertionError):
    """A request or a response does not match the OpenAPI document.

    Attributes:
        differences: The differences, at least one.
    """

    differences: tuple[Difference, ...]

    def __init__(self, differences: Sequence[Difference]) -> None:
        self.differences = tuple(differences)
        super().__init__(
            "does not match the OpenAPI document:\n"
            + "\n".join(f"  {each}" for each in differences)
        )

    def __reduce__(self) -> tuple[type[ContractError], tuple[tuple[Difference, ...]]]:
        # The default would call the class with the message.
        return type(self), (self.differences,)


class ContractCheck:
    """Validate every request before it is sent, and every response, against the OpenAPI document.

    Differences never show credentials, not even those that a server echoes in a response.

    Args:
        document: The path of the OpenAPI document. Default: the one that the SDK is generated from.
        raise_on_difference: Whether to raise a ContractError, which ends the call (before anything
            is sent, where the request differs), or only to collect the differences.
    """

    def __init__(
        self, document: str | PathLike[str] | None = None, *, raise_on_difference: bool = True
    ) -> None:
        text = _shipped() if document is None else Path(document).read_text(encoding="utf-8")
        self._document = _load(text)
        self._raises = raise_on_difference
        self._differences: list[Difference] = []

    @property
    def differences(self) -> tuple[Difference, ...]:
        """The differences found so far, in order."""
        return tuple(self._differences)

    def before_request(self, context: HookContext, request: httpx.Request) -> None:
        """Validate a request.

        Raises:
            ContractError: The request differs, and `raise_on_difference` is true.
        """
        differ = partial(_differences, context, "request", request)
        self._report(differ(self._document.check_request(context.operation_id, request)))

    def after_response(self, context: HookContext, response: httpx.Response) -> None:
        """Validate a response of any status code.

        Raises:
            ContractError: The response differs, and `raise_on_difference` is true.
        """
        differ = partial(_differences, context, "response", response.request)
        self._report(
            differ(
                self._document.check_response(response.request, response)
                or [*_body_findings(context, response), *_quota_findings(response.headers)]
            )
        )

    def _report(self, differences: list[Difference]) -> None:
        # No frame that raises holds the findings in a variable: they are not masked.
        self._differences += differences
        if differences and self._raises:
            raise ContractError(differences)


def _differences(
    context: HookContext,
    side: Literal["request", "response"],
    request: httpx.Request,
    findings: Sequence[Violation],
) -> list[Difference]:
    """Return findings as differences: masked first, for shortening could leave half of a secret."""
    mask = _mask(request) if findings else str
    return [
        Difference(context.operation_id, side, *(_short(mask(text)) for text in finding))
        for finding in findings
    ]


def _body_findings(context: HookContext, response: httpx.Response) -> Iterator[Violation]:
    """Find what no schema says: a key that comes twice, and a success about something else."""
    twice: list[str] = []

    def collect(pairs: list[tuple[str, object]]) -> dict[str, object]:
        names = [name for name, _ in pairs]
        twice.extend(name for name in dict.fromkeys(names) if names.count(name) > 1)
        return dict(pairs)

    try:
        body: Any = json.loads(response.content, object_pairs_hook=collect)
    except (ValueError, RecursionError):  # the schema's finding
        return
    for name in twice:
        yield Violation("$", "each key once", f"{json.dumps(name)} more than once")
    if not (response.is_success and isinstance(body, dict) and context.path_parameters):
        return
    body = cast("dict[str, Any]", body)
    *_, wanted = context.path_parameters.values()
    if isinstance(body.get("id"), str) and body["id"] != wanted:
        yield Violation("$.id", json.dumps(wanted), json.dumps(body["id"]))
    if context.user_id is not None and isinstance(body.get("users"), list):
        users = cast("list[Any]", body["users"])
        is_in = any(
            isinstance(each, dict) and cast("Any", each).get("id") == wanted for each in users
        )
        if is_in != (response.request.method == "POST"):
            user = f"the user {json.dumps(wanted)}"
            texts = ("a membership without", "it") if is_in else ("a membership with", "others")
            yield Violation("$.users", f"{texts[0]} {user}", texts[1])


def _quota_findings(headers: httpx.Headers) -> Iterator[Violation]:
    """Find a quota that is not whole, or whose end is no date."""
    found = {name: headers.get(name) for name in _QUOTA}
    if any(value is not None for value in found.values()):
        for name in (name for name, value in found.items() if value is None):
            yield Violation(f"header {name}", "a value", "nothing")
    reset = found[_RESET]
    if reset is not None and parse_http_date(reset) is None:
        yield Violation(f"header {_RESET}", "an HTTP date", json.dumps(reset))


def _mask(request: httpx.Request) -> Callable[[str], str]:
    """Return a function that masks the credentials of a request in a text that may echo them."""
    try:
        token = request.headers.get("authorization", "").partition(" ")[2]
        key, _, secret = b64decode(token, validate=True).decode().partition(":")
    except ValueError:
        return lambda text: text
    in_text = Authorization(Security(key, secret))
    in_json = Authorization(Security(key, json.dumps(secret, ensure_ascii=False)[1:-1]))
    return lambda text: in_json.redact(in_text.redact(text))


def _short(text: str) -> str:
    return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…"


def _shipped() -> str:
    """Return the text of the OpenAPI document that the SDK was generated from."""
    # A resource, for the package may be in a zip; in the source tree, two directories above it.
    packaged = files("cld_user_groups").joinpath(_NAME)
    for place in (packaged, Path(__file__).parents[2] / _NAME):
        if place.is_file():
            return place.read_text(encoding="utf-8")
    raise FileNotFoundError(f"{_NAME} is missing from the package: {packaged}")


_load = lru_cache(maxsize=8)(OpenAPIDocument.from_yaml)

__all__ = ["ContractCheck", "ContractError", "Difference"]
