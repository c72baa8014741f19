"""Follow the cursors of a method that returns its result a page at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, Final, ParamSpec, Protocol, TypeVar, cast

from attrs import evolve

__all__ = ["EndlessPages", "pages", "pages_async"]

# A million principals, at a hundred a page.
MAX_PAGES: Final = 10_000


class Page(Protocol):
    """A result with the cursor of the page after it."""

    @property
    def next_cursor(self) -> str | None:
        """The cursor; None or empty on the last page."""
        ...


P = ParamSpec("P")
T = TypeVar("T", bound=Page)


class EndlessPages(RuntimeError):  # noqa: N818 - as ClientClosed
    """The server returned a cursor twice, or pages without end; what was read is not all."""


def pages(method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
    """Call a method for one page after another, and yield each.

        for page in pages(client.principals.inspect, scope_type="account"):
            for principal in page.data.principals:
                print(principal.type, principal.id)

    Args:
        method: A method of the client whose result has a `next_cursor`.
        *args: None: the methods accept no positional arguments.
        **kwargs: The arguments of the method.

    Raises:
        EndlessPages: A cursor came twice, or there are more than 10,000 pages.
        Exception: What the method raises; the pages before were yielded.
    """
    arguments, seen = cast("dict[str, Any] | None", kwargs), set[str]()
    while arguments is not None:
        page = cast("Callable[..., T]", method)(*args, **arguments)
        yield page
        arguments = next_arguments(arguments, page.next_cursor, seen)


async def pages_async(
    method: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
) -> AsyncIterator[T]:
    """Call a method of the async client for one page after another, and yield each; see `pages`."""
    arguments, seen = cast("dict[str, Any] | None", kwargs), set[str]()
    while arguments is not None:
        page = await cast("Callable[..., Awaitable[T]]", method)(*args, **arguments)
        yield page
        arguments = next_arguments(arguments, page.next_cursor, seen)


def next_arguments(
    arguments: dict[str, Any], cursor: str | None, seen: set[str]
) -> dict[str, Any] | None:
    """Return the arguments of the call for the next page, or None after the last one."""
    if not cursor:
        return None
    if cursor in seen or len(seen) >= MAX_PAGES:
        raise EndlessPages(f"the pages do not end: cursor {cursor!r} after {len(seen) + 1} pages")
    seen.add(cursor)
    request = arguments.get("request")
    if request is None:
        return {**arguments, "cursor": cursor}
    if isinstance(request, Mapping):
        return {**arguments, "request": {**cast("dict[str, Any]", request), "cursor": cursor}}
    return {**arguments, "request": evolve(request, cursor=cursor)}
