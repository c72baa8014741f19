"""A plan for people to read: as text, as Markdown, as HTML. JSON is in `plan_file`.

Names, reasons and e-mails come from files and from the API. They are shown with all control
characters escaped, and never as markup.
"""

from .html import render_html
from .markdown import render_markdown
from .text import render_text

__all__ = ["render_html", "render_markdown", "render_text"]
