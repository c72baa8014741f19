"""An exported account asks for what the account is."""

from __future__ import annotations

import io

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.membership.planned_accounts import NOW, TODAY

from cld_user_groups.membership import Group, Member, Snapshot, export, plan, read_file

_NASTY = st.sampled_from(
    [
        "yes", "No", "null", "~", "2027-01-31", "1.0", "0x1F", "0o17", "1_000", ".inf", "<<", "=",
        " leading", "trailing ", "", "  ", "a: b", "a #b", "- a", "{a}", "[a]", "'", '"', "\\",
        "&a", "*a", "!a", "|", ">", "%", "@", "`", "?", ":", "line\nbreak", "tab\t", "\x07", "\x7f",
        "\x85", "\u2028", "\ufeff", "\u202e", "\U0001f600", "x" * 1100, "A", "a", "members", "---",
    ]
)  # fmt: skip
_texts = _NASTY | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_ids = _texts.filter(str.strip)
_emails = (
    st.none()
    | _texts
    | st.sampled_from(
        ["a@b.example", "A@B.example", " a@b.example", "ß@b.example", "ss@b.example", "no", "x@y"]
    )
)
_people = st.lists(
    st.builds(lambda i, e, n: Member(id=i, email=e, name=n), _ids, _emails, st.none() | _texts),
    unique_by=lambda m: m.id,
    max_size=4,
)


@st.composite
def nasty_accounts(draw: st.DrawFn) -> Snapshot:
    people = draw(_people)
    members = st.lists(st.sampled_from(people), unique=True) if people else st.just([])
    return Snapshot(
        account_id=draw(_ids),
        groups=tuple(
            Group(id=group_id, name=draw(_texts), members=tuple(draw(members)))
            for group_id in draw(st.lists(_ids, unique=True, max_size=4))
        ),
        taken_at=NOW,
    )


@settings(max_examples=100, deadline=None)
@given(nasty_accounts())
def test_planning_an_exported_account_finds_nothing_to_do(snapshot):
    file = read_file("-", stdin=io.BytesIO(export(snapshot).encode()))
    made = plan(snapshot, file, TODAY, now=NOW)
    assert made.changes == ()
    assert made.notes == ()


@pytest.mark.parametrize("name", ["yes", "No", "null", "1e3", "2027-01-31", "0x1F", "~", "a: b"])
def test_other_readers_of_yaml_see_text_too(name):
    group = Group(id=name, name=name, members=(Member(id=name),))
    document = yaml.safe_load(export(Snapshot(account_id=name, groups=(group,), taken_at=NOW)))
    expected = {"id": name, "members": [{"id": name}]}
    assert document == {"version": 1, "account": name, "groups": {name: expected}}


def test_an_export_reads_well():
    snapshot = Snapshot(
        account_id="acc",
        groups=(
            Group(
                id="7f08",
                name="Photographers and Editors",
                members=(
                    Member(id="0abe", email="john.doe@example.com", name="John"),
                    Member(id="a1", name="A bot\nhere"),
                ),
            ),
            Group(id="b2", name="Empty"),
            Group(id="b3", name="Empty"),
        ),
        taken_at=NOW,
    )
    assert export(snapshot) == (
        "version: 1\n"
        "account: acc\n"
        "groups:\n"
        "  Photographers and Editors:\n"
        '    id: "7f08"\n'
        "    members:\n"
        '      - {email: john.doe@example.com, id: "0abe"}\n'
        "      - {id: a1}  # A bot\\nhere\n"
        "  Empty:\n"
        "    id: b2\n"
        "    allow_empty: true\n"
        "    members: []\n"
        '  "Empty (b3)":\n'
        "    name: Empty\n"
        "    id: b3\n"
        "    allow_empty: true\n"
        "    members: []\n"
    )
