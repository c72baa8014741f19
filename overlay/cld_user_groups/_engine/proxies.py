"""Where an httpx client sends a request: its transport, and a proxy that the environment names."""

from __future__ import annotations

from typing import Any
from urllib.request import getproxies

import httpx

from .environment import parse_proxy


def transport_for(client: httpx.Client | httpx.AsyncClient, url: httpx.URL) -> Any:
    """Return the transport that a client uses for a URL, or None if httpx no longer says."""
    find = getattr(client, "_transport_for_url", None)
    return None if find is None else find(url)


def is_behind_environment_proxy(client: httpx.Client | httpx.AsyncClient, url: httpx.URL) -> bool:
    """Return whether requests to a URL go to a proxy that the environment names.

    A proxy that the caller passed to the httpx client is the caller's decision.
    """
    pool = getattr(transport_for(client, url), "_pool", None)
    proxy = getattr(pool, "_proxy_url", None)
    if proxy is None or not client.trust_env:
        return False
    address = (proxy.host.decode("ascii"), proxy.port)
    named = [
        parse_proxy(text)
        for scheme, text in getproxies().items()
        if scheme in ("http", "https", "all")  # not "no", which need not be a URL
    ]
    return address in [(each.url.host, each.url.port) for each in named if each is not None]
