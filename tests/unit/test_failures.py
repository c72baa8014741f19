"""What an exception says about the request, and what is left of the credentials in it."""

from __future__ import annotations

import ssl
import traceback

import httpx
import pytest
from tests.support.transport import SECRET, SECURITY

from cld_user_groups._engine.failures import classify
from cld_user_groups._engine.io import Attempt
from cld_user_groups._engine.retry import Lost
from cld_user_groups.security import Authorization, hide_credentials

REQUEST = httpx.Request("POST", "https://api.cloudinary.com")
AUTHORIZATION = Authorization(SECURITY)


def attempt(*reached: str) -> Attempt:
    """Return an attempt for which these flags are set."""
    found = Attempt(REQUEST)
    for flag in reached:
        setattr(found, flag, True)
    return found


UNKNOWN_TRANSPORT = attempt("is_entered")
CONNECTING = attempt("is_entered", "is_traced")
BEGUN = attempt("is_entered", "is_traced", "is_begun")
HEAD_SENT = attempt("is_entered", "is_traced", "is_begun", "is_head_sent")


def responded(status: int) -> Attempt:
    """Return an attempt whose response had arrived as far as its head."""
    found = attempt("is_entered", "is_traced", "is_begun", "is_head_sent")
    head = (b"HTTP/1.1", status, b"OK", [(b"X-Request-Id", b"r1")])
    found.trace("http11.receive_response_headers.complete", {"return_value": head})
    return found


def unverified(*, nested: bool, by_context: bool) -> httpx.ConnectError:
    """Return a failure to connect that a certificate caused."""
    cause: Exception = ssl.SSLCertVerificationError("self-signed certificate")
    if nested:
        outer = OSError("handshake")
        outer.__cause__ = cause
        cause = outer
    error = httpx.ConnectError("no")
    if by_context:
        error.__context__ = cause
    else:
        error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("failure", "reached", "lost"),
    [
        (httpx.UnsupportedProtocol("no"), UNKNOWN_TRANSPORT, Lost.REFUSED),
        (ValueError("a hook's"), Attempt(REQUEST), Lost.REFUSED),
        (ValueError("a hook's"), CONNECTING, Lost.REFUSED),
        (ValueError("a transport's"), UNKNOWN_TRANSPORT, Lost.UNKNOWN),
        (ValueError("a transport's"), BEGUN, Lost.UNKNOWN),
        (httpx.LocalProtocolError("head"), BEGUN, Lost.REFUSED),
        (httpx.LocalProtocolError("later"), HEAD_SENT, Lost.NO_RESPONSE),
        (httpx.LocalProtocolError("which?"), UNKNOWN_TRANSPORT, Lost.NO_RESPONSE),
        (httpx.ReadTimeout("slow"), BEGUN, Lost.NO_RESPONSE),
        (httpx.ConnectError("odd"), BEGUN, Lost.NO_RESPONSE),
        (httpx.ReadTimeout("of the tunnel"), CONNECTING, Lost.NOT_SENT),
        (httpx.ReadTimeout("which?"), UNKNOWN_TRANSPORT, Lost.NO_RESPONSE),
        (httpx.ConnectTimeout("slow"), UNKNOWN_TRANSPORT, Lost.NOT_SENT),
        (httpx.PoolTimeout("busy"), UNKNOWN_TRANSPORT, Lost.NOT_SENT),
        (httpx.ProxyError("503 Service Unavailable"), CONNECTING, Lost.NOT_SENT),
        (httpx.ProxyError("502 Bad Gateway"), CONNECTING, Lost.NOT_SENT),
        (httpx.ProxyError("407 Proxy Authentication Required"), CONNECTING, Lost.REFUSED),
        (httpx.ProxyError("Proxy Server could not connect: refused"), CONNECTING, Lost.NOT_SENT),
        (httpx.ProxyError("not a proxy"), CONNECTING, Lost.REFUSED),
        (unverified(nested=False, by_context=False), CONNECTING, Lost.REFUSED),
        (unverified(nested=False, by_context=True), CONNECTING, Lost.REFUSED),
        (unverified(nested=True, by_context=False), CONNECTING, Lost.REFUSED),
        (httpx.ConnectError("refused"), CONNECTING, Lost.NOT_SENT),
        (httpx.ConnectError("refused"), UNKNOWN_TRANSPORT, Lost.NOT_SENT),
        (httpx.ConnectError("an event hook's"), responded(200), Lost.UNKNOWN),
        (ValueError("an event hook's"), responded(500), Lost.UNKNOWN),
        (ValueError("an event hook's"), responded(403), Lost.REFUSED),
        (httpx.ReadTimeout("an event hook's"), responded(503), Lost.REFUSED),
    ],
)
def test_a_failure_says_whether_the_request_was_sent_and_a_retry_may_help(
    failure: Exception, reached: Attempt, lost: Lost
) -> None:
    assert classify(failure, reached) is lost


