"""Decisions of a review: what a spreadsheet leaves of them, the plan, and the file's edit."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from tests.membership.hostile import HOSTILE
from tests.membership.planned_accounts import NOW, TODAY, account, desired, wanted

from cld_user_groups.command.tables import Table, as_csv, columns
from cld_user_groups.membership import (
    FileError,
    Group,
    GroupRef,
    History,
    Member,
    Plan,
    Snapshot,
    UserRef,
    check_guards,
    read_file,
)
from cld_user_groups.membership.file_edits import removal_edit
from cld_user_groups.membership.review import (
    DECISION_COLUMNS,
    People,
    decision_rows,
    plan_of_decisions,
    read_decisions,
    review,
)

ACCOUNT = account({"A": ["ann", "bob", "cho", "dee"], "B": ["bob"]}, ["eve"])
ROW = {
    "decision": "remove", "by": "", "note": "", "group": "A", "email": "ann@example.com",
    "account": "acc", "group_id": "g-A", "user_id": "u-ann", "read_at": NOW.isoformat(),
}  # fmt: skip


def saved(folder: Path, *rows: Mapping[str, str]) -> Path:
    """Write rows of decisions, each with what differs from `ROW`."""
    path = folder / "d.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, ROW)
        writer.writeheader()
        writer.writerows({**ROW, **row} for row in rows)
    return path


def decided(folder: Path, *rows: Mapping[str, str], **fields: object) -> Plan:
    """Return the plan of rows of decisions."""
    return plan_of_decisions(read_decisions(saved(folder, *rows)), ACCOUNT, NOW, **fields)


def removals(plan: Plan) -> list[tuple[str, str]]:
    return [(each.group.name, each.user.id[2:]) for each in plan.changes if each.user]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"decision": "delete"}, "`delete` is not a decision; known: keep, remove, ask"),
        ({"decision": "removed"}, "`removed` is not a decision; did you mean `remove`?"),
        ({"account": ""}, "the row has no `account`"),
        ({"group_id": ""}, "the row has no `group_id`"),
        ({"user_id": " "}, "the row has no `user_id`"),
        ({"decision": "keep", "account": "other"},
         "the row is not of the account `acc`, but of `other`"),
    ],
)  # fmt: skip
def test_a_row_that_is_not_valid_is_an_error_with_its_line(tmp_path, row, expected):
    with pytest.raises(FileError) as error:
        decided(tmp_path, {"decision": "keep", "user_id": "u-bob"}, row)
    (problem,) = error.value.problems
    assert (problem.line, str(problem).split(":3: ")[1][: len(expected)]) == (3, expected)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"group_id": "7E+29"}, "the account has no group with the ID `7E+29`"),
        ({"group": "Z"}, "the group `g-A` is `A` now"),
        ({"group_id": "g-B"}, "the group `g-B` is `B` now"),
        ({"user_id": "u-zoe"}, "no user with the ID `u-zoe` was found"),
        ({"user_id": "u-bob"}, "has the e-mail `bob@example.com`, and not the e-mail `ann@"),
        ({"email": ""}, "has the e-mail `ann@example.com`, and not no known e-mail"),
        ({"email": "ann@example.org"}, "and not the e-mail `ann@example.org`"),
    ],
)  # fmt: skip
def test_a_removal_of_whom_is_not_sure_is_held_back(tmp_path, row, expected):
    made = decided(tmp_path, row, {"user_id": "u-cho", "email": "cho@example.com"})
    assert removals(made) == [("A", "cho")]
    (held,) = made.held_back
    assert expected in held
    assert held.startswith(f"{tmp_path}/d.csv:2: not removed: ")


def test_a_user_without_a_known_email_is_held_back_where_the_row_has_one(tmp_path):
    hidden = evolve(ACCOUNT, groups=(Group(id="g-A", name="A", members=(Member(id="u-ann"),)),))
    made = plan_of_decisions(read_decisions(saved(tmp_path, {})), hidden, NOW)
    assert (removals(made), len(made.held_back)) == ([], 1)


def test_what_is_decided_is_planned_and_the_rest_named(tmp_path):
    made = decided(
        tmp_path,
        {"by": "zoe", "note": "left"},
        {"user_id": "u-bob", "email": "BOB@example.com ", "decision": "Keep"},
        {"user_id": "u-cho", "email": "cho@example.com", "decision": "ask"},
        {"user_id": "u-eve", "email": "eve@example.com"},
        {"group": "B", "group_id": "g-B", "user_id": "u-bob", "email": "bob@example.com",
         "decision": ""},
    )  # fmt: skip
    (change,) = made.changes
    assert (change.reason, change.line) == ("decided by zoe: left", 2)
    assert made.notes == (
        "Not decided: 2, `cho@example.com in A`, `bob@example.com in B`.",
        "Not in the review: 1, `dee@example.com in A`.",
        "Already in place: 1, `eve@example.com in A`.",
    )


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("remove", "", 1), ("", "remove", 1), ("remove", "remove", 1), ("keep", "", 0)],
)
def test_sheets_of_several_owners_may_be_joined(tmp_path, first, second, expected):
    made = decided(tmp_path, {"decision": first}, {"decision": second})
    assert len(made.changes) == expected


def test_two_decisions_of_one_membership_are_an_error(tmp_path):
    with pytest.raises(FileError, match=r"`keep` for .*, and `remove` on line 2"):
        decided(tmp_path, {}, {"decision": "keep"})


def test_the_guards_and_the_file_hold_for_decisions(tmp_path):
    people = ("ann", "bob", "cho")
    rows = [{"user_id": f"u-{name}", "email": f"{name}@example.com"} for name in people]
    made = decided(tmp_path, *rows)
    assert [each.guard for each in check_guards(made, ACCOUNT)] == ["max_removals_per_group"]
    assert not check_guards(made, ACCOUNT, allow_removals=3)
    protecting = desired(wanted("A", *people, "dee"), protect=("u-ann",))
    made = decided(tmp_path, *rows, file=protecting)
    assert [each.guard for each in check_guards(made, ACCOUNT, None, 3)] == ["protected"]
    managed = desired(evolve(wanted("A"), managed_by="scim", mode="additive"))
    made = decided(tmp_path, *rows, file=managed)
    assert (made.changes, len(made.held_back)) == ((), 1)


TEXTS = HOSTILE | st.sampled_from(["=1+1", "'=1", "+a", "a;b", "a,b", '"', "a@b.example", "ﬀ"])


@st.composite
def hostile_accounts(draw: st.DrawFn) -> Snapshot:
    ids = st.text("0123456789abcdef", min_size=2, max_size=8)
    people = [
        Member(id=each, email=draw(st.none() | TEXTS), name=draw(TEXTS))
        for each in draw(st.lists(ids, min_size=1, max_size=3, unique=True))
    ]
    names = draw(st.lists(TEXTS, min_size=1, max_size=3))
    groups = [Group(id=f"g{at}", name=name, members=tuple(people)) for at, name in enumerate(names)]
    return Snapshot(account_id="acc", groups=tuple(groups), taken_at=NOW)


@given(hostile_accounts(), st.sampled_from([",", ";", "\t"]), st.booleans(), st.randoms())
def test_a_sheet_survives_a_spreadsheet(tmp_path_factory, snapshot, delimiter, is_windows, random):
    found = review(snapshot, People(), History(), now=NOW, unseen_days=90, ending_days=30)
    text = as_csv(Table("d", "acc", "rows", columns(*DECISION_COLUMNS), [*decision_rows(found)]))
    rows = [{**row, "decision": "REMOVE"} for row in csv.DictReader(io.StringIO(text))]
    random.shuffle(rows)
    written = io.StringIO()
    order = random.sample(DECISION_COLUMNS, len(DECISION_COLUMNS))
    writer = csv.DictWriter(
        written, order, delimiter=delimiter, lineterminator="\r\n" if is_windows else "\n"
    )
    writer.writeheader()
    writer.writerows(rows)
    path = tmp_path_factory.mktemp("sheet") / "d.csv"
    path.write_bytes(b"\xef\xbb\xbf" * is_windows + written.getvalue().encode())
    made = plan_of_decisions(read_decisions(path), snapshot, NOW)
    assert made.held_back == ()
    assert sorted((each.group.id, each.user.id) for each in made.changes if each.user) == sorted(
        (group.id, member.id) for group in snapshot.groups for member in group.members
    )


BLOCK = """\
version: 1
groups:
  A:
    members:
      - ann@example.com  # a comment
      - {email: bob@example.com, id: u-bob}
      - email: cho@example.com
        # why
        reason: x
      - dee@example.com
  B: {members: [ann@example.com, 'bob@example.com', {id: u-cho}, dee@example.com]}
