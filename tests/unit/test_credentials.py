"""Where credentials and the account come from, in which order, and what is said if they do not."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import httpx
import pytest
from tests.support.transport import KEY, OK, SECRET, SECURITY, FakeTransport

from cld_user_groups import CldProvisioning, Security

URL = "CLOUDINARY_ACCOUNT_URL"
ENV_KEY = "CLOUDINARY_PROVISIONING_API_KEY"
ENV_SECRET = "CLOUDINARY_PROVISIONING_API_SECRET"
ENV_ACCOUNT = "CLOUDINARY_ACCOUNT_ID"


def sent(**options: Any) -> tuple[str, str, str]:
    """Make a call; return the account, the key and the secret that were sent."""
    transport = FakeTransport(OK)
    with CldProvisioning(client=httpx.Client(transport=transport), **options) as client:
        client.user_groups.list()
    (request,) = transport.requests
    account = request.url.raw_path.decode().split("/")[4]
    token = request.headers["authorization"].removeprefix("Basic ")
    key, _, secret = b64decode(token).decode().partition(":")
    return account, key, secret


OF_THE_URL = {URL: "account://url-key:url-secret@url-account"}
OF_ALL = {**OF_THE_URL, ENV_KEY: "env-key", ENV_SECRET: "env-secret", ENV_ACCOUNT: "env-account"}


@pytest.mark.parametrize(
    ("variables", "options", "expected"),
    [
        (OF_ALL, {"security": SECURITY, "account_id": "acc"}, ("acc", KEY, SECRET)),
        (OF_ALL, {}, ("env-account", "env-key", "env-secret")),
        (OF_THE_URL, {}, ("url-account", "url-key", "url-secret")),
        (OF_THE_URL, {"account_id": "acc"}, ("acc", "url-key", "url-secret")),
        (OF_THE_URL, {"security": SECURITY}, ("url-account", KEY, SECRET)),
    ],
)
def test_arguments_go_before_variables_and_these_before_the_account_url(
    variables: dict[str, str],
    options: dict[str, Any],
    expected: tuple[str, str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert sent(**options) == expected


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("account://k:s@Acc-ID", ("Acc-ID", "k", "s")),
        ("account://k%40:s%3A%2F%25@a%20c", ("a%20c", "k@", "s:/%")),
        ("account://k:s#1?/@acc", ("acc", "k", "s#1?/")),
        ("account://k:s@s@acc", ("acc", "k", "s@s")),
        ("account://k:a://b@acc", ("acc", "k", "a://b")),
        ("account://k:s:t@acc", ("acc", "k", "s:t")),
        ("account://k:s@acc/", ("acc", "k", "s")),
        ("account://k:s@acc?analytics=false", ("acc", "k", "s")),
        ("ACCOUNT://k:s@acc", ("acc", "k", "s")),
        ("account://k:%C3%BC+@acc", ("acc", "k", "ü+")),
        (" account://k:s@acc\n", ("acc", "k", "s")),
    ],
)
def test_account_url_is_percent_decoded_and_nothing_else(
    url: str, parts: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL, url)
    assert sent() == parts


@pytest.mark.parametrize(
    "url",
    [
        "cloudinary://k:s3cret-value@acc", "account:k:s3cret-value@acc", "account://k@acc",
        "account://k:s3cret-value", "account://k:s3cret-value@", "https://k:s3cret-value@acc",
        "account://k:s3cret-value%FF@acc", "nonsense", "account://k:s3cret-value@/acc",
    ],
)  # fmt: skip
def test_malformed_account_url_says_its_form_and_not_its_secret(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL, url)
    with pytest.raises(ValueError, match="account://KEY:SECRET@ACCOUNT_ID") as caught:
        CldProvisioning()
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, [ENV_ACCOUNT]),
        ({ENV_ACCOUNT: "acc"}, [ENV_KEY, ENV_SECRET, URL]),
        ({ENV_ACCOUNT: "acc", ENV_KEY: "k"}, [ENV_SECRET]),
        ({ENV_ACCOUNT: "acc", ENV_SECRET: "s"}, [ENV_KEY]),
        ({ENV_ACCOUNT: "acc", ENV_KEY: "", ENV_SECRET: ""}, [ENV_KEY, ENV_SECRET]),
        ({ENV_KEY: "k", ENV_SECRET: "s"}, [ENV_ACCOUNT]),
        ({ENV_KEY: "k", URL: "account://k:s@acc"}, [ENV_SECRET]),
        ({URL: "account://:s@acc"}, ["provisioning_api_key"]),
        ({URL: "account://k:@acc"}, ["provisioning_api_secret"]),
    ],
)
def test_what_is_missing_is_named_when_the_client_is_built(
    given: dict[str, str], named: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError) as caught:
        CldProvisioning()
    assert [name for name in named if name not in str(caught.value)] == []


@pytest.mark.parametrize(
    ("security", "named"),
    [
        (Security(provisioning_api_key="k"), "provisioning_api_secret is missing"),
        (Security(provisioning_api_secret="s"), "provisioning_api_key is missing"),
        (Security(provisioning_api_key="", provisioning_api_secret="s"), "provisioning_api_key"),
        (Security(provisioning_api_key=" ", provisioning_api_secret="s"), "provisioning_api_key"),
        (Security(provisioning_api_key="a:b", provisioning_api_secret="s"), "colon"),
        (Security(provisioning_api_key="k", provisioning_api_secret="s\n"), "control character"),
        (Security(provisioning_api_key="k\r", provisioning_api_secret="s"), "control character"),
        (Security(provisioning_api_key="k", provisioning_api_secret="\ud800"), "Unicode"),
    ],
)
def test_credentials_that_cannot_be_sent_are_rejected(security: Security, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        CldProvisioning(account_id="acc", security=security)


@pytest.mark.parametrize("security", ["k:s", ("k", "s"), {"provisioning_api_key": "k"}, 5])
def test_credentials_of_another_type_are_rejected(security: Any) -> None:
    with pytest.raises(TypeError, match="security must be a Security"):
        CldProvisioning(account_id="acc", security=security)


def test_key_of_another_type_is_rejected() -> None:
    with pytest.raises(TypeError, match="provisioning_api_key must be a str"):
        CldProvisioning(account_id="acc", security=Security(5, "s"))  # type: ignore[arg-type]


def test_callable_is_asked_anew_for_every_call() -> None:
    keys = iter(["first", "second"])
    transport = FakeTransport(OK)
    client = transport.client(security=lambda: Security(next(keys), "s"))
    client.user_groups.list()
    client.user_groups.list()
    tokens = [request.headers["authorization"] for request in transport.requests]
    assert tokens == [
        "Basic " + b64encode(f"{key}:s".encode()).decode() for key in ("first", "second")
    ]


def test_callable_is_asked_once_for_a_call_that_is_sent_again(waits: list[float]) -> None:
    asked: list[None] = []
    transport = FakeTransport(httpx.Response(503), OK)

    def security() -> Security:
        asked.append(None)
        return SECURITY

    transport.client(security=security).user_groups.list()
    assert (len(asked), len(transport.requests), len(waits)) == (1, 2, 1)


@pytest.mark.parametrize(("key", "shown"), [("123456789012", "***9012"), ("12345678901", "***")])
def test_the_end_of_a_key_is_shown_where_enough_of_it_stays_hidden(key: str, shown: str) -> None:
    assert FakeTransport().client(security=lambda: Security(key, "s")).shown_key == shown


def test_callable_that_returns_something_else_is_rejected_before_sending() -> None:
    transport = FakeTransport(OK)
    with pytest.raises(TypeError, match="security must be a Security, not NoneType"):
        transport.client(security=lambda: None).user_groups.list()
    assert transport.requests == []


def test_variables_are_read_when_the_client_is_built_and_not_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(URL, "account://k1:s1@acc1")
    transport = FakeTransport(OK)
    client = CldProvisioning(client=httpx.Client(transport=transport))
    monkeypatch.setenv(URL, "account://k2:s2@acc2")
    client.user_groups.list()
    assert transport.lines == ["GET /v1_1/provisioning/accounts/acc1/user_groups"]


@pytest.mark.parametrize("account_id", ["", " ", ".", "..", "%2e%2e", "%2E", ".%2e"])
def test_account_that_is_not_one_segment_is_rejected(account_id: str) -> None:
    with pytest.raises(ValueError, match="account_id"):
        CldProvisioning(account_id=account_id, security=SECURITY)


def test_non_ascii_credentials_are_sent_as_utf_8() -> None:
    assert sent(account_id="a", security=Security("ключ", "päß")) == ("a", "ключ", "päß")