def echoing() -> Exception:
    return ValueError(5, f"bad value {SECRET}")


def test_credentials_are_masked_in_everything_reachable_from_an_error() -> None:
    cause, context, member = echoing(), echoing(), echoing()
    group = ExceptionGroup("several", [member, ValueError("clean")])
    group.__cause__, cause.__context__ = cause, context
    context.__context__ = group  # a circle
    error = echoing()
    error.__context__ = group
    request = httpx.Request("GET", "https://x", headers={"Authorization": AUTHORIZATION.header})
    hide_credentials(error, request, AUTHORIZATION)
    assert [each.args for each in (error, cause, context, member)] == [(5, "bad value ***")] * 4
    assert request.headers["authorization"] == "***"


class WithHeaders(Exception):
    """An error that shows more than its arguments."""

    def __init__(self, headers: object) -> None:
        super().__init__("rejected")
        self.headers = headers

    def __str__(self) -> str:
        return f"rejected: {self.headers!r}"


def noted(note: str) -> Exception:
    error = ValueError("x")
    error.add_note(note)
    return error


@pytest.mark.parametrize(
    "error",
    [
        ValueError(AUTHORIZATION.header.encode()),
        ValueError({"authorization": AUTHORIZATION.header}),
        ValueError(("authorization", [AUTHORIZATION.header])),
        WithHeaders({"authorization": AUTHORIZATION.header}),
        WithHeaders([(b"authorization", AUTHORIZATION.header.encode())]),
        OSError(5, SECRET, f"/tmp/{SECRET}", None, f"/tmp/{SECRET}"),
        noted(f"sent {AUTHORIZATION.header}"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_credentials_are_masked_in_all_that_an_error_shows(error: Exception) -> None:
    hide_credentials(error, None, AUTHORIZATION)
    shown = "".join(traceback.format_exception(error)) + repr((error.args, vars(error)))
    assert SECRET not in shown
    assert AUTHORIZATION.header.removeprefix("Basic ") not in shown
    assert "***" in shown


def test_what_an_error_has_without_credentials_stays_as_it_is() -> None:
    circle: list[object] = ["clean", b"clean", {"a": ("clean",)}]
    circle.append(circle)
    error = WithHeaders(circle)
    hide_credentials(error, None, AUTHORIZATION)
    assert error.headers is circle


def send(error: Exception) -> None:
    """Raise an error in a frame of httpx."""
    names: dict[str, object] = {"__name__": "httpx._transports.default"}
    exec("def handle_request(error):\n    raise error\n", names)
    names["handle_request"](error)  # type: ignore[operator]


def test_a_foreign_error_keeps_the_frames_of_the_caller_and_no_others() -> None:
    names: dict[str, object] = {"send": send}  # code without a module, as `exec` runs it
    exec("def caller(error):\n    send(error)\n", names)
    with pytest.raises(ValueError) as caught:
        names["caller"](ValueError("x"))  # type: ignore[operator]
    hide_credentials(caught.value, None, AUTHORIZATION)
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert [frame.name for frame in frames[1:]] == ["caller", "send"]


def test_an_error_of_httpx_keeps_no_frames() -> None:
    with pytest.raises(httpx.ReadError) as caught:
        send(httpx.ReadError("x"))
    hide_credentials(caught.value, None, AUTHORIZATION)
    assert caught.value.__traceback__ is None
