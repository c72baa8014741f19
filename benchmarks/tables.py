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
                _quantity(row["figure"], row["own"])
                + (f", {row['peak'] / 1e6:.0f} MB" if "peak" in row else ""),
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
        return "`json.loads`" if row["client"] == "httpx" else CLIENTS[row["client"]].title

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
    counted = [row for row in rows if row["figure"] == "instructions"]
    if not counted:
        return "valgrind was not installed: instructions were not counted."
    return _table(
        ["call", "this SDK", "bare httpx", "ratio"],
        (
            [row["scenario"], *(f"{row[key]:,.0f}" for key in ("own", "baseline")), _ratio(row)]
            for row in counted
        ),
    )


def _verdict(row: Row, prefix: str = "") -> str:
    """Return a ratio with its quartiles, and what they allow to say."""
    if f"{prefix}ratio" not in row:
        return "-"
    low, middle, high = (row[f"{prefix}{key}"] for key in ("low", "ratio", "high"))
    verdict = "less" if high < 1 else "more" if low > 1 else "no difference"
    verdict = "" if low == high == 1 else f", {verdict}"
    return f"{middle:.2f} ({low:.2f} to {high:.2f}{verdict})"


def sockets(rows: list[Row]) -> str:
    """Return what every client costs over a socket, the dearest of each scenario first."""
    found = [row for row in rows if row["figure"] == "socket"]
    titles = list(dict.fromkeys(row["scenario"] for row in found))
    found.sort(key=lambda row: (titles.index(row["scenario"]), -row["own"]))
    return _table(
        ["call", "client", "CPU time", "beside bare httpx", "beside bare httpx without sniffio"],
        (
            [
                row["scenario"],
                f"**{row['client']}**" if row["client"] == "this SDK" else row["client"],
                _quantity("", row["own"]),
                _verdict(row),
                _verdict(row, "plain "),
            ]
            for row in found
        ),
    )


_SHORT = ("this SDK", "vendor's SDK", "classic client", "urllib3", "aiohttp")


def short(rows: list[Row]) -> str:
    """Return the table of README.md: what a few clients cost over a socket, beside bare httpx."""
    found = {(row["scenario"], row["client"]): row for row in rows if row["figure"] == "socket"}
    titles = dict.fromkeys(each for each, _ in found if "list" in each)
    return _table(
        ["CPU time over a socket, beside bare httpx", *_SHORT],
        ([title, *(_ratio(found.get((title, name))) for name in _SHORT)] for title in titles),
    )


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


def markdown(rows: list[Row], minutes: float) -> str:
    """Return the whole report, in parts that `run.py --readme` copies to other pages."""
    today = dt.datetime.now(dt.UTC).date()
    load = f"the machine's load at the end: {os.getloadavg()[1]:.1f}"
    return f"""# Benchmarks

Made by `make bench` in {minutes:.0f} minutes on {today}: {_machine()}; {load}.

{_versions()}

## Over a socket, in short

<!-- short -->
{short(rows)}
<!-- end of short -->

## Over a socket

CPU time of a call over a connection that is kept alive, of all clients in one interleaved run: the
median of the rounds, and in brackets their quartiles. "Less" and "more" stand only where both
quartiles are on one side of 1. The server is another process, whose time does not count. "floor" is
a socket, httptools and msgspec. sniffio is in the environment of bare httpx, unless it says
without: httpx no longer installs it, and in async calls looks for it several times. "Over
pyreqwest" and "over httpx-aiohttp" are transports of others: docs/reference/client.md recommends
none.

<!-- sockets -->
{sockets(rows)}
<!-- end of sockets -->

## Instructions

Machine instructions of a call over a socket, as valgrind counts them: those of the system and of
the server do not count, and the machine's other work hardly matters. Both clients have sniffio.

<!-- instructions -->
{_instructions(rows)}
<!-- end of instructions -->

## Everything else

Each number is a ratio to the baseline in its line, which is measured in the same process (for
commands: by the same Python) in turns with it; the median of the pairs. Less is better.

<!-- overview -->
{overview(rows)}
<!-- end of overview -->

![The ratios as a chart](results.svg)

- The first four rows use `httpx.MockTransport`, without a network.
- The stock generated client is the output of openapi-python-client for the same openapi.yaml with
  its own templates. Each client runs in an environment of its own, with nothing else in it.
- The classic client is built on urllib3, is sync only and decodes into dicts: it takes part where
  it can.

## How cost grows

The exponent of the power law that fits best: 1.0 is linear. Users are decoded in groups of 100.

{_growth(rows)}

## As measured

{_details(rows)}
"""
