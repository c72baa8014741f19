"""Draw the diagrams of docs/, from the lines below: `make drawings`.

A line is a step, and what may happen there instead after a `|`. Each picture has a background of
its own, so it can be read on a page of any color, and follows what the reader's system prefers.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"
DRAWINGS = {
    "plan-life": (
        "The life of a plan",
        """
        Read the file, and the whole account | either cannot be read: nothing is planned
        Compare the two | equal: nothing to do
        Check the guards | too many removals: refused, exit 3
        Show the plan; save it with --out | after 24 hours: it has expired, exit 4
        Ask, unless --yes | not confirmed: nothing is written, exit 1
        Compare its groups with the account | changed since: stale, exit 4
        Write: create, rename, add, remove, delete | some failed: incomplete, exit 5
        Read the account again: verified | another state: reported
        To undo: the journal | undo makes a plan from it
        """,
    ),
    "after-an-attempt": (
        "The decision after each attempt",
        """
        Not sent: no connection | retry any operation
        Refused: 408, 420, 429, 503 | retry any operation, after the server's delay
        Ambiguous: no response, 500, 502, 504 | a create raises (maybe_applied); others retry
        404 or 409 after an ambiguous attempt | delete: success; add, remove: read the group
        Any other response | return it, or raise its error
        No time left for a retry | raise the error of the attempt
        """,
    ),
    "read-and-written": (
        "What is read and written where",
        """
        Your file of groups | read by plan and apply; written by export
        The environment, profiles.toml | read: the account and its credentials
        The account, over HTTPS | read to show and to plan; written by changes alone
        Journals, below XDG_STATE_HOME | written by each change; read by undo, runs, explain
        A saved plan | written by plan --out; read by apply
        Access reviews, below XDG_STATE_HOME | written and compared by report
        """,
    ),
}
_STYLE = """
svg { --page: #ffffff; --box: #eef3fb; --line: #4a6a9a; --text: #14181f; }
@media (prefers-color-scheme: dark) {
  svg { --page: #15181d; --box: #24314a; --line: #8fb0e8; --text: #f1f4f8; }
}
.page { fill: var(--page); } .box { fill: var(--box); stroke: var(--line); }
path { stroke: var(--line); fill: none; marker-end: url(#head); }
#head path { fill: var(--line); stroke: none; marker-end: none; }
text { fill: var(--text); font: 15px sans-serif; dominant-baseline: central; }
"""
_WIDTH, _BOX, _HEIGHT, _STEP, _EDGE = 800, 350, 40, 60, 16


def drawing(name: str) -> str:
    """Return a drawing as SVG."""
    title, text = DRAWINGS[name]
    rows = [line.strip().partition(" | ") for line in text.strip().splitlines()]
    height = len(rows) * _STEP + 2 * _EDGE - (_STEP - _HEIGHT)
    says = ". ".join(f"{step}: {other}" for step, _, other in rows)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
            f' width="{_WIDTH}" height="{height}" role="img" aria-labelledby="title says">',
            f'<title id="title">{escape(title)}</title><desc id="says">{escape(says)}.</desc>',
            f"<style>{_STYLE}</style>",
            '<marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8"'
            ' markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z"/></marker>',
            '<rect class="page" width="100%" height="100%" rx="8"/>',
            *_rows(rows, is_sequence=name == "plan-life"),
            "</svg>\n",
        ]
    )


def _rows(rows: list[tuple[str, str, str]], *, is_sequence: bool) -> Iterator[str]:
    for index, (step, _, other) in enumerate(rows):
        top = _EDGE + index * _STEP
        middle = top + _HEIGHT // 2
        right = _EDGE + _BOX
        yield f'<rect class="box" x="{_EDGE}" y="{top}" width="{_BOX}" height="{_HEIGHT}" rx="6"/>'
        yield f'<text x="{_EDGE + 12}" y="{middle}">{escape(step)}</text>'
        yield f'<path d="M{right} {middle}h36"/>'
        yield f'<text x="{right + 46}" y="{middle}">{escape(other)}</text>'
        if is_sequence and index:
            yield f'<path d="M{_EDGE + 40} {top - _STEP + _HEIGHT}v{_STEP - _HEIGHT}"/>'


def main() -> None:
    """Write all drawings."""
    for name in DRAWINGS:
        (DOCS / f"{name}.svg").write_text(drawing(name), encoding="utf-8")


if __name__ == "__main__":
    main()
