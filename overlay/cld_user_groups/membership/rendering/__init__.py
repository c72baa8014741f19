"""A plan for people to read: as text, as Markdown, as HTML. JSON is in `plan_file`.

Names, reasons and e-mails come from files and from the API. They are shown with all control
characters escaped, and never as markup.
"""

from .environment import code_span, counted, joined, render, shown
from .plan import render_html, render_markdown, render_text, role_lines, said_once

__all__ = [
    "code_span", "counted", "joined", "render", "render_html", "render_markdown", "render_text",
    "role_lines", "said_once", "shown",
]  # fmt: skip
