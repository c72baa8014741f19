"""Read what a file forbids: its guards, `protect`, and its rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from cld_user_groups.identity import forbidden_character
from cld_user_groups.membership.model import GuardLimits, Rule, RuleKind
from cld_user_groups.membership.problems import quoted

from .fields import Fields, Items, Node, Readers, Scalar

#: The rules that a file may have, and those that a group may.
FILE_RULES: Final[tuple[RuleKind, ...]] = ("email_domains", "require_until", "not_together")
GROUP_RULES: Final[tuple[RuleKind, ...]] = (
    "max_members",
    "email_domains",
    "require_until",
    "not_with_role",
)
_GUARDS: Readers = {"max_removals": Fields.whole, "max_removals_per_group": Fields.share}
# What a name has after the @ of an e-mail; a pattern is none.
_DOMAIN = re.compile(r"\s*[^\s@.,:;<>\"()\[\]\\*?]+(?:\.[^\s@.,:;<>\"()\[\]\\*?]+)+\s*")


def read_protect(fields: Fields, node: Node, what: str) -> tuple[str, ...]:
    """Return the entries of `protect`; one that can match nobody is a problem."""
    entries = fields.texts(node, what)
    for item in node.items if isinstance(node, Items) else ():
        entry = item.text.strip() if isinstance(item, Scalar) else ""
        if re.search(r"[\s,;]", entry) or forbidden_character(entry):
            hint = "write each e-mail, ID or glob as an item of its own"
            fields.problem(item.line, f"{quoted(entry)} in `protect` can match nobody", hint)
    return entries


def read_guards(fields: Fields, node: Node, what: str) -> GuardLimits:
    """Return the limits of a file, which has the defaults for what it leaves out."""
    return GuardLimits(**fields.read(fields.table(node, what, _GUARDS) or {}, _GUARDS))


def read_rules(
    values: Mapping[str, Node], kinds: Iterable[RuleKind], fields: Fields
) -> tuple[Rule, ...]:
    """Return the rules of a file or of a group; an invalid one is a problem, and left out."""
    found: list[Rule] = []
    for kind in kinds:
        if (node := values.get(kind)) is None:
            continue
        what = f"`{kind}`"
        limit: int | None = None
        texts: tuple[str, ...] = ()
        match kind:
            case "not_together":
                found += _groups_apart(node, fields)
                continue
            case "max_members":
                is_set = (limit := fields.whole(node, what)) is not None
            case "require_until":
                is_set = fields.flag(node, what)
            case _:
                check = _check_domain if kind == "email_domains" else None
                is_set = bool(texts := _listed(node, what, fields, check))
        if is_set:
            source, line = fields.source, node.line
            found.append(Rule(kind=kind, limit=limit, values=texts, source=source, line=line))
    return tuple(found)


def _listed(
    node: Node, what: str, fields: Fields, check: Callable[[str, int, Fields], None] | None = None
) -> tuple[str, ...]:
    """Return a list that must not be empty, each text trimmed; nothing where it is not valid."""
    before = len(fields.problems)
    texts = fields.texts(node, what)
    if isinstance(node, Items):
        if not node.items:
            fields.problem(node.line, f"{what} is empty", "leave it out, or list what it is about")
        if check is not None and len(texts) == len(node.items):
            for text, item in zip(texts, node.items, strict=True):
                check(text, item.line, fields)
    return () if len(fields.problems) > before else tuple(text.strip() for text in texts)


def _check_domain(text: str, line: int, fields: Fields) -> None:
    if not _DOMAIN.fullmatch(text) or forbidden_character(text):
        hint = "write what follows the @, such as example.com; a subdomain is a domain of its own"
        fields.problem(line, f"not a domain: {quoted(text)}", hint)


def _groups_apart(node: Node, fields: Fields) -> Iterator[Rule]:
    """Yield a rule for each list of groups that must not have a member in common."""
    what = "`not_together`"
    if not isinstance(node, Items) or not node.items:
        hint = "write a list of lists of groups: [[Finance, Auditors]]"
        fields.problem(node.line, f"{what} must be a list with something in it", hint)
        return
    for item in node.items:
        texts = _listed(item, f"an item of {what}", fields)
        if texts and len(set(texts)) < max(2, len(texts)):
            fields.problem(item.line, f"an item of {what} must name two groups or more, once each")
        elif texts:
            yield Rule(kind="not_together", values=texts, source=fields.source, line=item.line)
