"""README.md and docs/: every block runs, against the emulator in place of the API.

What a page says that a Python block prints is what it prints; the command accepts every command
line; every file of groups can be read. docs/tutorial.md is followed as a whole in tests/interop.
The links of the site are checked by `make docs`, those of the pages beside it here.
"""

from __future__ import annotations

import inspect
import json
import re
import shlex
import subprocess
import sys
import tomllib
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import httpx
import pytest
from tests.support.code_blocks import ROOT, Block, blocks, pages, run, run_tests

from cld_provisioning_api import models as generated
from cld_user_groups import CldProvisioning, errors, membership, models, utils
from cld_user_groups.command.cli import cli
from cld_user_groups.command.profiles import read_profiles
from cld_user_groups.emulator import Emulator
from cld_user_groups.membership import read_file

SAMPLE_USERS = {user.email: user.id for user in Emulator().users}


class Account:
    """An emulator in place of the API, with the credentials that a block uses."""

    def __init__(self) -> None:
        self.emulator = Emulator("my-account", "my-key", "my-secret")

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Respond to a request; the first one says what the credentials are."""
        basic = request.headers["authorization"].removeprefix("Basic ")
        key, _, secret = b64decode(basic).decode().partition(":")
        account_id = request.url.path.partition("/accounts/")[2].split("/")[0]
        ours = (self.emulator.account_id, self.emulator.api_key, self.emulator.api_secret)
        if (account_id, key, secret) != ours and not self.emulator.calls:
            self.emulator = Emulator(account_id, key, secret)
        return self.emulator.transport().handle_request(request)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Account:
    """An account in place of the API, with its credentials in the environment."""
    account = Account()

    async def handle(_: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        return account.handle(request)

    monkeypatch.setenv("CLOUDINARY_ACCOUNT_URL", "account://my-key:my-secret@my-account")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(
        httpx.HTTPTransport, "handle_request", lambda _, request: account.handle(request)
    )
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", handle)
    return account


#: Pages whose blocks need a server, and so have tests of their own.
ELSEWHERE = {"docs/fleets.md", "docs/many-workers.md"}
BLOCKS = [block for page in pages() if page not in ELSEWHERE for block in blocks(page)]
# These start an emulator of their own, which no other stands in for.
ON_SOCKETS = [block for block in BLOCKS if "Emulator(" in block.code and not block.is_tests]
PROGRAMS = [block for block in BLOCKS if not block.is_tests and block not in ON_SOCKETS]


@pytest.mark.parametrize("block", PROGRAMS, ids=str)
def test_block_runs(block: Block, account: Account, waits: list[float]) -> None:
    if "CountRetries" in block.code:
        account.emulator.fail("getUserGroups", status=503, times=2)
    if "load_run(" in block.code:
        _delete_a_group()
    names = run(block)
    for mark, use in USES.items():
        if mark in block.code:
            use(names)
    assert account.emulator.calls or not re.search(r"client\.user|AsyncCld", block.code)
    if "CountRetries" in block.code:
        assert names["retries"] == {"getUserGroups": 2}
    if "Correlate" in block.code:
        assert account.emulator.calls[-1].headers["x-correlation-id"] == "JIRA-42/1"


def _delete_a_group() -> None:
    """Delete a group with a journal, for a page that brings it back."""
    gone = membership.DesiredGroup(name="Marketing", state="absent", allow_empty=True)
    desired = membership.Desired(source="groups.yaml", digest="abc", groups=(gone,))
    now = datetime.now(UTC)
    with CldProvisioning() as client:
        plan = membership.plan(membership.read_account(client), desired, now.date(), now=now)
        assert membership.apply(client, plan).is_complete


def _return_models(names: dict[str, Any]) -> None:
    from fastapi.testclient import TestClient

    with TestClient(names["app"]) as web:
        (designers, *_) = web.get("/groups").json()
        assert designers == {"id": DESIGNERS, "name": "Designers"}
        team = web.get(f"/groups/{DESIGNERS}").json()
        assert (team["label"], team["group"]) == ("Designers", designers)
        document = web.get("/openapi.json").json()
        assert document["paths"].keys() == {"/groups", "/groups/{group_id}"}


def _share_a_client(names: dict[str, Any]) -> None:
    from fastapi.testclient import TestClient

    with TestClient(names["app"]) as web:
        assert [user["id"] for user in web.get(f"/groups/{DESIGNERS}/members").json()] == MEMBERS
        assert web.get("/groups/none/members").status_code == 404


def _run_task(names: dict[str, Any]) -> None:
    add = names["let_in"].apply
    assert add(args=(DESIGNERS, MARIA)).get() == "added"
    assert add(args=(DESIGNERS, MARIA)).get() == "in place"
    with pytest.raises(errors.NotFound):
        add(args=("none", MARIA)).get()


def _show_in_django(names: dict[str, Any]) -> None:
    from django.conf import settings
    from django.test import RequestFactory

    if not settings.configured:
        settings.configure()
    (route,) = names["urlpatterns"]
    for group_id, code in ((DESIGNERS, 200), ("none", 404)):
        matched = route.resolve(f"groups/{group_id}/members")
        response = matched.func(RequestFactory().get("/"), **matched.kwargs)
        assert response.status_code == code
        assert code == 404 or json.loads(response.content)["members"] == MEMBERS
    names["provisioning"]().close()


def _invoke_function(names: dict[str, Any]) -> None:
    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 3000

    event = {"group_id": DESIGNERS, "user_id": MEMBERS[0]}
    assert names["handler"](event, Context()) == {"status": "removed"}
    names["provisioning"].user_groups.add_user(**event)
    names["provisioning"].close()


DESIGNERS = "7f08f1f1fc910bf1f25274aef11d27"
MARIA = SAMPLE_USERS["maria@example.com"]
MEMBERS = [SAMPLE_USERS["john@example.com"], SAMPLE_USERS["harry@example.com"]]
#: What uses the names of a block, by what the block has.
USES = {
    "app = FastAPI()": _return_models,
    "lifespan=lifespan": _share_a_client,
    "@app.task": _run_task,
    "urlpatterns": _show_in_django,
    "def handler(": _invoke_function,
}


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.output], ids=str)
def test_no_output_repeats_the_fields_of_a_model(block: Block) -> None:
    """A new field in openapi.yaml would change it."""
    named = set(re.findall(r"\b(\w+)\(", block.output or ""))
    assert not named.intersection(generated.__all__)


@pytest.mark.parametrize("block", ON_SOCKETS, ids=str)
def test_block_with_an_emulator_of_its_own_runs(block: Block, waits: list[float]) -> None:
    run(block)


def test_blocks_of_tests_pass(tmp_path: Path) -> None:
    run_tests([block for block in BLOCKS if block.is_tests], tmp_path)


def fenced(kinds: str, page: str) -> list[str]:
    """Return the blocks of a page that are of these kinds."""
    text = (ROOT / page).read_text("utf-8")
    return re.findall(rf"^```(?:{kinds})\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def command_lines(page: str) -> list[str]:
    """Return the command lines of a page that begin with the name of the command."""
    text = "\n".join(fenced("sh|console", page)).replace("\\\n", " ")
    return re.findall(r"^(?:\$ )?cld-user-groups +((?:(?! 2>)[^\n|>;&])*)", text, re.MULTILINE)


@pytest.mark.parametrize("page", [page for page in pages() if command_lines(page)])
def test_the_command_accepts_every_command_line(page: str) -> None:
    for line in command_lines(page):
        parse(cli, "cld-user-groups", shlex.split(line, comments=True))


def parse(command: click.Command, name: str, arguments: list[str]) -> None:
    """Parse a command line as click does, without running it."""
    context = command.make_context(name, arguments)
    if isinstance(command, click.Group):
        arguments = [*context._protected_args, *context.args]
        if not arguments and command.invoke_without_command:
            return
        found, chosen, rest = command.resolve_command(context, arguments)
        assert chosen is not None
        parse(chosen, str(found), rest)


FILES = [(page, text) for page in pages() for text in fenced("yaml", page) if "\ngroups:" in text]


@pytest.mark.parametrize(("page", "text"), FILES, ids=[page for page, _ in FILES])
def test_every_file_of_groups_can_be_read(page: str, text: str, tmp_path: Path) -> None:
    for name in re.findall(r"from: ([\w.-]+)", text):
        sample = ROOT / "tests/command/exports" / name
        content = sample.read_bytes() if sample.exists() else b"email\nann@example.com\n"
        (tmp_path / name).write_bytes(content)
    path = tmp_path / "groups.yaml"
    path.write_text(text, encoding="utf-8")
    assert read_file(path).groups


PROFILES = [text for page in pages() for text in fenced("toml", page) if "credentials." in text]


@pytest.mark.parametrize("text", PROFILES)
def test_every_file_of_profiles_can_be_read(text: str, tmp_path: Path) -> None:
    path = tmp_path / "profiles.toml"
    path.write_text(text, encoding="utf-8")
    assert read_profiles(path)


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a module for each block of each page."""
    folder = tmp_path_factory.mktemp("blocks")
    for block in BLOCKS:
        name = re.sub(r"\W", "_", block.path.lower().removesuffix(".md"))
        (folder / f"{name}_line_{block.line}.py").write_text(block.program, encoding="utf-8")
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


