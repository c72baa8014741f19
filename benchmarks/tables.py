"""The results as tables in Markdown."""

import datetime as dt
import os
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from clients import CLIENTS
from environments import versions
from figures import FIGURES

Row = dict[str, Any]


_COLUMNS = ("sdk", "stock", "vendor", "classic", "httpx")


def _table(header: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    rows = [list(header), *map(list, lines)]
    rows.insert(1, ["---"] * len(rows[0]))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _ratio(row: Row | None) -> str:
    return "-" if row is None else f"{row['ratio']:.2f}"


def overview(rows: list[Row]) -> str:
    """Return the ratios, a line for each figure and a column for each client."""
    found = {(row["figure"], row["client"]): row for row in rows}
    columns = [client for client in _COLUMNS if any(client == row["client"] for row in rows)]

    def line(figure: str) -> list[str]:
        _, _, measured, baseline, target, _ = FIGURES[figure]
        sdk = found[figure, "sdk"]
        aim = "" if target is None else f"under {target:.2f}: "
        aim += "" if target is None else "met" if sdk["ratio"] < target else "**missed**"
        ratios = [_ratio(found.get((figure, client))) for client in columns]
        return [measured, baseline, f"**{ratios[0]}**", *ratios[1:], aim]

    titles = {client: CLIENTS[client].title for client in columns}
    titles["httpx"] = "bare httpx against itself"
    return _table(
        ["figure", "compared with", *(titles[client] for client in columns), "the SDK's target"],
        [line(figure) for figure in FIGURES if (figure, "sdk") in found],
    )


def _quantity(figure: str, value: float) -> str:
    if "memory" in figure:
        return f"{value / 1e6:.1f} MB"
    if value >= 1:
        return f"{value:.2f} s"
    return f"{value * 1e3:.1f} ms" if value >= 1e-2 else f"{value * 1e6:.0f} µs"


def _details(rows: list[Row]) -> str:
    return _table(
        ["figure", "client", "itself", "its baseline", "ratio", "quartiles", "pairs"],
        (
            [
                row["figure"],
                CLIENTS[row["client"]].title,
                _quantity(row["figure"], row["own"]),
                _quantity(row["figure"], row["baseline"]),
                f"{row['ratio']:.3f}",
                f"{row['low']:.3f} to {row['high']:.3f}",
                str(row["pairs"]),
            ]
            for row in rows
            if row["figure"] in FIGURES
        ),
    )


def _growth(rows: list[Row]) -> str:
    def title(row: Row) -> str:
        if row["client"] != "httpx":
            return CLIENTS[row["client"]].title
        return "`json.loads`" if "decoding" in row["figure"] else "bare httpx"

    return _table(
        ["figure", "client", "exponent", "cost by size"],
        (
            [
                row["figure"],
                title(row),
                f"{row['exponent']:.2f}",
                ", ".join(
                    f"{size:,}: {_quantity('', cost)}"
                    for size, cost in zip(row["sizes"], row["costs"], strict=True)
                ),
            ]
            for row in rows
            if "exponent" in row
        ),
    )


def _instructions(rows: list[Row]) -> str:
    for row in rows:
        if row["figure"] == "list sync, instructions":
            return (
                f"One `list()` takes {row['own']:,.0f} machine instructions, one "
                f"`client.get(path).json()` {row['baseline']:,.0f}: a ratio of "
                f"**{row['ratio']:.3f}**. These hardly depend on the machine's other work."
            )
    return "valgrind was not installed: instructions were not counted."


def _machine() -> str:
    model = platform.processor() or platform.machine()
    cpus = Path("/proc/cpuinfo")
    if cpus.exists():
        lines = cpus.read_text().splitlines()
        model = next(
            (line.split(": ")[1] for line in lines if line.startswith("model name")), model
        )
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    )


def _versions() -> str:
    names = ("httpx", "httpcore", "msgspec", "attrs", "pydantic", "urllib3")
    lines = []
    for client, title in (
        ("sdk", "this SDK, stock generated client"),
        ("vendor", ""),
        ("classic", ""),
    ):
        try:
            found = versions(client)
        except (RuntimeError, subprocess.CalledProcessError):
            lines.append(f"- {title or CLIENTS[client].title}: left out")
            continue
        kept = ", ".join(f"{name} {found[name]}" for name in names if name in found)
        lines.append(f"- {title or CLIENTS[client].title}: {kept}")
    return "\n".join(lines)


def markdown(rows: list[Row]) -> str:
    """Return the whole report."""
    today = dt.datetime.now(dt.UTC).date()
    return f"""# Benchmarks

Made by `make bench` on {today}: {_machine()}.

{_versions()}

Each number is a ratio to the baseline in its line, which is measured in the same process (for
startup: by the same Python) in turns with it; the median of the pairs. Less is better.

{overview(rows)}

![The ratios as a chart](results.svg)

- The first four rows use `httpx.MockTransport`, without a network; those over sockets talk to
  the emulator in another process, whose time does not count.
- The stock generated client is the output of openapi-python-client for the same openapi.yaml with
  its own templates. Each client runs in an environment of its own, with nothing else in it.
- The classic client is built on urllib3, is sync only and decodes into dicts: it takes part where
  it can.
- The SDK creates its httpx client at its first call; the last row has that added.

## Instructions

{_instructions(rows)}

## How cost grows

The exponent of the power law that fits best: 1.0 is linear. Users are decoded in groups of 100.
The calls are async and all in flight together.

{_growth(rows)}

## As measured

{_details(rows)}
"""
