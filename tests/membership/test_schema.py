"""The JSON Schema of the file accepts what the reader accepts, and nothing else."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cld_user_groups.membership import FileError, groups_schema, read_file

VALIDATOR = Draft202012Validator(groups_schema())
# What no schema says: who occurs twice, and which days there are.
BEYOND_SCHEMA = re.compile(r"occurs twice|have one `id`|is not a date: `\d{4}-\d\d-\d\d`")

_texts = st.sampled_from(["", " ", "a", "b c", 1, None, True, []])
_emails = st.sampled_from(
    ["a@b.example", " A@b.example ", "a@b", "a@b..example", "x", "<a@b.example>", "", 1, None]
)
_dates = st.sampled_from(["2027-01-31", "31.01.2027", "20270131", "", 20270131, None])
_persons = st.fixed_dictionaries(
    {},
    optional={"email": _emails, "id": _texts, "until": _dates, "reason": _texts, "untill": _dates},
)
_members = st.lists(_emails | _persons, max_size=2) | st.sampled_from([None, "a@b.example", {}])
_domains = st.sampled_from(
    ["a.example", " A.example ", "@a.example", "*.example", "example", "a..example", "", 1, None]
)
_file_rules = {
    "email_domains": st.lists(_domains, max_size=2) | _domains,
    "require_until": st.sampled_from([True, False, "true", None]),
}
_rules = {
    **_file_rules,
    "max_members": st.sampled_from([0, 10, -1, 1.5, "10", None]),
    "not_with_role": st.lists(_texts, max_size=2) | _texts,
}
_groups = st.fixed_dictionaries(
    {},
    optional={
        "name": _texts,
        "id": _texts,
        "previously": st.lists(_texts, max_size=2) | _texts,
        "mode": st.sampled_from(["exact", "additive", "exakt", 1]),
        "state": st.sampled_from(["present", "absent", "gone", None]),
        "allow_empty": st.sampled_from([True, False, "true", 1]),
        "allow_new": st.sampled_from([True, False, "true", 1]),
        "members": _members,
        "reason": _texts,
        "managed_by": _texts,
        "owner": _texts | _emails,
        **_rules,
        "member": _members,
    },
)
_shares = st.sampled_from(
    ["25%", "25 %", "100%", "101%", "0.5%", "%", "25", "", 0, 0.25, 0.99, 1, 25, -0.1, None, True]
)
_files = st.fixed_dictionaries(
    {"version": st.sampled_from([1, 1, 1, 1, 2, "1", None])},
    optional={
        "account": _texts,
        "guards": st.fixed_dictionaries(
            {},
            optional={
                "max_removals": st.sampled_from([0, 10, -1, 1.5, "10", None]),
                "max_removals_per_group": _shares,
                "max": st.just(1),
            },
        ),
        "protect": st.lists(_texts | st.just("a,b"), max_size=2) | _texts,
        **_file_rules,
        "not_together": st.lists(st.lists(_texts, max_size=3) | _texts, max_size=2) | _texts,
        "groups": st.dictionaries(st.sampled_from(["A", "B"]), _groups, max_size=2) | _texts,
        "users": st.lists(_emails | _persons, max_size=2) | _texts,
    },
)


def problems(document: object) -> list[str]:
    """Return what the reader finds wrong with a document."""
    try:
        read_file("-", stdin=io.BytesIO(json.dumps(document).encode()), format="json")
    except FileError as error:
        return [problem.message for problem in error.problems]
    return []


@settings(max_examples=200)
@given(_files)
def test_the_schema_and_the_reader_accept_the_same_files(document):
    found = problems(document)
    if not found:
        VALIDATOR.validate(document)
    elif not all(map(BEYOND_SCHEMA.search, found)):
        assert not VALIDATOR.is_valid(document), found


def test_the_schema_is_one():
    Draft202012Validator.check_schema(groups_schema())


def documented(language: str) -> list[str]:
    """Return the examples of a language in the documentation of the file."""
    text = (Path(__file__).parents[2] / "docs" / "file-format.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("example", documented("yaml"))
def test_documented_examples_are_valid(example, tmp_path):
    (tmp_path / "designers.csv").write_text(documented("csv")[0])
    (tmp_path / "groups.yaml").write_text(example)
    assert read_file(tmp_path / "groups.yaml").groups


@pytest.mark.parametrize(("language", "suffix"), [("toml", "toml"), ("json", "json")])
def test_documented_examples_of_other_formats_are_valid(language, suffix, tmp_path):
    for example in documented(language):
        (tmp_path / f"groups.{suffix}").write_text(example)
        assert read_file(tmp_path / f"groups.{suffix}").groups


def test_documented_rows_are_valid(tmp_path):
    (tmp_path / "groups.csv").write_text(documented("csv")[1])
    (tmp_path / "groups.jsonl").write_text(documented("jsonl")[0])
    first, second = (read_file(tmp_path / f"groups.{suffix}") for suffix in ("csv", "jsonl"))
    assert [group.name for group in first.groups] == [group.name for group in second.groups]
