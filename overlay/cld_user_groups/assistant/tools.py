"""The tools of an assistant: their schemas, and how one is called."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, TypeAlias, get_type_hints

import mcp_types as types
import msgspec
from attrs import define, field, frozen
from msgspec import Meta

from cld_user_groups import membership
from cld_user_groups.errors import CloudinaryError, UsageRateExceeded, http_errors
from cld_user_groups.hooks import NotSent
from cld_user_groups.identity import escaped
from cld_user_groups.membership.documents import form
from cld_user_groups.membership.lookup import error_in_call
from cld_user_groups.membership.state import log_call

from .account import Account

Run: TypeAlias = Callable[..., object]

_PAGE = Annotated[int, Meta(ge=1, le=10_000, description="Which page of the rows.")]
_PAGED: list[Any] = [("total", int | None, None), ("next_page", int | None, None)]
_ROWS = 100  # of a page
_LARGEST_PAGE = 100_000  # bytes of its rows, where it has more than one
_MOST_HELD, _MOST_LISTED, _LONGEST = 8, 200, 1000

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
_FAILED = form("Failed", kind=str, problems=[membership.Problem])


@frozen
class DeskTool:
    """A tool: a function, its arguments, its result and the key of the rows that come in pages."""

    shown: types.Tool
    run: Run
    takes: Any
    returns: Any
    rows: str


TOOLS: dict[str, DeskTool] = {}


def tool(
    rows: str,
    whole: Any = None,
    *,
    local: bool = False,
    proposes: bool = False,
    **keys: Any,
) -> Callable[[Run], Run]:
    """Return a decorator that makes a tool of a function, whose parameters are its arguments.

    Its result has these keys, or is `whole` a form.
    """

    def add(run: Run) -> Run:
        hints = get_type_hints(run, include_extras=True)
        given: list[Any] = [("page", _PAGE, 1)]
        for each in [*inspect.signature(run).parameters.values()][1:]:
            default = [] if each.default is each.empty else [each.default]
            given.append((each.name, hints[each.name], *default))
        takes = msgspec.defstruct("Arguments", given, kw_only=True, forbid_unknown_fields=True)
        bases = (whole or form("Found", **keys),)
        paged = msgspec.defstruct("Result", _PAGED, bases=bases, kw_only=True, omit_defaults=False)
        schemas = partial(msgspec.json.schema_components, ref_template="#/$defs/{name}")
        _, taken = schemas([takes])
        either, parts = schemas([paged, _FAILED])
        shown = types.Tool(
            name=run.__name__,
            description=inspect.getdoc(run),
            input_schema={**taken.pop("Arguments"), "$defs": taken},
            output_schema={"type": "object", "anyOf": [*either], "$defs": parts},
            annotations=types.ToolAnnotations(
                read_only_hint=not proposes,
                destructive_hint=False,
                idempotent_hint=not proposes,
                open_world_hint=not local,
            ),
        )
        TOOLS[shown.name] = DeskTool(shown, run, takes, paged, rows)
        return run

    return add


@define
class Desk:
    """Calls tools, logs each call, and holds the last results until their pages are read."""

    account: Account
    _held: dict[bytes, tuple[Any, list[int]]] = field(factory=dict[bytes, tuple[Any, list[int]]])

    def call(self, name: str, arguments: Mapping[str, Any]) -> types.CallToolResult:
        """Call a tool. An error is a result too, and so is that a call cannot be logged."""
        began, sent = time.monotonic(), self.account.reads.sent
        asked, plan = as_shown(dict(arguments)), None
        found: dict[str, Any]
        try:
            found = as_shown(msgspec.to_builtins(self._page(TOOLS[name], arguments)))
            result, saved = found.get("outcome", "done"), found.get("saved")
            plan = saved and saved["id"]
            said = f"{found['total']} in all. The rows are in structuredContent."
            answer = _answer(_SAID.get(result, said), found)
        except Exception as error:  # noqa: BLE001 - reported, not swallowed
            answer = failure(error)
            result = answer.structured_content["kind"]
        log = {
            "tool": name,
            "arguments": asked if len(json.dumps(asked)) <= 10 * _LONGEST else "too long",
            "result": result,
            "plan": plan,
            "requests": self.account.reads.sent - sent,
            "milliseconds": round((time.monotonic() - began) * 1000),
        }
        try:
            log_call(self.account.state, log)
        except OSError as error:
            return failure(error)
        return answer

    def _page(self, tool: DeskTool, arguments: Mapping[str, Any]) -> Any:
        asked = msgspec.structs.asdict(msgspec.convert(arguments, tool.takes))
        page = asked.pop("page")
        key = msgspec.json.encode([tool.shown.name, asked])
        held = self._held.pop(key, None)
        if page == 1:
            found = tool.run(self.account, **asked)
            result = msgspec.convert(found, tool.returns, from_attributes=True)
            held = result, _page_ends(getattr(result, tool.rows) or ())
        elif held is None:
            message = "the first page of this was not read, or is too old"
            raise error_in_call(message, "begin again with page 1")
        self._held = dict([*self._held.items(), (key, held)][-_MOST_HELD:])
        result, ends = held
        rows = getattr(result, tool.rows)
        if rows is None:  # not known
            return result
        begin, end = ([0, *ends] + [len(rows)] * page)[page - 1 : page + 1]
        shown = {tool.rows: rows[begin:end]}
        following = page + 1 if end < len(rows) else None
        return msgspec.structs.replace(result, total=len(rows), next_page=following, **shown)


def _page_ends(rows: Sequence[Any]) -> list[int]:
    """Return before which row each page ends: some rows have a group for each of an account's."""
    ends: list[int] = []
    begin = size = 0
    for number, row in enumerate(rows):
        length = len(msgspec.json.encode(row))
        if number - begin == _ROWS or (number > begin and size + length > _LARGEST_PAGE):
            ends.append(number)
            begin, size = number, 0
        size += length
    return [*ends, len(rows)]


def failure(error: Exception) -> types.CallToolResult:
    """Return what an assistant is told of an error: a fixed text, and what is known as data."""
    kind, text = next((kind, text) for of, kind, text in _ERRORS if isinstance(error, of))
    said = type(error).__name__ if kind == "internal" else str(error)
    problems = getattr(error, "problems", None) or [membership.Problem("", None, said)]
    data = msgspec.convert({"kind": kind, "problems": problems}, _FAILED, from_attributes=True)
    return _answer(text, as_shown(msgspec.to_builtins(data)), is_error=True)


def _answer(text: str, data: Any, *, is_error: bool = False) -> types.CallToolResult:
    content: list[Any] = [types.TextContent(text=text)]
    return types.CallToolResult(content=content, structured_content=data, is_error=is_error)


def as_shown(value: Any) -> Any:
    """Return data whose texts are escaped; a text that is too long is cut, and so is a list."""
    match value:
        case str():
            return escaped(value[:_LONGEST]) + ("…" if len(value) > _LONGEST else "")
        case {**fields}:
            return {as_shown(key): as_shown(each) for key, each in fields.items()}
        case [*items]:
            return [as_shown(each) for each in items[:_MOST_LISTED]]
        case _:
            return value
