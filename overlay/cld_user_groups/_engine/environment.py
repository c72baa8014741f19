"""What the environment says about proxies and certificates, read as httpx does, but for mistakes.

httpx raises errors of its own, which name no variable, where it cannot use one; and it rejects all
of `NO_PROXY` for an entry such as `[::1]`, or the IPv6 network that container tools write there.
"""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from importlib.util import find_spec
from pathlib import Path
from urllib.request import getproxies

import httpx

from cld_user_groups._version import install_command

from .config import is_host
from .library import NAMES, HttpLibrary, Name

HTTP_LIBRARY = "CLOUDINARY_PROVISIONING_HTTP_LIBRARY"


def certificates(http: HttpLibrary) -> ssl.SSLContext:
    """Return the certificates to trust: those of SSL_CERT_FILE or SSL_CERT_DIR, else the library's.

    Those of httpx are certifi's, those of httpx2 the system's.

    Args:
        http: The library.

    Raises:
        ValueError: The variable names none that can be read.
    """
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    name, value = ("SSL_CERT_FILE", file) if file else ("SSL_CERT_DIR", folder)
    if value and not (Path(value).exists() if file else Path(value).is_dir()):
        raise ValueError(f"{name}={value!r} is not there: correct it, or unset it")
    try:
        return http.create_ssl_context()
    except OSError as error:
        if not value:
            raise
        reason = "it is a folder" if Path(value).is_dir() else error.strerror or error
        raise ValueError(
            f"{name}={value!r} has no certificates that can be read ({reason}): "
            "correct it, or unset it"
        ) from None


def check_library(name: str | None) -> Name:
    """Return the library for lazily created clients: the argument, else its variable, else httpx.

    That a package is installed never decides: it could change which certificates are trusted.

    Raises:
        ValueError: It is none of the two, or not installed.
    """
    argument = "http_library" if name is not None else HTTP_LIBRARY
    value = name if name is not None else os.environ.get(HTTP_LIBRARY) or "httpx"
    for known in NAMES:
        if value != known:
            continue
        if find_spec(known) is None:
            install = install_command("httpx2")
            raise ValueError(f"{argument} is {value!r}, which is not installed: {install}")
        return known
    raise ValueError(f"{argument} must be 'httpx' or 'httpx2', not {value!r}")


def proxies(server_url: str) -> dict[str, httpx.Proxy | None]:
    """Return the proxy for https:// by httpx's patterns of URLs, and None where there is none.

    Args:
        server_url: The server, which may be an address in a network that NO_PROXY names.

    Raises:
        ValueError: The variable does not name a proxy that can be used.
    """
    found = getproxies()
    text = found.get("https") or found.get("all")
    entries = [entry.strip() for entry in found.get("no", "").split(",")]
    if not text or "*" in entries:
        return {}
    patterns: dict[str, httpx.Proxy | None] = {"https://": _proxy(text)}
    host = httpx.URL(server_url).host
    patterns.update(dict.fromkeys(filter(None, (_pattern(entry, host) for entry in entries))))
    return patterns


def parse_proxy(text: str) -> httpx.Proxy | None:
    """Return a proxy by its URL, or None if that is none: an error could show its password."""
    try:
        proxy = httpx.Proxy(text if "://" in text else f"http://{text}")
    except (ValueError, httpx.InvalidURL):
        return None
    return proxy if is_host(proxy.url.raw_host.decode("ascii")) else None


def _proxy(text: str) -> httpx.Proxy:
    variables = (name for name in os.environ if name.lower() in ("https_proxy", "all_proxy"))
    name = next((name for name in variables if os.environ[name] == text), "the system's proxy")
    masked = re.sub(r"^([A-Za-z0-9+.-]+://)?.*@", r"\1***@", text)
    shown = f"{name}={masked!r}"
    proxy = parse_proxy(text)
    if proxy is None:
        raise ValueError(f"{shown} is not the URL of a proxy, as http://proxy.example.com:3128 is")
    if proxy.url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise ValueError(f"{shown} is a SOCKS proxy, which needs: pip install socksio")
    return proxy


def _pattern(entry: str, host: str) -> str | None:
    """Return httpx's pattern for an entry of NO_PROXY, or None if it is of no use here.

    A network is in no pattern; it counts for a server that is given as an address in it.
    """
    try:
        network = ipaddress.ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        if not entry:
            return None
        is_whole = "://" in entry or entry.lower() == "localhost"
        pattern = entry if "://" in entry else f"all://{'' if is_whole else '*'}{entry}"
    else:
        try:
            is_in = ipaddress.ip_address(host) in network
        except ValueError:
            return None
        pattern = f"all://[{host}]" if ":" in host else f"all://{host}"
        return pattern if is_in else None
    try:
        httpx.URL(pattern)
    except httpx.InvalidURL:
        return None
    return pattern
