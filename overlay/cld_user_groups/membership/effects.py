"""What a plan gives and ends: the roles of the groups that people join and leave."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from .grants import Roles
from .model import Action, Plan, Snapshot
from .problems import quoted

_ENDED = "Roles that end with "


def with_effects(plan: Plan, snapshot: Snapshot) -> Plan:
    """Return a plan with what it gives and ends, as far as the snapshot has the roles.

    What the plan said of that before is left out: it was read at another time.
    """
    notes = (note for note in plan.notes if not note.startswith(_ENDED))
    return evolve(plan, notes=(*notes, *_notes(plan, snapshot.roles)))


def _notes(plan: Plan, roles: Roles) -> Iterator[str]:
    """Yield what is assigned to the groups that a plan deletes, if the roles were read."""
    if roles == Roles():
        return
    deleted = [each.group for each in plan.changes if each.action is Action.DELETE_GROUP]
    unknown = ", ".join(quoted(each.name) for each in deleted if roles.of(each.id) is None)
    if unknown:
        yield f"{_ENDED}{unknown}: not known: {roles.reason}."
    for group in deleted:
        if roles.of(group.id) is not None:
            yield f"{_ENDED}{quoted(group.name)}: {'; '.join(roles.texts(group.id))}."
