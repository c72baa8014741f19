"""Every way out of a call that is not a response: what is raised, and whether it was applied.

Each way is played to every operation in asyncio, in trio and in threads, on real sockets. The table
below follows from the design: whatever ends a call tells whether the write may have been applied.
"""

from __future__ import annotations

import asyncio
from functools import partial

import httpx
import trio
from tests.faults import http2, places
from tests.faults.places import Boom, event_hook, hook, over_http2, transport
from tests.faults.play import Runtime, Way, play
from tests.support.fault_calls import CREATE, OPERATIONS, READS, WRITES, Operation
from tests.support.fault_server import response

from cld_user_groups import maybe_applied

PLAYED = (*OPERATIONS, *READS)

_cancelled = partial(Way, end="cancel", runtimes=("asyncio", "trio"))
_timed_out = partial(Way, end="timeout", runtimes=("asyncio",))
_interrupted = partial(Way, end="interrupt")
_closed = partial(Way, end="close")

WAYS: dict[str, Way] = {
    "cancelled while waiting for its turn": _cancelled(places.waiting_for_a_turn),
    "cancelled while waiting for a connection of the pool": _cancelled(places.waiting_in_the_pool),
    "cancelled while connecting": _cancelled(places.connecting),
    "cancelled in the TLS handshake": _cancelled(places.shaking_hands),
    "cancelled while a proxy opens a tunnel": _cancelled(places.opening_a_tunnel),
    "cancelled while waiting for the response": _cancelled(places.waiting_for_response),
    "cancelled while reading the response": _cancelled(places.reading_the_response),
    "cancelled in the wait after a 503": _cancelled(places.waiting_after_503),
    "cancelled in the wait after a 500": _cancelled(places.waiting_after_500),
    "cancelled in the attempt after a drop": _cancelled(places.in_the_second_attempt),
    "asyncio.timeout while connecting": _timed_out(places.connecting),
    "asyncio.timeout while waiting for the response": _timed_out(places.waiting_for_response),
    "asyncio.timeout in the wait after a 500": _timed_out(places.waiting_after_500),
    "Ctrl-C while connecting": _interrupted(places.connecting),
    "Ctrl-C while waiting for the response": _interrupted(places.waiting_for_response),
    "Ctrl-C while reading the response": _interrupted(places.reading_the_response),
    "Ctrl-C in the wait after a 503": _interrupted(places.waiting_after_503),
    "Ctrl-C in the wait after a 500": _interrupted(places.waiting_after_500),
    "close() while waiting for the response": _closed(places.waiting_for_response),
    "close() while reading the response": _closed(places.reading_the_response),
    "the transport raises before it sends": Way(transport(Boom, is_sent=False)),
    "the transport raises after it sent": Way(transport(Boom, is_sent=True)),
    "the transport raises StopIteration": Way(transport(StopIteration, is_sent=True)),
    "the transport raises an exception group": Way(
        transport(lambda: ExceptionGroup("two", [Boom(), OSError()]), is_sent=True)
    ),
    "an event hook raises before the request": Way(
        event_hook("request", partial(places.fail, Boom()))
    ),
    "an event hook raises after a 200": Way(event_hook("response", partial(places.fail, Boom()))),
    "an event hook raises after a 403": Way(
        event_hook("response", partial(places.fail, Boom()), 403)
    ),
    "an event hook raises ConnectError after a 200": Way(
        event_hook("response", partial(places.fail, httpx.ConnectError("of the hook")))
    ),
    "an event hook raises for the status of a 503": Way(
        event_hook("response", httpx.Response.raise_for_status, 503)
    ),
    "an event hook raises for the status of a 403": Way(
        event_hook("response", httpx.Response.raise_for_status, 403)
    ),
    "an event hook's own request gets a 503": Way(event_hook("response", places.fetch_elsewhere)),
    "before_request raises": Way(hook("before_request")),
    "after_response raises after a 200": Way(hook("after_response")),
    "after_response raises after a 403": Way(hook("after_response", response(403))),
    "on_retry raises after a 503": Way(hook("on_retry", response(503))),
    "on_retry raises after a 500": Way(hook("on_retry", response(500))),
    "on_error raises after a 403": Way(hook("on_error", response(403))),
    "on_error raises after a 200 that is not JSON": Way(hook("on_error", response(200, "<html>"))),
    "HTTP/2: RST_STREAM instead of a response": Way(over_http2(http2.reset_stream)),
    "HTTP/2: RST_STREAM in the response": Way(over_http2(http2.cut_body)),
    "HTTP/2: GOAWAY instead of a response": Way(over_http2(http2.go_away)),
    "HTTP/2: a frame that is not allowed": Way(over_http2(http2.push)),
    "HTTP/2: a frame of an impossible length": Way(over_http2(http2.garbage)),
}


