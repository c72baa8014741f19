"""Find users by e-mail on a server that may ignore filters, cut off responses, or repeat pages.

Sans-IO: a generator yields each call to make and is sent its response. How the API filters and
pages is not published in full, so every response is checked against its request.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from typing import TypeVar, cast
from urllib.parse import quote

from attrs import frozen

from cld_provisioning_api.models import User, UsersResponse

from .identity import email_key

# How many IDs or e-mails one request may filter by: maxItems in openapi.yaml.
MAX_ITEMS = 100
# The longest query, in bytes: servers commonly accept a request line of 8 KiB.
LONGEST_QUERY = 6_000
PAGE_SIZE = 100
# A million users: reading ends here where a server never runs out of new ones.
MAX_PAGES = 10_000

_Asked = TypeVar("_Asked")
T = TypeVar("T")
Q = TypeVar("Q")
R = TypeVar("R")


@frozen(kw_only=True)
class FoundUsers:
    """The result of `users.find`.

    Attributes:
        by_email: The users of each e-mail that was found, under the e-mail as the caller passed
            it. Several users may have one e-mail: which of them is meant, the caller decides.
        missing: The e-mails that no user was found for, as the caller passed them.
        complete: Whether the server showed that it returned everyone who was requested. False
            where it ignored the filter and its pages did not end, or lacked users: then there may
            be more users of any of the e-mails.
    """

    by_email: dict[str, tuple[User, ...]]
    missing: tuple[str, ...]
    complete: bool


def find_users(
    emails: Iterable[str], list_users: Callable[..., _Asked]
) -> Generator[_Asked, UsersResponse, FoundUsers]:
    """Decide which calls of `users.list` find the users of some e-mails.

    `list_users` gets the arguments of each; what it returns is yielded, for a response.
    """
    wanted = _wanted(emails)
    spellings = _spellings(wanted)
    batches = deque(_batches(spellings))
    seen: dict[str, User] = {}
    complete = True
    reads_arrays = False
    while batches:
        batch = batches.popleft()
        users = (yield list_users(emails=batch)).users
        seen |= {user.id: user for user in users}
        found = {email_key(user.email or "") for user in users}
        requested = {email_key(email) for email in batch}
        missing = [email for email in batch if email_key(email) not in found]
        foreign = found - requested
        # Many frameworks read only the first or the last value of a repeated parameter.
        reads_arrays = reads_arrays or len(found) > 1
        if foreign or (missing and len(requested) > 1 and not reads_arrays):
            complete = yield from read_pages(seen, list_users)
            break
        if missing and found:
            batches.appendleft(missing)  # they may have been on a second page
        else:
            others = [other for email in missing for other in spellings.pop(email, ())]
            batches.extendleft(_batches(others))
    return _result(wanted, seen.values(), complete=complete)


def _wanted(emails: Iterable[str]) -> dict[str, str]:
    """Return the e-mails as the caller passed them, each as it is compared."""
    if isinstance(emails, str | bytes):
        raise TypeError(f"emails must be a list of str, not {type(emails).__name__}")
    wanted: dict[str, str] = {}
    for email in emails:
        if not isinstance(email, str):
            raise TypeError(f"emails must hold str, not {type(email).__name__}")
        if not email.strip():
            raise ValueError("emails must not hold an empty or blank str")
        wanted[email] = email_key(email)
    return wanted


def _spellings(wanted: dict[str, str]) -> dict[str, list[str]]:
    """Return what to send for each e-mail: first as it is compared, then as the caller spelled it.

    Whether the API compares e-mails in any case is not published.
    """
    spellings: dict[str, list[str]] = {sent: [] for sent in wanted.values()}
    for email, sent in wanted.items():
        if email.strip() not in (sent, *spellings[sent]):
            spellings[sent].append(email.strip())
    return spellings


def _batches(emails: Iterable[str]) -> Iterator[list[str]]:
    """Split e-mails into lists that one request can filter by."""
    batch: list[str] = []
    length = 0
    for email in emails:
        added = len("&emails=") + len(quote(email, safe="", errors="replace"))
        if batch and (len(batch) == MAX_ITEMS or length + added > LONGEST_QUERY):
            yield batch
            batch, length = [], 0
        batch.append(email)
        length += added
    if batch:
        yield batch


def read_pages(
    seen: dict[str, User], list_users: Callable[..., _Asked]
) -> Generator[_Asked, UsersResponse, bool]:
    """Read users page by page until a page brings no new one, and add them to those seen, by ID.

    Return whether the pages came to an end, rather than repeat themselves, and held everyone seen.
    """
    read: set[str] = set()
    for page in range(1, MAX_PAGES + 1):
        response = yield list_users(page=page, page_size=PAGE_SIZE)
        users = {user.id: user for user in response.users}
        if users.keys() <= read:
            return not users and seen.keys() <= read
        read |= users.keys()
        seen |= users
    return False


def _result(wanted: Iterable[str], users: Iterable[User], *, complete: bool) -> FoundUsers:
    by_key: dict[str, list[User]] = {}
    for user in users:
        by_key.setdefault(email_key(user.email or ""), []).append(user)
    by_email = {email: tuple(by_key.get(email_key(email), ())) for email in wanted}
    return FoundUsers(
        by_email={email: found for email, found in by_email.items() if found},
        missing=tuple(email for email, found in by_email.items() if not found),
        complete=complete,
    )


def send_each(queries: Generator[Q, T, R], send: Callable[[Q], T]) -> R:
    """Send what a generator yields, and return its result; an error is thrown into it."""
    try:
        query = next(queries)
        while True:
            try:
                response = send(query)
            except Exception as error:  # noqa: BLE001 - the generator decides
                query = queries.throw(error)
            else:
                query = queries.send(response)
    except StopIteration as done:
        return cast("R", done.value)


async def send_each_async(queries: Generator[Q, T, R], send: Callable[[Q], Awaitable[T]]) -> R:
    """Do what `send_each` does, and await what is sent."""
    try:
        query = next(queries)
        while True:
            try:
                response = await send(query)
            except Exception as error:  # noqa: BLE001 - the generator decides
                query = queries.throw(error)
            else:
                query = queries.send(response)
    except StopIteration as done:
        return cast("R", done.value)
