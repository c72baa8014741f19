"""The tools of an assistant: their schemas, and how one is called."""

from __future__ import annotations

import inspect
import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeAlias, get_type_hints

import mcp_types as types
import msgspec
from attrs import define, field, frozen
from msgspec import Meta

from cld_user_groups import membership
from cld_user_groups.errors import CloudinaryError, UsageRateExceeded, http_errors
from cld_user_groups.identity import seen_name
from cld_user_groups.membership.documents import form_of
from cld_user_groups.membership.lookup import error_in_call

from .account import Account, NotSent, log_call

Run: TypeAlias = Callable[..., object]

_LIMIT = Annotated[int, Meta(ge=1, le=200, description="The most rows to return.")]
_CURSOR: Any = Annotated[str, Meta(max_length=40, description="`next_cursor`, for more rows.")]
_PAGING: list[Any] = [("limit", _LIMIT, 50), ("cursor", _CURSOR | None, None)]
_PAGED: list[Any] = [("total", int | None, None), ("next_cursor", str | None, None)]
_MOST_HELD = 8
_MOST_LISTED = 200
_LONGEST = 1000

# Texts are fixed: nothing of an account or of a file stands in them.
_SAID = {
    "saved": "The plan is saved, and nothing was written to the account. A person applies it.",
    "refused": "A guard refuses this, and no plan was saved. See `breaches`, and ask for less.",
    "nothing_to_do": "No change is left, and no plan was saved. See `notes` and `held_back`.",
}
_ERRORS: list[tuple[type[Exception], str, str]] = [
    (msgspec.ValidationError, "arguments", "The arguments are not valid."),
    (membership.MembershipError, "invalid", "This does not fit the account or the file."),
    (membership.JournalError, "journal", "A journal cannot be read."),
    (NotSent, "not_sent", "A request was not sent, to keep the account or the quota as it is."),
    (UsageRateExceeded, "quota", "The quota of requests is used up."),
    (CloudinaryError, "api", "The response of the API is an error."),
    *((each, "network", "No response was received.") for each in http_errors()),
    (OSError, "system", "A file cannot be read or written."),
    (Exception, "internal", "Unexpected error."),
]


def form(name: str, **fields: Any) -> Any:
    """Return the form of a part of a result; every key is required."""
    return msgspec.defstruct(name, [*fields.items()], kw_only=True)


def many(kind: Any) -> Any:
    """Return the form of a list."""
    generic: Any = list
    return generic[kind]


_FAILED = form("Failed", kind=str, problems=many(form_of(membership.Problem)))


@frozen
class Tool:
    """A tool: a function, its arguments, its result and the key of the rows that come in pages."""

    shown: types.Tool
    run: Run
    takes: Any
    returns: Any
    rows: str


TOOLS: dict[str, Tool] = {}


def tool(
    rows: str, returns: Any, *, is_local: bool = False, proposes: bool = False
) -> Callable[[Run], Run]:
    """Return a decorator that makes a tool of a function, whose parameters are its arguments."""

    def add(run: Run) -> Run:
        name = run.__name__
        hints = get_type_hints(run, include_extras=True)
        _, *parameters = inspect.signature(run).parameters.values()
        fields = [
            (each.name, hints[each.name], *([] if each.default is each.empty else [each.default]))
            for each in parameters
        ]
        takes = msgspec.defstruct(
            "Arguments", [*fields, *_PAGING], kw_only=True, forbid_unknown_fields=True
        )
        paged = msgspec.defstruct(
            "Result", _PAGED, bases=(returns,), kw_only=True, omit_defaults=False
        )
        schemas = msgspec.json.schema_components
        _, taken = schemas([takes], ref_template="#/$defs/{name}")
        either, parts = schemas([paged, _FAILED], ref_template="#/$defs/{name}")
        shown = types.Tool(
            name=name,
            description=inspect.getdoc(run),
            input_schema={**taken.pop("Arguments"), "$defs": taken},
            output_schema={"type": "object", "anyOf": [*either], "$defs": parts},
            annotations=types.ToolAnnotations(
                read_only_hint=not proposes,
                destructive_hint=False,
                idempotent_hint=not proposes,
                open_world_hint=not is_local,
            ),
        )
        TOOLS[name] = Tool(shown, run, takes, paged, rows)
        return run

    return add


