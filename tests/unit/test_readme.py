"""Every Python block of README.md runs, against the emulator in place of the API."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.support.code_blocks import ROOT, blocks, run, run_tests

from cld_user_groups.emulator import Emulator


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """An emulator in place of the API, with its credentials in the environment."""
    emulator = Emulator("my-account", "my-key", "my-secret")
    transport = emulator.transport()
    monkeypatch.setenv("CLOUDINARY_ACCOUNT_URL", "account://my-key:my-secret@my-account")
    monkeypatch.setattr(
        httpx.HTTPTransport, "handle_request", lambda _, request: transport.handle_request(request)
    )
    monkeypatch.setattr(
        httpx.AsyncHTTPTransport,
        "handle_async_request",
        lambda _, request: transport.handle_async_request(request),
    )
    return emulator


BLOCKS = blocks("README.md")


@pytest.mark.parametrize(("code", "line"), [b for b in BLOCKS if "def test_" not in b.values[0]])
def test_block_runs(code: str, line: int, emulator: Emulator, waits: list[float]) -> None:
    if "CountRetries" in code:
        emulator.fail("getUserGroups", status=503, times=2)
    names = run("README.md", code, line)
    assert emulator.calls
    if "CountRetries" in code:
        assert names["retries"] == {"getUserGroups": 2}
    if "Correlate" in code:
        assert emulator.calls[-1].headers["x-correlation-id"] == "JIRA-42/1"


@pytest.mark.parametrize(("code", "line"), [b for b in BLOCKS if "def test_" in b.values[0]])
def test_block_of_tests_passes(code: str, line: int, tmp_path: Path) -> None:
    run_tests(code, tmp_path)


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a module for each block of README.md and docs/."""
    folder = tmp_path_factory.mktemp("blocks")
    for document in (ROOT / "README.md", *ROOT.glob("docs/*.md")):
        for block in blocks(str(document.relative_to(ROOT))):
            code, line = block.values
            if "import Celery" in code:
                continue  # Celery has no types
            module = folder / f"{document.stem.lower()}_line_{line}.py"
            module.write_text(code, encoding="utf-8")
    return folder


@pytest.mark.exhaustive
def test_blocks_pass_mypy_strict(modules: Path) -> None:
    pytest.importorskip("mypy", reason="make check installs the type checkers")
    check_types("mypy", "--strict", str(modules))


@pytest.mark.exhaustive
def test_blocks_pass_pyright_strict(modules: Path) -> None:
    pytest.importorskip("pyright", reason="make check installs the type checkers")
    configuration = modules / "pyrightconfig.json"
    paths = [str(ROOT / "overlay"), str(ROOT / "generated")]
    configuration.write_text(json.dumps({"typeCheckingMode": "strict", "extraPaths": paths}))
    check_types("pyright", "--project", str(configuration), "--pythonpath", sys.executable)


def check_types(checker: str, *arguments: str) -> None:
    command = [sys.executable, "-m", checker, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_traces_have_a_span_for_every_attempt(emulator: Emulator, waits: list[float]) -> None:
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from cld_user_groups import CldProvisioning

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    emulator.fail("getUserGroups", status=503)
    with httpx.Client(transport=emulator.transport()) as http:
        HTTPXClientInstrumentor.instrument_client(http, tracer_provider=provider)
        with CldProvisioning(client=http) as client:
            client.user_groups.list()
    statuses = [
        (span.attributes or {}).get("http.status_code") for span in exporter.get_finished_spans()
    ]
    assert statuses == [503, 200]
    assert "my-secret" not in str([span.to_json() for span in exporter.get_finished_spans()])


def test_table_of_the_layout_names_what_is_there() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    for path in ("openapi.yaml", "generated/cld_provisioning_api/", "docs/", "benchmarks/"):
        assert path in text
        assert (ROOT / path).exists()
