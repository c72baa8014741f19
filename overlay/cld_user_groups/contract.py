"""A hook that holds what is really sent and answered against the description, strictly.

For tests, and for runs against a real account: in production the client ignores fields that it does
not know, and an undocumented status is an ordinary error. Here both are differences.

    with CldProvisioning(hooks=[ContractCheck()]) as client:
        client.user_groups.list()  # raises ContractError where the API is not as described

Needs the extra `contract`: pip install "cld-user-groups[contract]".
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Sequence
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import Literal

import httpx
from attrs import frozen

from ._openapi import Description, Finding
from .hooks import HookContext
from .security import Authorization, Security

_NAME = "openapi.yaml"
# In an installed package the description lies inside it, in the source tree two folders above it.
_PLACES = (Path(__file__).parent / _NAME, Path(__file__).parents[2] / _NAME)
# How much of a value is shown, in characters.
_EXCERPT = 80


@frozen
class Difference:
    """One place in which a request or an answer is not what the description says.

    Attributes:
        operation_id: The operation, by its name in the description.
        side: Whose difference it is: that of the "request", sent by the SDK, or of the "answer".
        path: Where: in the body, as `$.user_groups[0].id`, or "status", "content type",
            "header X-Request-Id", "query extended_details", "path group_id", "credentials",
            "operation".
        expected: What the description says.
        got: What is there, shortened, without credentials.
    """

    operation_id: str
    side: Literal["request", "answer"]
    path: str
    expected: str
    got: str

    def __str__(self) -> str:
        return (
            f"{self.operation_id} {self.side} {self.path}: expected {self.expected}, got {self.got}"
        )


class ContractError(AssertionError):
    """A request or an answer is not what the description says.

    Attributes:
        differences: In what, at least one.
    """

    differences: tuple[Difference, ...]

    def __init__(self, differences: Sequence[Difference]) -> None:
        self.differences = tuple(differences)
        super().__init__("not as described:\n" + "\n".join(f"  {each}" for each in differences))

    def __reduce__(self) -> tuple[type[ContractError], tuple[tuple[Difference, ...]]]:
        # The default would make it anew from its message.
        return type(self), (self.differences,)


class ContractCheck:
    """Validates every request before it is sent, and every answer, against the description.

    It shows what differs, but no credentials: neither those that are sent nor, where a server
    echoes them, those in an answer.

    Args:
        description: The description's file. Default: the one that this SDK was made from.
        raise_on_difference: Whether to raise a ContractError at once, which ends the call (before
            a request is sent, if it is the request that differs), or only to collect.
    """

    def __init__(
        self,
        description: str | PathLike[str] | None = None,
        *,
        raise_on_difference: bool = True,
    ) -> None:
        path = _shipped_description() if description is None else Path(description)
        self._description = _load(path.resolve())
        self._raises = raise_on_difference
        self._differences: list[Difference] = []

    @property
    def differences(self) -> tuple[Difference, ...]:
        """All that was found so far, in the order in which it came."""
        return tuple(self._differences)

    def before_request(self, context: HookContext, request: httpx.Request) -> None:
        """Hold a request against the description.

        Raises:
            ContractError: It differs.
        """
        self._report(
            _differences(
                context,
                "request",
                request,
                self._description.check_request(context.operation_id, request),
            )
        )

    def after_response(self, context: HookContext, response: httpx.Response) -> None:
        """Hold an answer, of whatever status, against the description.

        Raises:
            ContractError: It differs.
        """
        request = response.request
        self._report(
            _differences(
                context, "answer", request, self._description.check_response(request, response)
            )
        )

    def _report(self, differences: list[Difference]) -> None:
        # Findings are not masked, so no frame that raises holds them in a variable.
        self._differences += differences
        if differences and self._raises:
            raise ContractError(differences)


def _differences(
    context: HookContext,
    side: Literal["request", "answer"],
    request: httpx.Request,
    findings: Sequence[Finding],
) -> list[Difference]:
    """Return findings as differences, masked, and then cut: a cut could leave half of a secret."""
    if not findings:
        return []
    mask = _mask(request)
    return [
        Difference(context.operation_id, side, *(_short(mask(text)) for text in finding))
        for finding in findings
    ]


def _mask(request: httpx.Request) -> Callable[[str], str]:
    """Return what takes a request's credentials out of a text, should a server have echoed them."""
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


def _shipped_description() -> Path:
    for place in _PLACES:
        if place.is_file():
            return place
    raise FileNotFoundError(f"{_NAME} is not where this package was installed: {_PLACES[0]}")


@lru_cache(maxsize=8)
def _load(path: Path) -> Description:
    return Description.from_file(path)


__all__ = ["ContractCheck", "ContractError", "Difference"]