# What a way ends in: how many requests of the operation arrived, and the exception, with a question
# mark where the write may have been applied; "ok" is the result.
ENDS = """
                                                     | reads             | create               | other writes
cancelled while waiting for its turn                 | 0 Cancelled       | 0 Cancelled          | 0 Cancelled
cancelled while waiting for a connection of the pool | 0 Cancelled       | 0 Cancelled?         | 0 Cancelled?
cancelled while connecting                           | 0 Cancelled       | 0 Cancelled          | 0 Cancelled
cancelled in the TLS handshake                       | 0 Cancelled       | 0 Cancelled          | 0 Cancelled
cancelled while a proxy opens a tunnel               | 0 Cancelled       | 0 Cancelled          | 0 Cancelled
cancelled while waiting for the response             | 1 Cancelled       | 1 Cancelled?         | 1 Cancelled?
cancelled while reading the response                 | 1 Cancelled       | 1 Cancelled?         | 1 Cancelled?
cancelled in the wait after a 503                    | 1 Cancelled       | 1 Cancelled          | 1 Cancelled
cancelled in the wait after a 500                    | 1 Cancelled       | 1 APIError?          | 1 Cancelled?
cancelled in the attempt after a drop                | 2 Cancelled       | 1 RemoteProtocolError? | 2 Cancelled?
asyncio.timeout while connecting                     | 0 TimeoutError    | 0 TimeoutError       | 0 TimeoutError
asyncio.timeout while waiting for the response       | 1 TimeoutError    | 1 TimeoutError?      | 1 TimeoutError?
asyncio.timeout in the wait after a 500              | 1 TimeoutError    | 1 APIError?          | 1 TimeoutError?
Ctrl-C while connecting                              | 0 Interrupt       | 0 Interrupt          | 0 Interrupt
Ctrl-C while waiting for the response                | 1 Interrupt       | 1 Interrupt?         | 1 Interrupt?
Ctrl-C while reading the response                    | 1 Interrupt       | 1 Interrupt?         | 1 Interrupt?
Ctrl-C in the wait after a 503                       | 1 Interrupt       | 1 Interrupt          | 1 Interrupt
Ctrl-C in the wait after a 500                       | 1 Interrupt       | 1 APIError?          | 1 Interrupt?
close() while waiting for the response               | 1 ClientClosed    | 1 ReadError?         | 1 ClientClosed?
close() while reading the response                   | 1 ClientClosed    | 1 ReadError?         | 1 ClientClosed?
the transport raises before it sends                 | 0 Boom            | 0 Boom?              | 0 Boom?
the transport raises after it sent                   | 1 Boom            | 1 Boom?              | 1 Boom?
the transport raises StopIteration                   | 1 RuntimeError    | 1 RuntimeError?      | 1 RuntimeError?
the transport raises an exception group              | 1 ExceptionGroup  | 1 ExceptionGroup?    | 1 ExceptionGroup?
an event hook raises before the request              | 0 Boom            | 0 Boom?              | 0 Boom?
an event hook raises after a 200                     | 1 Boom            | 1 Boom?              | 1 Boom?
an event hook raises after a 403                     | 1 Boom            | 1 Boom               | 1 Boom
an event hook raises ConnectError after a 200        | 1 ConnectError    | 1 ConnectError?      | 1 ConnectError?
an event hook raises for the status of a 503         | 2 ok              | 2 ok                 | 2 ok
an event hook raises for the status of a 403         | 1 NotAllowed      | 1 NotAllowed         | 1 NotAllowed
an event hook's own request gets a 503               | 1 HTTPStatusError | 1 HTTPStatusError?   | 1 HTTPStatusError?
before_request raises                                | 0 Boom            | 0 Boom               | 0 Boom
after_response raises after a 200                    | 1 Boom            | 1 Boom?              | 1 Boom?
after_response raises after a 403                    | 1 Boom            | 1 Boom               | 1 Boom
on_retry raises after a 503                          | 1 Boom            | 1 Boom               | 1 Boom
on_retry raises after a 500                          | 1 Boom            | 1 APIError?          | 1 Boom?
on_error raises after a 403                          | 1 Boom            | 1 Boom               | 1 Boom
on_error raises after a 200 that is not JSON         | 1 Boom            | 1 Boom?              | 1 Boom?
HTTP/2: RST_STREAM instead of a response             | 2 ok              | 1 RemoteProtocolError? | 2 ok
HTTP/2: RST_STREAM in the response                   | 2 ok              | 1 RemoteProtocolError? | 2 ok
HTTP/2: GOAWAY instead of a response                 | 2 ok              | 1 RemoteProtocolError? | 2 ok
HTTP/2: a frame that is not allowed                  | 2 ok              | 1 LocalProtocolError? | 2 ok
HTTP/2: a frame of an impossible length              | 2 ok              | 1 LocalProtocolError? | 2 ok
"""  # noqa: E501
_COLUMNS = ("reads", "create", "other writes")
# What the runtimes call by different names.
_CLASSES: dict[str, tuple[type[BaseException], ...]] = {
    "Cancelled": (asyncio.CancelledError, trio.Cancelled),
    "Interrupt": (KeyboardInterrupt,),
}


