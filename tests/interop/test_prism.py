"""Stoplight Prism serves openapi.yaml, and validates each request of both clients."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.support import documents
from tests.support.operations import DOCUMENT, OPERATIONS
from tests.support.transport import Mode, both
from tools.node_tools import install

from cld_user_groups import HookContext, models
from cld_user_groups.contract import ContractCheck

from .calls import ACCOUNT, ROOT, call
from .processes import node_or_skip, running

pytestmark = pytest.mark.interop

_EXAMPLES = [
    (operation_id, example)
    for operation_id in OPERATIONS
    for example in documents.success_examples(DOCUMENT, operation_id)
]
_ERRORS = [
    (operation_id, int(status))
    for operation_id, operation in OPERATIONS.items()
    for status in operation.responses
    if status != "200"
]


@pytest.fixture(scope="module")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Prism that rejects whatever the document does not allow."""
    node = node_or_skip()
    program = install(node, "@stoplight/prism-cli").program
    log = tmp_path_factory.mktemp("prism") / "output.txt"
    # Without --errors, a violation is only reported in a header.
    command = [node.program, program, "mock", "--errors", "-h", "127.0.0.1", "-p", "0"]

    def url() -> str | None:
        found = re.search(r"listening on (http://[0-9.:]+)", log.read_text(encoding="utf-8"))
        return found[1] if found else None

    with running(
        [*command, ROOT / "openapi.yaml"],
        log,
        lambda: url() is not None,
        environment=node.environment,
    ):
        yield url() or ""


class NoViolations:
    """A hook that raises what Prism reports in a header."""

    def after_response(self, context: HookContext, response: httpx.Response) -> None:
        violations = response.headers.get("sl-violations")
        assert violations is None, violations


@pytest.mark.parametrize(
    "request_options",
    [
        {"method": "POST", "json": {}, "auth": ("k", "s")},
        {"method": "POST", "content": b"name", "auth": ("k", "s")},
        {"method": "GET"},
        {"method": "GET", "params": {"extended_details": "perhaps"}, "auth": ("k", "s")},
    ],
    ids=["no name", "not JSON", "no credentials", "not a boolean"],
)
def test_an_invalid_request_is_rejected(prism: str, request_options: dict[str, Any]) -> None:
    url = f"{prism}/v1_1/provisioning/accounts/{ACCOUNT}/user_groups"
    assert httpx.request(url=url, **request_options).is_error


@both
@pytest.mark.parametrize(("operation_id", "example"), _EXAMPLES)
def test_each_example_is_decoded(prism: str, mode: Mode, operation_id: str, example: str) -> None:
    result = call(
        mode,
        prism,
        operation_id,
        http_headers={"Prefer": f"example={example}"},
        hooks=(ContractCheck(), NoViolations()),
    )
    assert result.to_dict()


@both
@pytest.mark.parametrize(("operation_id", "status"), _ERRORS)
def test_each_documented_error_is_raised(
    prism: str, mode: Mode, operation_id: str, status: int
) -> None:
    with pytest.raises(models.CloudinaryError) as caught:
        call(
            mode,
            prism,
            operation_id,
            http_headers={"Prefer": f"code={status}"},
            hooks=(ContractCheck(), NoViolations()),
        )
    assert caught.value.status_code == status
    if isinstance(caught.value, models.ErrorResponse):
        assert caught.value.data.error
