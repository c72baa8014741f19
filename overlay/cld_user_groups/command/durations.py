"""Durations on the command line: `90`, `90s`, `15m`, `1h30m`."""

from __future__ import annotations

import re

import click

_PARTS = re.compile(r"(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?(?:(?P<seconds>\d+)s?)?", re.ASCII)
_SECONDS = {"hours": 3600, "minutes": 60, "seconds": 1}


class Duration(click.ParamType):
    """A duration, as seconds."""

    name = "duration"

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds of a duration.

        Args:
            value: The text, or seconds.
            param: The parameter, for the error.
            ctx: The context, for the error.
        """
        if not isinstance(value, str):
            return float(value)
        found = _PARTS.fullmatch(value)
        if not value or found is None:
            self.fail(f"{value!r} is not a duration such as 90s, 15m or 1h30m.", param, ctx)
        return float(
            sum(int(amount) * _SECONDS[unit] for unit, amount in found.groupdict("0").items())
        )
