"""An exported account asks for what the account is."""

from __future__ import annotations

import csv
import io

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.membership.planned_accounts import NOW, TODAY

from cld_user_groups.identity import forbidden_character, name_key
from cld_user_groups.membership import (
    Group,
    Member,
    MembershipError,
    Snapshot,
    export,
    export_csv,
    plan,
    read_file,
)
from cld_user_groups.membership.exporting import export_document

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


@given(nasty_accounts())
def test_planning_an_exported_account_finds_nothing_to_do(snapshot):
    file = read_file("-", stdin=io.BytesIO(export(snapshot).encode()))
    made = plan(snapshot, file, TODAY, now=NOW)
    assert made.changes == ()
    assert made.notes == ()


@given(nasty_accounts(), _people)
def test_an_export_holds_the_same_in_json_as_in_yaml(snapshot, users):
    document = export_document(snapshot, users=users)
    assert document == yaml.safe_load(export(snapshot, users=users))


_FORMULAS = st.text(st.sampled_from("'=+-@\uff1d,;\"\ta1 "), min_size=1, max_size=6)
_CELLS = (_FORMULAS | st.text(max_size=4)).filter(
    lambda text: text.strip() == text and name_key(text)
)
_PEOPLE = st.lists(
    st.builds(
        lambda i, e: Member(id=i, email=e),
        _CELLS,
        st.none() | st.sampled_from(["=a@b.example", "+b@b.example", "'-c@b.example", "no", "x@y"]),
    ),
    unique_by=lambda m: m.id,
    min_size=1,
    max_size=4,
)


@st.composite
def accounts_of_formulas(draw: st.DrawFn) -> Snapshot:
    ids = draw(st.lists(_CELLS, unique=True, min_size=1, max_size=3))
    groups = tuple(Group(id=i, name=draw(_CELLS), members=tuple(draw(_PEOPLE))) for i in ids)
    return Snapshot(account_id="acc", groups=groups, taken_at=NOW)


@settings(max_examples=200)
@given(accounts_of_formulas())
def test_planning_exported_rows_finds_nothing_to_do_and_runs_no_formula(snapshot):
    texts = "".join(f"{g.name}{g.id}{''.join(m.id for m in g.members)}" for g in snapshot.groups)
    if forbidden_character(texts):
        with pytest.raises(MembershipError, match="cannot hold"):
            export_csv(snapshot)
        return
    text = export_csv(snapshot)
    for row in csv.reader(io.StringIO(text)):
        assert not any(cell.startswith(tuple("=+-@\uff1d\uff0b\uff0d\uff20")) for cell in row)
    file = read_file("-", stdin=io.BytesIO(text.encode()), format="csv")
    made = plan(snapshot, file, TODAY, now=NOW)
    assert (made.changes, made.held_back) == ((), ())


def test_a_name_that_no_row_can_hold_is_refused_and_empty_groups_left_out():
    member = Member(id="u1")
    groups = [
        Group(id="1", name="a\nb", members=(member,)),
        Group(id="2", name=" c", members=(member,)),
    ]
    empty = Group(id="3", name=" d")
    with pytest.raises(MembershipError) as caught:
        export_csv(Snapshot(account_id="acc", groups=(*groups, empty), taken_at=NOW))
    assert [each.message for each in caught.value.problems] == [
        r"a row of CSV cannot hold `a\nb` of `a\nb`", "a row of CSV cannot hold ` c` of ` c`",
    ]  # fmt: skip
    assert export_csv(Snapshot(account_id="acc", groups=(empty,), taken_at=NOW)) == (
        "group,group_id,email,id\n"
    )


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
