"""The tools of an assistant: what they look at, their schemas, and how one is called."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import mcp_types as types
import msgspec
from attrs import field, frozen
from msgspec import Meta

from cld_user_groups import CldProvisioning, membership
from cld_user_groups.errors import CloudinaryError, UsageRateExceeded, http_errors
from cld_user_groups.hooks import NotSent, OnlyReads
from cld_user_groups.membership.documents import as_shown, form, pages_of
from cld_user_groups.membership.lookup import error_in_call
from cld_user_groups.membership.state import log_call

_PAGE = Annotated[int, Meta(ge=1, le=10_000, description="Which page of the rows.")]
_CUT = Annotated[list[str], Meta(description="Lists, no pages, of which the first 200 are shown.")]
_PAGED: Any = [("total", int | None, None), ("next_page", int | None, None), ("cut", _CUT, [])]
_MOST_HELD, _LONGEST_LOGGED = 8, 10_000

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
TOOLS: dict[str, Tool] = {}
_FAILED = form("Failed", kind=str, problems=[membership.Problem])


@frozen(kw_only=True)
class Account:
    """What the tools look at: through a client that has `reads` among its hooks."""

    client: CldProvisioning
    reads: OnlyReads
    file: str | None
    source_timeout: float  # in seconds
    command_line: Callable[..., str]  # of these words, for the same account
    state: Path  # the directory of its journals
    held: dict[bytes, list[Any]] = field(factory=dict[bytes, Any], init=False)  # the last pages

    def desired(self) -> membership.Desired | None:
        """Return what the file says now, or None where there is no file."""
        if self.file is None:
            return None
        desired = membership.read_file(self.file, timeout=self.source_timeout)
        membership.planning.check_is_for(desired, self.client.account_id)
        return desired


class Tool:
    """A decorator that makes a tool of a function, whose parameters are its arguments.

    Its result has some keys, one of them with the rows that come in pages.
    """

    def __init__(
        self, rows: str, *, local: bool = False, proposes: bool = False, **keys: Any
    ) -> None:
        self.rows = rows
        bases = (form("Found", **keys),)
        self.returns: Any = msgspec.defstruct("Result", _PAGED, bases=bases, kw_only=True)
        self.hints = types.ToolAnnotations(
            read_only_hint=not proposes,
            destructive_hint=False,
            idempotent_hint=not proposes,
            open_world_hint=not local,
        )

    def __call__(self, run: Callable[..., object]) -> Callable[..., object]:
        self.run = run
        hints = get_type_hints(run, include_extras=True)
        given: list[Any] = [("page", _PAGE, 1)]
        for each in [*inspect.signature(run).parameters.values()][1:]:
            default = [] if each.default is each.empty else [each.default]
            given.append((each.name, hints[each.name], *default))
        self.takes = msgspec.defstruct("Arguments", given, kw_only=True, forbid_unknown_fields=True)
        refer = "#/$defs/{name}"
        _, taken = msgspec.json.schema_components([self.takes], ref_template=refer)
        either, parts = msgspec.json.schema_components([self.returns, _FAILED], ref_template=refer)
        self.shown = types.Tool(
            name=run.__name__,
            description=inspect.getdoc(run),
            input_schema={**taken.pop("Arguments"), "$defs": taken},
            output_schema={"type": "object", "anyOf": [*either], "$defs": parts},
            annotations=self.hints,
        )
        TOOLS[run.__name__] = self
        return run

    def pages(self, account: Account, arguments: Mapping[str, Any]) -> list[Any]:
        """Call the function; return its result in pages, the last of which has no rows."""
        result = msgspec.convert(self.run(account, **arguments), self.returns, from_attributes=True)
        rows = getattr(result, self.rows)
        if rows is None:  # not known
            return [result]
        pages = [*pages_of(rows)]
        following = [*range(2, len(pages) + 1), None, None]
        return [
            msgspec.structs.replace(result, total=len(rows), next_page=each, **{self.rows: page})
            for each, page in zip(following, [*pages, []], strict=True)
        ]


def call(account: Account, name: str, arguments: Mapping[str, Any]) -> types.CallToolResult:
    """Call a tool and log it. An error is a result too, and so is that it cannot be logged."""
    began, sent, cut = time.monotonic(), account.reads.sent, list[str]()
    try:
        page = msgspec.to_builtins(_page(account, TOOLS[name], arguments))
        found: dict[str, Any] = {**as_shown(page, cut), "cut": cut}
        said = f"{found['total']} in all. The rows are in structuredContent."
        answer = _answer(_SAID.get(found.get("outcome", ""), said), found)
    except Exception as error:  # noqa: BLE001 - reported, not swallowed
        answer = failure(error)
    data: Any = answer.structured_content
    is_long = len(json.dumps(arguments)) > _LONGEST_LOGGED
    log: dict[str, Any] = {
        "tool": name,
        "arguments": "too long" if is_long else as_shown(arguments),
        "result": data.get("kind") or data.get("outcome", "done"),
        "plan": data.get("saved") and data["saved"]["id"],
        "requests": account.reads.sent - sent,
        "milliseconds": round((time.monotonic() - began) * 1000),
    }
    try:
        log_call(account.state, log)
    except OSError as error:
        return failure(error)
    return answer


def _page(account: Account, tool: Tool, arguments: Mapping[str, Any]) -> Any:
    """Return a page of a result, which is read anew for the first one."""
    asked = msgspec.structs.asdict(msgspec.convert(arguments, tool.takes))
    page = asked.pop("page")
    try:
        key = msgspec.json.encode([tool.shown.name, asked])
    except UnicodeEncodeError:
        raise msgspec.ValidationError("Half a surrogate pair is no character.") from None
    pages = account.held.pop(key, None)
    if page == 1:
        pages = tool.pages(account, asked)
    elif pages is None:
        message = "the first page of this was not read, or is too old"
        raise error_in_call(message, "begin again with page 1")
    account.held[key] = pages
    if len(account.held) > _MOST_HELD:
        del account.held[next(iter(account.held))]
    return pages[min(page, len(pages)) - 1]


def failure(error: Exception) -> types.CallToolResult:
    """Return what an assistant is told of an error: a fixed text, and what is known as data."""
    kind, text = next((kind, text) for of, kind, text in _ERRORS if isinstance(error, of))
    said = type(error).__name__ if kind == "internal" else str(error)
    problems = getattr(error, "problems", None) or [membership.Problem("", None, said)]
    data = msgspec.convert({"kind": kind, "problems": problems}, _FAILED, from_attributes=True)
    return _answer(text, as_shown(msgspec.to_builtins(data)), is_error=True)


def _answer(text: str, data: Any, *, is_error: bool = False) -> types.CallToolResult:
    content = types.TextContent(text=text)
    return types.CallToolResult(content=[content], structured_content=data, is_error=is_error)