def _promises() -> dict[str, dict[str, str]]:
    _, *rows = [[text.strip() for text in row.split("|")] for row in ENDS.strip("\n").splitlines()]
    return {name: dict(zip(_COLUMNS, cells, strict=True)) for name, *cells in rows}


PROMISES = _promises()


def promise(name: str, operation: Operation) -> str:
    """Return what a way is to end in."""
    column = (
        "reads" if operation not in WRITES else "create" if operation is CREATE else _COLUMNS[2]
    )
    return PROMISES[name][column]


def measure(name: str, operation: Operation, runtime: Runtime) -> str:
    """Play a way out, and return what it ended in, in the words of the table."""
    error, requests = play(WAYS[name], operation, runtime)
    return f"{requests} {_named(error)}{'?' if error and maybe_applied(error) else ''}"


def _named(error: BaseException | None) -> str:
    if error is None:
        return "ok"
    while isinstance(error, BaseExceptionGroup) and not isinstance(error, Exception):
        error = error.exceptions[0]  # trio's, out of connecting
    for name, kinds in _CLASSES.items():
        if isinstance(error, kinds):
            return name
    return type(error).__name__


PAGE = """\
## Cancellation, Ctrl-C and exceptions of other code

Whatever exception ends a call, `maybe_applied` tells whether the write may have been applied. Each
way is measured for the eight operations and for the reads of `users`, with asyncio, trio and
threads. `Cancelled` is `asyncio.CancelledError` or `trio.Cancelled`, `Interrupt` is
`KeyboardInterrupt`, and `Boom` is an exception raised by a hook or a transport. For a
`TimeoutError` or a `KeyboardInterrupt`, `maybe_applied` reads the exception that it was raised
from. The client knows that nothing was sent if httpx reports it, by the class of an exception or in
its trace. A caller-supplied transport or event hook, or httpx's pool of connections where it is
full, reports nothing: the request may have been sent.

"""


def page(ends: dict[str, dict[str, str]]) -> str:
    """Return the section about the ways out, in Markdown."""
    lines = [f"| end of the call | {' | '.join(_COLUMNS)} |", f"| --- |{' --- |' * len(_COLUMNS)}"]
    for name, cells in ends.items():
        said = (cells[column].replace("?", ", maybe applied") for column in _COLUMNS)
        lines.append(f"| {name} | {' | '.join(said)} |")
    return PAGE + "\n".join(lines) + "\n"


def measured() -> dict[str, dict[str, str]]:
    """Play every way to every operation, and return what they ended in."""
    ends: dict[str, dict[str, str]] = {}
    for name, way in WAYS.items():
        ends[name] = {}
        for column, operations in _BY_COLUMN.items():
            found = {
                measure(name, operation, runtime): None
                for operation in operations
                for runtime in way.runtimes
            }
            ends[name][column] = " / ".join(found)
    return ends


_BY_COLUMN = {
    "reads": tuple(operation for operation in PLAYED if operation not in WRITES),
    "create": (CREATE,),
    "other writes": tuple(operation for operation in WRITES if operation is not CREATE),
}
