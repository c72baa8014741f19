"""A review as HTML: one file that needs nothing else, works without scripts, and prints well."""

from __future__ import annotations

from collections.abc import Iterator

from cld_user_groups.membership.rendering._view import shown
from cld_user_groups.membership.rendering.markup import Content, Markup, element
from cld_user_groups.membership.rendering.page import cell, page, table
from cld_user_groups.membership.review.model import (
    Difference,
    Event,
    Finding,
    Kind,
    Membership,
    Person,
    Review,
    ReviewedGroup,
    State,
)
from cld_user_groups.membership.review.words import (
    NO_LOGINS,
    View,
    address_of,
    day,
    event,
    heading,
    introduction,
    name_of,
    no_changes,
    role_of,
)

from ._matrix import legend, panels
from ._sign_off import sign_off

_SECTIONS = {
    "findings": "To look at",
    "changes": "What has changed",
    "picture": "The whole picture",
    "memberships": "Who is in what",
    "people": "Everybody",
    "sign-off": "Sign-off",
}
_OF_PERSON = ("Person", "E-mail", "Role", "State", "Last login", "Groups")
_UNKNOWN = "\N{EN DASH}"
_SORTED = "sortable"
_WHOLE = "sortable filterable"


def render_html(review: Review) -> str:
    """Return a review as an HTML document.

    Args:
        review: The review.
    """
    view = View(review)
    return page(
        heading(review),
        element("p", introduction(review)),
        [element("p", note, class_="warn") for note in review.notes],
        _figures(review),
        _contents(),
        _section("findings", _findings(view)),
        _section("changes", _changes(view)),
        _section("picture", _picture(view)),
        _section("memberships", _memberships(view)),
        _section("people", _people(view)),
        _section("sign-off", sign_off(view), class_="sign-off"),
        has_script=True,
    )


def _section(name: str, content: Content, *, class_: str | None = None) -> Markup:
    return element("section", element("h2", _SECTIONS[name], id=name), content, class_=class_)


def _contents() -> Markup:
    links = [element("a", title, href=f"#{name}") for name, title in _SECTIONS.items()]
    return element("nav", element("ul", [element("li", link) for link in links]))


def _figures(review: Review) -> Markup:
    figures = {
        "Groups": len(review.groups),
        "People": len(review.people),
        "Memberships": review.memberships,
        _SECTIONS["findings"]: len(review.findings),
    }
    return element(
        "dl",
        [
            element("div", element("dt", name), element("dd", f"{number:,}"))
            for name, number in figures.items()
        ],
        class_="figures",
    )


def _findings(view: View) -> Iterator[Content]:
    for kind, findings in view.by_kind.items():
        if kind is Kind.LAST_LOGIN_UNKNOWN and view.has_no_logins():
            yield element("p", NO_LOGINS)
        else:
            yield _finding(view, kind, findings)
    if nothing := view.nothing_found():
        yield element("p", nothing)


def _finding(view: View, kind: Kind, findings: list[Finding]) -> Markup:
    caption = f"{view.title(kind)} ({len(findings):,})"
    if kind is Kind.WITHOUT_MEMBERS:
        groups = [view.groups[finding.group_id or ""] for finding in findings]
        rows = [[_head(shown(group.name)), shown(group.id)] for group in groups]
        return table(caption, ("Group", "ID"), rows, class_=_SORTED)
    if kind in (Kind.ENDING, Kind.OVERDUE):
        endings = [_ending(view, finding) for finding in findings]
        return table(caption, ("Person", "E-mail", "Group", "Last day"), endings, class_=_SORTED)
    people = [_person(view, view.people[finding.user_id or ""]) for finding in findings]
    return table(caption, _OF_PERSON, people, class_=f"{_SORTED} people")


def _ending(view: View, finding: Finding) -> list[Content]:
    person, group = view.people[finding.user_id or ""], view.groups[finding.group_id or ""]
    return [_head(name_of(person)), address_of(person), shown(group.name), _day(day(finding.on))]


def _changes(view: View) -> Iterator[Content]:
    if sentence := no_changes(view.review):
        yield element("p", sentence)
    elif changes := view.review.changes:
        caption = f"Since {shown(changes.to)} ({len(changes.differences):,})"
        rows = [_difference(view, difference) for difference in changes.differences]
        yield table(caption, ("Group", "Change", "Person", "Why"), rows, class_=_SORTED)


def _difference(view: View, difference: Difference) -> list[Content]:
    is_less = difference.event in (Event.MEMBER_REMOVED, Event.GROUP_REMOVED)
    user_id = difference.user_id
    person = shown(difference.email or user_id) if user_id else ""
    membership = view.membership(difference.group_id, user_id) if user_id else None
    return [
        _head(shown(difference.group)),
        cell(event(difference), class_="remove" if is_less else "add"),
        person,
        _why(membership) if membership else "",
    ]


def _picture(view: View) -> Iterator[Content]:
    found = list(panels(view))
    if not found:
        yield element("p", "Nobody is in a group.")
        return
    yield legend(view)
    for panel in found:
        label = "Groups and people"
        frame = element("div", panel, class_="scroll", role="group", aria_label=label, tabindex=0)
        yield element("figure", frame)


def _memberships(view: View) -> Markup:
    columns = ("Group", "Person", "E-mail", "State", "Since", "Why", "Until")
    rows = [
        _membership(view, group, membership)
        for group in view.review.groups
        for membership in group.members
    ]
    return table(f"Memberships ({len(rows):,})", columns, rows, class_=f"{_WHOLE} members")


def _membership(view: View, group: ReviewedGroup, membership: Membership) -> list[Content]:
    person = view.people[membership.user_id]
    return [
        _head(shown(group.name)),
        name_of(person),
        address_of(person),
        _state(person),
        _since(membership),
        _why(membership),
        _day(day(membership.until)),
    ]


def _since(membership: Membership) -> Markup:
    if membership.since is None:
        return cell(_UNKNOWN, data_key="")
    by = element("small", f"by {shown(membership.by)}") if membership.by else ""
    return cell(day(membership.since), by, class_="short")


def _why(membership: Membership) -> Content:
    reason = shown(membership.reason) if membership.reason else ""
    return [reason, element("small", shown(membership.source)) if membership.source else ""]


def _people(view: View) -> Markup:
    rows = [_person(view, person) for person in view.review.people]
    return table(f"People ({len(rows):,})", _OF_PERSON, rows, class_=f"{_WHOLE} people")


def _person(view: View, person: Person) -> list[Content]:
    login = day(person.last_login)
    return [
        _head(name_of(person)),
        address_of(person),
        role_of(person),
        _state(person),
        _day(login) if login else cell("unknown", class_="muted", data_key=""),
        view.group_names(person.id) or cell("none", class_="warn", data_key=""),
    ]


def _state(person: Person) -> Markup:
    names = {State.DISABLED: "remove", State.PENDING: "warn", State.UNKNOWN: "muted"}
    return cell(person.state.value, class_=names.get(person.state))


def _head(text: str) -> Markup:
    return cell(text, is_header=True)


def _day(text: str) -> Markup:
    return cell(text, class_="short")
