"""A plan as HTML: one file that needs nothing else, runs nothing, and prints well."""

from __future__ import annotations

from cld_user_groups.membership.model import Plan

from ._view import notes, person, place, remarks, requests, sections, summary
from .environment import render


def render_html(plan: Plan) -> str:
    """Return a plan as an HTML document."""
    data = {
        "plan": plan,
        "notes": notes(plan),
        "sections": sections(plan),
        "summary": summary(plan),
        "requests": requests(plan),
        "person": person,
        "place": place,
        "remarks": remarks,
    }
    return render("plan.html.jinja", data)
