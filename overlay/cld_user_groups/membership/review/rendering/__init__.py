"""A review for people to read: as text, as Markdown, as HTML.

Names come from the API and from files. They are shown with all control characters escaped, and
never as markup.
"""

from .html import render_html
from .markdown import render_markdown
from .text import render_text

__all__ = ["render_html", "render_markdown", "render_text"]
