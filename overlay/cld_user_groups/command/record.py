"""`doctor --record`: what an account sends, as shapes without its data, for a person to send in.

Kept are names of fields, types, vocabulary of the API, lengths of IDs, numbers of items, status
codes, and the headers that describe a response. Everything else is a placeholder: it is decided by
what may be kept, never by what looks personal.
"""

from __future__ import annotations

import errno
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import attrs
import httpx
import msgspec
from attrs import define, field, frozen

from cld_provisioning_api import models
from cld_user_groups import CldProvisioning, HookContext, Security
from cld_user_groups._version import __version__

from . import membership
from .doctor import Check

T = TypeVar("T")
Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | NotJson | None"

FORMAT = "cld-user-groups/record/1"
# Values that the API itself defines, wherever they stand.
_VOCABULARY = re.compile(
    "system|custom|global|content|account|prodenv|user|group|apiKey|provisioningKey|user_error|ok|all|"
    "active|pending|disabled|deleted|scim|saml|google|(master_|technical_)?admin|billing|reports|"
    "media_library_(admin|user)"
)
# Headers whose values describe the response, and nobody.
_HEADERS = re.compile(
    "cache-control|connection|content-(encoding|type)|retry-after|transfer-encoding|vary|"
    "x-featureratelimit-(limit|remaining|reset)"
)
_HEADER_VALUE = re.compile(r"[A-Za-z0-9 ,;:=/+.*-]{0,100}")
_FIELD = re.compile(r"[A-Za-z][A-Za-z_]{0,39}")
_OWN_ARGUMENTS = re.compile("extended_details|page|page_size|(scope|permission|principal)_type")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
# The kind of a text, by the first that it matches.
_KINDS = (
    ("e-mail", re.compile(r"\S+@\S+")),
    ("ID of {} hex digits", re.compile(r"[0-9a-f]{8,64}")),
    ("ID of {} letters and digits", re.compile(r"(?=.*\d)[A-Za-z0-9]{12,64}", re.ASCII)),
    ("role ID", re.compile(r"cld::role::\S+")),
)
_PROSE = ("description", "message")
_MOST_SHAPES = 5
_DEEPEST = 12
_LEAST_SECRET = 6
_KNOWN_FIELDS = frozenset(
    each.name
    for model in (getattr(models, name) for name in models.__all__)
    if attrs.has(model)
    for each in attrs.fields(model)
)


@frozen
class NotJson:
    """A body that is no JSON, of so many bytes."""

    size: int


@frozen
class Recorded:
    """A response, as it was sent, with its body, and what was asked."""

    operation: str
    response: httpx.Response
    body: Json


@define
class Recorder:
    """A hook that keeps the responses of a client."""

    responses: list[Recorded] = field(factory=list[Recorded])

    def after_response(self, context: HookContext, response: httpx.Response) -> None:
        """Keep a response, as it was sent."""
        try:
            body = msgspec.json.decode(response.content)
        except (ValueError, RecursionError):
            body = NotJson(len(response.content))
        self.responses.append(Recorded(context.operation_id, response, body))