"""
EDITED = """\
version: 1
groups:
  A:
    members:
      - dee@example.com
  B: {members: [dee@example.com]}
"""


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("f.yaml", BLOCK, EDITED),
        ("f.yaml", BLOCK.replace("\n", "\r\n"), EDITED.replace("\n", "\r\n")),
        ("f.csv", 'group,email,reason\nA,ann@example.com,"x\ny"\nA,dee@example.com,\n'
         "A,bob@example.com,\nA,cho@example.com,\n", "group,email,reason\nA,dee@example.com,\n"),
        ("f.jsonl", '{"group": "A", "email": "ann@example.com"}\n'
         '{"group": "A", "email": "dee@example.com"}\n',
         '{"group": "A", "email": "dee@example.com"}\n'),
        ("f.json", '{"version": 1, "groups": {"A": {"members": [\n "dee@example.com",\n '
         '"ann@example.com",\n {\n  "email": "bob@example.com"\n }\n]}}}\n',
         '{"version": 1, "groups": {"A": {"members": [\n "dee@example.com"\n]}}}\n'),
        ("f.toml", 'version = 1\n[groups.A]\nmembers = [\n  "ann@example.com",\n'
         '  "dee@example.com",\n]\n',
         'version = 1\n[groups.A]\nmembers = [\n  "dee@example.com",\n]\n'),
    ],
)  # fmt: skip
def test_the_edit_of_a_file_takes_out_who_was_removed(tmp_path, name, text, expected):
    path = tmp_path / name
    path.write_bytes(text.encode())
    edit = removal_edit(everybody_but_dee(), read_file(path), TODAY)
    assert edit.by_hand == ()
    old, new = text.splitlines(), expected.splitlines()
    assert [line[1:] for line in edit.diff[2:] if line.startswith("-")] == [
        line for line in old if line not in new
    ]
    assert [line[1:] for line in edit.diff[2:] if line.startswith("+")] == [
        line for line in new if line not in old
    ]


def everybody_but_dee() -> list[tuple[GroupRef, UserRef]]:
    """Return the memberships of everybody except dee in A and B."""
    groups = account({name: ["ann", "bob", "cho"] for name in "AB"}).groups
    return [(group.ref, each.ref) for group in groups for each in group.members]


@pytest.mark.parametrize(
    ("files", "at", "said"),
    [
        ({"f.yaml": "version: 1\ngroups:\n  A:\n    members:\n      - ann@example.com\n"},
         "f.yaml:5", "then nobody is left: write `members: []` and `allow_empty: true`"),
        ({"f.yaml": "version: 1\ngroups:\n  A: {members: {from: x.csv}}\n"
          "  C: {members: {from: x.csv}}\n", "x.csv": "email\nann@example.com\ndee@example.com\n"},
         "x.csv:2", "remove `ann@example.com` from `A`"),
        ({"f.yaml": "version: 1\ngroups:\n  A: {members: [ann@example.com, dee@example.com]}\n"
          "  B:\n    members:\n      -\n        email: cho@example.com\n      - dee@example.com\n"},
         "f.yaml:7", "remove `cho@example.com`"),
    ],
)  # fmt: skip
def test_what_cannot_be_edited_surely_is_named(tmp_path, files, at, said):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    edit = removal_edit(everybody_but_dee(), read_file(tmp_path / "f.yaml"), TODAY)
    assert any(str(each).startswith(f"{tmp_path}/{at}: ") for each in edit.by_hand)
    assert any(said in str(each) for each in edit.by_hand)


def test_an_edit_says_where_the_last_line_does_not_end(tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("group,email\nA,dee@example.com\nA,ann@example.com")
    edit = removal_edit(everybody_but_dee(), read_file(path), TODAY)
    assert edit.diff[-2:] == ("-A,ann@example.com", r"\ No newline at end of file")


def test_a_stray_quote_in_a_long_file_does_not_take_a_minute(tmp_path):
    path = tmp_path / "f.csv"
    others = "".join(f"A,p{at}@example.com,{'x' * 99}\n" for at in range(15_000))
    path.write_text(f'group,email,reason\nA,ann@example.com,5" x\n{others}')
    file, begun = read_file(path), time.process_time()
    assert len(removal_edit(everybody_but_dee(), file, TODAY).by_hand) == 1
    assert time.process_time() - begun < 3


def test_a_file_that_has_changed_meanwhile_is_edited_by_hand(tmp_path):
    path = tmp_path / "f.yaml"
    path.write_text(BLOCK)
    file = read_file(path)
    path.write_text(BLOCK.replace("      - dee@example.com\n", ""))
    edit = removal_edit(everybody_but_dee(), file, TODAY)
    assert (edit.diff, len(edit.by_hand)) == ((), 6)


def test_a_membership_past_its_last_day_needs_no_edit(tmp_path):
    path = tmp_path / "f.yaml"
    yesterday = TODAY - timedelta(days=1)
    path.write_text(
        f"version: 1\ngroups: {{A: {{members: [{{email: ann@example.com, until: {yesterday}}}]}}}}"
    )
    edit = removal_edit(everybody_but_dee(), read_file(path), TODAY)
    assert (edit.diff, edit.by_hand) == ((), ())
