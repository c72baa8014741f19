"""Durations on the command line: `90`, `90s`, `15m`, `1h30m`."""

from __future__ import annotations

import re

import click

_PARTS = re.compile(
    r"(?=.)(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?(?:(?P<seconds>\d+)s?)?", re.ASCII
)
_SECONDS = {"hours": 3600, "minutes": 60, "seconds": 1}


def duration(text: str) -> float:
    """Return the seconds of a duration.

    Args:
        text: The duration.

    Raises:
        click.BadParameter: It is not one.
    """
    found = _PARTS.fullmatch(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is not a duration such as 90s, 15m or 1h30m.")
    return float(sum(int(amount) * _SECONDS[unit] for unit, amount in found.groupdict("0").items()))


def some_time(text: str) -> float:
    """Return the seconds of a duration that is not 0.

    Args:
        text: The duration.

    Raises:
        click.BadParameter: It is not one, or 0.
    """
    seconds = duration(text)
    if not seconds:
        raise click.BadParameter(f"{text!r} is no time at all: 90s, 15m and 1h30m are.")
    return seconds
