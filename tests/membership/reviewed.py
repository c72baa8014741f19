"""Accounts under review, for the tests of what a report says and of how it looks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

from attrs import evolve
from tests.membership.recorded import joins, run_of

from cld_user_groups.membership import (
    Grant,
    Group,
    History,
    Member,
    Roles,
    Snapshot,
    history_of,
)
from cld_user_groups.membership.review import People, Person, Review, State, compare, review

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
_FIRST = [
    "Amara", "Ben", "Chen", "Dana", "Emil", "Fatou", "Goran", "Hana", "Ines", "Jonas", "Kim",
    "Lena", "Maria", "Noor", "Olga",
]  # fmt: skip
_LAST = [
    "Adler", "Bruno", "Costa", "Diallo", "Evans", "Fischer", "Garcia", "Haddad", "Ito", "Jansen",
    "Kowalski", "Lopez", "Moreau", "Novak", "Okafor", "Petrov", "Quinn", "Rossi", "Silva",
    "Tanaka",
]  # fmt: skip
_GROUPS = [
    "Designers", "Marketing", "Photographers", "Archive", "Brand", "Campaigns", "Catalogue",
    "Commerce", "Content", "Data", "Editors", "Events", "Exports", "Finance", "Freelancers",
    "Interns", "Legal", "Localization", "Media", "Mobile", "News", "Operations", "Partners",
    "Platform", "Press", "Print", "Product", "Publishing", "Quality", "Research", "Retail",
    "Sales", "Social", "Studio", "Support", "Translations", "Video", "Web", "Workshops",
    "Agency Northwind, external editors",
]  # fmt: skip
_GRANTS = (
    (("Media Editor", "cld::role::prodenv::media_editor", "prodenv", "all"),),
    (
        ("Campaign Contributor", "campaign_contributor_1", "prodenv", "production"),
        ("Reports Viewer", "cld::role::account::reports_viewer", "account", None),
    ),
    (),
    (("Master Admin", "cld::role::prodenv::master_admin", "prodenv", "production"),),
)
_ROLES = ("media_library_user", "media_library_admin", "developer", "billing")


def person(number: int) -> Person:
    """Return a person; each of them is a little different."""
    again, place = divmod(number, len(_FIRST) * len(_LAST))
    first, last = list(product(_FIRST, _LAST))[place]
    last += str(again or "")
    state = State.ACTIVE
    if number % 31 == 7:
        state = State.DISABLED
    elif number % 29 == 3:
        state = State.PENDING
    login = None if number % 23 == 5 else NOW - timedelta(days=(number * number) % 140)
    return Person(
        id=f"{number:030x}",
        email=f"{first}.{last}@example.com".lower(),
        name=f"{first} {last}",
        role=_ROLES[number % len(_ROLES)],
        state=state,
        last_login=login,
    )


def granted(group_ids: Iterable[str]) -> Roles:
    """Return roles of groups: content, global, none, full control, and not known, in turn."""
    known: dict[tuple[str, str], tuple[Grant, ...]] = {}
    for number, group_id in enumerate(group_ids):
        if number % 11 == 10:
            continue
        known["group", group_id] = tuple(
            Grant(
                *fields,
                within=(("folder_id", f"fg38a9b0c1d2e3f{number % 3}"),)
                if "_1" in fields[1]
                else (),
                is_system="::" in fields[1],
            )
            for fields in _GRANTS[number % len(_GRANTS)]
        )
    return Roles(known, "the Permissions API did not say", requests=2)


def reviewed(
    snapshot: Snapshot,
    *people: Person,
    history: History | None = None,
    complete: bool = True,
    **fields: Any,
) -> Review:
    """Return the review of an account in which these people are listed."""
    options = {"now": NOW, "unseen_days": 90, "ending_days": 30, **fields}
    found = People(found=people, complete=complete)
    return review(snapshot, found, history or History(), **options)


def large(groups: int = 40, people: int = 300, *, roles: bool = False, spread: int = 5) -> Review:
    """Return the review of an account of this size, with something of every kind to look at.

    Each group has a member among `spread` people, or fewer.
    """
    persons = [person(number) for number in range(people)]
    members = [Member(id=found.id, email=found.email, name=found.name) for found in persons]
    before = tuple(
        Group(
            id=f"g{number:029x}",
            name=_GROUPS[number % len(_GROUPS)] + str(number // len(_GROUPS) or ""),
            members=tuple(
                member
                for position, member in enumerate(members)
                if position % 37 and (position * 7 + number * 11) % (spread + number % 13) == 0
            )
            * (number != 15),
        )
        for number in range(groups)
    )
    now = tuple(
        evolve(group, members=group.members[:-1] + (members[number],) * (number < 9))
        if number % 4 == 0
        else group
        for number, group in enumerate(before)
    )
    snapshot = Snapshot(
        account_id="acc",
        groups=tuple(map(_without_doubles, now)),
        taken_at=NOW,
        roles=granted(group.id for group in now) if roles else Roles(),
    )
    changes = [
        evolve(
            joins(member.id, group.id, reason=f"JIRA-{number}{position}"),
            until=date(2026, 6, 15) if (number + position) % 17 == 0 else None,
        )
        for number, group in enumerate(snapshot.groups)
        for position, member in enumerate(group.members)
        if (number + position) % 3
    ]
    earlier = compare(before, snapshot, to="the report of 2026-03-01", at=NOW - timedelta(days=92))
    return reviewed(snapshot, *persons, history=history_of([run_of(1, *changes)]), changes=earlier)


def _without_doubles(group: Group) -> Group:
    return evolve(group, members=tuple({member.id: member for member in group.members}.values()))
