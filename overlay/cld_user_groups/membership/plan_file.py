"""Save a plan as JSON, and load it without loss."""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import msgspec

from .model import Action, Breach, Change, Group, GroupRef, GuardLimits, Member, Plan, UserRef
from .order import leads_to
from .planning import EXPIRES_AFTER, fingerprint
from .problems import PlanFileError, Problem, quoted
from .state import write_file

#: The format of a saved plan. The number grows when an older reader would misread it.
FORMAT: Literal["cld-user-groups/plan/1"] = "cld-user-groups/plan/1"


class _Struct(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The base of the parts of a saved plan."""


class _Group(_Struct):
    id: str | None
    name: str


class _User(_Struct):
    id: str
    email: str | None


class _Summary(_Struct):
    create_group: int
    rename_group: int
    add_user: int
    remove_user: int
    delete_group: int
    requests: int
    removals: int


class _Change(_Struct):
    action: Action
    group: _Group
    user: _User | None
    old_name: str | None
    members: list[_User]
    until: date | None
    reason: str
    source: str
    line: int | None
    depends_on: list[int]


class _Breach(_Struct):
    guard: str
    message: str
    group: _Group | None
    removals: int
    limit: int


class _Limits(_Struct):
    max_removals: int | None
    max_removals_per_group: float


class _Document(_Struct):
    format: Literal["cld-user-groups/plan/1"]
    account: str
    source: str
    digest: str
    created_at: datetime
    expires_at: datetime
    today: date | None
    summary: _Summary
    changes: list[_Change]
    breaches: list[_Breach]
    notes: list[str]
    warnings: list[str]
    held_back: list[str]
    fingerprints: dict[str, str]
    requests_left: int | None
    memberships: int | None
    limits: _Limits
    protect: list[str]
    allow_empty: list[str]


# Made here, for msgspec must not examine a class in two threads at once.
_DOCUMENT = msgspec.json.Decoder(_Document)


def render_json(plan: Plan) -> str:
    """Return a plan as JSON, in the format that `load_plan` reads."""
    document = _Document(
        format=FORMAT,
        account=plan.account_id,
        source=plan.source,
        digest=plan.digest,
        created_at=plan.created_at,
        expires_at=plan.expires_at,
        today=plan.today,
        summary=_summary(plan),
        changes=[
            _Change(
                action=change.action,
                group=_group(change.group),
                user=None if change.user is None else _user(change.user),
                old_name=change.old_name,
                members=[_user(member) for member in change.members],
                until=change.until,
                reason=change.reason,
                source=change.source,
                line=change.line,
                depends_on=list(change.depends_on),
            )
            for change in plan.changes
        ],
        breaches=[
            _Breach(
                guard=breach.guard,
                message=breach.message,
                group=None if breach.group is None else _group(breach.group),
                removals=breach.removals,
                limit=breach.limit,
            )
            for breach in plan.breaches
        ],
        notes=list(plan.notes),
        warnings=list(plan.warnings),
        held_back=list(plan.held_back),
        fingerprints=dict(plan.fingerprints),
        requests_left=plan.requests_left,
        memberships=plan.memberships,
        limits=_Limits(
            max_removals=plan.limits.max_removals,
            max_removals_per_group=plan.limits.max_removals_per_group,
        ),
        protect=list(plan.protect),
        allow_empty=list(plan.allow_empty),
    )
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def save_plan(plan: Plan, path: str | os.PathLike[str]) -> None:
    """Write a plan to a file, in place of what is there.

    Raises:
        OSError: The file cannot be written; what was there is still there.
    """
    write_file(Path(path), render_json(plan).encode())


def load_plan(path: str | os.PathLike[str]) -> Plan:
    """Read a saved plan.

    Raises:
        PlanFileError: The file cannot be read, is not a saved plan, is of another version, or
            contradicts itself.
    """
    source = os.fspath(path)
    try:
        content = Path(source).read_bytes()
    except OSError as error:
        message = f"cannot read the plan: {error.strerror or error}"
        raise PlanFileError([Problem(source, None, message)]) from None
    return parse_plan(content, source)


def parse_plan(content: bytes | str, source: str = "plan.json") -> Plan:
    """Parse a plan from JSON.

    Args:
        content: The JSON.
        source: The name that errors show for it.

    Raises:
        PlanFileError: It is not a saved plan, is of another version, or contradicts itself.
    """
    if isinstance(content, bytes):
        content = content.removeprefix(BOM_UTF8)  # which editors and shells put there
    try:
        document = _DOCUMENT.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PlanFileError([Problem(source, None, f"not a saved plan: {error}")]) from None
    try:
        plan = _plan(document)
    except ValueError as error:  # a limit that is out of its range
        raise PlanFileError([Problem(source, None, f"not a valid plan: {error}")]) from None
    problems = [
        Problem(source, None, f"not a valid plan: {said}") for said in _wrong(document, plan)
    ]
    if problems:
        raise PlanFileError(problems)
    return plan


def _plan(document: _Document) -> Plan:
    return Plan(
        account_id=document.account,
        source=document.source,
        digest=document.digest,
        created_at=document.created_at,
        expires_at=document.expires_at,
        today=document.today,
        changes=tuple(
            Change(
                action=change.action,
                group=_group_ref(change.group),
                user=None if change.user is None else _user_ref(change.user),
                old_name=change.old_name,
                members=tuple(_user_ref(member) for member in change.members),
                until=change.until,
                reason=change.reason,
                source=change.source,
                line=change.line,
                depends_on=tuple(change.depends_on),
            )
            for change in document.changes
        ),
        fingerprints=document.fingerprints,
        breaches=tuple(
            Breach(
                guard=breach.guard,
                message=breach.message,
                group=None if breach.group is None else _group_ref(breach.group),
                removals=breach.removals,
                limit=breach.limit,
            )
            for breach in document.breaches
        ),
        requests_left=document.requests_left,
        notes=tuple(document.notes),
        warnings=tuple(document.warnings),
        held_back=tuple(document.held_back),
        limits=GuardLimits(
            max_removals=document.limits.max_removals,
            max_removals_per_group=document.limits.max_removals_per_group,
        ),
        protect=tuple(document.protect),
        allow_empty=tuple(document.allow_empty),
        memberships=document.memberships,
    )


def _wrong(document: _Document, plan: Plan) -> Iterator[str]:
    """Yield each contradiction within a plan."""
    yield from _wrong_times(document.created_at, document.expires_at)
    if document.summary != _summary(plan):
        yield "its summary is not that of its changes"
    created: dict[str, int] = {}
    for position, change in enumerate(plan.changes):
        where = f"$.changes[{position}]"
        if change.action is Action.CREATE_GROUP:
            created[change.group.name] = position
        if not all(0 <= needed < position for needed in change.depends_on):
            yield f"{where}.depends_on must name changes before it"
        yield from _wrong_fields(change, where)
        if change.group.id is not None:
            if change.group.id not in plan.fingerprints:
                yield f"$.fingerprints lacks the group of {where}"
            elif not _lists_all_members(change, plan.fingerprints):
                yield f"{where}.members are not those of the group's fingerprint"
        elif not _waits_for_group(change, created):
            yield f"{where}.depends_on lacks the creation of its group"
    yield from _wrong_order(plan.changes)


def _wrong_times(created_at: datetime, expires_at: datetime) -> Iterator[str]:
    if created_at.tzinfo is None or expires_at.tzinfo is None:
        yield "its dates have no time zone"
    elif expires_at - created_at > EXPIRES_AFTER:
        yield "it must expire within 24 hours of its creation"


def _lists_all_members(change: Change, fingerprints: Mapping[str, str]) -> bool:
    """Return whether a deletion lists everyone in the group, for the guards count whom it lists."""
    group_id = change.group.id
    if change.action is not Action.DELETE_GROUP or group_id is None:
        return True
    members = tuple(Member(id=member.id) for member in change.members)
    group = Group(id=group_id, name=change.group.name, members=members)
    return fingerprint(group) == fingerprints[group_id]


def _waits_for_group(change: Change, created: Mapping[str, int]) -> bool:
    is_addition = change.action is Action.ADD_USER
    return not is_addition or created.get(change.group.name) in change.depends_on


def _wrong_order(changes: Sequence[Change]) -> Iterator[str]:
    """Yield each change that does not wait for what must have succeeded before it."""
    needs = [frozenset(change.depends_on) for change in changes]
    if not all(needed < position for position, each in enumerate(needs) for needed in each):
        return  # which is said already
    for position, before in _required(changes):
        if before in needs[position] or leads_to(position, before, needs):
            continue
        # An undo may have to delete a group before another of its name can be created.
        is_deletion = changes[position].action is Action.DELETE_GROUP
        if not (is_deletion and leads_to(before, position, needs)):
            what = f"{changes[before].action} of {quoted(changes[before].group.name)}"
            yield f"$.changes[{position}].depends_on lacks {before}, the {what}"


def _required(changes: Sequence[Change]) -> Iterator[tuple[int, int]]:
    """Yield the position of a change, and that of one that must have succeeded before it."""
    joins: dict[str, list[int]] = {}
    freed: dict[str, list[int]] = {}
    for position, change in enumerate(changes):
        if change.action is Action.ADD_USER and change.user is not None:
            joins.setdefault(change.user.id, []).append(position)
        elif change.action in (Action.RENAME_GROUP, Action.DELETE_GROUP):
            freed.setdefault(change.old_name or change.group.name, []).append(position)
    for position, change in enumerate(changes):
        if change.action in (Action.CREATE_GROUP, Action.RENAME_GROUP):
            names = freed.get(change.group.name, ())
            yield from ((position, before) for before in names if before != position)
        elif change.action is not Action.ADD_USER:
            for user in (change.user, *change.members):
                if user is not None:
                    yield from ((position, before) for before in joins.get(user.id, ()))


def _wrong_fields(change: Change, where: str) -> Iterator[str]:
    """Yield each field that is missing for the action, or that the action does not have."""
    of_user = change.action in (Action.ADD_USER, Action.REMOVE_USER)
    if (change.user is not None) != of_user:
        yield f"{where}.user must be {'an object' if of_user else 'null'}"
    if (change.old_name is not None) != (change.action is Action.RENAME_GROUP):
        yield f"{where}.old_name must be there for a rename, and only there"
    if change.members and change.action is not Action.DELETE_GROUP:
        yield f"{where}.members must be there for a deletion only"
    if change.until is not None and change.action is not Action.ADD_USER:
        yield f"{where}.until must be there for an addition only"
    if change.action is Action.CREATE_GROUP and change.group.id is not None:
        yield f"{where}.group.id must be null for a group that is to be created"
    if change.group.id is None and change.action not in (Action.CREATE_GROUP, Action.ADD_USER):
        yield f"{where}.group.id is missing"


def _summary(plan: Plan) -> _Summary:
    counts = plan.counts()
    return _Summary(**counts, requests=len(plan.changes), removals=plan.removals)


def _group(group: GroupRef) -> _Group:
    return _Group(id=group.id, name=group.name)


def _user(user: UserRef) -> _User:
    return _User(id=user.id, email=user.email)


def _group_ref(group: _Group) -> GroupRef:
    return GroupRef(id=group.id, name=group.name)


def _user_ref(user: _User) -> UserRef:
    return UserRef(id=user.id, email=user.email)
