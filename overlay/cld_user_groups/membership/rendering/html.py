"""A plan as HTML: one file that needs nothing else, runs nothing, and prints well."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from cld_user_groups.membership.model import Change, Plan
from cld_user_groups.membership.problems import printable

from ._view import Section, person, place, remarks, requests, sections, shown, summary

_STYLE = """
:root { color-scheme: light dark; --add: #116329; --remove: #a40e26; --line: #8886; }
@media (prefers-color-scheme: dark) { :root { --add: #56d364; --remove: #ff7b72; } }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  background: Canvas; color: CanvasText; }
table { border-collapse: collapse; width: 100%; margin: 1.5rem 0; }
caption { text-align: start; font-weight: bold; font-size: 1.15rem; padding-block: 0.25rem; }
th, td { text-align: start; padding: 0.25rem 0.75rem 0.25rem 0; vertical-align: top;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.add { color: var(--add); white-space: nowrap; }
.remove { color: var(--remove); white-space: nowrap; }
.refused { border: 2px solid var(--remove); padding: 0 1rem; }
@media print { body { margin: 0; max-width: none; } tr, caption { break-inside: avoid; } }
"""


def render_html(plan: Plan) -> str:
    """Return a plan as an HTML document."""
    return "\n".join(_lines(plan)) + "\n"


def _text(text: str) -> str:
    return escape(shown(text))


def _lines(plan: Plan) -> Iterator[str]:
    title = f"Plan for account {_text(plan.account_id)}"
    yield "<!DOCTYPE html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width">'
    # Even if an escape were missing, nothing would run or be loaded.
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield f"<title>{title}</title>"
    yield f"<style>{_STYLE}</style>"
    yield "</head>"
    yield "<body>"
    yield "<main>"
    yield f"<h1>{title}</h1>"
    made = f"{plan.created_at:%Y-%m-%d %H:%M %Z}"
    expires = f"{plan.expires_at:%Y-%m-%d %H:%M %Z}"
    yield f"<p>From {_text(plan.source)}, made {_text(made)}, holds until {_text(expires)}.</p>"
    yield f"<p>{escape(summary(plan))} {escape(requests(plan)) if plan.changes else ''}</p>"
    yield from _verdict(plan)
    for section in sections(plan):
        yield from _section(section, plan)
    yield from _notes(plan)
    yield "</main>"
    yield "</body>"
    yield "</html>"


def _verdict(plan: Plan) -> Iterator[str]:
    if plan.breaches:
        yield '<section class="refused" aria-labelledby="verdict">'
        yield '<h2 id="verdict">Rejected by the guards; nothing is written</h2>'
        yield "<ul>"
        for breach in plan.breaches:
            yield f"<li>{escape(printable(breach.message))}</li>"
        yield "</ul>"
        yield "</section>"
    elif plan.changes:
        yield "<p>Guards: passed.</p>"


def _section(section: Section, plan: Plan) -> Iterator[str]:
    caption = escape(section.name)
    if section.head is not None:
        caption += f" ({escape('; '.join((section.title(), *remarks(section.head, plan))))})"
    yield "<table>"
    yield f"<caption>{caption}</caption>"
    yield "<thead>"
    columns = ("Change", "User", "ID", "Why", "Where")
    yield "<tr>" + "".join(f'<th scope="col">{column}</th>' for column in columns) + "</tr>"
    yield "</thead>"
    yield "<tbody>"
    for change in section.added:
        yield _row("add", "+ add", change, plan)
    for change in section.removed:
        yield _row("remove", "&minus; remove", change, plan)
    for user in section.deleted.members if section.deleted else ():
        cells = f"<td>{escape(person(user))}</td><td>{_text(user.id)}</td><td></td><td></td>"
        yield f'<tr><td class="remove">&minus; remove</td>{cells}</tr>'
    yield "</tbody>"
    yield "</table>"


def _row(kind: str, action: str, change: Change, plan: Plan) -> str:
    user_id = _text(change.user.id) if change.user else ""
    reason = escape(printable(change.reason))
    cells = (escape(person(change.user)), user_id, reason, escape(place(change, plan)))
    columns = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><td class="{kind}">{action}</td>{columns}</tr>'


def _notes(plan: Plan) -> Iterator[str]:
    if plan.notes:
        yield "<h2>Notes</h2>"
        yield "<ul>"
        for note in plan.notes:
            yield f"<li>{escape(printable(note))}</li>"
        yield "</ul>"
