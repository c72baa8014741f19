"""Where a client's settings come from: arguments, environment variables, servers."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import unquote

import httpx

from cld_provisioning_api.types import path_segment
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

_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_VARIABLE = re.compile(r"{([^{}]*)}")


class _AccountUrl(NamedTuple):
    security: Security
    account_id: str


def security_provider(security: SecuritySource | None) -> Callable[[], Security] | Exception:
    """Return what gives the credentials for a call: asked anew for each, so that keys can rotate.

    Taken from the first of: the argument, the key's and the secret's variables, the account URL.
    All but a callable is read and checked now. What is wrong with them is returned, for the caller
    to raise: a TypeError for an argument of the wrong type, a ValueError otherwise.

    Raises:
        ValueError: There are no credentials.
    """
    if callable(security):
        return security
    found = _security_from_environment() if security is None else security
    return problem_with(found) or (lambda: found)


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
    url = _parse_account_url(os.environ[ACCOUNT_URL])
    if url is None:
        raise ValueError(f"{_URL_FORM}, each part percent-encoded where need be")
    return url


def _parse_account_url(text: str) -> _AccountUrl | None:
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
    """Return the server that a client talks to, without a slash at its end.

    A server_url is taken as it is, with url_params filled in. Otherwise one of the two servers of
    the description is: that of `server_idx`, or, where none is given, the second if there is a
    host, else the first.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument is not one that the description allows, or the URL is not safe.
    """
    params = dict(url_params or {})
    if server_url is not None:
        if not isinstance(server_url, str):
            raise TypeError(f"server_url must be a str, not {type(server_url).__name__}")
        return check_server_url(_fill(server_url, params))
    given = {"region": region, "host": host}
    params.update({name: value for name, value in given.items() if value is not None})
    template, defaults = SERVERS[_server_index(server_idx, params)]
    unknown = params.keys() - given.keys()
    if unknown:
        raise ValueError(f"url_params has no use for {', '.join(sorted(unknown))}")
    params = {**defaults, **params}
    if "region" in defaults and params["region"] not in REGIONS:
        raise ValueError(f"region must be one of {', '.join(REGIONS)}, not {params['region']!r}")
    if "host" in defaults and not _HOST.fullmatch(params["host"]):
        raise ValueError(f"host must be a host name with or without a port: {params['host']!r}")
    return check_server_url(_fill(template, params))


def _server_index(server_idx: int | None, params: Mapping[str, str]) -> int:
    if server_idx is None:
        if "region" in params and "host" in params:
            raise ValueError("region and host are of two servers: choose one, or set server_idx")
        server_idx = 1 if "host" in params else 0
    if isinstance(server_idx, bool) or server_idx not in range(len(SERVERS)):
        raise ValueError(f"server_idx must be 0 (a region) or 1 (a host), not {server_idx!r}")
    return server_idx


def _fill(template: str, params: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in params:
            raise ValueError(f"url_params must give {name!r}, which server_url names")
        return str.__str__(params[name])

    return _VARIABLE.sub(value, template)


def check_server_url(server_url: str) -> str:
    """Return a server's URL without a slash at its end, if credentials may go there.

    Raises:
        TypeError: It is not a str.
        ValueError: It is not an http(s) URL of a server, or it is plain http:// to an address
            other than loopback, which would send the secret in the clear.
    """
    if not isinstance(server_url, str):
        raise TypeError(f"server_url must be a str, not {type(server_url).__name__}")
    url, problem = _parse(server_url)
    if url is None:
        raise ValueError(f"server_url is not a URL: {problem}")
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("server_url must begin with https:// and name a host")
    if re.search(r"[\s\x00-\x1f\x7f]", server_url) or (url.port or 0) > 65535:
        raise ValueError("server_url must be a URL as it is sent, with a port below 65536")
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


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_timeout_ms(timeout_ms: float | None) -> float | None:
    """Return a time limit in milliseconds.

    Raises:
        TypeError: It is not a number.
        ValueError: It is not above zero, or not finite.
    """
    if timeout_ms is None:
        return None
    if isinstance(timeout_ms, bool) or not isinstance(timeout_ms, int | float):
        raise TypeError(f"timeout_ms must be a number, not {type(timeout_ms).__name__}")
    if not 0 < timeout_ms < float("inf"):
        raise ValueError(f"timeout_ms must be above zero and finite, not {timeout_ms!r}")
    return timeout_ms
