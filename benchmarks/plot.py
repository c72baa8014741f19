"""The ratios as a chart.

Written out here because the chart is a few bars, and no plotting library writes an SVG that follows
the reader's light or dark mode by itself.
"""

import math
from typing import Any
from xml.sax.saxutils import escape

from clients import CLIENTS
from figures import FIGURES

Row = dict[str, Any]

_CLIENTS = ("sdk", "stock", "vendor", "classic")
_TICKS = (0.25, 0.5, 1, 2, 4, 8, 16)
_WIDTH, _LEFT, _RIGHT, _TOP = 860, 190, 40, 76
_BAR, _GAP = 11, 12

_STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; }
.small { font-size: 11px; fill: #59636e; }
.sdk { fill: #1a7f64; } .stock { fill: #8c96a3; } .vendor { fill: #c77d3a; }
.classic { fill: #a475b0; }
text.sdk { font-weight: 600; }
.grid { stroke: #d1d9e0; } .baseline { stroke: #1f2328; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; } .small { fill: #9198a1; }
  .sdk { fill: #3fc79a; } .stock { fill: #6e7681; } .vendor { fill: #d68f50; }
  .classic { fill: #b98bc5; }
  .grid { stroke: #3d444d; } .baseline { stroke: #f0f6fc; }
}
"""


def _x(ratio: float) -> float:
    """Return where a ratio stands, on a logarithmic scale."""
    low, high = math.log2(_TICKS[0]), math.log2(_TICKS[-1])
    share = (math.log2(min(max(ratio, _TICKS[0]), _TICKS[-1])) - low) / (high - low)
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    attributes = f'class="{kind}" text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {attributes}>{escape(text)}</text>'


def _line(x: float, bottom: float, kind: str) -> str:
    return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 6}" y2="{bottom}" class="{kind}"/>'


def _bar(ratio: float, y: float, client: str) -> list[str]:
    start, end = sorted((_x(1), _x(ratio)))
    rectangle = (
        f'<rect x="{start:.1f}" y="{y}" width="{end - start:.1f}" height="{_BAR}" rx="2" '
        f'class="{client}"/>'
    )
    is_cheaper = ratio < 1
    label = _text(
        start - 5 if is_cheaper else end + 5,
        y + _BAR - 1.5,
        f"{ratio:.2f}",
        f"small {client}" if client == "sdk" else "small",
        "end" if is_cheaper else "start",
    )
    return [rectangle, label]


def _legend() -> list[str]:
    parts, x = [], float(_LEFT)
    for client in _CLIENTS:
        title = CLIENTS[client].title
        parts.append(f'<rect x="{x}" y="38" width="11" height="11" rx="2" class="{client}"/>')
        parts.append(_text(x + 16, 48, title))
        x += 40 + 7 * len(title)
    return parts


def svg(rows: list[Row]) -> str:
    """Return the chart of all the ratios."""
    found = {(row["figure"], row["client"]): row["ratio"] for row in rows if "ratio" in row}
    bars, y = [], float(_TOP)
    for figure in FIGURES.values():
        clients = [client for client in _CLIENTS if (figure.name, client) in found]
        if not (figure.label and clients):
            continue
        middle = y + len(clients) * (_BAR + 2) / 2 + 3
        bars.append(_text(_LEFT - 14, middle, figure.label, anchor="end"))
        for client in clients:
            bars += _bar(found[figure.name, client], y, client)
            y += _BAR + 2
        y += _GAP
    grid = [_line(_x(tick), y - 4, "baseline" if tick == 1 else "grid") for tick in _TICKS]
    grid += [_text(_x(tick), y + 12, f"{tick:g}", "small", "middle") for tick in _TICKS]
    height = y + 24
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" '
            f'width="{_WIDTH}" height="{height:.0f}" role="img">',
            "<title>What each client costs beside bare httpx</title>",
            f"<style>{_STYLE}</style>",
            _text(_LEFT, 22, "Cost beside bare httpx, and json.loads: less is better", "title"),
            *_legend(),
            *grid,
            *bars,
            "</svg>\n",
        ]
    )