def tracing() -> tuple[Any, Any]:
    """Return a provider of tracers, and what keeps the spans."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider, exporter


def test_traces_have_a_span_for_every_attempt(account: Account, waits: list[float]) -> None:
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor

    provider, exporter = tracing()
    account.emulator.fail("getUserGroups", status=503)
    with httpx.Client() as http:
        HTTPXClientInstrumentor.instrument_client(http, tracer_provider=provider)
        with CldProvisioning(client=http) as client:
            client.user_groups.list()
    statuses = [
        (span.attributes or {}).get("http.status_code") for span in exporter.get_finished_spans()
    ]
    assert statuses == [503, 200]
    assert "my-secret" not in str([span.to_json() for span in exporter.get_finished_spans()])


def test_spans_of_the_hook_are_named_after_the_operation(
    account: Account, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    from opentelemetry import trace

    provider, exporter = tracing()
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    account.emulator.fail("getUserGroups", status=503)
    account.emulator.fail("getUserGroups", drop="before")
    (block,) = [each for each in BLOCKS if "class Spans" in each.code]
    names = run(block)
    with CldProvisioning(hooks=[names["Spans"]()]) as client, pytest.raises(errors.NotFound):
        client.user_groups.get(group_id="none")
    spans = exporter.get_finished_spans()
    told = [(span.name, dict(span.attributes or {}), len(span.events)) for span in spans]
    status = "http.response.status_code"
    assert told == [
        ("getUserGroups", {"attempt": 1, status: 503}, 0),
        ("getUserGroups", {"attempt": 2}, 1),
        ("getUserGroups", {"attempt": 3, status: 200}, 0),
        ("getUserGroup", {"attempt": 1, "group_id": "none", status: 404}, 0),
    ]


def test_table_of_the_layout_names_what_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    for path in ("openapi.yaml", "generated/cld_provisioning_api/", "docs/", "benchmarks/"):
        assert f"`{path}`" in text
        assert (ROOT / path).exists()


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) < 200


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("name", sorted(path.name for path in ROOT.glob("*.md")))
def test_links_of_pages_outside_the_site_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", (ROOT / name).read_text("utf-8"))
    for target, anchor in links:
        page = ROOT / (target or name)
        assert page.is_file(), target
        assert not anchor or anchor in anchors(page), f"{target}#{anchor}"


@pytest.mark.parametrize("page", ["README.md", "docs/install.md"])
def test_page_lists_every_extra(page: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    rows = re.findall(r"^\| `(\w+)` \|", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(project["optional-dependencies"])


def test_reference_has_every_environment_variable() -> None:
    sources = "".join(
        path.read_text("utf-8") for path in (ROOT / "overlay/cld_user_groups").rglob("*.py")
    )
    read = set(re.findall(r"environ(?:\.get)?[(\[]\"([A-Z][A-Z_]*)\"", sources))
    read |= set(re.findall(r"\"(CLOUDINARY_[A-Z_]+)\"", sources))
    text = (ROOT / "docs/reference/environment.md").read_text("utf-8")
    assert {name for name in read if f"`{name}`" not in text} == set()


def test_reference_has_every_argument_of_the_client() -> None:
    text = (ROOT / "docs/reference/client.md").read_text("utf-8")
    for name in inspect.signature(CldProvisioning).parameters:
        assert f"`{name}`" in text.partition("## Configuration")[2], name


def test_names_of_public_modules_exist() -> None:
    modules = {"models": models, "errors": errors, "utils": utils, "membership": membership}
    dotted = re.compile(r"`(models|errors|utils|membership)\.([A-Za-z_]\w*)")
    for page in pages():
        for module, name in dotted.findall((ROOT / page).read_text("utf-8")):
            assert hasattr(modules[module], name), f"{page}: {module}.{name}"


BARE_NAME = re.compile(r"""install( [^`\n]*)?["' ]cld-user-groups""")


def test_no_page_and_no_message_installs_the_package_by_its_bare_name() -> None:
    sources = [*map(ROOT.joinpath, pages()), *(ROOT / "overlay").rglob("*.py")]
    assert len(sources) > 100
    assert [each for each in sources if BARE_NAME.search(each.read_text("utf-8"))] == []
