"""Real proxies in front of a server: nginx, HAProxy and Apache, as people configure them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import field, frozen

from .processes import accepts, free_port, running

# Where Debian puts servers, which is not on every user's PATH.
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])

_NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; scgi_temp_path {folder}/scgi; uwsgi_temp_path {folder}/uwsgi;
  upstream upstream {{ server {upstream}; }}
  server {{
    listen 127.0.0.1:{port};
    {rule}
  }}
}}
"""
_HAPROXY = """
global
  expose-experimental-directives
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend front
  bind 127.0.0.1:{port}
  {rule}
  default_backend back
backend back
  server upstream {upstream}
"""
_APACHE = """
ServerRoot {folder}
PidFile {folder}/pid
ErrorLog {folder}/error.log
ServerName localhost
Listen 127.0.0.1:{port}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_http_module {modules}/mod_proxy_http.so
{rule}
"""


@frozen
class Proxy:
    """A way to configure a proxy.

    Attributes:
        name: The name of the test.
        program: The server's program.
        arguments: Its arguments; `{folder}` is the folder with the configuration.
        template: The configuration around the rule.
        rule: The lines that matter.
        path: The path on the proxy that leads to the server.
        folds: Whether it decodes `%2F..` and resolves the dot segments that result.
    """

    name: str
    program: str
    arguments: tuple[str, ...]
    template: str
    rule: str
    path: str = field(default="", kw_only=True)
    folds: bool = field(default=False, kw_only=True)

    @property
    def executable(self) -> str | None:
        """The path of the program, or None where it is not installed."""
        return shutil.which(self.program, path=_PATH)

    @contextmanager
    def serve(self, upstream: str, folder: Path) -> Iterator[str]:
        """Forward to a server until the block ends, and yield the server URL to use instead.

        Args:
            upstream: The server's host and port.
            folder: An empty folder for the configuration, the log and temporary files.
        """
        port = free_port()
        configuration = self.template.format(
            folder=folder,
            port=port,
            upstream=upstream,
            modules="/usr/lib/apache2/modules",
            rule=self.rule.format(upstream=upstream),
        )
        (folder / "configuration").write_text(configuration, encoding="utf-8")
        arguments = (argument.format(folder=folder) for argument in self.arguments)
        with running(
            [self.executable or self.program, *arguments], folder / "output", lambda: accepts(port)
        ):
            yield f"http://127.0.0.1:{port}{self.path}"


def _nginx(name: str, rule: str, *, path: str = "", folds: bool = False) -> Proxy:
    arguments = ("-p", "{folder}", "-e", "{folder}/error.log", "-c", "{folder}/configuration")
    return Proxy(f"nginx: {name}", "nginx", arguments, _NGINX, rule, path=path, folds=folds)


def _haproxy(name: str, rule: str) -> Proxy:
    arguments = ("-db", "-f", "{folder}/configuration")
    return Proxy(f"HAProxy: {name}", "haproxy", arguments, _HAPROXY, rule)


def _apache(name: str, rule: str, *, folds: bool = False) -> Proxy:
    arguments = ("-X", "-f", "{folder}/configuration")
    return Proxy(f"Apache: {name}", "apache2", arguments, _APACHE, rule, path="/cld", folds=folds)


_WITH_URI = "location /cld/ {{ proxy_pass http://upstream/; }}"
_WITHOUT_URI = "location / {{ proxy_pass http://upstream; }}"
_REWRITE = "location /cld/ {{ rewrite ^/cld/(.*)$ /$1 break; proxy_pass http://upstream; }}"

PROXIES = (
    _nginx("proxy_pass with a URI", _WITH_URI, path="/cld", folds=True),
    _nginx("with a URI, slashes kept", "merge_slashes off; " + _WITH_URI, path="/cld", folds=True),
    _nginx("proxy_pass without a URI", _WITHOUT_URI),
    _nginx("without a URI, slashes kept", "merge_slashes off; " + _WITHOUT_URI),
    _nginx("rewrite", _REWRITE, path="/cld", folds=True),
    _haproxy("as it is", ""),
    _haproxy(
        "normalize-uri",
        "http-request normalize-uri percent-decode-unreserved\n"
        "  http-request normalize-uri path-merge-slashes\n"
        "  http-request normalize-uri path-strip-dot\n"
        "  http-request normalize-uri path-strip-dotdot full",
    ),
    _apache("ProxyPass", "ProxyPass /cld/ http://{upstream}/"),
    _apache(
        "AllowEncodedSlashes On",
        "AllowEncodedSlashes On\nProxyPass /cld/ http://{upstream}/",
        folds=True,
    ),
    _apache(
        "AllowEncodedSlashes NoDecode, nocanon",
        "AllowEncodedSlashes NoDecode\nProxyPass /cld/ http://{upstream}/ nocanon",
    ),
)
