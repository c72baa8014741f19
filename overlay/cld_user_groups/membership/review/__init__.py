"""The access review of an account: who is in what, since when and why, and what to look at.

snapshot = read_account(client)
people = read_people(client, snapshot)
now = datetime.now(UTC)
made = review(snapshot, people, read_history(state), now=now, unseen_days=90, ending_days=30)
print(render_html(made))
"""

from .comparing import compare
from .document import Earlier, load_earlier, render_json
from .kept import keep, last_before, last_until
from .making import review
from .model import (
    Comparison,
    Difference,
    Event,
    Finding,
    Kind,
    Membership,
    People,
    Person,
    Review,
    ReviewedGroup,
    State,
)
from .people import read_people
from .rendering import render_html, render_markdown, render_text
from .rows import COLUMNS, rows

__all__ = [
    "COLUMNS",
    "Comparison",
    "Difference",
    "Earlier",
    "Event",
    "Finding",
    "Kind",
    "Membership",
    "People",
    "Person",
    "Review",
    "ReviewedGroup",
    "State",
    "compare",
    "keep",
    "last_before",
    "last_until",
    "load_earlier",
    "read_people",
    "render_html",
    "render_json",
    "render_markdown",
    "render_text",
    "review",
    "rows",
]
