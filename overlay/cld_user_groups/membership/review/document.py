"""A review as a JSON document, which a later review reads to tell what has changed since.

`schemas/review.schema.json` defines it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from attrs import frozen

from cld_user_groups.membership.model import Group
from cld_user_groups.membership.problems import FileError, Problem

from .model import Comparison, Difference, Finding, Kind, Membership, Person, Review, ReviewedGroup

FORMAT = "cld-user-groups/review/1"


def render_json(review: Review) -> str:
    """Return a review as a JSON document.

    Args:
        review: The review.
    """
    return msgspec.json.format(msgspec.json.encode(_document(review)), indent=2).decode() + "\n"


def _document(review: Review) -> dict[str, Any]:
    people = {person.id: person for person in review.people}
    return {
        "format": FORMAT,
        "account": review.account_id,
        "made_at": review.made_at,
        "as_of": review.as_of,
        "unseen_days": review.unseen_days,
        "ending_days": review.ending_days,
        "summary": {
            "groups": len(review.groups),
            "people": len(review.people),
            "memberships": review.memberships,
            "findings": {
                kind: sum(finding.kind is kind for finding in review.findings) for kind in Kind
            },
        },
        "findings": [_finding(finding) for finding in review.findings],
        "changes": None if review.changes is None else _comparison(review.changes),
        "groups": [_group(group, people) for group in review.groups],
        "people": [_person(person) for person in review.people],
        "notes": review.notes,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "user": finding.user_id,
        "group": finding.group_id,
        "on": finding.on,
    }


def _comparison(changes: Comparison) -> dict[str, Any]:
    return {
        "to": changes.to,
        "at": changes.at,
        "differences": [_difference(difference) for difference in changes.differences],
    }


def _difference(difference: Difference) -> dict[str, Any]:
    user = difference.user_id and {"id": difference.user_id, "email": difference.email}
    return {
        "event": difference.event,
        "group": {"id": difference.group_id, "name": difference.group},
        "old_name": difference.old_name,
        "user": user,
    }


def _group(group: ReviewedGroup, people: dict[str, Person]) -> dict[str, Any]:
    members = [_membership(membership, people) for membership in group.members]
    return {"id": group.id, "name": group.name, "members": members}


def _membership(membership: Membership, people: dict[str, Person]) -> dict[str, Any]:
    return {
        "id": membership.user_id,
        "email": people[membership.user_id].email,
        "since": membership.since,
        "run": membership.run,
        "by": membership.by,
        "reason": membership.reason,
        "source": membership.source,
        "until": membership.until,
    }


def _person(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "role": person.role,
        "state": person.state,
        "last_login": person.last_login,
    }


@frozen(kw_only=True)
class Earlier:
    """What a later review needs of a review.

    Attributes:
        account_id: The account.
        made_at: When it was made, aware, in UTC.
        groups: The groups, with their members.
    """

    account_id: str
    made_at: datetime
    groups: tuple[Group, ...]


@frozen(kw_only=True)
class _Document:
    format: str
    account: str
    made_at: datetime
    groups: tuple[Group, ...]


# Made here, for msgspec must not examine a class in two threads at once.
_DOCUMENT = msgspec.json.Decoder(_Document)


def load_earlier(path: Path) -> Earlier:
    """Return what a review, saved as JSON, says of the groups.

    Args:
        path: The file.

    Raises:
        FileError: It cannot be read, or is no such review.
    """
    try:
        document = _DOCUMENT.decode(path.read_bytes())
        if document.format != FORMAT:
            raise ValueError(f"the format is {document.format!r}, not {FORMAT!r}")
        if document.made_at.tzinfo is None:
            raise ValueError("`made_at` has no time zone")
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise _unreadable(path, str(error)) from error
    return Earlier(
        account_id=document.account,
        made_at=document.made_at.astimezone(UTC),
        groups=document.groups,
    )


def _unreadable(path: Path, why: str) -> FileError:
    message = f"this is not a review as JSON: {why}"
    return FileError([Problem(str(path), None, message, "save one with `report --format json`")])
