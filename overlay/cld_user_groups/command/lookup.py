"""Which group and which users the command line names, in an account as it was read."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click
from attrs import frozen

from cld_user_groups.identity import (
    email_key,
    forbidden_character,
    name_key,
    printable,
    seen_name,
)

from .lazy import content, membership
from .settings import Settings, settings_of

if TYPE_CHECKING:
    from cld_user_groups.membership import (
        Desired,
        Group,
        Member,
        MembershipError,
        Problem,
        Snapshot,
    )

_MOST_SHOWN = 3


@frozen
class Named:
    """A user as named: by e-mail or by ID.

    Attributes:
        text: The e-mail or the ID.
        source: The file that it is in, "-" for standard input, "" for the command line.
        line: Its line there, from 1, or None.
    """

    text: str
    source: str = ""
    line: int | None = None

    @property
    def is_email(self) -> bool:
        """Whether it is an e-mail; no ID has an @."""
        return "@" in self.text


def read_people(users: Sequence[str]) -> tuple[Named, ...]:
    """Return the users that are named: as such, in files (`@FILE`) and on standard input (`-`).

    A file has an e-mail or an ID a line; blank lines and those that begin with # are left out.

    Raises:
        FileError: A file cannot be read, names nobody, or has something else on a line.
        click.UsageError: An argument is blank, or standard input is named twice.
    """
    if users.count("-") > 1:
        raise click.UsageError("standard input (-) can be read only once")
    found: list[Named] = []
    for text in users:
        if text == "@":
            raise click.UsageError("@ must be followed by the name of a file of users: @FILE")
        if text == "-" or text.startswith("@"):
            found += _people_in(text.removeprefix("@"))
        else:
            found.append(one_user(text))
    return tuple(found)


def one_user(text: str) -> Named:
    """Return the user that an argument names.

    Raises:
        click.UsageError: It is blank.
    """
    if not text.strip():
        raise click.UsageError("a user must not be blank: give an e-mail or an ID")
    return Named(text.strip())


def source_timeout() -> float:
    """Return how long to wait for the end of a source that is a pipe, in seconds."""
    context = click.get_current_context(silent=True)
    return Settings().source_timeout if context is None else settings_of(context).source_timeout


def _people_in(source: str) -> list[Named]:
    try:
        found = content.read_content(source, timeout=source_timeout())
    except OSError as error:
        message = f"cannot read the file: {error.strerror or error}"
        problem = membership.Problem(source, None, message, "@ names a file of users")
        raise membership.FileError([problem]) from None
    lines = enumerate(content.decode_text(found, source).splitlines(), start=1)
    people = [
        Named(text, source, number)
        for number, line in lines
        if (text := line.strip()) and not text.startswith("#")
    ]
    wrong = [
        membership.Problem(
            source,
            named.line,
            f"{quoted(named.text)} is not an e-mail or an ID",
            "one a line",
        )
        for named in people
        if not named.text.isprintable() or any(part in named.text for part in " ,;\t")
    ]
    if not people:
        wrong.append(membership.Problem(source, None, "the file names nobody"))
    if wrong:
        raise membership.FileError(wrong)
    return people


def quoted(text: str) -> str:
    """Return a text in quotation marks, as messages show it: escaped, and cut where it is long."""
    return membership.problems.quoted(text)


def error_in_call(message: str, hint: str = "") -> MembershipError:
    """Return the error of a command line that does not fit the account."""
    return membership.MembershipError([membership.Problem("", None, message, hint)])


def lookup_of(people: Iterable[Named], *, adds: bool = False) -> Desired:
    """Return what makes `read_account` look up users.

    Args:
        people: The users.
        adds: Whether they are to be added to a group: then those whom a group has are looked up
            too, for a second user of an e-mail may be in none.
    """
    members = tuple(
        membership.DesiredMember(email=named.text)
        if named.is_email
        else membership.DesiredMember(id=named.text)
        for named in people
    )
    group = membership.DesiredGroup(name="", state="present" if adds else "absent", members=members)
    return membership.Desired(source="", digest="", groups=(group,))


class Finder:
    """Finds groups and users in an account, each by exactly what names it alone."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.groups = snapshot.groups
        self._directory = membership.Directory(snapshot)
        self._missing_ids = frozenset(snapshot.missing_ids)

    def group(self, text: str) -> Group:
        """Return the group of an ID or a name.

        Raises:
            MembershipError: There is none, or more than one.
        """
        (found,) = self.all_groups([text])
        return found

    def all_groups(self, texts: Iterable[str]) -> tuple[Group, ...]:
        """Return the groups of IDs or names, each once.

        Raises:
            MembershipError: Some are not found, or more than once; all problems together.
        """
        wrong: list[Problem] = []
        found: dict[str, Group] = {}
        for text in texts:
            groups = self._by_id_or_name(text)
            if len(groups) == 1:
                found[groups[0].id] = groups[0]
            else:
                wrong.append(self._several(text, groups) if groups else self._no_group(text))
        if wrong:
            raise membership.MembershipError(wrong)
        return tuple(found.values())

    def group_or_new(self, text: str) -> Group | None:
        """Return the group of an ID or a name, or None where a group of that name can be created.

        Raises:
            MembershipError: There are several, or it could be mistaken for another.
        """
        groups = self._by_id_or_name(text)
        if len(groups) > 1:
            raise membership.MembershipError([self._several(text, groups)])
        if groups:
            return groups[0]
        self.check_new_name(text)
        return None

    def check_new_name(self, name: str, *, of: Group | None = None) -> None:
        """Check that a group can be given a name.

        Raises:
            MembershipError: The name is blank, not valid Unicode, or another group's, or could be
                mistaken for one, or for an ID.
        """
        if not name_key(name):
            raise error_in_call("a group's name must not be blank")
        if any("\ud800" <= character <= "\udfff" for character in name):
            message = f"the name {quoted(name)} is not valid Unicode"
            raise error_in_call(message, "type it in UTF-8")
        if said := forbidden_character(name):
            message = f"{said} in the name of a group: {quoted(name)}"
            raise error_in_call(message, "choose another name")
        for group in self.groups:
            if group.id == name:
                message = f"{quoted(name)} is the ID of the group {quoted(group.name)}"
                raise error_in_call(message, "choose another name")
            if (of is None or group.id != of.id) and name_key(group.name) == name_key(name):
                is_same = "already" if group.name == name else "that would look the same"
                message = f"there is a group {quoted(group.name)} {is_same} (ID {quoted(group.id)})"
                raise error_in_call(message, "choose another name")

    def users(self, people: Iterable[Named]) -> tuple[tuple[Member, Named], ...]:
        """Return users, each once, with how each was named first.

        Raises:
            MembershipError: Some are not found, or more than once; all problems together.
        """
        wrong: list[Problem] = []
        found: dict[str, tuple[Member, Named]] = {}
        for named in people:
            users = self._matching(named)
            if len(users) == 1:
                found.setdefault(users[0].id, (users[0], named))
            else:
                wrong.append(self._not_one(named, users))
        if wrong:
            raise membership.MembershipError(wrong)
        return tuple(found.values())

    def _by_id_or_name(self, text: str) -> list[Group]:
        return [group for group in self.groups if text in (group.id, group.name)]

    def _no_group(self, text: str) -> Problem:
        names: dict[str, list[Group]] = {}
        for group in self.groups:
            names.setdefault(name_key(group.name), []).append(group)
        close = difflib.get_close_matches(name_key(text), names, n=_MOST_SHOWN)
        # First what a table shows so, which has its control characters escaped.
        meant = {group.id: group for group in self.groups if printable(group.name) == text}
        meant |= {group.id: group for key in close for group in names[key]}
        said = [_unmistakable(group, text) for group in meant.values()]
        hint = f"did you mean {' or '.join(said)}?" if said else "see cld-user-groups list"
        return membership.Problem("", None, f"there is no group {quoted(text)}", hint)

    def _several(self, text: str, groups: Sequence[Group]) -> Problem:
        names = [group.name for group in self.groups]
        shown: list[str] = []
        for group in groups:
            # An ID that is another group's name as well names neither.
            is_id = group.id not in names or names.count(group.name) > 1
            first, second = (group.id, group.name) if is_id else (group.name, group.id)
            shown.append(f"{'the ID' if is_id else 'the name'} {quoted(first)} ({quoted(second)})")
        message = f"{len(groups)} groups have the name or ID {quoted(text)}"
        return membership.Problem("", None, message, f"give {' or '.join(shown)}")

    def _matching(self, named: Named) -> tuple[Member, ...]:
        if named.is_email:
            return self._directory.by_email(named.text)
        if named.text in self._missing_ids:
            return ()
        # Where the server does not tell, the API rejects the ID of nobody.
        return (self._directory.by_id(named.text) or membership.Member(id=named.text),)

    def _not_one(self, named: Named, users: Sequence[Member]) -> Problem:
        what = "e-mail" if named.is_email else "ID"
        if users:
            ids = " or ".join(quoted(user.id) for user in users)
            message = f"{len(users)} users have the {what} {quoted(named.text)}"
            return membership.Problem(named.source, named.line, message, f"give the ID: {ids}")
        hint = _did_you_mean(self._emails_like(named.text)) or "see cld-user-groups users"
        message = f"no user has the {what} {quoted(named.text)}"
        return membership.Problem(named.source, named.line, message, hint)

    def _emails_like(self, text: str) -> list[str]:
        emails = {
            email_key(member.email): member.email
            for group in self.groups
            for member in group.members
            if member.email
        }
        sought = email_key(text)
        # Whole addresses of one domain are always alike: fewer differences count.
        close = difflib.get_close_matches(sought, emails, n=_MOST_SHOWN, cutoff=0.85)
        close += [key for key in emails if sought in key and key not in close]
        return [emails[key] for key in close[:_MOST_SHOWN]]


def _unmistakable(group: Group, text: str) -> str:
    """Return the name of a group, with its ID where that name looks just like a text."""
    is_alike = text == printable(group.name) or seen_name(text) == seen_name(group.name)
    return quoted(group.name) + (f" (ID {quoted(group.id)})" if is_alike else "")


def _did_you_mean(texts: Sequence[str]) -> str:
    return f"did you mean {' or '.join(map(quoted, texts))}?" if texts else ""
