"""What `doctor` checks: the installation, the settings, and the account."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

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
