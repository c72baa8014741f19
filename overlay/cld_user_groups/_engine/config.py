"""Resolve a client's settings from arguments, environment variables and the servers' URLs.

Proxies and certificates are read from the environment as httpx reads them, but for mistakes: httpx
raises errors that name no variable, and it rejects all of `NO_PROXY` for an entry such as `[::1]`,
or the IPv6 network that container tools write there.
"""

from __future__ import annotations

import ipaddress
import os
import platform
import re
import ssl
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from urllib.parse import unquote
from urllib.request import getproxies

import httpx

from cld_provisioning_api.types import path_segment
from cld_user_groups._version import __version__, install_command
from cld_user_groups.security import Security, SecuritySource, problem_with

from .library import NAMES, Name

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
SERVER_URL = "CLOUDINARY_PROVISIONING_SERVER_URL"
REGION = "CLOUDINARY_PROVISIONING_REGION"
HTTP_LIBRARY = "CLOUDINARY_PROVISIONING_HTTP_LIBRARY"

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
    URL. What is wrong with an argument is returned, for a caller to raise that no longer holds it.
    """
    if callable(security):
        return security
    found = _security_from_environment() if security is None else security
    return problem_with(found) or found


def _security_from_environment() -> Security:
    missing = [name for name in (KEY, SECRET) if not os.environ.get(name)]
    if not missing:
        return Security(os.environ[KEY], os.environ[SECRET])
    if len(missing) == 1:
        raise ValueError(f"Credentials are incomplete: set {missing[0]} as well")
    url = _account_url()
    if url is None:
        raise ValueError(
            f"Credentials are missing: pass security=Security(...), or set {KEY} and {SECRET}, "
            f"or {ACCOUNT_URL}=account://KEY:SECRET@ACCOUNT_ID (which names the account too; "
            f"without it, account_id= or {ACCOUNT_ID} must)"
        )
    return url.security


def find_account_id(account_id: str | None) -> str:
    """Return the account: the argument, else its variable, else the account URL's."""
    if account_id is None:
        account_id = os.environ.get(ACCOUNT_ID)
        if not account_id and (url := _account_url()):
            account_id = url.account_id
        if not account_id:
            raise ValueError(
                f"The account is missing: pass account_id=, or set {ACCOUNT_ID} or {ACCOUNT_URL}"
            )
    path_segment("account_id", account_id)
    return account_id


def _account_url() -> _AccountUrl | None:
    if not os.environ.get(ACCOUNT_URL):
        return None
    url = parse_account_url(os.environ[ACCOUNT_URL])  # in no variable, which a traceback could show
    if url is None:
        raise ValueError(
            f"{ACCOUNT_URL} must have the form account://KEY:SECRET@ACCOUNT_ID, "
            "each part percent-encoded where need be"
        )
    return url


