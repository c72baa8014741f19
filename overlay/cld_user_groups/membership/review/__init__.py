"""The access review of an account: who is in what, since when and why, and what to look at.

snapshot = read_account(client)
people = read_people(client, snapshot)
now = datetime.now(UTC)
found = review(snapshot, people, read_history(state), now=now, unseen_days=90, ending_days=30)
print(render_html(found))
"""

from cld_user_groups.membership.snapshot import State

from .access import HeldRole, held_roles
from .builder import compare, review
from .decisions import (
    DECISION_COLUMNS,
    Decisions,
    ReviewDecision,
    decision_rows,
    plan_of_decisions,
    read_decisions,
)
from .model import (
    Access,
    Comparison,
    Event,
    Finding,
    Kind,
    Membership,
    Origin,
    Person,
    Review,
    ReviewedGroup,
    RoleHolder,
)
from .model import ReviewDifference as Difference
from .people import People, read_people, read_reviewed
from .rendering import COLUMNS, render_html, render_markdown, render_text, rows
from .store import Earlier, digest_of, keep, last_before, last_until, load_earlier, render_json

__all__ = [
    "COLUMNS", "DECISION_COLUMNS", "Access", "Comparison", "Decisions", "Difference",
    "Earlier", "Event", "Finding", "HeldRole", "Kind", "Membership", "Origin", "People", "Person",
    "Review", "ReviewDecision", "ReviewedGroup", "RoleHolder", "State", "compare", "decision_rows",
    "digest_of", "held_roles", "keep", "last_before", "last_until", "load_earlier",
    "plan_of_decisions", "read_decisions", "read_people", "read_reviewed", "render_html",
    "render_json", "render_markdown", "render_text", "review", "rows",
]  # fmt: skip
