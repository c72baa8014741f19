"""Who is in which group, as a picture: people down, groups across.

A large account is several panels, each with its own heads and small enough for a sheet of paper, so
that the names stay readable: on the screen nothing is scaled down.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from cld_user_groups.membership.rendering import counted
from cld_user_groups.membership.snapshot import State

from .model import Event, Person, ReviewedGroup

if TYPE_CHECKING:
    from .rendering import View

T = TypeVar("T")

_PEOPLE_A_PANEL = 50
_GROUPS_A_PANEL = 40
# More panels are more than anybody looks at, and than a browser shows at once.
_PANELS, _PANELS_ACROSS = 12, 3

_CELL, _MARK = 15, 9
_LEFT = 180  # the people's names end here
_LONGEST = 26  # of a name, in characters of an ordinary width
# A head is slanted by 60 degrees: so high, and so far to the right, for each character.
_HIGH, _FAR = 5.6, 3.2
_WIDE = 6.6  # of a character that is not slanted

_SQUARE = f"h{_MARK}v{_MARK}h-{_MARK}z"
_ARC = f"a{_MARK / 2},{_MARK / 2} 0 1,0"
_CIRCLE = f"m0,{_MARK / 2}{_ARC} {_MARK},0{_ARC} -{_MARK},0z"
#: How a membership is drawn, by its class in the style sheet.
MARKS = {"in": _SQUARE, "new": _CIRCLE, "blocked": f"m1,1h{_MARK - 2}v{_MARK - 2}h-{_MARK - 2}z"}


class Panel(NamedTuple):
    """So many people and groups as fit on a sheet; lengths are in pixels.

    A group has its name and a short one; a person a title, a short name, and the path of the marks
    of each class.
    """

    width: int
    left: int
    top: int
    cell: int
    label: str
    groups: list[tuple[str, str]]
    people: list[tuple[str, str, Mapping[str, str]]]


def panels(view: View) -> tuple[list[Panel], str]:
    """Return the panels, none where nobody is in a group, and a sentence on what they leave out.

    Shown are the largest groups, and people with something to look at before others.
    """
    review = view.review
    across = min(_PANELS_ACROSS, math.ceil(len(review.groups) / _GROUPS_A_PANEL)) or 1
    most_groups, most_people = across * _GROUPS_A_PANEL, _PANELS // across * _PEOPLE_A_PANEL
    groups = _first(review.groups, most_groups, lambda group: -len(group.members))
    joined = {found.user_id for group in groups for found in group.members}
    members = [person for person in review.people if person.id in joined]
    people = _first(members, most_people, lambda each: not view.kinds(each.id, None))
    changes = review.changes
    added = {
        (found.group.id, found.user.id)
        for found in (changes.differences if changes else ())
        if found.user is not None and found.event is Event.MEMBER_ADDED
    }
    missing = ""
    if (len(groups), len(people)) != (len(review.groups), len(view.groups_of)):
        missing = (
            f"Shown are the {len(groups):,} largest of {counted(len(review.groups), 'group')}, and "
            f"{len(people):,} of {len(view.groups_of):,} people in groups, first those with "
            "something to look at. The lists below have all."
        )
    return [
        _panel(
            view, people[top : top + _PEOPLE_A_PANEL], groups[left : left + _GROUPS_A_PANEL], added
        )
        for left in range(0, len(groups), _GROUPS_A_PANEL)
        for top in range(0, len(people), _PEOPLE_A_PANEL)
    ], missing


def _first(all_of: Sequence[T], most: int, key: Callable[[T], int]) -> Sequence[T]:
    """Return the first by a key, in the order in which they were."""
    chosen = sorted(range(len(all_of)), key=lambda number: key(all_of[number]))[:most]
    return [all_of[number] for number in sorted(chosen)]


def _panel(
    view: View,
    people: Sequence[Person],
    groups: Sequence[ReviewedGroup],
    added: AbstractSet[tuple[str | None, str]],
) -> Panel:
    names = [view.group_labels[group.id] for group in groups]
    labels = [_label(view, person) for person in people]
    left = max(_LEFT, *(math.ceil(sum(map(_width, each)) * _WIDE) for each in labels))
    lengths = [sum(map(_width, _short(name))) for name in names]
    top = 12 + math.ceil(max(lengths) * _HIGH)
    ends = (at * _CELL + math.ceil(length * _FAR) for at, length in enumerate(lengths, 1))
    return Panel(
        width=left + max(ends),
        left=left,
        top=top,
        cell=_CELL,
        label=f"Who is in which group: {view.name_of(people[0])} to {view.name_of(people[-1])}. "
        "The tables have the same in words.",
        groups=[(name, _short(name)) for name in names],
        people=[
            (
                f"{view.name_of(person)} ({view.address_of(person)}): "
                f"{view.group_names(person.id)}",
                label,
                _marks(view, person, groups, added, (left, top + at * _CELL)),
            )
            for at, (person, label) in enumerate(zip(people, labels, strict=True))
        ],
    )


def _marks(
    view: View,
    person: Person,
    groups: Sequence[ReviewedGroup],
    added: AbstractSet[tuple[str | None, str]],
    at: tuple[int, int],
) -> Mapping[str, str]:
    mine = {group.id for group in view.groups_of[person.id]}
    is_blocked = person.state in (State.PENDING, State.DISABLED)
    paths: dict[str, str] = {}
    for number, group in enumerate(groups):
        if group.id not in mine:
            continue
        name = "blocked" if is_blocked else "new" if (group.id, person.id) in added else "in"
        x, y = (start + (_CELL - _MARK) // 2 for start in at)
        paths[name] = paths.get(name, "") + f"M{x + number * _CELL},{y}{MARKS[name]}"
    return paths


def _label(view: View, person: Person) -> str:
    """Return a person's name, cut where it is long; a namesake's whole e-mail."""
    name = view.name_of(person)
    return _short(name) if view.labels[person.id] == name else view.address_of(person)


def _short(name: str) -> str:
    widths = list(accumulate(map(_width, name)))
    if not widths or widths[-1] <= _LONGEST:
        return name
    return f"{name[: sum(width < _LONGEST for width in widths)]}…"


def _width(character: str) -> float:
    """Return how wide a character is, in ordinary ones: no file of a font is there to tell."""
    if character in "MW" or unicodedata.east_asian_width(character) in "WF":
        return 2
    return 1.4 if character.isupper() else 1
