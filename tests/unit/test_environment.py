"""Proxies and certificates of the environment: what is used, and what is said of a mistake."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.fault_server import FaultServer, response
from tests.support.transport import OK, SECURITY

from cld_user_groups import AsyncCldProvisioning, CldProvisioning
from cld_user_groups._engine.config import proxies

SETTINGS: dict[str, Any] = {"account_id": "acc", "security": SECURITY}
PROXY = "http://user:secret@proxy.example.com:3128"


def list_sync(**options: Any) -> object:
    with CldProvisioning(**SETTINGS, **options) as client:
        return client.user_groups.list(retries=None)


def list_async(**options: Any) -> object:
    async def call() -> object:
        async with AsyncCldProvisioning(**SETTINGS, **options) as client:
            return await client.user_groups.list(retries=None)

    return asyncio.run(call())


modes = pytest.mark.parametrize("call", [list_sync, list_async], ids=["sync", "async"])


@modes
@pytest.mark.parametrize("entry", ["::1,[::1]", "fd07:b51a:cc66:f0::/64", "http://[", "*, [::1]"])
def test_no_entry_of_no_proxy_breaks_a_call(
    call: Any, entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", f"localhost,{entry}")
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    with FaultServer(response(200, OK.content)) as server:
        call(server_url=server.url)


@pytest.mark.parametrize(
    ("no_proxy", "server_url", "direct"),
    [
        ("", "https://api.cloudinary.com", []),
        ("*", "https://api.cloudinary.com", None),
        ("example.com, .example.org,", "https://a.b", ["all://*example.com", "all://*.example.org"]),
        ("LOCALHOST,https://a.b:1", "https://a.b", ["all://LOCALHOST", "https://a.b:1"]),
        ("[::1],::1", "https://[::1]:8", ["all://[::1]"]),
        ("fd07:b51a::/32", "https://[fd07:b51a::9]", ["all://[fd07:b51a::9]"]),
        ("10.0.0.0/8", "https://10.1.2.3", ["all://10.1.2.3"]),
        ("10.0.0.0/8,fd07::/16", "https://11.1.2.3", []),
    ],
)  # fmt: skip
def test_no_proxy_names_hosts_addresses_and_networks(
    no_proxy: str, server_url: str, direct: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", no_proxy)
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    patterns = proxies(server_url)
    if direct is None:
        assert patterns == {}
    else:
        assert list(patterns) == ["https://", *direct]
        assert [patterns[pattern] for pattern in direct] == [None] * len(direct)


@modes
@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("HTTPS_PROXY", "http://u:pw@h:notaport", r"HTTPS_PROXY='http://\*\*\*@h:notaport' is not"),
        ("https_proxy", "u:p/w@[::1:1", r"https_proxy='\*\*\*@\[::1:1' is not the URL of a proxy"),
        ("ALL_PROXY", "ftp://h:1", r"ALL_PROXY='ftp://h:1' is not the URL of a proxy"),
        ("HTTPS_PROXY", "http://", r"HTTPS_PROXY='http://' is not the URL of a proxy"),
        ("ALL_PROXY", "socks5://u:pw@h:1", r"ALL_PROXY='socks5://\*\*\*@h:1' .* install socksio"),
        ("SSL_CERT_FILE", "{tmp}/none", "SSL_CERT_FILE='.*/none' is not there: correct it, or"),
        ("SSL_CERT_FILE", "{tmp}", "SSL_CERT_FILE='.*' has no certificates .*it is a folder"),
        ("SSL_CERT_FILE", "{tmp}/text", "SSL_CERT_FILE='.*/text' has no certificates that can"),
        ("SSL_CERT_DIR", "{tmp}/none", "SSL_CERT_DIR='.*/none' is not there"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named_with_its_value(
    call: Any,
    variable: str,
    value: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "text").write_text("not a certificate")
    monkeypatch.setenv(variable, value.format(tmp=tmp_path))
    with pytest.raises(ValueError, match=message) as raised:
        call()
    assert "pw" not in str(raised.value)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12))
def test_any_text_in_no_proxy_and_a_proxy_is_read_or_named(text: str) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("HTTPS_PROXY", PROXY)
        monkeypatch.setenv("NO_PROXY", text)
        proxies("https://api.cloudinary.com")
        monkeypatch.setenv("HTTPS_PROXY", text)
        message = "HTTPS_PROXY="
        try:
            proxies("https://api.cloudinary.com")
        except ValueError as error:
            message = str(error)
        assert message.startswith("HTTPS_PROXY=")
