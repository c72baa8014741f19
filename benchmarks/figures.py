"""The figures, listed once: what each compares, its target, and the program that measures it."""

from typing import NamedTuple

from whole_commands import COMMANDS


class Figure(NamedTuple):
    """One figure.

    Attributes:
        name: The name in the rows that the program prints.
        program: The program in this folder, without `.py`.
        measured: What is measured.
        baseline: What it is compared with.
        target: What the SDK's ratio must stay under, or None.
        label: Its label in the chart, or "" to leave it out.
    """

    name: str
    program: str
    measured: str
    baseline: str
    target: float | None
    label: str = ""


class Program(NamedTuple):
    """How a program is run.

    Attributes:
        clients: The clients that can do it. "httpx" is bare httpx against itself: how far from 1
            that is shows how much of the other ratios is chance.
        is_quick: Whether `--quick` runs it.
        has_extras: Whether it needs the packages of the extra `cli`: those of this environment.
    """

    clients: tuple[str, ...]
    is_quick: bool = False
    has_extras: bool = False


_ALL = ("sdk", "stock", "vendor")
PROGRAMS = {
    "sockets": Program(("sdk",), has_extras=True),
    "instructions": Program(("sdk",), has_extras=True),
    "call_sync": Program((*_ALL, "httpx"), is_quick=True),
    "call_async": Program((*_ALL, "httpx"), is_quick=True),
    "decode": Program(_ALL, is_quick=True),
    "startup": Program((*_ALL, "classic"), is_quick=True),
    "command_startup": Program(("sdk",), is_quick=True, has_extras=True),
    "first_output": Program(("sdk",), has_extras=True),
    "whole_commands": Program(("sdk",), has_extras=True),
    "planning": Program(("sdk",), is_quick=True, has_extras=True),
    "applying": Program(("sdk",), has_extras=True),
    "growth": Program(("sdk",)),
}

_GET, _PUT = "`client.get(path).json()`", "`client.put(path, json=...).json()`"
_START = "`import httpx; httpx.Client()`"
_HTTPX_AND_CLICK = "`import httpx, click`, without rich"
_TABLE = (
    Figure(
        "list sync",
        "call_sync",
        "`user_groups.list()` of two groups, CPU time",
        _GET,
        0.85,
        "list()",
    ),
    Figure(
        "update sync", "call_sync", "`user_groups.update(...)`, CPU time", _PUT, 0.85, "update()"
    ),
    Figure(
        "list async",
        "call_async",
        "the same `list()`, async",
        "`AsyncClient`",
        0.85,
        "list(), async",
    ),
    Figure(
        "update async",
        "call_async",
        "the same `update(...)`, async",
        "`AsyncClient`",
        0.85,
        "update(), async",
    ),
    Figure(
        "decode",
        "decode",
        "decoding 1,000 groups x 100 users with dates",
        "`json.loads`",
        1.0,
        "decoding 100,000 users",
    ),
    Figure("memory", "decode", "peak memory of that", "`json.loads`", 0.7, "peak memory of that"),
    Figure(
        "startup",
        "startup",
        "process that imports and constructs, CPU time",
        _START,
        1.25,
        "import and construct",
    ),
    Figure(
        "startup with an httpx client",
        "startup",
        "the same, and creates an httpx client",
        _START,
        None,
    ),
    Figure(
        "command startup",
        "command_startup",
        "`cld-user-groups --version`, CPU time",
        "`import httpx`, without rich",
        2.0,
    ),
    Figure(
        "import name",
        "command_startup",
        "`import cloudinary_account_provisioning`, CPU time",
        "`import cld_user_groups`",
        1.05,
    ),
    Figure(
        "first output of --help",
        "first_output",
        "`cld-user-groups --help`, all its CPU time",
        _HTTPX_AND_CLICK,
        3.0,
    ),
    Figure(
        "first output of list",
        "first_output",
        "`cld-user-groups list`, which sends a request",
        _HTTPX_AND_CLICK,
        4.5,
    ),
    Figure(
        "first output of add",
        "first_output",
        "`cld-user-groups add GROUP USER --dry-run`, which sends two",
        _HTTPX_AND_CLICK,
        4.5,
    ),
    *(
        Figure(
            name,
            "whole_commands",
            f"`cld-user-groups` {name}: 100,000 memberships, the whole command",
            "`json.loads` of the account",
            None,
        )
        for name in COMMANDS
    ),
    Figure(
        "plan", "planning", "planning 1,000 groups x 100 members, CPU time", "decoding them", 2.0
    ),
    Figure("plan memory", "planning", "peak memory of planning them", "decoding them", 2.5),
    Figure(
        "apply",
        "applying",
        "an addition by `apply`, of 500 at 50 ms latency, 16 at once, time",
        "`add_user` one by one",
        1 / 12,
    ),
    Figure("journal", "applying", "a run with its journal, CPU time", "without a journal", 1.1),
)
FIGURES = {figure.name: figure for figure in _TABLE}
