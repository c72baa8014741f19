"""The secret, and the token that is made of it, show nowhere: not even in a traceback's locals."""

from __future__ import annotations

import asyncio
import copy
import html
import json
import logging
import os
import pickle
import pprint
import socket
import traceback
import warnings
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

import httpx
import pytest
from tests.support.fault_calls import (
    ACCOUNT,
    ADD_USER,
    CREATE,
    DELETE,
    GET,
    LIST,
    NOWHERE,
    UPDATE,
    Operation,
    call,
    error_of,
)
from tests.support.fault_server import FaultServer, HangUp, Stall, Step, not_http, response
from tests.support.transport import FakeTransport, Mode, both

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, HookContext, Security, models

pytestmark = pytest.mark.usefixtures("waits")

# Global, for a traceback shows the local variables of tests as well.
KEY = "key-81x"
SECRETS = {
    "plain": "hunter2-4f1c0e",
    "what JSON escapes": 'quo"te\\back-4f1c0e',
    "not ASCII": "pässwörd-4f1c0e-\N{KEY}",
    "a slash in the token": "slash-???>>>-4f1c0e",
    "what URLs and HTML escape": "a&b<c>d+e/f 4f1c0e",
}
SECRET = SECRETS["plain"]


def security(name: str = "plain") -> Security:
    return Security(provisioning_api_key=KEY, provisioning_api_secret=SECRETS[name])


def token(name: str = "plain") -> str:
    return b64encode(f"{KEY}:{SECRETS[name]}".encode()).decode()


assert "/" in token("a slash in the token")


def leaks(shown: object, name: str = "plain") -> list[str]:
    """Return the forms in which a text, or the repr of anything else, shows the secret."""
    text = shown if isinstance(shown, str) else repr(shown)
    return [form for form in forms_of(name) if form in text]


@cache
def forms_of(name: str) -> list[str]:
    secret = SECRETS[name]
    forms = {secret, token(name), repr(secret)[1:-1], repr(secret.encode())[2:-1]}
    for hidden in (secret, token(name)):
        forms |= {write(hidden) for write in (escaped, quote, quote_plus, html.escape, all_escaped)}
        forms |= {escaped(hidden).replace("/", "\\/"), quote(hidden, safe="")}
    return sorted(forms)


def escaped(text: str) -> str:
    """Return a text as JSON writes it."""
    return json.dumps(text)[1:-1]


def all_escaped(text: str) -> str:
    """Return a text as careful writers of JSON do: all but letters and digits is escaped."""
    units = text.encode("utf-16-be")
    codes = [units[at] << 8 | units[at + 1] for at in range(0, len(units), 2)]
    return "".join(
        chr(code) if code < 0x80 and chr(code).isalnum() else f"\\u{code:04X}" for code in codes
    )


def links(error: BaseException) -> Iterator[BaseException]:
    """Return an error and all that it came from, what `from None` hides included."""
    left, seen = [error], set()
    while left:
        link = left.pop()
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        left += [other for other in (link.__cause__, link.__context__) if other is not None]
        if isinstance(link, BaseExceptionGroup):
            left += link.exceptions


