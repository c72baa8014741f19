"""What an undo can give back of the roles of a deleted group. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from attrs import field, frozen

from cld_provisioning_api.models import Role

from .grants import Grant
from .model import Action
from .problems import quoted
from .result import Status
from .runs import Run


@frozen(kw_only=True)
class Restoration:
    """What an undo has to know to assign roles again.

    Attributes:
        assignable: The roles that can be assigned now; None where they are not known.
        reason: Why they are not known.
        recreated: By name, the IDs of the groups that earlier undos of the run have created.
        granted: By the ID of such a group, what it is granted now.
    """

    assignable: tuple[Role, ...] | None = ()
    reason: str = ""
    recreated: Mapping[str, Collection[str]] = field(factory=dict[str, Collection[str]])
    granted: Mapping[str, Collection[Grant]] = field(factory=dict[str, Collection[Grant]])

    def obstacle(self, recorded: Grant) -> str:
        """Return why a recorded role must not be assigned, or ""."""
        if self.assignable is None:
            return f"the roles that can be assigned are not known: {self.reason}"
        return obstacle(recorded, self.assignable)


def obstacle(recorded: Grant, assignable: Iterable[Role]) -> str:
    """Return why a recorded role must not be assigned, or "".

    It must be the same role as then, and the record must say exactly where it applied.
    """
    roles = [each for each in assignable if each.id == recorded.role_id]
    if not roles:
        return "the role no longer exists"
    for role in roles:  # a list that has the same ID twice tells of two roles
        if why := _difference(recorded, role):
            return why
    if (recorded.scope == "account") is bool(recorded.where):
        return "the record does not say in which product environment"
    within = dict(recorded.within)
    if recorded.is_content is not bool(within) or not all(map(str.strip, within.values())):
        return "the record does not say in which folder or collection"
    # What the API does not know, it may ignore: then the role would apply everywhere.
    if any(
        each.policy_parameters and not within.keys() <= {*each.policy_parameters} for each in roles
    ):
        return "the role is not restricted by what the record names"
    return ""


def _difference(recorded: Grant, role: Role) -> str:
    if role.updated_at > recorded.updated_at:
        return "the role was changed since"
    kind = role.scope_type, role.management_type == "system", role.permission_type == "content"
    if kind != (recorded.scope, recorded.is_system, recorded.is_content):
        return "the role is of another kind now"
    if role.name != recorded.role:
        return f"the role is called {quoted(role.name)} now"
    return ""


def recreated_by(run: Run, others: Iterable[Run]) -> dict[str, set[str]]:
    """Return, by name, the IDs of the groups that the undos of a run have certainly created."""
    found: dict[str, set[str]] = {}
    for other in others:
        if other.header.plan.undoes != run.id:
            continue
        for outcome in other.outcomes:
            is_created = outcome.change.action is Action.CREATE_GROUP
            if is_created and outcome.status is Status.DONE and outcome.group_id is not None:
                found.setdefault(outcome.change.group.name, set()).add(outcome.group_id)
    return found
