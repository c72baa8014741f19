"""Rows of another program in a file of groups: what they ask for, and what is an error."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from cld_user_groups.membership import DesiredGroup, FileError, RowFormat, groups_schema, read_file

ROWS = """\
Team;Mail;Ends;Note
Design;ann@b.example;1/31/2027;
Design, Ops;bob@b.example;;"one
two"
Brand;ann@b.example;1/31/2027;
"""
HOW = "columns: {group: Team, email: Mail, until: Ends}, date_format: M/D/YYYY"
SPLIT = f"{HOW}, group_separator: ','"
NAMES = f"{SPLIT}, names: {{Design: Art, Brand: Art, Ops: null}}"


def groups(folder: Path, how: str, rows: str = ROWS, name: str = "rows.csv") -> str:
    """Write a file that includes rows; return its path."""
    (folder / name).write_text(rows)
    path = folder / "groups.yaml"
    path.write_text(f"version: 1\ngroups: {{from: {name}, {how}}}\n")
    return str(path)


def found(groups: tuple[DesiredGroup, ...]) -> dict[str, list[str]]:
    return {
        group.name: [
            f"{member.email}:{member.line}:{member.until or ''}" for member in group.members
        ]
        for group in groups
    }


ANN = "ann@b.example:2:2027-01-31"


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (HOW, {"Design": [ANN], "Design, Ops": ["bob@b.example:3:"],
               "Brand": ["ann@b.example:5:2027-01-31"]}),
        (SPLIT, {"Design": [ANN, "bob@b.example:3:"], "Ops": ["bob@b.example:3:"],
                 "Brand": ["ann@b.example:5:2027-01-31"]}),
        (NAMES, {"Art": [ANN, "bob@b.example:3:"]}),
        (f"{SPLIT}, Ops 2: {{members: [x@b.example]}}",
         {"Design": [ANN, "bob@b.example:3:"], "Ops": ["bob@b.example:3:"],
          "Brand": ["ann@b.example:5:2027-01-31"], "Ops 2": ["x@b.example:2:"]}),
    ],
)  # fmt: skip
def test_rows_of_another_program_are_read_by_their_own_columns(tmp_path, how, expected):
    path = groups(tmp_path, how)
    assert found(read_file(path).groups) == expected
    Draft202012Validator(groups_schema()).validate(yaml.safe_load(Path(path).read_text()))


def test_json_lines_of_another_program_are_read_by_their_own_keys(tmp_path):
    rows = '{"Team": "Design", "mail": "ann@b.example", "Ends": "1/31/2027", "age": 7}\n'
    path = groups(tmp_path, HOW, rows, "rows.jsonl")
    assert found(read_file(path).groups) == {"Design": ["ann@b.example:1:2027-01-31"]}


def test_rows_without_a_group_can_be_left_out_by_name(tmp_path):
    rows = "Team,Mail\n,ann@b.example\nDesign,bob@b.example\n"
    how = 'columns: {group: Team, email: Mail}, names: {Design: Design, "": null}'
    assert found(read_file(groups(tmp_path, how, rows)).groups) == {"Design": ["bob@b.example:3:"]}


def test_a_column_names_what_groups_were_called_before(tmp_path):
    (tmp_path / "rows.csv").write_text(
        "group,previously,email\nArt,Design,ann@b.example\nArt,,bob@b.example\n"
    )
    (group,) = read_file(tmp_path / "rows.csv").groups
    assert (group.name, group.previously, len(group.members)) == ("Art", ("Design",), 2)


@pytest.mark.parametrize(
    ("how", "rows", "expected"),
    [
        (f"{HOW}, names: {{Desing: Art}}", ROWS,
         ["rows.csv:2: `names` lacks the group `Design`; did you mean `Desing`? (null leaves it "
          "out)", "rows.csv:3: `names` lacks the group `Design, Ops`; known: Desing (null "
          "leaves it out)", "rows.csv:5: `names` lacks the group `Brand`; known: Desing "
          "(null leaves it out)"]),
        (f"{NAMES[:-1]},\n Legal: Law}}", ROWS,
         ["groups.yaml:3: `names` has `Legal`, a group that no row of ROWS has; correct it, or "
          "leave it out"]),
        (NAMES, "Team,Mail,Ends\n,ann@b.example,\n",
         ['rows.csv:2: the row names no group; `names: {"": null}` leaves it out']),
        (SPLIT, "Team;Mail;Ends\nDesign,,Ops;ann@b.example;\nDesign,;bob@b.example;\n",
         ["rows.csv:2: an empty name between the separators of `Design,,Ops`; is it cut off?",
          "rows.csv:3: an empty name between the separators of `Design,`; is it cut off?"]),
        (SPLIT, "Team;Mail;Ends\nDesign,Design;ann@b.example;\n",
         ["rows.csv:2: `ann@b.example` occurs twice, first on line 2"]),
        (NAMES, ROWS.replace("Brand;ann@b.example;1/31", "Brand;ann@b.example;2/28"),
         ["rows.csv:5: `ann@b.example` occurs twice, first on line 2"]),
        (NAMES, "Team;Mail;Ends\nDesign, Brand, Ops;ann@b.example;\nDesign;ann@b.example;\n",
         ["rows.csv:3: `ann@b.example` occurs twice, first on line 2"]),
        (f"{HOW.replace('until: Ends', 'previously: Ends').partition(', date')[0]}, "
         "group_separator: ','", "Team;Mail;Ends\nDesign,Ops;ann@b.example;Old\n",
         ["rows.csv:2: `previously` beside several groups: `Design,Ops`; give each group a row"]),
        (HOW, ROWS.replace("1/31/2027", "2/30/2027", 1),
         ["rows.csv:2: `until` is not a date: `2/30/2027`; the format is M/D/YYYY"]),
        (HOW, ROWS.replace(";1/31", ";\u0661/31", 1),
         ["rows.csv:2: `until` is not a date: `\u0661/31/2027`; the format is M/D/YYYY"]),
        (HOW, ROWS.replace("one\ntwo", "one\nDesign;eve@b.example;;"),
         ["rows.csv:3: a row inside the cell `one\\nDesign;eve@b.example;;`; is there a stray "
          "quote?"]),
        (HOW, ROWS.replace("Ends", "Ended"),
         ["rows.csv:1: there is no column `Ends`; did you mean `Ended`?"]),
        (HOW, ROWS.replace("Note", "mail"), ["rows.csv:1: the column `Mail` occurs twice"]),
        (HOW, ROWS.replace("2027;\nBrand", "2027;x;y\nBrand").replace("2027;", "2027;x;y", 1),
         ["rows.csv:2: 5 cells in a row, 4 in the header; quote a cell that has `;` in it"]),
        (HOW, "Team;Mail;Ends\nDesign;;\n", ["rows.csv:2: a member needs an `email` or an `id`"]),
        (HOW, "Team;Mail;Ends\n", ["rows.csv: there are no rows; an empty source is an error"]),
        ("columns: {group: Team, mail: Mail}", ROWS,
         ["groups.yaml:2: unknown key `mail` in `columns`; did you mean `email`?"]),
        ("columns: {group: Team, email: Team}", ROWS,
         ["groups.yaml:2: the column `Team` must be named, and for one purpose only"]),
        ("columns: {}", ROWS, ["groups.yaml:2: `columns` is empty"]),
        ("columns: {group: Team, email: Mail}, date_format: M/D/YYYY", ROWS,
         ["groups.yaml:2: `columns` must name the column of `until`, too"]),
        ("columns: {email: Mail}, names: {Design: Art}", ROWS,
         ["groups.yaml:2: `columns` must name the column of `group`, too"]),
        ("date_format: MM/YYYY", ROWS, ["groups.yaml:2: not a date format: `MM/YYYY`; write one "
         "such as DD.MM.YYYY or M/D/YYYY"]),
        ("date_format: YYYYMD", ROWS, ["groups.yaml:2: not a date format: `YYYYMD`; write one "
         "such as DD.MM.YYYY or M/D/YYYY"]),
        ("date_format: DMYYYY", ROWS, ["groups.yaml:2: not a date format: `DMYYYY`; write one "
         "such as DD.MM.YYYY or M/D/YYYY"]),
        ("Design: {members: [x@b.example]}", "group,email\nDesign,ann@b.example\n",
         ["groups.yaml:2: the group `Design` occurs twice, first on line 2 as `Design`"]),
    ],
)  # fmt: skip
def test_a_mistake_in_rows_of_another_program_is_an_error_with_its_line(
    tmp_path, how, rows, expected
):
    path = groups(tmp_path, how, rows)
    with pytest.raises(FileError) as caught:
        read_file(path)
    said = [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]
    assert [each.replace("of rows.csv", "of ROWS") for each in said] == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("columns: {email: Mail, group: Team}",
         "unknown key `group` in `columns`; known: email, id, reason, until"),
        ("names: {a: b}", "unknown key `names` in `members`"),
    ],
)  # fmt: skip
def test_an_include_of_members_names_no_groups(tmp_path, keys, expected):
    (tmp_path / "rows.csv").write_text(ROWS)
    text = f"version: 1\ngroups:\n  A: {{members: {{from: rows.csv, {keys}}}}}\n"
    (tmp_path / "groups.yaml").write_text(text)
    with pytest.raises(FileError) as caught:
        read_file(tmp_path / "groups.yaml")
    assert expected in str(caught.value)


def test_what_the_caller_says_about_rows_is_part_of_the_digest(tmp_path):
    (tmp_path / "rows.csv").write_text("group,email,Chief\nA,ann@b.example,bob@b.example\n")
    how = [{"group": "group", "email": email} for email in ("email", "Chief")]
    digests = {
        read_file(tmp_path / "rows.csv", rows=RowFormat(columns=each)).digest for each in how
    }
    assert len(digests) == 2
