"""Stand-ins for what GitHub and GitLab know of a repository, on a socket of loopback."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from attrs import define, field

TOKEN = "t0ken"
BOT = {"type": "Bot", "id": 1}
PERSON = {"type": "User", "id": 2}


@define
class Forge:
    """What a forge responds: documents by path, and the comments of the request 7.

    Attributes:
        url: Where it is.
        documents: The response to a GET of a path. A list comes in pages of one.
        comments: The comments, as the API shows them.
        tokens: The credentials that each path was sent.
    """

    url: str = ""
    documents: dict[str, Any] = field(factory=dict[str, Any])
    comments: list[dict[str, Any]] = field(factory=list[dict[str, Any]])
    tokens: dict[str, str | None] = field(factory=dict[str, "str | None"])

    def respond(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Return the status code and the document of a response."""
        place, last = path.rsplit("/", 1)
        is_comment = place.endswith(("/issues/comments", "/merge_requests/7/notes"))
        if method in ("PATCH", "PUT") and is_comment:
            (comment,) = [each for each in self.comments if str(each["id"]) == last]
            comment["body"] = body["body"]
            return 200, comment
        if path.endswith(("/issues/7/comments", "/merge_requests/7/notes")):
            if method == "GET":
                return 200, self.comments
            comment = {"id": len(self.comments) + 1, "user": BOT, "author": BOT, **body}
            self.comments.append(comment)
            return 201, comment
        return (200, self.documents[path]) if path in self.documents else (404, {})


@contextmanager
def serve(forge: Forge) -> Generator[Forge]:
    """Serve a forge until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            url = urlsplit(self.path)
            given = self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN")
            host = self.headers["Host"].partition(":")[0]
            forge.tokens[f"{host}{url.path}"] = given
            data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = json.loads(data) if data else None
            code, found = forge.respond(self.command, url.path, body)
            query = dict(parse_qsl(url.query))
            if isinstance(found, dict) and "artifacts" in found:
                artifacts = [e for e in found["artifacts"] if e["name"] == query.get("name")]
                found = {"artifacts": artifacts}
            if isinstance(found, str):
                self.send_response(302)
                self.send_header("Location", found)
                self.end_headers()
                return
            links = []
            if isinstance(found, list):
                page = int(query.get("page", 1))
                if len(found) > page:
                    links = [f'<{forge.url}{url.path}?page={page + 1}>; rel="next"']
                found = found[page - 1 : page]
            content = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(code)
            for link in links:
                self.send_header("Link", link)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = do

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    forge.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield forge
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def archive(**files: bytes) -> bytes:
    """Return a ZIP of files, by their names without `.json`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as written:
        for name, content in files.items():
            written.writestr(f"{name}.json", content)
    return buffer.getvalue()
