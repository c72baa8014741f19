"""One call by each client that is installed, over a socket; sockets.py runs it in each environment.

It prints the names of its clients, and then, for each line with the arguments of `Batches.run`,
the CPU time of a call in seconds. With a kind, a name, an operation and a number of calls, it makes
them and ends.
"""

import asyncio
import base64
import gc
import http.client
import importlib
import json
import os
import socket
import ssl
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from wire import ACCOUNT_ID, GROUP_ID, GROUP_PATH, GROUPS_PATH, KEY, NEW_NAME, SECRET

HEADERS = {"Authorization": "Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()}
REQUESTS = {"list": ("GET", GROUPS_PATH, None), "update": ("PUT", GROUP_PATH, NEW_NAME)}
# What sends a method to a path with a JSON body, and returns the decoded response.
Send = Callable[[str, str, Any], Any]


def trust(certificate: str) -> None:
    """Have every library trust the server's certificate, in the way that it documents."""
    os.environ |= {"SSL_CERT_FILE": certificate, "REQUESTS_CA_BUNDLE": certificate}
    with suppress(ImportError):
        import certifi

        certifi.where = lambda: certificate  # the classic client has no other way


def context(url: str) -> ssl.SSLContext | None:
    """Return the trust of the clients that want it as an argument; None without TLS."""
    return ssl.create_default_context() if url.startswith("https") else None


def _methods(client: Any) -> Send:
    """Return the calls of this SDK, or of the vendor's, which has the same methods."""
    groups = client.user_groups
    calls = {
        "GET": groups.list,
        "PUT": lambda: groups.update(group_id=GROUP_ID, user_group_request=NEW_NAME),
    }
    return lambda method, *_: calls[method]()


def _per_thread(make: Callable[[], Any]) -> Callable[[], Any]:
    """Return what a thread has to itself."""
    local = threading.local()

    def get() -> Any:
        if not hasattr(local, "made"):
            local.made = make()
        return local.made

    return get


def bare(url: str, library: str = "httpx") -> Send:
    client = importlib.import_module(library).Client(base_url=url, auth=(KEY, SECRET))
    return lambda method, path, body: client.request(method, path, json=body).json()


def bare_async(url: str, library: str = "httpx") -> Send:
    client = importlib.import_module(library).AsyncClient(base_url=url, auth=(KEY, SECRET))

    async def send(method: str, path: str, body: Any) -> Any:
        return (await client.request(method, path, json=body)).json()

    return send


def sdk(url: str, library: str = "httpx", prefix: str = "", transport: Any = None) -> Send:
    import cld_user_groups

    http = importlib.import_module(library)
    given = None if transport is None else getattr(http, f"{prefix}Client")(transport=transport)
    kind = getattr(cld_user_groups, f"{prefix}CldProvisioning")
    security = cld_user_groups.Security(KEY, SECRET)
    settings = {"server_url": url, "http_library": library, "client": given}
    return _methods(kind(security, ACCOUNT_ID, **settings))


def vendor(url: str, prefix: str = "") -> Send:
    from pydantic import BaseModel  # noqa: F401 - where it is missing, the package is ours

    import cloudinary_account_provisioning as package

    security = package.models.Security(provisioning_api_key=KEY, provisioning_api_secret=SECRET)
    kind = getattr(package, f"{prefix}CldProvisioning")
    return _methods(kind(security, ACCOUNT_ID, server_url=url))


def classic(url: str) -> Send:
    from cloudinary import provisioning

    provisioning.account_config(
        account_id=ACCOUNT_ID, provisioning_api_key=KEY, provisioning_api_secret=SECRET
    )
    calls = {
        "GET": lambda: provisioning.user_groups(upload_prefix=url),
        "PUT": lambda: provisioning.update_user_group(GROUP_ID, **NEW_NAME, upload_prefix=url),
    }
    return lambda method, *_: calls[method]()


def by_urllib3(url: str) -> Send:
    import urllib3

    pool = urllib3.PoolManager(maxsize=20, headers=HEADERS, ssl_context=context(url))
    return lambda method, path, body: pool.request(
        method, url + path, headers=HEADERS, json=body
    ).json()


def by_requests(url: str) -> Send:
    import requests

    session = _per_thread(requests.Session)  # it is not safe to share
    return lambda method, path, body: (
        session().request(method, url + path, json=body, auth=(KEY, SECRET)).json()
    )


def by_http_client(url: str) -> Send:
    host, trusted = urlsplit(url).netloc, context(url)
    connection = _per_thread(
        lambda: (
            http.client.HTTPSConnection(host, context=trusted)
            if trusted
            else http.client.HTTPConnection(host)
        )
    )

    def send(method: str, path: str, body: Any) -> Any:
        content = None if body is None else json.dumps(body).encode()
        connection().request(method, path, content, HEADERS)
        return json.loads(connection().getresponse().read())

    return send


def floor(url: str) -> Send:
    """Return what has nothing but a socket, a parser in C, and msgspec."""
    import httptools
    import msgspec

    parts, trusted = urlsplit(url), context(url)

    def connect() -> socket.socket:
        made = socket.create_connection((parts.hostname, parts.port))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return trusted.wrap_socket(made, server_hostname=parts.hostname) if trusted else made

    class Response:
        content, is_done = b"", False

        def on_body(self, content: bytes) -> None:
            self.content += content

        def on_message_complete(self) -> None:
            self.is_done = True

    connection = _per_thread(connect)

    def send(method: str, path: str, body: Any) -> Any:
        content = b"" if body is None else msgspec.json.encode(body)
        head = f"{method} {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: "
        head += f"{HEADERS['Authorization']}\r\nContent-Length: {len(content)}\r\n\r\n"
        connection().sendall(head.encode() + content)
        response = Response()
        parser = httptools.HttpResponseParser(response)
        while not response.is_done:
            parser.feed_data(connection().recv(65536))
        return msgspec.json.decode(response.content)

    return send


def _in_loop(make: Callable[[], Any], send: Callable[..., Awaitable[Any]]) -> Send:
    """Return what sends with a client that belongs to the loop in which it is made."""
    made: list[Any] = []

    async def send_with(*request: Any) -> Any:
        if not made:
            made.append(make())
        return await send(made[0], *request)

    return send_with


def by_aiohttp(url: str) -> Send:
    import aiohttp

    trusted: Any = context(url) or True

    async def send(session: Any, method: str, path: str, body: Any) -> Any:
        async with session.request(method, url + path, json=body, ssl=trusted) as response:
            return await response.json()

    return _in_loop(lambda: aiohttp.ClientSession(headers=HEADERS), send)


def sdk_over_aiohttp(url: str) -> Send:
    from httpx_aiohttp import AiohttpTransport

    return sdk(url, "httpx", "Async", AiohttpTransport())


def _reqwest(builder: Any) -> Any:
    """Return a client of pyreqwest, which has no certificates of its own."""
    import certifi

    content = Path(certifi.where()).read_bytes()
    return builder.follow_redirects(enable=False).add_root_certificate_pem(content).build()


def by_reqwest(url: str) -> Send:
    from pyreqwest.client import SyncClientBuilder

    client = _reqwest(SyncClientBuilder().default_headers(HEADERS))

    def send(method: str, path: str, body: Any) -> Any:
        request = client.request(method, url + path)
        return (request if body is None else request.body_json(body)).build().send().json()

    return send


def by_reqwest_async(url: str) -> Send:
    from pyreqwest.client import ClientBuilder

    async def send(client: Any, method: str, path: str, body: Any) -> Any:
        request = client.request(method, url + path)
        request = request if body is None else request.body_json(body)
        return await (await request.build().send()).json()

    return _in_loop(lambda: _reqwest(ClientBuilder().default_headers(HEADERS)), send)


def sdk_over_reqwest(url: str) -> Send:
    from pyreqwest.client import SyncClientBuilder
    from pyreqwest.compatibility.httpx import SyncHttpxTransport

    return sdk(url, transport=SyncHttpxTransport(_reqwest(SyncClientBuilder())))


# What the clients of a kind are, and how the one or the other is made for a server.
CLIENTS: dict[str, dict[str, Callable[[str], Send]]] = {
    "sync": {
        "this SDK": sdk,
        "bare httpx": bare,
        "this SDK with httpx2": partial(sdk, library="httpx2"),
        "bare httpx2": partial(bare, library="httpx2"),
        "vendor's SDK": vendor,
        "classic client": classic,
        "this SDK over pyreqwest": sdk_over_reqwest,
        "pyreqwest": by_reqwest,
        "requests": by_requests,
        "urllib3": by_urllib3,
        "http.client": by_http_client,
        "floor": floor,
    },
    "async": {
        "this SDK": partial(sdk, prefix="Async"),
        "bare httpx": bare_async,
        "this SDK with httpx2": partial(sdk, library="httpx2", prefix="Async"),
        "bare httpx2": partial(bare_async, library="httpx2"),
        "vendor's SDK": partial(vendor, prefix="Async"),
        "this SDK over httpx-aiohttp": sdk_over_aiohttp,
        "aiohttp": by_aiohttp,
        "pyreqwest": by_reqwest_async,
    },
}


class Batches:
    """Makes calls, one by one or at once, and measures their CPU time."""

    def __init__(self, url: str, only: str = "") -> None:
        self.runner, self.threads = asyncio.Runner(), ThreadPoolExecutor(20)
        self.found: dict[str, dict[str, Send]] = {}
        for kind, clients in CLIENTS.items():
            self.found[kind] = {}
            for name, make in clients.items():
                if name == (only or name):
                    with suppress(ImportError):
                        self.found[kind][name] = make(url)

    def run(self, kind: str, at_once: int, name: str, operation: str, calls: int) -> float:
        """Return the CPU time of a call, in seconds."""
        send, request = self.found[kind][name], REQUESTS[operation]
        start = time.process_time()
        if kind == "async":
            self.runner.run(self._gather(send, at_once, request, calls))
        elif at_once > 1:
            list(self.threads.map(lambda _: send(*request), range(calls)))
        else:
            for _ in range(calls):
                send(*request)
        return (time.process_time() - start) / calls

    @staticmethod
    async def _gather(send: Send, at_once: int, request: Any, calls: int) -> None:
        for _ in range(calls // at_once):
            if at_once == 1:
                await send(*request)
            else:
                await asyncio.gather(*(send(*request) for _ in range(at_once)))


def main() -> None:
    """Serve sockets.py, or make calls for callgrind."""
    url, certificate, *line = sys.argv[1:]
    if certificate:
        trust(certificate)
    if line:
        kind, name, operation, calls = line
        batches = Batches(url, name)
        batches.run(kind, 1, name, operation, 5)
        gc.collect()
        gc.freeze()  # else a look through all that was imported falls into one run or the other
        batches.run(kind, 1, name, operation, int(calls))
        return
    batches = Batches(url)
    print(json.dumps({kind: [*found] for kind, found in batches.found.items()}), flush=True)
    for text in sys.stdin:
        try:
            print(batches.run(*json.loads(text)), flush=True)
        except Exception as error:  # noqa: BLE001 - of any of the clients
            print(f"{text.strip()}: {type(error).__name__}: {error}", file=sys.stderr)
            print("nan", flush=True)
    os._exit(0)  # some clients complain of connections that are open


if __name__ == "__main__":
    main()