def all_of(error: BaseException) -> str:
    """Return all that people and tools get to see of an error."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True, compact=True)
    shown = [*trace.format()]
    for link in links(error):
        shown += [str(link), repr(link), repr(link.args), repr(vars(link)), show(vars(link))]
        for frame, _ in traceback.walk_tb(link.__traceback__):
            shown += [f"{name} = {show(value)}" for name, value in frame.f_locals.items()]
        if isinstance(link, models.CloudinaryError):
            shown += [link.message, link.body]
        if isinstance(link, models.ErrorResponse):
            shown.append(repr(link.data))
    return "\n".join(shown)


def show(thing: object, depth: int = 4) -> str:
    """Return what a thing shows to tools that look inside, whatever its repr says; rich for one."""
    try:
        shown = repr(thing)
    except Exception as error:  # of an httpx.URL that could not be made, for one
        return f"<no repr: {type(error).__name__}>"
    fields = [field.name for field in getattr(type(thing), "__attrs_attrs__", ()) if field.repr]
    inside: list[object] = [getattr(thing, name) for name in fields]
    if isinstance(thing, list | tuple | set | frozenset):
        inside += thing
    elif isinstance(thing, dict):
        inside += thing.values()
    return "\n".join([shown, *(show(part, depth - 1) for part in inside if depth)])


# --- objects


def every_text_of(thing: object) -> str:
    return "\n".join(
        [
            repr(thing),
            str(thing),
            f"{thing}",
            f"{thing!a}",
            "%s %r" % (thing, thing),  # noqa: UP031
            pprint.pformat(thing),
            pprint.pformat({"a": [thing]}),
            show(thing),
        ]
    )


@pytest.mark.parametrize("name", SECRETS)
def test_credentials_are_masked_wherever_they_are_printed(name: str) -> None:
    assert leaks(every_text_of(security(name)), name) == []
    assert KEY not in every_text_of(security(name))


def test_credentials_are_masked_by_rich_as_well() -> None:
    pretty = pytest.importorskip("rich.pretty")
    assert leaks(pretty.pretty_repr({"of": [security()]})) == []


def test_credentials_that_are_missing_are_shown_as_missing() -> None:
    assert repr(Security(provisioning_api_secret=SECRET)) == (
        "Security(provisioning_api_key=None, provisioning_api_secret='***')"
    )


@both
def test_no_part_of_a_client_shows_the_secret(mode: Mode) -> None:
    transport = FakeTransport(httpx.Response(200, content=LIST.body))
    make = transport.client if mode == "sync" else transport.async_client
    client = make(security=security(), server_url=NOWHERE)
    before = parts_of(client)
    listed = client.user_groups.list()
    if mode == "async":
        asyncio.run(listed)
    assert leaks(before + parts_of(client)) == []


def parts_of(client: CldProvisioning | AsyncCldProvisioning) -> str:
    """Return what a look into a client shows, down to the parts that it is made of."""
    groups = client.user_groups
    parts = [client, groups, groups.with_raw_response, *vars(client).values()]
    parts += [vars(client), client._session.authorize, client._session.authorize()]
    return "\n".join(every_text_of(part) for part in parts)


# --- pickles and copies


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_credentials_are_not_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(security(), protocol)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps({"settings": [security()]}, protocol)


@pytest.mark.parametrize("kind", [CldProvisioning, AsyncCldProvisioning])
def test_a_client_is_not_pickled(kind: type[CldProvisioning | AsyncCldProvisioning]) -> None:
    with pytest.raises(TypeError, match=r"^Security cannot be pickled"):
        pickle.dumps(kind(security(), ACCOUNT))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copied_credentials_still_work(copied: Callable[[Security], Security]) -> None:
    assert copied(security()) == security()
    assert leaks(repr(copied(security()))) == []


E = TypeVar("E", bound=Exception)
STATUSES = [301, 400, 401, 403, 404, 409, 418, 420, 429, 500, 503]


@both
@pytest.mark.parametrize("status", STATUSES)
def test_an_error_of_a_status_is_pickled_without_the_secret(status: int, mode: Mode) -> None:
    error = error_of_status(status, mode)
    assert isinstance(error, models.CloudinaryError)
    assert leaks(all_of(error)) == []
    for again in copies(error):
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert again.args == error.args
        assert again.status_code == again.raw_response.status_code == status
        assert again.body == error.body
        assert again.headers == again.raw_response.headers
        assert again.request_id == error.request_id == "r-3"
        assert again.maybe_applied == error.maybe_applied
        assert getattr(again, "data", None) == getattr(error, "data", None)
        assert leaks(all_of(again)) == []


def error_of_status(status: int, mode: Mode) -> Exception:
    body = b'{"error": {"message": "No"}}'
    with FaultServer(response(status, body, {"X-Request-Id": "r-3"})) as server:
        return error_of(mode, CREATE, server.url, security=security(), retry_config=None)


def copies(error: E) -> list[E]:
    """Return an error's copies, from everything that copies; no pickle holds the secret."""
    pickles = [pickle.dumps(error, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    assert leaks("\n".join(repr(pickled) for pickled in pickles)) == []
    assert not any(SECRET.encode() in pickled for pickled in pickles)
    loaded = [pickle.loads(pickled) for pickled in pickles]
    return [*loaded, copy.copy(error), copy.deepcopy(error)]


@both
def test_a_validation_error_is_pickled_without_the_secret(mode: Mode) -> None:
    with FaultServer(response(200, b'{"id": 5}')) as server:
        error = error_of(mode, GET, server.url, security=security())
    assert isinstance(error, models.ResponseValidationError)
    for again in copies(error):
        assert str(again) == str(error)
        assert again.path == error.path == "$.id"


# --- transport faults, on a real socket

TRANSPORT_FAULTS: dict[str, tuple[Step | None, type[httpx.TransportError]]] = {
    "connection refused": (None, httpx.ConnectError),
    "closed before the request is read": (HangUp(unread=True), httpx.TransportError),
    "reset while it is sent": (HangUp(unread=True, reset=True), httpx.TransportError),
    "closed after it was read": (HangUp(), httpx.RemoteProtocolError),
    "reset after it was read": (HangUp(reset=True), httpx.ReadError),
    "no response in time": (Stall(), httpx.ReadTimeout),
    "not HTTP": (not_http(), httpx.RemoteProtocolError),
    "response cut off": (response(200, b'{"id": "g1"}', missing=5), httpx.RemoteProtocolError),
}
# More than the sockets' buffers take, so that sending it is under way when the connection breaks.
LONG_NAME = "x" * (3 << 20)


@both
@pytest.mark.parametrize("operation", [GET, UPDATE], ids=str)
@pytest.mark.parametrize(("step", "kind"), TRANSPORT_FAULTS.values(), ids=TRANSPORT_FAULTS)
def test_a_transport_error_shows_no_secret(
    step: Step | None, kind: type[Exception], operation: Operation, mode: Mode
) -> None:
    is_sending = operation is UPDATE and isinstance(step, HangUp) and step.unread and step.reset
    arguments = {"name": LONG_NAME} if is_sending else {}
    with FaultServer(*([] if step is None else [step]), refuse=step is None) as server:
        error = error_of(
            mode,
            operation,
            server.url,
            arguments=arguments,
            security=security(),
            retry_config=None,
            timeout_ms=400 if isinstance(step, Stall) else None,
        )
    assert isinstance(error, kind)
    assert leaks(all_of(error)) == []
    for again in copies(error):
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert vars(again).get("maybe_applied") == vars(error).get("maybe_applied")
        assert leaks(all_of(again)) == []


@both
def test_an_error_of_a_header_that_cannot_be_sent_shows_no_secret(mode: Mode) -> None:
    class Spoil:
        def before_request(self, context: HookContext, request: httpx.Request) -> None:
            request.headers["X-Broken"] = "a\r\nb"

    with FaultServer() as server:
        error = error_of(mode, GET, server.url, security=security(), hooks=[Spoil()])
    assert isinstance(error, httpx.LocalProtocolError)
    assert leaks(all_of(error)) == []


@both
def test_what_a_transport_error_came_from_is_still_told(mode: Mode) -> None:
    with FaultServer(refuse=True) as server:
        error = error_of(mode, GET, server.url, security=security(), retry_config=None)
    assert isinstance(error, httpx.ConnectError)
    assert any(isinstance(link, OSError) for link in links(error))
    assert error.request.url.path == GET.path
    assert error.request.headers["Authorization"] == "***"


@both
def test_an_interrupt_while_a_request_is_sent_shows_no_secret(
    mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(socket.socket, "send", interrupt)
    with FaultServer() as server, pytest.raises(KeyboardInterrupt) as caught:
        call(mode, GET, server.url, security=security())
    assert leaks(all_of(caught.value)) == []


def test_a_task_that_runs_out_of_time_shows_no_secret() -> None:
    async def run() -> None:
        async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(0.2):
            client = AsyncCldProvisioning(security(), ACCOUNT, server_url=server.url, client=http)
            await client.user_groups.list()

    with FaultServer(Stall()) as server, pytest.raises(TimeoutError) as caught:
        asyncio.run(run())
    assert leaks(all_of(caught.value)) == []


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_plain_http_to_this_machine_never_goes_to_a_proxy(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use() -> None:
        async with AsyncCldProvisioning(security(), ACCOUNT, server_url=server.url) as client:
            await client.user_groups.list()

    good = response(200, LIST.body)
    with FaultServer(good, good) as server, FaultServer(good, good) as proxy:
        monkeypatch.setenv(variable, proxy.url)
        with CldProvisioning(security(), ACCOUNT, server_url=server.url) as client:
            client.user_groups.list()
        asyncio.run(use())
    assert proxy.requests == []
    assert len(server.requests) == 2


# --- responses


@both
@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"id": 5}', b"\xff", b"[" * 100_000], ids=lambda body: repr(body[:9])
)
def test_a_validation_error_shows_no_secret(body: bytes, mode: Mode) -> None:
    with FaultServer(response(200, body)) as server:
        error = error_of(mode, GET, server.url, security=security())
    assert isinstance(error, models.ResponseValidationError)
    assert leaks(all_of(error)) == []


def in_json(echo: str, *, ensure_ascii: bool = True) -> bytes:
    told = {"error": {"message": f"You sent {echo}"}}
    return json.dumps(told, ensure_ascii=ensure_ascii).encode()


# How a server may write what it was sent.
ECHOES: dict[str, Callable[[str], bytes]] = {
    "JSON": in_json,
    "UTF-8 JSON": lambda echo: in_json(echo, ensure_ascii=False),
    "JSON with escaped slashes": lambda echo: in_json(echo).replace(b"/", b"\\/"),
    "JSON with all escaped": lambda echo: (
        b'{"error": {"message": "You sent %b"}}' % all_escaped(echo).encode()
    ),
    "text": lambda echo: f"You sent {echo}".encode(),
    "HTML": lambda echo: f"<pre>{html.escape(echo)}</pre>".encode(),
    "a URL": lambda echo: f"/login?from={quote(echo, safe='')}&to={quote_plus(echo)}".encode(),
    "broken UTF-8": lambda echo: b'{"error": {"message": "\xff %b"}}' % echo.encode(),
    "broken UTF-8 of a user": lambda echo: b'{"users": [{"id": "\xff %b"}]}' % echo.encode(),
    "the wrong type": lambda echo: json.dumps({"id": [echo], "users": {"x": echo}}).encode(),
    "cut off JSON": lambda echo: in_json(echo)[:-1],
}


def echoing(status: int, write: Callable[[str], bytes], *, decoded: bool) -> httpx.MockTransport:
    """Return a transport that echoes the credentials that it was sent."""

    def echo(request: httpx.Request) -> httpx.Response:
        header = request.headers["Authorization"]
        if decoded:
            header = b64decode(header.removeprefix("Basic ")).decode()
        return httpx.Response(status, content=write(header))

    return httpx.MockTransport(echo)


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("decoded", [False, True], ids=["the header", "the secret"])
def test_a_server_that_echoes_the_credentials_does_not_make_them_show(
    decoded: bool, name: str
) -> None:
    found: dict[str, list[str]] = {}
    for status, (way, write) in product((200, 404, 500), ECHOES.items()):
        error = error_of(
            "sync",
            ADD_USER,
            transport=echoing(status, write, decoded=decoded),
            security=security(name),
            retry_config=None,
        )
        assert isinstance(error, models.CloudinaryError)
        again = pickle.loads(pickle.dumps(error))
        found[f"{status} {way}"] = leaks(all_of(error) + show(vars(again)), name)
    assert {where: leaked for where, leaked in found.items() if leaked} == {}


@both
def test_what_else_a_server_says_beside_an_echo_is_kept(mode: Mode) -> None:
    transport = echoing(404, in_json, decoded=True)
    error = error_of(mode, GET, transport=transport, security=security())
    assert isinstance(error, models.NotFound)
    assert error.message == f"You sent {KEY}:***"
    assert json.loads(error.body)["error"]["message"] == error.message


# --- settings that are wrong

ENVIRONMENTS: dict[str, dict[str, str]] = {
    "the key is missing": {"CLOUDINARY_PROVISIONING_API_SECRET": SECRET},
    "the key has a colon": {
        "CLOUDINARY_PROVISIONING_API_KEY": f"a:{KEY}",
        "CLOUDINARY_PROVISIONING_API_SECRET": SECRET,
    },
    "the secret ends in a line break": {
        "CLOUDINARY_PROVISIONING_API_KEY": KEY,
        "CLOUDINARY_PROVISIONING_API_SECRET": f"{SECRET}\n",
    },
    "the secret is not UTF-8": {
        "CLOUDINARY_PROVISIONING_API_KEY": KEY,
        "CLOUDINARY_PROVISIONING_API_SECRET": f"{SECRET}\udcff",
    },
    "the key is blank": {
        "CLOUDINARY_PROVISIONING_API_KEY": " ",
        "CLOUDINARY_PROVISIONING_API_SECRET": SECRET,
    },
    **{
        f"CLOUDINARY_ACCOUNT_URL={url.replace(SECRET, 'SECRET')}": {"CLOUDINARY_ACCOUNT_URL": url}
        for url in (
            f"https://{KEY}:{SECRET}@acc",
            f"{KEY}:{SECRET}@acc",
            f"account:{KEY}:{SECRET}@acc",
            f"account://{KEY}:{SECRET}",
            f"account://{KEY}:{SECRET}@",
            f"account://{KEY}{SECRET}@acc",
            f"account://:{SECRET}@acc",
            f"account://{KEY}:{SECRET}%FF@acc",
            f"account://{KEY}%3A:{SECRET}@acc",
            f"account://{KEY}:{SECRET}%0A@acc",
            f"account://{KEY}:{SECRET}@..",
            f"account://{KEY}:{SECRET}@%20",
        )
    },
}


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
@pytest.mark.parametrize("client", [CldProvisioning, AsyncCldProvisioning])
def test_a_setting_that_is_wrong_shows_no_secret(
    environment: dict[str, str], client: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in environment:
        monkeypatch.setenv(name, environment[name])
    del environment
    with pytest.raises(ValueError, match=r"CLOUDINARY_|security\.|account_id") as caught:
        client(account_id=None if "CLOUDINARY_ACCOUNT_URL" in os.environ else ACCOUNT)
    assert leaks(all_of(caught.value)) == []


WRONG_CREDENTIALS: dict[str, Callable[[], object]] = {
    "a key with a colon": lambda: Security(f"a:{KEY}", SECRET),
    "a key that is empty": lambda: Security("", SECRET),
    "a key that is missing": lambda: Security(provisioning_api_secret=SECRET),
    "a secret with a line break": lambda: Security(KEY, f"{SECRET}\r\n"),
    "a secret that is not Unicode": lambda: Security(KEY, f"{SECRET}\ud800"),
    "a secret in bytes": lambda: Security(KEY, SECRET.encode()),  # type: ignore[arg-type]
    "a secret in a list": lambda: Security(KEY, [SECRET]),  # type: ignore[arg-type]
    "a pair": lambda: (KEY, SECRET),
    "a dict": lambda: {"provisioning_api_key": KEY, "provisioning_api_secret": SECRET},
    "a text": lambda: f"{KEY}:{SECRET}",
}


@pytest.mark.parametrize("wrong", WRONG_CREDENTIALS.values(), ids=WRONG_CREDENTIALS)
def test_rejected_credentials_are_not_shown(wrong: Callable[[], object]) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        CldProvisioning(wrong(), ACCOUNT)  # type: ignore[arg-type]
    assert leaks(all_of(caught.value)) == []


@both
@pytest.mark.parametrize("wrong", WRONG_CREDENTIALS.values(), ids=WRONG_CREDENTIALS)
def test_rejected_credentials_of_a_callable_are_not_shown(
    wrong: Callable[[], object], mode: Mode
) -> None:
    error = error_of(
        mode, GET, transport=FakeTransport(AssertionError("a request was sent")), security=wrong
    )
    assert isinstance(error, ValueError | TypeError)
    assert leaks(all_of(error)) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"server_url": "http://api.example.com"},
        {"server_url": "not a URL"},
        {"server_url": "https://[::1"},
        {"region": "mars"},
        {"region": "api", "host": "example.com"},
        {"server_idx": 7},
        {"timeout_ms": -1},
        {"retry_config": 3},
        {"client": "httpx"},
        {"hooks": ["print"]},
        {"account_id": ".."},
    ],
    ids=str,
)
def test_a_client_that_cannot_be_made_shows_no_secret(settings: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        CldProvisioning(security(), **{"account_id": ACCOUNT, **settings})
    assert leaks(all_of(caught.value)) == []


def test_rejected_credentials_in_a_server_url_are_not_shown() -> None:
    with pytest.raises(ValueError, match="must not hold credentials") as caught:
        CldProvisioning(security(), ACCOUNT, server_url=f"https://{KEY}:{SECRET}@api.example.com")
    assert leaks(f"{caught.value} {caught.value!r}") == []


@both
@pytest.mark.parametrize(
    "arguments",
    [
        {"group_id": ".."},
        {"group_id": None},
        {"group_id": "a", "nonsense": 1},
        {"group_id": "a", "extended_details": "yes"},
        {"group_id": "a", "server_url": "http://api.example.com"},
        {"group_id": "a", "timeout_ms": "soon"},
        {"group_id": "a", "http_headers": {"X": "a\nb"}},
        {"group_id": "a", "retries": 3},
    ],
    ids=str,
)
def test_the_error_of_a_rejected_argument_shows_no_secret(
    arguments: dict[str, Any], mode: Mode
) -> None:
    error = error_of(
        mode,
        GET,
        transport=FakeTransport(AssertionError("a request was sent")),
        arguments=arguments,
        security=security(),
    )
    assert isinstance(error, ValueError | TypeError)
    assert leaks(all_of(error)) == []


# --- logs, warnings, hooks


class Notes:
    """A hook that keeps all that it is told."""

    def __init__(self) -> None:
        self.contexts: list[HookContext] = []
        self.told: list[object] = []

    def before_request(self, context: HookContext, request: httpx.Request) -> None:
        self.contexts.append(context)
        self.told += [request, request.headers]

    def after_response(self, context: HookContext, response: httpx.Response) -> None:
        self.contexts.append(context)
        self.told += [response, response.headers, response.request.headers]

    def on_retry(self, context: HookContext, delay: float, error: Exception) -> None:
        self.contexts.append(context)
        self.told += [error, all_of(error)]

    def on_error(self, context: HookContext, error: Exception) -> None:
        self.contexts.append(context)
        self.told += [error, all_of(error)]


SCRIPT = (response(503), HangUp(), response(429, headers={"Retry-After": "1"}), not_http())


@both
@pytest.mark.parametrize("last", [response(200, DELETE.body), response(403)], ids=["ok", "error"])
def test_no_log_record_and_no_warning_holds_the_secret(
    last: Step, mode: Mode, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    http, core = httpx.__name__, httpx.__name__.replace("httpx", "httpcore")
    for name in ("cld_user_groups", http, core, "asyncio", "anyio"):
        caplog.set_level(logging.DEBUG, name)
    with FaultServer(*SCRIPT, last) as server, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            call(mode, DELETE, server.url, security=security())
        except models.CloudinaryError as error:
            assert error.status_code == 403  # noqa: PT017
    assert len(server.requests) == 5
    texts = [f"{record.getMessage()} {vars(record)!r}" for record in caplog.records]
    loggers = {record.name.partition(".")[0] for record in caplog.records}
    assert {"cld_user_groups", http, core} <= loggers
    assert leaks("\n".join(texts)) == []
    assert leaks(caplog.text) == []
    assert leaks([str(warning.message) for warning in warned]) == []


@both
def test_a_debug_logger_of_the_callers_own_is_not_told_the_secret(mode: Mode) -> None:
    class Log:
        def __init__(self) -> None:
            self.calls: list[tuple[object, ...]] = []

        def debug(self, *args: object) -> None:
            self.calls.append(args)

    log = Log()
    with FaultServer(*SCRIPT, response(403)) as server:
        error_of(mode, DELETE, server.url, security=security(), debug_logger=log)
    assert len(log.calls) > 10
    assert leaks(log.calls) == []


@both
@pytest.mark.parametrize(
    ("last", "failed"), [(response(200, DELETE.body), 4), (response(403), 5)], ids=["ok", "error"]
)
def test_what_hooks_are_told_prints_without_the_secret(last: Step, failed: int, mode: Mode) -> None:
    notes = Notes()
    with FaultServer(*SCRIPT, last) as server:
        try:
            call(mode, DELETE, server.url, security=security(), hooks=[notes])
        except models.CloudinaryError as error:
            assert error.status_code == 403  # noqa: PT017
    assert len(notes.contexts) > 10
    assert leaks("\n".join(every_text_of(context) for context in notes.contexts)) == []
    assert leaks("\n".join(f"{told!r} {told}" for told in notes.told)) == []
    requests = [told for told in notes.told if isinstance(told, httpx.Request)]
    assert [each.headers["Authorization"] for each in requests[:failed]] == ["***"] * failed
    sent = {request.header("Authorization") for request in server.requests}
    assert sent == {f"Basic {token()}"}
