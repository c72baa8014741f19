"""The resource users: requests on the transport, results, and finding people by e-mail."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.code_blocks import ROOT, blocks
from tests.support.tables import case
from tests.support.transport import MODES, FakeTransport, error, json

from cld_provisioning_api.api.users.get_users import build_request
from cld_user_groups import _find_users as finding
from cld_user_groups import models
from cld_user_groups.users import Users

PATH = "/v1_1/provisioning/accounts/acc/users"
JOHN = {"id": "u1", "name": "John Doe", "email": "john@example.com"}
HARRY = {"id": "u2", "name": "Harry Potts", "email": "harry@example.com"}
NOBODY = json({"users": []})

Perform = Callable[..., Any]


def _sync(transport: FakeTransport, method: str, **arguments: Any) -> Any:
    return transport.call(f"users.{method}", **arguments)


@pytest.fixture(params=MODES)
def perform(request: pytest.FixtureRequest) -> Perform:
    """A method of `users`, called on either client."""
    return lambda transport, method, **arguments: transport.call(
        f"users.{method}", request.param, **arguments
    )


# Each parameter of a query, with values and how they are sent.
QUERIES: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    ({"pending": True}, "?pending=true"),
    ({"pending": False}, "?pending=false"),
    ({"ids": ["u1", "u2"]}, "?ids=u1&ids=u2"),
    ({"ids": ("u1",)}, "?ids=u1"),
    ({"ids": ["a,b", "c&d=e"]}, "?ids=a%2Cb&ids=c%26d%3De"),
    ({"emails": ["j+d@example.com"]}, "?emails=j%2Bd%40example.com"),
    ({"prefix": "Jo é"}, "?prefix=Jo%20%C3%A9"),
    ({"sub_account_id": "s1"}, "?sub_account_id=s1"),
    ({"last_login": True}, "?last_login=true"),
    ({"from_": date(2026, 1, 2), "to": date(2026, 2, 1)}, "?from=2026-01-02&to=2026-02-01"),
    ({"from_": "2026-01-02", "to": "2026-02-01"}, "?from=2026-01-02&to=2026-02-01"),
    ({"union_type": "exclude"}, "?union_type=exclude"),
    ({"sort_order": "desc", "sort_by": "created_at"}, "?sort_order=desc&sort_by=created_at"),
    ({"page": 2, "page_size": 50}, "?page=2&page_size=50"),
]


@pytest.mark.parametrize(
    "form",
    [
        lambda query: query,
        lambda query: {"request": query},
        lambda query: {"request": models.GetUsersRequest(**query)},
    ],
    ids=["keywords", "dict", "model"],
)
def test_a_query_is_sent_as_published_whatever_the_form_of_its_arguments(
    perform: Perform, form: Callable[[Any], dict[str, Any]]
) -> None:
    for query, sent in QUERIES:
        transport = FakeTransport(NOBODY)
        with case(sent):
            assert perform(transport, "list", **form(query)) == models.UsersResponse(users=[])
            assert transport.lines == [f"GET {PATH}{sent}"]


def test_every_parameter_of_the_query_is_in_the_table() -> None:
    tested = {name for query, _ in QUERIES for name in query}
    own = set(inspect.signature(build_request).parameters) - {"account_id"}
    assert tested == own
    assert own < inspect.signature(Users.list).parameters.keys()


def test_users_are_typed_and_absent_fields_are_none(perform: Perform) -> None:
    body = {
        **JOHN,
        "created_at": "2016-09-27T10:00:16+02:00",
        "pending": False,
        "email_preferences": {"weekly_report": True, "of": [1]},
        "groups": [{"id": "g1", "name": "Designers"}],
        "a_field_of_tomorrow": 1,
    }
    (user,) = perform(FakeTransport(json({"users": [body]})), "list").users
    assert user == models.User(
        **JOHN,
        created_at=datetime(2016, 9, 27, 8, 0, 16, tzinfo=UTC),
        pending=False,
        email_preferences={"weekly_report": True, "of": [1]},
        groups=[models.GroupOfUser(id="g1", name="Designers")],
    )
    assert user.last_login is None


def test_get_returns_a_user(perform: Perform) -> None:
    transport = FakeTransport(json(JOHN))
    assert perform(transport, "get", user_id="u1") == models.User(**JOHN)
    assert transport.lines == [f"GET {PATH}/u1"]


def test_get_groups_returns_the_groups_of_a_user(perform: Perform) -> None:
    transport = FakeTransport(json({"groups": [{"id": "g1", "name": "Designers"}]}))
    result = perform(transport, "get_groups", user_id="u1")
    assert result.groups == [models.GroupOfUser(id="g1", name="Designers")]
    assert transport.lines == [f"GET {PATH}/u1/groups"]


def test_list_sub_accounts_returns_the_product_environments_of_a_user(perform: Perform) -> None:
    transport = FakeTransport(json({"sub_accounts": [{"id": "e1", "enabled": True}]}))
    result = perform(transport, "list_sub_accounts", user_id="u1")
    assert result.sub_accounts == [models.SubAccountSummary(id="e1", enabled=True)]
    assert transport.lines == [f"GET {PATH}/u1/sub_accounts"]


@pytest.mark.parametrize("method", ["get", "get_groups"])
def test_an_unknown_user_is_not_found(perform: Perform, method: str) -> None:
    with pytest.raises(models.NotFound, match="no such user"):
        perform(FakeTransport(error(404, "no such user")), method, user_id="u1")


@pytest.mark.parametrize(
    ("arguments", "problem", "message"),
    [
        ({"ids": [str(i) for i in range(101)]}, ValueError, "ids must have at most 100 items.*101"),
        ({"emails": ["a@b.c"] * 101}, ValueError, "emails must have at most 100 items"),
        ({"ids": []}, ValueError, "ids must not be empty"),
        ({"emails": ()}, ValueError, "emails must not be empty"),
        ({"ids": ["u1", " "]}, ValueError, "ids must not hold an empty or blank str"),
        ({"emails": ""}, TypeError, "emails must be a list of str, not str"),
        ({"emails": "a@b.c"}, TypeError, "emails must be a list of str, not str"),
        ({"emails": {"a@b.c": 1}}, TypeError, "emails must be a list of str, not dict"),
        ({"ids": ["u1", 5]}, TypeError, r"ids: .*\$\[1\]"),
        ({"ids": ["\ud800"]}, ValueError, "ids must be valid Unicode"),
        ({"prefix": "\ud800"}, ValueError, "prefix must be valid Unicode"),
        ({"prefix": 5}, TypeError, "prefix"),
        ({"pending": "true"}, TypeError, "pending"),
        ({"from_": "02-01-2026"}, ValueError, "from_ must be a date as yyyy-mm-dd.*'02-01-2026'"),
        ({"to": "2026-02-30"}, ValueError, "to must be a date"),
        ({"to": "20260203"}, ValueError, "to must be a date"),
        ({"to": ""}, ValueError, "to must be a date"),
        ({"from_": datetime(2026, 1, 2, tzinfo=UTC)}, TypeError, "from_: .*datetime"),
        ({"from_": 20260102}, TypeError, "from_"),
        ({"union_type": "both"}, TypeError, "union_type: .*'both'"),
        ({"sort_order": "up"}, TypeError, "sort_order"),
        ({"sort_by": "email"}, TypeError, "sort_by"),
        ({"page": True}, TypeError, "page"),
        ({"page_size": "10"}, TypeError, "page_size"),
        ({"request": {"from": "2026-01-02"}}, TypeError, "request has no field 'from'.*from_"),
        ({"request": "u1"}, TypeError, "request must be a GetUsersRequest or a dict, not str"),
        ({"request": {"page": 1}, "page": 1}, TypeError, "pass it alone, or page= without it"),
        ({"email": "a@b.c"}, TypeError, "email"),
    ],
)
def test_a_query_that_is_not_valid_is_rejected_before_anything_is_sent(
    arguments: dict[str, Any], problem: type[Exception], message: str
) -> None:
    transport = FakeTransport(NOBODY)
    with pytest.raises(problem, match=message):
        _sync(transport, "list", **arguments)
    assert transport.requests == []


def test_a_hundred_items_are_accepted() -> None:
    transport = FakeTransport(NOBODY)
    _sync(transport, "list", ids=[f"u{index}" for index in range(100)])
    assert transport.requests[0].url.params.get_list("ids")[99] == "u99"


class Directory:
    """A server with users, whose filter by e-mail and whose pages work or not, as told.

    Args:
        emails: The e-mails of its users, in their order.
        reads: The e-mails that a filter is read as: "all" of them, the "first", the "last", or
            "none".
        pages: Whether it has pages, "from 1" or "from 0", or "none" and ignores them.
        page_size: How many users it returns at most, however many are asked for.
        ends: Whether the page after the last one is empty; else it is the last one again.
        folds: Whether its filter ignores the case.
    """

    def __init__(
        self,
        *emails: str,
        reads: str = "all",
        pages: str = "from 1",
        page_size: int = 1000,
        ends: bool = True,
        folds: bool = True,
    ) -> None:
        self.users = [{"id": f"u{index}", "email": email} for index, email in enumerate(emails)]
        self.reads = {"all": slice(None), "first": slice(1), "last": slice(-1, None)}.get(reads)
        self.pages = pages
        self.page_size = page_size
        self.ends = ends
        self.fold = str.lower if folds else str
        self.transport = FakeTransport(self.respond)

    def respond(self, request: httpx.Request) -> httpx.Response:
        query = request.url.params
        users = self.users
        asked = query.get_list("emails")
        if asked and self.reads is not None:
            read = [self.fold(email) for email in asked[self.reads]]
            users = [user for user in users if self.fold(user["email"]) in read]
        size = min(self.page_size, int(query.get("page_size", self.page_size)))
        first = 1 if self.pages == "from 1" else 0
        page = int(query.get("page", first)) - first
        if self.pages == "none":
            page, size = 0, self.page_size
        elif not self.ends:
            page = min(page, (len(users) - 1) // size)
        return json({"users": users[page * size : (page + 1) * size]})

    @property
    def requests(self) -> list[str]:
        """What was asked for: numbers of e-mails, and pages."""
        return [
            f"page {request.url.params['page']}"
            if "page" in request.url.params
            else f"{len(request.url.params.get_list('emails'))} e-mails"
            for request in self.transport.requests
        ]


def _emails(count: int, name: str = "user") -> list[str]:
    return [f"{name}{index}@example.com" for index in range(count)]


def _ids(found: models.FoundUsers) -> dict[str, list[str]]:
    return {email: [user.id for user in users] for email, users in found.by_email.items()}


@pytest.mark.parametrize(
    ("emails", "requests"),
    [
        ([], []),
        (_emails(1), ["1 e-mails"]),
        (_emails(100), ["100 e-mails"]),
        (_emails(101), ["100 e-mails", "1 e-mails"]),
        (_emails(250), ["100 e-mails", "100 e-mails", "50 e-mails"]),
        (_emails(100) * 2, ["100 e-mails"]),
        # Percent-encoded, each has 307 bytes: twenty of them are what a server surely accepts.
        ([f"{index:02}{'ü' * 48}@a.de" for index in range(21)], ["19 e-mails", "2 e-mails"]),
    ],
    ids=["none", "one", "hundred", "hundred and one", "many", "twice the same", "long ones"],
)
def test_find_asks_for_a_hundred_emails_at_a_time(
    perform: Perform, emails: list[str], requests: list[str]
) -> None:
    directory = Directory(*dict.fromkeys(emails))
    found = perform(directory.transport, "find", emails=emails)
    assert list(found.by_email) == list(dict.fromkeys(emails))
    assert (found.missing, found.complete) == ((), True)
    assert directory.requests == requests
    assert all(len(request.url.raw_path) < 8000 for request in directory.transport.requests)


def test_find_ignores_case_and_spaces_and_keeps_the_callers_spelling(perform: Perform) -> None:
    directory = Directory("John@Example.com", "harry@example.com")
    emails = [" john@example.COM", "JOHN@example.com", "Harry@example.com\n", "Nobody@example.com"]
    found = perform(directory.transport, "find", emails=emails)
    assert _ids(found) == {emails[0]: ["u0"], emails[1]: ["u0"], emails[2]: ["u1"]}
    assert found.missing == ("Nobody@example.com",)
    assert directory.transport.requests[0].url.params.get_list("emails") == [
        "john@example.com",
        "harry@example.com",
        "nobody@example.com",
    ]


@pytest.mark.parametrize(
    ("emails", "found", "requests"),
    [
        (["John@Example.com"], 1, ["1 e-mails"] * 2),
        (["JOHN@example.com", " John@Example.com"], 2, ["1 e-mails", "2 e-mails"]),
        (["Nobody@example.com", "NOBODY@example.com"], 0, ["1 e-mails", "2 e-mails"]),
        (["harry@example.com", "ann@example.com", "John@Example.com"], 3,
         ["3 e-mails", "1 e-mails", "1 e-mails"]),
        ([f"Many{index}@example.com" for index in range(100)], 100,
         ["100 e-mails", "98 e-mails", "98 e-mails"]),
    ],
    ids=["one", "two spellings", "nobody", "some", "a hundred"],
)  # fmt: skip
def test_find_sends_who_is_missing_as_the_caller_spelled_it_too(
    perform: Perform, emails: list[str], found: int, requests: list[str]
) -> None:
    """Whether the API compares e-mails in any case is not published."""
    many = [f"Many{index}@example.com" for index in range(98)]
    lower = ["many98@example.com", "many99@example.com", "harry@example.com", "ann@example.com"]
    directory = Directory("John@Example.com", *lower, *many, folds=False)
    result = perform(directory.transport, "find", emails=emails)
    assert (len(result.by_email), result.complete) == (found, True)
    assert directory.requests == requests


@pytest.mark.parametrize(
    ("sought", "other"),
    [
        ("strasse@example.com", "straße@example.com"),
        ("straße@example.com", "STRASSE@example.com"),
        ("quac\u212a@example.com", "quack@example.com"),
        ("ſam@example.com", "sam@example.com"),
        ("oﬁce@example.com", "ofice@example.com"),
    ],
)
def test_find_never_takes_another_letter_for_one_of_the_address(
    perform: Perform, sought: str, other: str
) -> None:
    transport = FakeTransport(*[json({"users": [{"id": "u1", "email": other}]})] * 9)
    found = perform(transport, "find", emails=[sought])
    assert (found.by_email, found.missing) == ({}, (sought,))
    assert transport.requests[0].url.params.get_list("emails") == [sought]


def test_find_takes_composed_and_decomposed_letters_for_the_same(perform: Perform) -> None:
    directory = Directory("Jose\u0301@example.com", reads="none")
    found = perform(directory.transport, "find", emails=["jos\u00e9@example.com"])
    assert _ids(found) == {"jos\u00e9@example.com": ["u0"]}


def test_find_returns_every_user_of_an_email(perform: Perform) -> None:
    directory = Directory("john@example.com", "harry@example.com", "JOHN@example.com")
    found = perform(directory.transport, "find", emails=["john@example.com"])
    assert _ids(found) == {"john@example.com": ["u0", "u2"]}


OTHERS = _emails(230, "other")
SOUGHT = _emails(3)


@pytest.mark.parametrize(
    ("directory", "missing", "complete", "requests"),
    [
        # The filter works, and says so.
        (Directory(*SOUGHT, *OTHERS), 0, True, ["3 e-mails"]),
        (Directory(*SOUGHT[:2], *OTHERS), 1, True, ["3 e-mails", "1 e-mails"]),
        # The filter works, but the response is a page of two: the rest is asked for again.
        (Directory(*SOUGHT, *OTHERS, page_size=2), 0, True, ["3 e-mails", "1 e-mails"]),
        # The filter works, but it does not say so: it returned one user or none of several.
        (
            Directory(*SOUGHT[:1], *OTHERS),
            2,
            True,
            ["3 e-mails", "page 1", "page 2", "page 3", "page 4"],
        ),
        (Directory(), 3, True, ["3 e-mails", "page 1"]),
        # Only one of the e-mails is read.
        (Directory(*SOUGHT, reads="first"), 0, True, ["3 e-mails", "page 1", "page 2"]),
        (Directory(*SOUGHT, reads="last"), 0, True, ["3 e-mails", "page 1", "page 2"]),
        # The filter is ignored: pages of a hundred, of fewer, and those of users who are asked for.
        (
            Directory(*OTHERS, *SOUGHT, reads="none"),
            0,
            True,
            ["3 e-mails", "page 1", "page 2", "page 3", "page 4"],
        ),
        (
            Directory(*OTHERS[:80], *SOUGHT, reads="none", page_size=50),
            0,
            True,
            ["3 e-mails", "page 1", "page 2", "page 3"],
        ),
        (Directory(*OTHERS[:9], reads="none"), 3, True, ["3 e-mails", "page 1", "page 2"]),
        # Pages are ignored too: everyone, or the same few, again and again.
        (
            Directory(*OTHERS, *SOUGHT, reads="none", pages="none"),
            0,
            False,
            ["3 e-mails", "page 1", "page 2"],
        ),
        (
            Directory(*OTHERS, *SOUGHT, reads="none", pages="none", page_size=9),
            3,
            False,
            ["3 e-mails", "page 1", "page 2"],
        ),
        # The last page comes again and again.
        (
            Directory(*OTHERS, *SOUGHT, reads="none", ends=False),
            0,
            False,
            ["3 e-mails", "page 1", "page 2", "page 3", "page 4"],
        ),
        # Pages count from 0: the first one was in the response that ignored the filter.
        (
            Directory(*SOUGHT, *OTHERS, reads="none", pages="from 0", page_size=100),
            0,
            False,
            ["3 e-mails", "page 1", "page 2", "page 3"],
        ),
    ],
)
def test_find_reads_pages_where_the_filter_was_ignored(
    perform: Perform, directory: Directory, missing: int, complete: bool, requests: list[str]
) -> None:
    directory.transport.requests.clear()
    found = perform(directory.transport, "find", emails=SOUGHT)
    assert found.missing == tuple(SOUGHT[len(SOUGHT) - missing :])
    assert list(found.by_email) == SOUGHT[: len(SOUGHT) - missing]
    assert found.complete is complete
    assert directory.requests == requests


def test_find_trusts_an_empty_response_once_several_emails_were_read() -> None:
    directory = Directory(*_emails(100))
    found = _sync(directory.transport, "find", emails=[*_emails(100), *_emails(50, "unknown")])
    assert (len(found.missing), found.complete) == (50, True)
    assert directory.requests == ["100 e-mails", "50 e-mails"]


def test_find_trusts_an_empty_response_to_a_single_email() -> None:
    directory = Directory(*_emails(5))
    found = _sync(directory.transport, "find", emails=["unknown@example.com"])
    assert (found.missing, found.complete) == (("unknown@example.com",), True)
    assert directory.requests == ["1 e-mails"]


def test_find_asks_no_further_once_it_has_read_all_pages() -> None:
    directory = Directory(*_emails(150), reads="none")
    found = _sync(directory.transport, "find", emails=_emails(150))
    assert (found.missing, found.complete) == ((), True)
    assert directory.requests == ["100 e-mails", "page 1", "page 2", "page 3"]


def test_find_stops_where_new_users_never_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MAX_PAGES", 5)

    def respond(request: httpx.Request) -> httpx.Response:
        name = request.url.params.get("page", "0")
        return json({"users": [{"id": name, "email": f"{name}@example.com"}]})

    transport = FakeTransport(respond)
    found = _sync(transport, "find", emails=["3@example.com", "7@example.com"])
    assert (_ids(found), found.missing) == ({"3@example.com": ["3"]}, ("7@example.com",))
    assert not found.complete
    assert len(transport.requests) == 6


def test_a_user_without_an_email_was_not_asked_for() -> None:
    transport = FakeTransport(json({"users": [{"id": "u1"}]}), json({"users": [JOHN]}), NOBODY)
    found = _sync(transport, "find", emails=["john@example.com"])
    assert _ids(found) == {"john@example.com": ["u1"]}
    assert len(transport.requests) == 3


def test_the_options_of_a_call_apply_to_each_request_of_find(perform: Perform) -> None:
    directory = Directory(*_emails(5), reads="none")
    options = {"http_headers": {"X-Trace": "1"}, "server_url": "https://api-eu.cloudinary.com"}
    perform(directory.transport, "find", emails=SOUGHT, timeout_ms=500, **options)
    assert len(directory.requests) == 3
    for request in directory.transport.requests:
        assert request.headers["X-Trace"] == "1"
        assert request.url.host == "api-eu.cloudinary.com"
        assert request.extensions["timeout"]["read"] == 0.5


def test_an_error_of_one_of_its_requests_ends_find(perform: Perform) -> None:
    transport = FakeTransport(json({"users": [JOHN, HARRY]}), error(401))
    with pytest.raises(models.AuthorizationRequired):
        perform(transport, "find", emails=["john@example.com"])
    assert len(transport.requests) == 2


@pytest.mark.parametrize(
    ("arguments", "problem", "message"),
    [
        ({"emails": "a@b.c"}, TypeError, "emails must be a list of str, not str"),
        ({"emails": b"a@b.c"}, TypeError, "emails must be a list of str, not bytes"),
        ({"emails": ["a@b.c", None]}, TypeError, "emails must hold str, not NoneType"),
        ({"emails": ["a@b.c", " "]}, ValueError, "emails must not hold an empty or blank str"),
        ({"emails": ["a@b.c"], "timeout_ms": -1}, ValueError, "timeout_ms"),
        ({"emails": ["\ud800@b.c"]}, ValueError, "emails must be valid Unicode"),
        ({}, TypeError, "emails"),
    ],
)
def test_find_rejects_what_is_no_list_of_emails(
    perform: Perform, arguments: dict[str, Any], problem: type[Exception], message: str
) -> None:
    transport = FakeTransport(NOBODY)
    with pytest.raises(problem, match=message):
        perform(transport, "find", **arguments)
    assert transport.requests == []


def test_find_accepts_any_iterable_of_emails() -> None:
    def emails() -> Iterator[str]:
        yield "john@example.com"

    found = _sync(FakeTransport(json({"users": [JOHN]})), "find", emails=emails())
    assert _ids(found) == {"john@example.com": ["u1"]}


_account = st.lists(st.sampled_from([*SOUGHT, *_emails(9, "other")]), max_size=12)


@given(
    account=_account,
    sought=st.lists(st.sampled_from([*SOUGHT, *_emails(9, "other"), "x@y.z"])),
    reads=st.sampled_from(["all", "first", "last", "none"]),
    page_size=st.integers(1, 15),
)
def test_find_finds_whoever_pages_or_a_filter_can_show(
    account: list[str], sought: list[str], reads: str, page_size: int
) -> None:
    # A page that is as long as all e-mails of one name: none of them is cut off.
    directory = Directory(*account, reads=reads, page_size=max(page_size, 12))
    found = _sync(directory.transport, "find", emails=sought)
    ids = {email: [f"u{i}" for i, each in enumerate(account) if each == email] for email in sought}
    assert {email: sorted(each) for email, each in _ids(found).items()} == {
        email: sorted(each) for email, each in ids.items() if each
    }
    assert set(found.missing) == {email for email in sought if email not in account}
    assert found.complete


REFERENCE = "docs/users.md"


def test_the_reference_names_every_method_parameter_and_field() -> None:
    text = (ROOT / REFERENCE).read_text("utf-8")
    methods = {name for name in vars(Users) if not name.startswith("_")} - {"with_raw_response"}
    expected = {
        *methods,
        *inspect.signature(build_request).parameters,
        *(field.name for field in attrs.fields(models.User)),
        *(field.name for field in attrs.fields(models.FoundUsers)),
    } - {"account_id"}
    assert {name for name in expected if f"`{name}`" not in text} == set()
    shown = {block.code for block in blocks(REFERENCE)}
    for method in methods:
        assert any(f"client.users.{method}(" in code for code in shown), method