@define
class Anonymizer:
    """Replaces what responses hold by placeholders; the same text has the same one throughout."""

    responses: Sequence[Recorded]  # all of them, for a name of a field may be that of a person
    secrets: Sequence[str]  # which must not be in the record, whatever they look like
    _personal: frozenset[str] = field(init=False)
    _placeholders: dict[str, str] = field(init=False, factory=dict[str, str])
    _counts: Counter[str] = field(init=False, factory=Counter[str])

    def __attrs_post_init__(self) -> None:
        texts = (text for each in self.responses for text in _texts(each.body))
        words = (word for text in texts for word in (text, *re.findall(r"[^\W_]{3,}", text)))
        self._personal = frozenset(word.casefold() for word in (*words, *self.secrets))

    def document(self) -> dict[str, Any]:
        """Return the record, to be written as JSON."""
        responses = [self._response(each, each.response) for each in self.responses]
        return {"format": FORMAT, "tool": f"cld-user-groups {__version__}", "responses": responses}

    def _response(self, recorded: Recorded, response: httpx.Response) -> dict[str, Any]:
        query, headers = response.request.url.params, response.headers
        return {
            "operation": recorded.operation,
            "query": [f"{name}={self._argument(name, each)}" for name, each in query.multi_items()],
            "status": response.status_code,
            "http_version": response.http_version,
            "headers": [self._header(name.lower(), each) for name, each in headers.multi_items()],
            "body": self.shape(recorded.body),
        }

    def _argument(self, name: str, value: str) -> str:
        return value if _OWN_ARGUMENTS.fullmatch(name) else self._text(value)

    def _header(self, name: str, value: str) -> str:
        if not _HEADERS.fullmatch(name):
            return f"{self._key(name.replace('-', '_')).replace('_', '-')}: <present>"
        is_secret = any(each in value for each in self.secrets if len(each) >= _LEAST_SECRET)
        is_plain = _HEADER_VALUE.fullmatch(value) and not is_secret
        return f"{name}: {value if is_plain else '<present>'}"

    def shape(self, value: Json, depth: int = 0) -> Any:
        """Return a value with its fields and types, and nothing else of it."""
        if depth > _DEEPEST:
            return "<nested deeper>"
        match value:
            case dict():
                return {self._key(key): self.shape(each, depth + 1) for key, each in value.items()}
            case list():
                shapes: dict[bytes, object] = {}
                for shape in (self.shape(each, depth + 1) for each in value):
                    shapes.setdefault(_without_numbers(shape), shape)
                return {"items": len(value), "shapes": [*shapes.values()][:_MOST_SHAPES]}
            case str():
                return self._text(value)
            case NotJson():
                return f"<not JSON, {value.size} bytes>"
            case bool() | None:
                return value
            case int():
                return f"<number of {len(str(abs(value)))} digits>"
            case _:
                return "<number>"

    def _text(self, text: str) -> str:
        if _VOCABULARY.fullmatch(text):
            return text
        if not text:
            return "<empty>"
        if _DATE.fullmatch(text):
            return re.sub(r"\d", "9", text)
        kind = next((kind for kind, pattern in _KINDS if pattern.fullmatch(text)), "text")
        return self._placeholder(text, kind.format(len(text)))

    def _key(self, key: str) -> str:
        words = {key.casefold(), *key.casefold().split("_")}
        is_name = _FIELD.fullmatch(key) and not words & self._personal
        return key if key in _KNOWN_FIELDS or is_name else self._placeholder(key, "field")

    def _placeholder(self, text: str, kind: str) -> str:
        if text not in self._placeholders:
            self._counts[kind] += 1
            self._placeholders[text] = f"<{kind} {self._counts[kind]}>"
        return self._placeholders[text]


def _texts(value: Json) -> Iterator[str]:
    """Yield the texts of a document that may be names: no fields, and no prose of the API."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting += [found for key, found in each.items() if key not in _PROSE]
        elif isinstance(each, list):
            waiting += each
        elif isinstance(each, str) and not _VOCABULARY.fullmatch(each):
            yield each


def _without_numbers(shape: Any) -> bytes:
    return re.sub(rb" \d+>", b">", msgspec.json.encode(shape))


def read_everything(client: CldProvisioning) -> None:
    """Send one of each read, with at most 20 requests; a failure is a response too."""

    def tried(read: Callable[..., T], **arguments: Any) -> T | None:
        with suppress(Exception):
            return read(**arguments)
        return None

    tried(client.user_groups.list)
    listed = tried(client.user_groups.list, extended_details=True)
    groups = listed.user_groups if listed else []
    group = next((each for each in groups if each.users), groups[0] if groups else None)
    if group is not None:
        tried(client.user_groups.get, group_id=group.id)
        tried(client.user_groups.get, group_id=group.id, extended_details=True)
        tried(client.user_groups.list_users, group_id=group.id)
        for kind in ("global", "content"):
            of_group = {"principal_type": "group", "principal_id": group.id}
            tried(client.principals.list_roles, permission_type=kind, **of_group)
    tried(client.users.list)
    for page in (1, 2, 3):
        tried(client.users.list, page=page, page_size=2)
    for user in (group.users or ())[:1] if group else ():
        tried(client.users.list, ids=[user.id])
        tried(client.users.list, emails=[user.email])
        for read in (client.users.get, client.users.get_groups, client.users.list_sub_accounts):
            tried(read, user_id=user.id)
    for scope in ("account", "prodenv"):
        tried(client.principals.inspect, scope_type=scope)
    tried(client.roles.list)


def check_free(path: Path, *, force: bool) -> None:
    """Raise `FileExistsError` where a file exists, be it a link that leads nowhere."""
    if not force and (path.exists() or path.is_symlink()):
        hint = "it exists: write to another file, or replace it with --force"
        raise FileExistsError(errno.EEXIST, hint, str(path))


def write_record(path: Path, responses: Sequence[Recorded], security: Security) -> Check:
    """Write the record of responses to a file for its owner alone."""
    given = (security.provisioning_api_key, security.provisioning_api_secret)
    document = Anonymizer(responses, [each for each in given if each]).document()
    membership.state.replace_file(path, msgspec.json.format(msgspec.json.encode(document)) + b"\n")
    result = f"{len(responses)} responses, without the account's data, in {path}"
    return Check("record", "ok", result, "read it before you send it in")
