"""Save a plan as JSON, and load it without loss."""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from hashlib import sha256
from operator import itemgetter
from pathlib import Path
from typing import Literal

import attrs
import msgspec

from .documents import form_of, json_text
from .journal import new_run
from .model import Action, Change, Group, Member, Plan
from .order import joins_before_leaving, leads_to
from .planning import EXPIRES_AFTER, fingerprint
from .problems import PlanFileError, Problem, quoted
from .state import assistant_folder, write_file

#: The format of a saved plan. The number grows when an older reader would misread it.
FORMAT: Literal["cld-user-groups/plan/1"] = "cld-user-groups/plan/1"
_MOST_KEPT = 100  # of an assistant's plans
# What the commands show again, to be pasted: nothing else may come from a plan that was edited.
_READ_WITH = frozenset({"--columns", "--names", "--date-format", "--group-separator"})

_FORM = form_of(
    Plan,
    head={"format": Literal[FORMAT], "account": str, "summary": dict[str, int]},
    without=("account_id", "is_saved"),
)
_DOCUMENT = msgspec.json.Decoder(_FORM)


def render_json(plan: Plan) -> str:
    """Return a plan as JSON, in the format that `load_plan` reads."""
    fields = attrs.asdict(plan, recurse=False)
    del fields["is_saved"]
    head = {"format": FORMAT, "account": fields.pop("account_id"), "summary": _summary(plan)}
    return json_text(msgspec.convert({**head, **fields}, _FORM, from_attributes=True))


def save_plan(plan: Plan, path: str | os.PathLike[str]) -> None:
    """Write a plan to a file, in place of what is there.

    Raises:
        OSError: The file cannot be written; what was there is still there.
    """
    write_file(Path(path), render_json(plan).encode())


def keep_plan(plan: Plan, state: Path) -> dict[str, str]:
    """Keep an assistant's plan and those before it; return its ID, path and digest."""
    plan_id, data = new_run(plan.created_at), render_json(plan).encode()
    path = assistant_folder(state) / f"{plan_id}.json"
    write_file(path, data)
    for old in sorted(path.parent.glob("*Z-*.json"))[:-_MOST_KEPT]:
        old.unlink(missing_ok=True)
    return {"id": plan_id, "path": str(path), "sha256": sha256(data).hexdigest()}


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
    """Parse a plan from JSON; `source` is the name that errors show for it.

    Raises:
        PlanFileError: It is not a saved plan, is of another version, or contradicts itself.
    """
    if isinstance(content, bytes):
        content = content.removeprefix(BOM_UTF8)  # which editors and shells put there
    try:
        document = msgspec.structs.asdict(_DOCUMENT.decode(content))
        document |= {"account_id": document["account"], "is_saved": True}
        plan = msgspec.convert(document, Plan, from_attributes=True)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # The form has the types alone; a class rejects a limit that is out of its range.
        kind = "saved" if error.__cause__ is None else "valid"
        raise PlanFileError([Problem(source, None, f"not a {kind} plan: {error}")]) from None
    wrong = list(_wrong(plan))
    if document["summary"] != _summary(plan):
        wrong.append("its summary is not that of its changes")
    if not _READ_WITH.issuperset(plan.read_with[::2]) or len(plan.read_with) % 2:
        wrong.append("$.read_with has more than how to read a file")
    if wrong:
        raise PlanFileError([Problem(source, None, f"not a valid plan: {each}") for each in wrong])
    return plan


def _summary(plan: Plan) -> dict[str, int]:
    return {**plan.counts(), "requests": len(plan.changes), "removals": plan.removals}


def _wrong(plan: Plan) -> Iterator[str]:
    """Yield each contradiction within a plan."""
    if plan.created_at.tzinfo is None or plan.expires_at.tzinfo is None:
        yield "its dates have no time zone"
    elif plan.expires_at - plan.created_at > EXPIRES_AFTER:
        yield "it must expire within 24 hours of its creation"
    for number, each in enumerate(plan.rules):
        if len(each.groups) < (2 if each.kind == "not_together" else 1):
            yield f"$.rules[{number}].groups are too few"
    for position, change in enumerate(plan.changes):
        if change.group.id in plan.managed:
            yield f"$.changes[{position}] is of a group in $.managed"
    yield from _wrong_changes(plan)
    yield from _wrong_order(plan.changes)


def _wrong_changes(plan: Plan) -> Iterator[str]:
    """Yield what is wrong with each change by itself, and with what it says of its group."""
    created: dict[str, int] = {}
    for position, change in enumerate(plan.changes):
        where, group_id = f"$.changes[{position}]", change.group.id
        if change.action is Action.CREATE_GROUP:
            created[change.group.name] = position
        if not all(0 <= needed < position for needed in change.depends_on):
            yield f"{where}.depends_on must name changes before it"
        yield from _wrong_fields(change, where)
        if group_id is None:
            is_waiting = created.get(change.group.name) in change.depends_on
            if change.action is Action.ADD_USER and not is_waiting:
                yield f"{where}.depends_on lacks the creation of its group"
        elif group_id not in plan.fingerprints:
            yield f"$.fingerprints lacks the group of {where}"
        elif change.action is Action.DELETE_GROUP:
            # The guards count whom it lists.
            members = tuple(Member(id=member.id) for member in change.members)
            group = Group(id=group_id, name=change.group.name, members=members)
            if fingerprint(group) != plan.fingerprints[group_id]:
                yield f"{where}.members are not those of the group's fingerprint"


def _wrong_order(changes: Sequence[Change]) -> Iterator[str]:
    """Yield each change that does not wait for what must have succeeded before it."""
    needs = [frozenset(change.depends_on) for change in changes]
    if not all(0 <= needed < position for position, each in enumerate(needs) for needed in each):
        return  # which is said already
    for position, before in sorted(_required(changes), key=itemgetter(0)):
        if leads_to(position, before, needs):
            continue
        # An undo may have to delete a group before another of its name can be created.
        is_deletion = changes[position].action is Action.DELETE_GROUP
        if not (is_deletion and leads_to(before, position, needs)):
            what = f"{changes[before].action} of {quoted(changes[before].group.name)}"
            yield f"$.changes[{position}].depends_on lacks {before}, the {what}"


def _required(changes: Sequence[Change]) -> Iterator[tuple[int, int]]:
    """Yield the position of a change, and that of one that must have succeeded before it."""
    yield from joins_before_leaving(changes)
    freed: dict[str, list[int]] = {}
    for position, change in enumerate(changes):
        if change.action in (Action.RENAME_GROUP, Action.DELETE_GROUP):
            freed.setdefault(change.old_name or change.group.name, []).append(position)
    for position, change in enumerate(changes):
        if change.action in (Action.CREATE_GROUP, Action.RENAME_GROUP):
            names = freed.get(change.group.name, ())
            yield from ((position, before) for before in names if before != position)


def _wrong_fields(change: Change, where: str) -> Iterator[str]:
    """Yield each field that is missing for the action, or that the action does not have."""
    if change.action is Action.ASSIGN_ROLE or change.role is not None:
        yield f"{where} assigns a role, which only `undo` with --restore-roles does"
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
