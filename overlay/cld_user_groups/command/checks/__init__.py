"""What `doctor` checks: the installation, the settings, and the account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from attrs import frozen

from cld_user_groups.command.failures import describe

Status = Literal["ok", "warning", "failed", "skipped"]


@frozen
class Check:
    """What a check found.

    Attributes:
        name: What was checked.
        status: "warning" is for what works now and may not tomorrow; "skipped" for what could not
            be checked, because of what another check says or for want of something optional.
        result: What was found, in a line.
        way_out: What to do about it, or "".
        details: All that was found, where the result is only the first of it.
    """

    name: str
    status: Status
    result: str
    way_out: str = ""
    details: tuple[str, ...] = ()


def guarded(name: str, check: Callable[[], Check]) -> Check:
    """Return what a check finds; one that ends in an error has failed, and stops no other.

    Args:
        name: What is checked.
        check: The check.
    """
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - it is told
        return Check(name, "failed", describe(error).message.rstrip("."))