def parse_account_url(text: str) -> _AccountUrl | None:
    """Return the parts of an account URL, or None: it must not raise, for it holds the secret.

    By hand, because urllib's parser folds the account's case and stops at a `#` in a secret.
    """
    scheme, _, rest = text.strip().partition("://")
    userinfo, _, location = rest.rpartition("@")
    account_id = re.split("[/?#]", location, maxsplit=1)[0]
    parts = (*userinfo.partition(":"), account_id)
    if scheme.lower() != "account" or not (parts[1] and account_id):
        return None
    try:
        key, _, secret, account_id = (unquote(part, errors="strict") for part in parts)
    except UnicodeDecodeError:
        return None
    return _AccountUrl(Security(key, secret), account_id)


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
    """
    params = dict(url_params or {})
    if (server_url, server_idx, region, host) == (None, None, None, None) and not params:
        server_url = os.environ.get(SERVER_URL) or None
        region = None if server_url else os.environ.get(REGION) or None
    if server_url is not None:
        return check_server_url(_fill(_checked("server_url", server_url, str), params))
    given = {"region": region, "host": host}
    params.update({name: value for name, value in given.items() if value is not None})
    if server_idx is None:
        if "region" in params and "host" in params:
            raise ValueError(
                "region and host choose different servers: pass one, or set server_idx"
            )
        server_idx = 1 if "host" in params else 0
    elif isinstance(server_idx, bool) or server_idx not in range(len(SERVERS)):
        raise ValueError(f"server_idx must be 0 (a region) or 1 (a host), not {server_idx!r}")
    template, defaults = SERVERS[server_idx]
    unknown = params.keys() - given.keys()
    if unknown:
        raise ValueError(f"unknown url_params: {', '.join(sorted(unknown))}")
    params = {**defaults, **params}
    if "region" in defaults and params["region"] not in REGIONS:
        raise ValueError(f"region must be one of {', '.join(REGIONS)}, not {params['region']!r}")
    if "host" in defaults and not _HOST.fullmatch(params["host"]):
        raise ValueError(f"host must be a host name, with or without a port: {params['host']!r}")
    return check_server_url(_fill(template, params))


def _fill(template: str, params: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in params:
            raise ValueError(f"url_params has no {name!r}, which server_url names")
        return str.__str__(params[name])

    return _VARIABLE.sub(value, template)


def check_server_url(server_url: str) -> str:
    """Return a server's URL without a slash at its end, or raise if no request may go there.

    Over plain http:// only a loopback address is reached: the secret would go in the clear.
    """
    url, problem = _parse(_checked("server_url", server_url, str))
    if url is None:
        problem = f"is not a URL: {problem}"
    elif url.scheme not in ("http", "https") or not url.host:
        problem = "must begin with https:// and name a host"
    elif re.search(r"[\s\x00-\x1f\x7f]", server_url):
        problem = "must not hold spaces or control characters"
    elif url.port is not None and not 0 < url.port < 65536:
        problem = f"must have a port from 1 to 65535, not {url.port}"
    elif not is_host(url):
        problem = f"must name a host that can be looked up, not {url.host!r}"
    elif url.userinfo:
        problem = "must not hold credentials: pass security="
    elif "?" in server_url or "#" in server_url:
        problem = "must not have a query or a fragment"
    elif url.scheme == "http" and not _is_loopback(url.host):
        problem = (
            f"must begin with https://: over http:// the secret would go to {url.host} in the "
            "clear (only a loopback address may be reached that way)"
        )
    if problem:
        raise ValueError(f"server_url {problem}")
    return str(url).rstrip("/")


def _parse(url: str) -> tuple[httpx.URL | None, str]:
    """Return a URL, or None and what is wrong with it.

    An error of httpx, even as a context, keeps a half-made URL whose repr raises.
    """
    try:
        return httpx.URL(url), ""
    except httpx.InvalidURL as error:
        return None, str(error)


def is_host(url: httpx.URL) -> bool:
    """Return whether a host is an IP address, or a name that can be looked up (RFC 1123, 2.1)."""
    host = url.raw_host.decode("ascii")
    if _address(host) is not None:
        return True
    labels = host.removesuffix(".").split(".")
    # A name whose last label is a number is an IPv4 address to a resolver.
    has_labels = all(_LABEL.fullmatch(label) for label in labels)
    return has_labels and len(host) <= 253 and not labels[-1].isdigit()


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def make_timeout(timeout_ms: float | None) -> httpx.Timeout | None:
    """Return a time limit in milliseconds as that of httpx, or None for none."""
    if timeout_ms is None:
        return None
    _checked("timeout_ms", timeout_ms, int | float, "a number")
    if not 0 < timeout_ms <= _LONGEST_TIMEOUT_MS:
        raise ValueError(
            f"timeout_ms must be above zero and at most {_LONGEST_TIMEOUT_MS} milliseconds "
            f"(24 days), not {timeout_ms!r}"
        )
    return httpx.Timeout(timeout_ms / 1000)


def check_max_bytes(max_response_bytes: int) -> int:
    """Return the maximum size of a body, or raise a TypeError or a ValueError."""
    if _checked("max_response_bytes", max_response_bytes, int, "an int") < 1:
        raise ValueError(f"max_response_bytes must be at least 1, not {max_response_bytes}")
    return max_response_bytes


def user_agent(app_info: str | None) -> str:
    """Return the User-Agent, with the calling application's own product last."""
    if app_info is None:
        return _USER_AGENT
    if not _PRODUCT.fullmatch(_checked("app_info", app_info, str)):
        raise ValueError(f"app_info must be a name, or a name/version, not {app_info!r}")
    return f"{_USER_AGENT} {app_info}"


def _checked(name: str, value: Any, kind: Any, article: str = "a str") -> Any:
    """Return an argument if it is of its type, and no bool, which Python counts as a number."""
    if isinstance(value, bool) or not isinstance(value, kind):
        raise TypeError(f"{name} must be {article}, not {type(value).__name__}")
    return value


