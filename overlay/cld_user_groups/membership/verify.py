"""Compare an account with a plan that has been applied."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from .identity import Directory
from .model import Action
from .outcome import Outcome, Status


def settle(outcomes: Sequence[Outcome], account: Directory) -> tuple[Outcome, ...]:
    """Return the outcomes; an unknown one that the account shows now is done.

    One that it does not show stays unknown: it may still come.

    Args:
        outcomes: The outcome of each change.
        account: The account, read after the last of them.
    """
    return tuple(
        evolve(outcome, status=Status.DONE, error="")
        if outcome.status is Status.UNKNOWN
        and not outcome.in_place
        and not difference_of(outcome, account)
        else outcome
        for outcome in outcomes
    )


def differences(outcomes: Sequence[Outcome], account: Directory) -> tuple[str, ...]:
    """Return the differences between the account and the changes, a sentence each.

    Args:
        outcomes: The outcome of each change.
        account: The account, read after the last of them.
    """
    return tuple(
        difference for outcome in outcomes if (difference := difference_of(outcome, account))
    )


def difference_of(outcome: Outcome, account: Directory) -> str:
    """Return the difference between the account and one change, or "".

    Args:
        outcome: The change, with the ID of its group.
        account: The account.
    """
    change, name = outcome.change, outcome.change.group.name
    group = account.group(outcome.group_id)
    if change.action is Action.DELETE_GROUP:
        return "" if group is None else f"the group {name!r} still exists"
    if group is None:
        if change.action is Action.REMOVE_USER and outcome.holds:
            return ""
        if outcome.group_id is None and account.named(name):
            return f"the group {name!r} exists, and this run is not known to have created it"
        return f"the group {name!r} does not exist"
    if change.action in (Action.CREATE_GROUP, Action.RENAME_GROUP):
        return "" if group.name == name else f"the group {name!r} is called {group.name!r}"
    assert change.user is not None
    is_member = change.user.id in account.members(group.id)
    if is_member is (change.action is Action.ADD_USER):
        return ""
    person = change.user.email or change.user.id
    return f"{person} is {'still' if is_member else 'not'} in the group {name!r}"
