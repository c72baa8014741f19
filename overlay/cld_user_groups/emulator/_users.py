"""Filters, order and pages of the list of users."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, Final

from cld_user_groups.identity import email_key

from ._messages import Behavior
from ._models import EmulatorUser
from ._query import Query

_MAX_ITEMS: Final = 100
_MAX_PAGE_SIZE: Final = 100

_SORT_KEYS: Final[dict[str, Callable[[EmulatorUser], Any]]] = {
    "name": lambda user: user.name.casefold(),
    "role": lambda user: user.role,
    "status": lambda user: "pending" if user.pending else "active" if user.enabled else "disabled",
    "activity": lambda user: user.last_login or user.created_at,
    "created_at": lambda user: user.created_at,
}


def select_users(
    users: Iterable[EmulatorUser], query: Query, behavior: Behavior
) -> list[EmulatorUser]:
    """Return the users that a request for the list of users gets."""
    selected = list(users)
    if behavior.users_filters == "applied":
        selected = _filter(selected, query, is_documented=behavior.wire == "documented")
    sort_key = _SORT_KEYS.get(query.text("sort_by") or "")
    if sort_key is not None:
        selected.sort(key=sort_key, reverse=query.text("sort_order") == "desc")
    return _page(selected, query, behavior)


def _filter(users: list[EmulatorUser], query: Query, *, is_documented: bool) -> list[EmulatorUser]:
    ids = query.array("ids")[:_MAX_ITEMS]
    if ids:
        users = [user for user in users if user.id in ids]
        if is_documented:
            # As published, the other filters are ignored together with this one.
            return users
    emails = {email_key(email) for email in query.array("emails")[:_MAX_ITEMS]}
    if emails:
        users = [user for user in users if email_key(user.email) in emails]
    pending = query.boolean("pending")
    # As published, false means all users; the live test suites rely on "not pending".
    if pending is not None and not (is_documented and pending is False):
        users = [user for user in users if user.pending is pending]
    prefix = (query.text("prefix") or "").casefold()
    if prefix:
        users = [
            user
            for user in users
            if user.name.casefold().startswith(prefix)
            # The documentation of the classic clients says name or e-mail.
            or (not is_documented and user.email.casefold().startswith(prefix))
        ]
    sub_account_id = query.text("sub_account_id")
    if sub_account_id is not None:
        users = [
            user
            for user in users
            if user.all_sub_accounts or sub_account_id in user.sub_account_ids
        ]
    return _filter_by_login(users, query)


def _filter_by_login(users: list[EmulatorUser], query: Query) -> list[EmulatorUser]:
    first, last, wanted = query.day("from"), query.day("to"), query.boolean("last_login")
    if first is None and last is None and wanted is None:
        return users
    if query.text("union_type") == "exclude":
        wanted = wanted is False
    return [user for user in users if _logged_in(user, first, last) is not (wanted is False)]


def _logged_in(user: EmulatorUser, first: date | None, last: date | None) -> bool:
    if user.last_login is None:
        return False
    day = user.last_login.date()
    return (first is None or first <= day) and (last is None or day <= last)


def _page(users: list[EmulatorUser], query: Query, behavior: Behavior) -> list[EmulatorUser]:
    page, size = query.positive_integer("page"), query.positive_integer("page_size")
    is_requested = page is not None or size is not None
    if behavior.users_paging == "ignored" or not (
        is_requested or behavior.users_paging == "always"
    ):
        return users
    size = min(size or _MAX_PAGE_SIZE, _MAX_PAGE_SIZE)
    start = ((page or 1) - 1) * size
    return users[start : start + size]