@define
class Desk:
    """Calls tools, logs each call, and holds the last results until their pages are read."""

    account: Account
    _held: dict[str, tuple[bytes, Any]] = field(factory=dict[str, tuple[bytes, Any]])

    def call(self, name: str, arguments: Mapping[str, Any]) -> types.CallToolResult:
        """Call a tool. An error is a result too, and so is that a call cannot be logged."""
        began, sent = time.monotonic(), self.account.reads.sent
        try:
            result = self._page(TOOLS[name], arguments)
            found = escaped(msgspec.to_builtins(result))
            said = f"{found['total']} in all. The rows are in structuredContent."
            answer = _answer(_SAID.get(found.get("outcome"), said), found)
        except Exception as error:  # noqa: BLE001 - reported, not swallowed
            answer = failure(error)
        data: dict[str, Any] = answer.structured_content
        saved: dict[str, Any] = data.get("saved") or {}
        asked = escaped(dict(arguments))
        try:
            log_call(
                self.account.state,
                tool=name,
                arguments=asked if len(json.dumps(asked)) <= 10 * _LONGEST else "too long",
                result=data.get("kind" if answer.is_error else "outcome", "done"),
                plan=saved.get("id"),
                requests=self.account.reads.sent - sent,
                milliseconds=round((time.monotonic() - began) * 1000),
            )
        except OSError as error:
            return failure(error)
        return answer

    def _page(self, tool: Tool, arguments: Mapping[str, Any]) -> Any:
        asked = msgspec.structs.asdict(msgspec.convert(arguments, tool.takes))
        limit, cursor = asked.pop("limit"), asked.pop("cursor")
        key = msgspec.json.encode([tool.shown.name, asked])
        token, _, at = (cursor or f"{secrets.token_hex(8)}-0").partition("-")
        if cursor is None:
            found = tool.run(self.account, **asked)
            self._held[token] = key, msgspec.convert(found, tool.returns, from_attributes=True)
            for old in list(self._held)[:-_MOST_HELD]:
                del self._held[old]
        elif self._held.get(token, (b"",))[0] != key or not at.isdecimal():
            message = "the cursor is not of these arguments, or too old"
            raise error_in_call(message, "begin again, without a cursor")
        result = self._held[token][1]
        rows = getattr(result, tool.rows)
        if rows is None:  # not known
            return result
        end = int(at) + limit
        more = f"{token}-{end}" if end < len(rows) else None
        page = {tool.rows: rows[int(at) : end]}
        return msgspec.structs.replace(result, total=len(rows), next_cursor=more, **page)


def failure(error: Exception) -> types.CallToolResult:
    """Return what an assistant is told of an error: a fixed text, and what is known as data."""
    kind, text = next((kind, text) for of, kind, text in _ERRORS if isinstance(error, of))
    said = type(error).__name__ if kind == "internal" else str(error)
    problems = getattr(error, "problems", None) or [membership.Problem("", None, said)]
    data = msgspec.convert({"kind": kind, "problems": problems}, _FAILED, from_attributes=True)
    return _answer(text, escaped(msgspec.to_builtins(data)), is_error=True)


def _answer(text: str, data: Any, *, is_error: bool = False) -> types.CallToolResult:
    content: list[Any] = [types.TextContent(text=text)]
    return types.CallToolResult(content=content, structured_content=data, is_error=is_error)


def escaped(value: Any) -> Any:
    """Return data with an escape for each character that is not seen, or turns text around.

    A text that is too long is cut, and so is a list.
    """
    if isinstance(value, str):
        shown = "".join(map(_escaped_character, value[:_LONGEST]))
        return shown if len(value) <= _LONGEST else f"{shown}…"
    match value:
        case {**fields}:
            return {escaped(key): escaped(each) for key, each in fields.items()}
        case [*items]:
            return [escaped(each) for each in items[:_MOST_LISTED]]
        case _:
            return value


def _escaped_character(character: str) -> str:
    is_seen = character == " " or (character.isprintable() and seen_name(character))
    return character if is_seen else json.dumps(character)[1:-1]
