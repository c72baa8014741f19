"""Who is in which group, as a picture: people down, groups across.

A large account is several panels, each with its own heads and small enough for a sheet of paper, so
that the names stay readable: on the screen nothing is scaled down.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import accumulate

from cld_user_groups.membership.rendering._view import shown
from cld_user_groups.membership.rendering.markup import Markup, element
from cld_user_groups.membership.review.model import Event, Person, ReviewedGroup, State
from cld_user_groups.membership.review.words import View, address_of, name_of

_PEOPLE_A_PANEL = 50
_GROUPS_A_PANEL = 40

_CELL, _MARK = 15, 9
_LEFT = 180  # the people's names end here
_LONGEST = 26  # of a name, in characters of an ordinary width
# A head is slanted by 60 degrees: so high, and so far to the right, for each character.
_HIGH, _FAR = 5.6, 3.2
_GUIDE = 5  # a line after so many columns guides the eye

_SQUARE = f"h{_MARK}v{_MARK}h-{_MARK}z"
_ARC = f"a{_MARK / 2},{_MARK / 2} 0 1,0"
_CIRCLE = f"m0,{_MARK / 2}{_ARC} {_MARK},0{_ARC} -{_MARK},0z"
# How a membership is drawn, by its class in the style sheet.
_MARKS = {
    "in": _SQUARE,
    "new": _CIRCLE,
    "blocked": f"m1,1h{_MARK - 2}v{_MARK - 2}h-{_MARK - 2}z",
}


def panels(view: View) -> Iterator[Markup]:
    """Return the panels, those of the first groups first; none where nobody is in a group."""
    people = [person for person in view.review.people if person.id in view.groups_of]
    groups = view.review.groups
    for left in range(0, len(groups), _GROUPS_A_PANEL):
        for top in range(0, len(people), _PEOPLE_A_PANEL):
            yield _Panel(
                view, people[top : top + _PEOPLE_A_PANEL], groups[left : left + _GROUPS_A_PANEL]
            ).drawn()


def legend(view: View) -> Markup:
    """Return what the marks mean."""
    meanings = {"in": "in the group", "blocked": "in the group, but cannot log in"}
    if view.review.changes is not None:
        meanings["new"] = f"added since {shown(view.review.changes.to)}"
    entries = [element("li", _sample(name), meaning) for name, meaning in meanings.items()]
    return element("ul", entries, class_="legend")


def _sample(name: str) -> Markup:
    path = element("path", d=f"M1,1{_MARKS[name]}", class_=name)
    return element("svg", path, width=_MARK + 2, height=_MARK + 2, aria_hidden="true")


class _Panel:
    """So many people and groups as fit on a sheet.

    Args:
        view: The review.
        people: The people.
        groups: The groups.
    """

    def __init__(
        self, view: View, people: Sequence[Person], groups: Sequence[ReviewedGroup]
    ) -> None:
        self.view = view
        self.people = people
        self.groups = groups
        heads = [sum(map(_width, _short(shown(group.name)))) for group in groups]
        self.top = 12 + math.ceil(max(heads) * _HIGH)
        self.right = _LEFT + len(groups) * _CELL
        self.width = max(
            _LEFT + (column + 1) * _CELL + math.ceil(head * _FAR)
            for column, head in enumerate(heads)
        )
        self.bottom = self.top + len(people) * _CELL
        changes = view.review.changes
        self.added = {
            (found.group_id, found.user_id)
            for found in (changes.differences if changes else ())
            if found.event is Event.MEMBER_ADDED
        }

    def drawn(self) -> Markup:
        """Return the panel."""
        height = self.bottom + 2
        first, last = name_of(self.people[0]), name_of(self.people[-1])
        label = f"Who is in which group: {first} to {last}. The tables have the same in words."
        return element(
            "svg",
            *self._heads(),
            *(self._row(number, person) for number, person in enumerate(self.people)),
            element("path", d=self._guides(), class_="rule"),
            width=self.width,
            height=height,
            viewBox=f"0 0 {self.width} {height}",
            role="img",
            aria_label=label,
        )

    def _heads(self) -> Iterator[Markup]:
        for number, group in enumerate(self.groups):
            x = _LEFT + number * _CELL + _CELL - 4
            name = shown(group.name)
            place = f"translate({x},{self.top - 6}) rotate(-60)"
            yield element("text", element("title", name), _short(name), transform=place)

    def _guides(self) -> str:
        columns = [*range(0, len(self.groups), _GUIDE), len(self.groups)]
        return "".join(
            f"M{_LEFT + column * _CELL}.5,{self.top}V{self.bottom}" for column in columns
        )

    def _row(self, number: int, person: Person) -> Markup:
        y = self.top + number * _CELL
        title = f"{name_of(person)} ({address_of(person)}): {self.view.group_names(person.id)}"
        band = element("rect", y=y, width=self.right, height=_CELL, class_="band")
        return element(
            "g",
            element("title", title),
            band if number % 2 else "",
            element("text", _short(name_of(person)), x=_LEFT - 6, y=y + 11, text_anchor="end"),
            self._marks(y, person),
        )

    def _marks(self, y: int, person: Person) -> Iterator[Markup]:
        mine = {group.id for group in self.view.groups_of[person.id]}
        is_blocked = person.state in (State.PENDING, State.DISABLED)
        paths: dict[str, str] = {}
        for number, group in enumerate(self.groups):
            if group.id not in mine:
                continue
            is_new = (group.id, person.id) in self.added
            name = "blocked" if is_blocked else "new" if is_new else "in"
            x = _LEFT + number * _CELL + (_CELL - _MARK) // 2
            paths[name] = paths.get(name, "") + f"M{x},{y + (_CELL - _MARK) // 2}{_MARKS[name]}"
        for name, path in paths.items():
            yield element("path", d=path, class_=name)


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
