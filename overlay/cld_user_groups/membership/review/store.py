"""Reviews on disk: JSON documents, of which one a day is kept for the next one to compare with.

`schemas/review.schema.json` defines the document.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import attrs
import msgspec

from cld_user_groups.membership.documents import form_of, json_data
from cld_user_groups.membership.grants import Grant
from cld_user_groups.membership.model import Group
from cld_user_groups.membership.problems import FileError, Problem
from cld_user_groups.membership.state import make_private, replace_file

from .model import Finding, Kind, Membership, Review

FORMAT = "cld-user-groups/review/1"
_DIRECTORY = "reviews"
_FORM = form_of(
    Review,
    head={"format": str, "account": str, "summary": dict[str, Any], "roles": dict[str, Any] | None},
    without=("account_id", "roles", "access"),
    keys={Finding: {"user_id": "user", "group_id": "group"}, Membership: {"user_id": "id"}},
)


def render_json(review: Review) -> str:
    """Return a review as a JSON document, with the digest of it without that line."""
    return _with_digest(review).decode()


def _with_digest(review: Review) -> bytes:
    data = _document(review)
    head, form, rest = data.split(b"\n", 2)
    line = b'  "digest": "%s",' % sha256(data).hexdigest().encode()
    return b"\n".join((head, form, line, rest))


def digest_of(review: Review) -> str:
    """Return the SHA-256 digest of a review: of its JSON document without the line `digest`."""
    return sha256(_document(review)).hexdigest()


def _document(review: Review) -> bytes:
    fields = attrs.asdict(review, recurse=False)
    summary = {
        "groups": len(review.groups),
        "people": len(review.people),
        "memberships": review.memberships,
        "findings": {
            kind: found
            for kind in Kind
            if (found := sum(each.kind is kind for each in review.findings)) or kind in review.kinds
        },
    }
    head = {"format": FORMAT, "account": fields.pop("account_id"), "summary": summary}
    head["roles"] = _roles(review) if review.roles.were_read else None
    del fields["roles"], fields["access"]
    return json_data(msgspec.convert({**head, **fields}, _FORM, from_attributes=True))


def _roles(review: Review) -> dict[str, Any]:
    """Return what is granted: by group, by person, and by role with those who have it."""
    roles = review.roles
    groups, people = (
        [{kind: each.id, "granted": _documents(roles.of(each.id, kind))} for each in listed]
        for kind, listed in (("group", review.groups), ("user", review.people))
    )
    return {
        "not_known_because": roles.reason if review.unknown_groups else None,
        "groups": groups,
        "people": people if any(each["granted"] is not None for each in people) else None,
        "access": [
            {
                **found.grant.document,
                "groups": found.group_ids,
                "people": [
                    {"user": holder.user_id, "own": holder.own, "groups": holder.group_ids}
                    for holder in found.holders
                ],
            }
            for found in review.access
        ],
    }


def _documents(grants: Iterable[Grant] | None) -> list[dict[str, Any]] | None:
    return None if grants is None else [grant.document for grant in grants]


class Earlier(msgspec.Struct, frozen=True, kw_only=True, rename={"account_id": "account"}):
    """What a later review needs of a review; the time is aware, in UTC."""

    format: str
    account_id: str
    made_at: datetime
    groups: tuple[Group, ...]


# Made here, for msgspec must not examine a class in two threads at once.
_EARLIER = msgspec.json.Decoder(Earlier)


def load_earlier(path: Path) -> Earlier:
    """Return what a review, saved as JSON in a file, says of the groups.

    Raises:
        FileError: It cannot be read, or is no such review.
    """
    try:
        earlier = _EARLIER.decode(path.read_bytes())
        if earlier.format != FORMAT:
            raise ValueError(f"the format is {earlier.format!r}, not {FORMAT!r}")
        if earlier.made_at.tzinfo is None:
            raise ValueError("`made_at` has no time zone")
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise _unreadable(path, str(error)) from error
    return msgspec.structs.replace(earlier, made_at=earlier.made_at.astimezone(UTC))


def _unreadable(path: Path, why: str) -> FileError:
    message = f"this is not a review as JSON: {why}"
    return FileError([Problem(str(path), None, message, "save one with `report --format json`")])


def keep(review: Review, state: Path) -> None:
    """Keep a review as the one of its day, in the directory of the account.

    Raises:
        OSError: It cannot be written.
    """
    directory = state / _DIRECTORY
    make_private(directory)
    path = directory / f"{review.made_at.astimezone(UTC).date()}.json"
    replace_file(path, _with_digest(review))


def last_before(state: Path, day: date) -> Earlier | None:
    """Return the last kept review of an earlier day, or None.

    Not the last one of all: who makes a report as HTML and then as CSV gets the same changes twice.
    """
    days = [kept for kept in _days(state) if kept < day]
    return _load(state, max(days)) if days else None


def last_until(state: Path, day: date) -> Earlier:
    """Return the last kept review of a day or an earlier one; raise `FileError` if none is."""
    days = _days(state)
    until = [kept for kept in days if kept <= day]
    if not until:
        there = ", ".join(map(str, days)) or "none"
        message = f"no report of {day} or before is kept here (kept: {there})"
        hint = "pass a report that was saved as JSON, or the ID of a run"
        raise FileError([Problem(str(state / _DIRECTORY), None, message, hint)])
    return _load(state, max(until))


def _days(state: Path) -> list[date]:
    days: list[date] = []
    for path in (state / _DIRECTORY).glob("*.json"):
        try:
            days.append(date.fromisoformat(path.stem))
        except ValueError:
            continue  # not one of ours
    return sorted(days)


def _load(state: Path, day: date) -> Earlier:
    return load_earlier(state / _DIRECTORY / f"{day}.json")