def check_library(name: str | None) -> Name:
    """Return the library for lazily created clients: the argument, else its variable, else httpx.

    That a package is installed never decides: it could change which certificates are trusted.
    """
    argument = "http_library" if name is not None else HTTP_LIBRARY
    value = name if name is not None else os.environ.get(HTTP_LIBRARY) or "httpx"
    for known in NAMES:
        if value == known:
            if find_spec(known) is None:
                install = install_command("httpx2")
                raise ValueError(f"{argument} is {value!r}, which is not installed: {install}")
            return known
    raise ValueError(f"{argument} must be 'httpx' or 'httpx2', not {value!r}")


def maker_of_clients(http: ModuleType, server_url: str, prefix: str) -> Callable[[], Any]:
    """Return what makes a lazily created client, sync or, with the prefix "Async", async.

    Certificates and proxies are read once, for all the clients that it returns: reading the
    certificates costs a hundred times as much as the rest.
    """
    transport = getattr(http, f"{prefix}HTTPTransport")
    # A semaphore limits what is in flight: the pool's own limit fails calls that only have to wait.
    settings: dict[str, Any] = {
        "verify": certificates(http),
        "limits": http.Limits(max_connections=None, max_keepalive_connections=None),
    }
    patterns = proxies(server_url)

    def make() -> Any:
        # None for http://, which goes to a loopback address or nowhere.
        mounts = {
            pattern: None if proxy is None else transport(proxy=proxy, **settings)
            for pattern, proxy in patterns.items()
        }
        return getattr(http, f"{prefix}Client")(mounts=mounts, trust_env=False, **settings)

    return make


def certificates(http: ModuleType) -> ssl.SSLContext:
    """Return the certificates to trust: those of SSL_CERT_FILE or SSL_CERT_DIR, else the library's.

    Those of httpx are certifi's, those of httpx2 the system's.
    """
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    name, value = ("SSL_CERT_FILE", file) if file else ("SSL_CERT_DIR", folder)
    if value and not (Path(value).exists() if file else Path(value).is_dir()):
        raise ValueError(f"{name}={value!r} is not there: correct it, or unset it")
    try:
        context: ssl.SSLContext = http.create_ssl_context()
    except OSError as error:
        if not value:
            raise
        reason = "it is a folder" if Path(value).is_dir() else error.strerror or error
        raise ValueError(
            f"{name}={value!r} has no certificates that can be read ({reason}): "
            "correct it, or unset it"
        ) from None
    return context


def proxies(server_url: str) -> dict[str, httpx.Proxy | None]:
    """Return the proxy for https:// by httpx's patterns of URLs, and None where there is none."""
    found = getproxies()
    text = found.get("https") or found.get("all")
    entries = [entry.strip() for entry in found.get("no", "").split(",")]
    if not text or "*" in entries:
        return {}
    host = httpx.URL(server_url).host
    direct = (_pattern(entry, host) for entry in entries)
    return {"https://": _proxy(text), **dict.fromkeys(filter(None, direct))}


def parse_proxy(text: str) -> httpx.Proxy | None:
    """Return a proxy by its URL, or None if that is none: an error could show its password."""
    try:
        proxy = httpx.Proxy(text if "://" in text else f"http://{text}")
    except (ValueError, httpx.InvalidURL):
        return None
    return proxy if is_host(proxy.url) else None


def _proxy(text: str) -> httpx.Proxy:
    variables = (name for name in os.environ if name.lower() in ("https_proxy", "all_proxy"))
    name = next((name for name in variables if os.environ[name] == text), "the system's proxy")
    masked = re.sub(r"^([A-Za-z0-9+.-]+://)?.*@", r"\1***@", text)
    proxy = parse_proxy(text)
    if proxy is None:
        example = "http://proxy.example.com:3128"
        raise ValueError(f"{name}={masked!r} is not the URL of a proxy, as {example} is")
    if proxy.url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise ValueError(f"{name}={masked!r} is a SOCKS proxy, which needs: pip install socksio")
    return proxy


def _pattern(entry: str, host: str) -> str | None:
    """Return httpx's pattern for an entry of NO_PROXY, or None if it is of no use here.

    A network is in no pattern; it counts for a server that is given as an address in it.
    """
    try:
        network = ipaddress.ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        is_whole = "://" in entry or entry.lower() == "localhost"
        pattern = entry if "://" in entry else f"all://{'' if is_whole else '*'}{entry}"
        return pattern if entry and _parse(pattern)[0] is not None else None
    address = _address(host)
    if address is None or address not in network:
        return None
    return f"all://[{host}]" if address.version == 6 else f"all://{host}"
