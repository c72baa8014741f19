"""An emulated account that notes which writes were really applied, and lets others interfere."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from attrs import define, field, frozen

from cld_user_groups.emulator import Emulator
from cld_user_groups.membership.model import Action, Change


@frozen
class Write:
    """A write that the account has applied: a change, with the name or the user it is about."""

    action: Action
    group_id: str | None
    about: str


def write_of(change: Change, group_id: str | None) -> Write:
    """Return the write that a change makes."""
    if change.role is not None:
        return Write(change.action, group_id, about_role(change.role.assignment))
    if change.user is not None:
        return Write(change.action, group_id, change.user.id)
    if change.action is Action.CREATE_GROUP:
        return Write(change.action, None, change.group.name)
    return Write(change.action, group_id, change.group.name)


def about_role(assignment: Mapping[str, Any]) -> str:
    """Return a text of an assignment: no two have the same."""
    return json.dumps(assignment, sort_keys=True)


@define
class Watched:
    """An emulator whose writes are noted.

    Attributes:
        emulator: The emulator.
        applied: The writes that the API has applied, in their order.
        before_write: Called before a write is applied, with the write.
    """

    emulator: Emulator
    applied: list[Write] = field(factory=list[Write])
    before_write: Callable[[Write], None] | None = None
    _originals: dict[str, Callable[..., Any]] = field(factory=dict[str, Callable[..., Any]])

    def __attrs_post_init__(self) -> None:
        for name, action in (
            ("add_group", Action.CREATE_GROUP),
            ("rename_group", Action.RENAME_GROUP),
            ("remove_group", Action.DELETE_GROUP),
            ("add_member", Action.ADD_USER),
            ("remove_member", Action.REMOVE_USER),
        ):
            original = self._originals[name] = getattr(self.emulator, name)
            setattr(self.emulator, name, self._noting(action, original))
        original = self._originals["assign_role"] = self.emulator.roles.assign
        self.emulator.roles.assign = self._noting_roles(original)  # type: ignore[method-assign]
        self._originals["end_role"] = self.emulator.roles.remove
        self.emulator.roles.remove = _never  # type: ignore[method-assign]

    def someone_else(self, operation: str, *arguments: object, **keywords: object) -> None:
        """Change the account as another admin does; what is not possible is not done."""
        with suppress(ValueError):
            self._originals[operation](*arguments, **keywords)

    def roles_of(self, group_id: str) -> set[str]:
        """Return what is assigned to a group, each as `about_role` has it."""
        grants = self.emulator.roles.shown(("group", group_id), {})
        named = ("id", "scope_id", "policy_parameters")
        return {about_role({name: each[name] for name in named if name in each}) for each in grants}

    def _noting_roles(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def assign(group_id: str, role_id: str, scope_id: str | None = None, **more: Any) -> None:
            within = {name: value for name, value in more.items() if name != "principal_type"}
            where = {"scope_id": scope_id, "policy_parameters": within}
            given = {name: value for name, value in where.items() if value}
            write = Write(Action.ASSIGN_ROLE, group_id, about_role({"id": role_id, **given}))
            if self.before_write is not None:
                self.before_write(write)
            original(group_id, role_id, scope_id, **more)
            self.applied.append(write)

        return assign

    def _name(self, group_id: str) -> str | None:
        return {group.id: group.name for group in self.emulator.groups}.get(group_id)

    def _noting(self, action: Action, original: Callable[..., Any]) -> Callable[..., Any]:
        def apply(*arguments: Any, **keywords: Any) -> Any:
            first = str(arguments[0])
            if action is Action.CREATE_GROUP:
                write = Write(action, None, first)
            elif action is Action.DELETE_GROUP:
                name = self._name(first)
                if name is None:
                    return original(first)  # which rejects it
                write = Write(action, first, name)
            else:
                write = Write(action, first, str(arguments[1]))
            if self.before_write is not None:
                self.before_write(write)
            # A rename that is sent again changes nothing, which is why the client may do so.
            is_repeated = action is Action.RENAME_GROUP and self._name(first) == write.about
            result = original(*arguments, **keywords)
            if not is_repeated:
                self.applied.append(write)
            return result

        return apply


def _never(*arguments: object, **keywords: object) -> None:
    raise AssertionError(f"a role was taken away: {arguments} {keywords}")
