"""Resolve a client's settings from arguments, environment variables and the servers' URLs."""

from __future__ import annotations

import ipaddress
import os
import platform
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote

import httpx

from cld_provisioning_api.types import path_segment
from cld_user_groups._version import __version__
from cld_user_groups.security import Security, SecuritySource, problem_with

# The servers of openapi.yaml with the defaults of their variables; a test compares the two.
SERVERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("https://{region}.cloudinary.com", {"region": "api"}),
    ("https://{host}", {"host": "api.cloudinary.com"}),
)
REGIONS = ("api", "api-eu", "api-ap")

KEY = "CLOUDINARY_PROVISIONING_API_KEY"
SECRET = "CLOUDINARY_PROVISIONING_API_SECRET"  # noqa: S105 - a variable's name
ACCOUNT_ID = "CLOUDINARY_ACCOUNT_ID"
ACCOUNT_URL = "CLOUDINARY_ACCOUNT_URL"
_URL_FORM = f"{ACCOUNT_URL} must have the form account://KEY:SECRET@ACCOUNT_ID"

SERVER_URL = "CLOUDINARY_PROVISIONING_SERVER_URL"
REGION = "CLOUDINARY_PROVISIONING_REGION"

_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
# A label of a host name (RFC 1123, 2.1), with the underscore that some internal names have.
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
# Sockets count milliseconds in 31 bits.
_LONGEST_TIMEOUT_MS = 2**31 - 1
_VARIABLE = re.compile(r"{([^{}]*)}")
_USER_AGENT = f"cld-user-groups/{__version__} python/{platform.python_version()}"
# A product (RFC 9110, 10.1.5): a token, and a version that is one.
_PRODUCT = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:/[!#$%&'*+.^_`|~0-9A-Za-z-]+)?", re.ASCII)


class _AccountUrl(NamedTuple):
    security: Security
    account_id: str


def find_security(security: SecuritySource | None) -> SecuritySource | Exception:
    """Return the credentials, or the callable that returns them for a call.

    They come from the first of: the argument, the key's and the secret's variables, the account
    URL. All but a callable is read and validated now; an exception is returned for the caller to
    raise: a TypeError for an argument of the wrong type, a ValueError otherwise.

    Raises:
        ValueError: There are no credentials.
    """
    if callable(security):
        return security
    found = _security_from_environment() if security is None else security
    return problem_with(found) or found


def _security_from_environment() -> Security:
    names = [name for name in (KEY, SECRET) if not os.environ.get(name)]
    if not names:
        return Security(
            provisioning_api_key=os.environ[KEY], provisioning_api_secret=os.environ[SECRET]
        )
    if len(names) == 1:
        raise ValueError(f"Credentials are incomplete: set {names[0]} as well")
    url = _account_url()
    if url is None:
        raise ValueError(
            f"Credentials are missing: pass security=Security(...), or set {KEY} and {SECRET}, "
            f"or {ACCOUNT_URL}=account://KEY:SECRET@ACCOUNT_ID (which names the account too; "
            f"without it, account_id= or {ACCOUNT_ID} must)"
        )
    return url.security


def find_account_id(account_id: str | None) -> str:
    """Return the account: the argument, else its variable, else the account URL's.

    Raises:
        TypeError: The argument is not a str.
        ValueError: It is missing, or not one segment of a path.
    """
    if account_id is None:
        url = None
        found = os.environ.get(ACCOUNT_ID)
        if not found:
            url = _account_url()
            found = url.account_id if url else None
        if not found:
            raise ValueError(
                f"The account is missing: pass account_id=, or set {ACCOUNT_ID} or {ACCOUNT_URL}"
            )
        account_id = found
    path_segment("account_id", account_id)
    return account_id


def _account_url() -> _AccountUrl | None:
    if not os.environ.get(ACCOUNT_URL):
        return None
    url = parse_account_url(os.environ[ACCOUNT_URL])
    if url is None:
        raise ValueError(f"{_URL_FORM}, each part percent-encoded where need be")
    return url


def parse_account_url(text: str) -> _AccountUrl | None:
    """Return the parts of an account URL, or None: it must not raise, for it holds the secret.

    By hand, because urllib's parser folds the account's case and stops at a `#` in a secret.
    """
    scheme, separator, rest = text.strip().partition("://")
    userinfo, at, location = rest.rpartition("@")
    key, colon, secret = userinfo.partition(":")
    account_id = re.split("[/?#]", location, maxsplit=1)[0]
    if scheme.lower() != "account" or not (separator and at and colon and account_id):
        return None
    try:
        key, secret, account_id = (
            unquote(part, errors="strict") for part in (key, secret, account_id)
        )
    except UnicodeDecodeError:
        return None
    return _AccountUrl(
        Security(provisioning_api_key=key, provisioning_api_secret=secret), account_id
    )


def find_server_url(
    *,
    server_url: str | None,
    server_idx: int | None,
    region: str | None,
    host: str | None,
    url_params: Mapping[str, str] | None,
) -> str:
    """Return the URL of the server, without a slash at its end.

    A server_url is used as it is, with url_params filled in. Otherwise it is one of the two servers
    of the OpenAPI document: that of `server_idx`, or by default the second if there is a host, else
    the first. Where no argument chooses a server, the environment may.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument is not one that the OpenAPI document allows, or the URL is not safe.
    """
    params = dict(url_params or {})
    if (server_url, server_idx, region, host) == (None, None, None, None) and not params:
        server_url = os.environ.get(SERVER_URL) or None
        region = None if server_url else os.environ.get(REGION) or None
    if server_url is not None:
        if not isinstance(server_url, str):
            raise TypeError(f"server_url must be a str, not {type(server_url).__name__}")
        return check_server_url(_fill(server_url, params))
    given = {"region": region, "host": host}
    params.update({name: value for name, value in given.items() if value is not None})
    template, defaults = SERVERS[_server_index(server_idx, params)]
    unknown = params.keys() - given.keys()
    if unknown:
        raise ValueError(f"unknown url_params: {', '.join(sorted(unknown))}")
    params = {**defaults, **params}
    if "region" in defaults and params["region"] not in REGIONS:
        raise ValueError(f"region must be one of {', '.join(REGIONS)}, not {params['region']!r}")
    if "host" in defaults and not _HOST.fullmatch(params["host"]):
        raise ValueError(f"host must be a host name, with or without a port: {params['host']!r}")
    return check_server_url(_fill(template, params))


def _server_index(server_idx: int | None, params: Mapping[str, str]) -> int:
    if server_idx is None:
        if "region" in params and "host" in params:
            raise ValueError(
                "region and host choose different servers: pass one, or set server_idx"
            )
        server_idx = 1 if "host" in params else 0
    if isinstance(server_idx, bool) or server_idx not in range(len(SERVERS)):
        raise ValueError(f"server_idx must be 0 (a region) or 1 (a host), not {server_idx!r}")
    return server_idx


def _fill(template: str, params: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in params:
            raise ValueError(f"url_params has no {name!r}, which server_url names")
        return str.__str__(params[name])

    return _VARIABLE.sub(value, template)


def check_server_url(server_url: str) -> str:
    """Validate a server's URL, and return it without a slash at its end.

    Raises:
        TypeError: It is not a str.
        ValueError: It is not an http(s) URL of a server that can be reached, or it is plain
            http:// to an address other than loopback, which would send the secret in the clear.
    """
    if not isinstance(server_url, str):
        raise TypeError(f"server_url must be a str, not {type(server_url).__name__}")
    url, problem = _parse(server_url)
    if url is None:
        raise ValueError(f"server_url is not a URL: {problem}")
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("server_url must begin with https:// and name a host")
    if re.search(r"[\s\x00-\x1f\x7f]", server_url):
        raise ValueError("server_url must not hold spaces or control characters")
    if url.port is not None and not 0 < url.port < 65536:
        raise ValueError(f"server_url must have a port from 1 to 65535, not {url.port}")
    if not is_host(url.raw_host.decode("ascii")):
        raise ValueError(f"server_url must name a host that can be looked up, not {url.host!r}")
    if url.userinfo:
        raise ValueError("server_url must not hold credentials: pass security=")
    if "?" in server_url or "#" in server_url:
        raise ValueError("server_url must not have a query or a fragment")
    if url.scheme == "http" and not _is_loopback(url.host):
        raise ValueError(
            f"server_url must begin with https://: over http:// the secret would go to "
            f"{url.host} in the clear (only a loopback address may be reached that way)"
        )
    return str(url).rstrip("/")


def _parse(url: str) -> tuple[httpx.URL | None, str]:
    """Return a URL, or None and what is wrong with it.

    An error of httpx, even as a context, keeps a half-made URL whose repr raises.
    """
    try:
        return httpx.URL(url), ""
    except httpx.InvalidURL as error:
        return None, str(error)


def is_host(host: str) -> bool:
    """Return whether a host is an IP address, or a name that can be looked up (RFC 1123, 2.1)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.removesuffix(".").split(".")
        # A name whose last label is a number is an IPv4 address to a resolver.
        return (
            len(host) <= 253
            and all(_LABEL.fullmatch(label) for label in labels)
            and not labels[-1].isdigit()
        )
    return True


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_timeout_ms(timeout_ms: float | None) -> float | None:
    """Validate a time limit in milliseconds.

    Raises:
        TypeError: It is not a number.
        ValueError: It is not above zero, or longer than a socket can wait (24 days).
    """
    if timeout_ms is None:
        return None
    if isinstance(timeout_ms, bool) or not isinstance(timeout_ms, int | float):
        raise TypeError(f"timeout_ms must be a number, not {type(timeout_ms).__name__}")
    if not 0 < timeout_ms <= _LONGEST_TIMEOUT_MS:
        raise ValueError(
            f"timeout_ms must be above zero and at most {_LONGEST_TIMEOUT_MS} milliseconds "
            f"(24 days), not {timeout_ms!r}"
        )
    return timeout_ms


def user_agent(app_info: str | None) -> str:
    """Return the User-Agent, with the calling application's own product last.

    Raises:
        TypeError: It is not a str.
        ValueError: It is not a name, or a name/version.
    """
    if app_info is None:
        return _USER_AGENT
    if not isinstance(app_info, str):
        raise TypeError(f"app_info must be a str, not {type(app_info).__name__}")
    if not _PRODUCT.fullmatch(app_info):
        raise ValueError(f"app_info must be a name, or a name/version, not {app_info!r}")
    return f"{_USER_AGENT} {app_info}"
