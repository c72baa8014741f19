"""Files of groups: every format says the same, and every mistake is an error with its line."""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
import re
import time
from contextlib import suppress
from datetime import date
from pathlib import Path

import attrs
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cld_user_groups.identity import name_key
from cld_user_groups.membership import (
    Desired,
    DesiredGroup,
    DesiredMember,
    FileError,
    GuardLimits,
    read_file,
)

YAML = """\
version: 1
account: my-account  # any other is refused
guards: {max_removals: 10, max_removals_per_group: 20%}
protect: ["dam-bot@example.com", "*@example.org"]
groups:
  Photographers and Editors:
    id: 7f08f1f1fc910bf1f25274aef11d27
    previously: [Photographers]
    members:
      - john.doe@example.com
      - {email: harry.potts@example.com, until: 2027-01-31, reason: JIRA-12}
      - {id: 0abed8dfcc039ea05e2a1d494fd442}
  Designers: {mode: additive, members: {from: designers.csv}}
  Interns 2024: {state: absent, allow_empty: true}
"""
TOML = """\
version = 1
account = "my-account"
guards = {max_removals = 10, max_removals_per_group = 0.2}
protect = ["dam-bot@example.com", "*@example.org"]

[groups."Photographers and Editors"]
id = "7f08f1f1fc910bf1f25274aef11d27"
previously = ['Photographers']
members = [
  "john.doe@example.com",  # [not] {structure}
  {email = "harry.potts@example.com", until = 2027-01-31, reason = "JIRA-12"},
  {id = "0abed8dfcc039ea05e2a1d494fd442"},
]

[groups.Designers]
mode = "additive"
members = {from = "designers.csv"}

[groups."Interns 2024"]
state = "absent"
allow_empty = true
"""
JSON = json.loads(json.dumps(yaml.safe_load(YAML), default=str))


def read(text: str | bytes, name: str = "groups.yaml", folder: Path | None = None) -> Desired:
    """Read a file of this content; without a folder, standard input in the format of the name."""
    content = text.encode() if isinstance(text, str) else text
    if folder is None:
        suffix = name.rpartition(".")[2]
        return read_file("-", stdin=io.BytesIO(content), format=suffix)
    (folder / name).write_bytes(content)
    return read_file(folder / name)


def problems(text: str | bytes, name: str = "groups.yaml", folder: Path | None = None) -> list[str]:
    """Return the problems of a file as "line: message; hint", after its name if it has one."""
    with pytest.raises(FileError) as caught:
        read(text, name, folder)
    assert str(caught.value).count("\n") == len(caught.value.problems) - 1
    shown = "-:" if folder is None else f"{folder}{os.sep}"
    return [str(at).removeprefix(shown if at.line else "") for at in caught.value.problems]


NOBODY = "for a group with nobody in it write `members: []` and `allow_empty: true`"
SHARE = 'write "25%", or a number from 0 to below 1'
DOMAIN = "write what follows the @, such as example.com; a subdomain is a domain of its own"
APART = "an item of `not_together` must name two groups or more, once each"
EMPTY = "for a group with nobody in it write `members: []` and `allow_empty: true`"
ITEMS = "in `protect` can match nobody; write each e-mail, ID or glob as an item of its own"
CUT = "found unexpected end of stream; is the file truncated?"
QUOTE = "is there a stray quote?"


def group(members: str, rest: str = "") -> str:
    return f"version: 1\ngroups:\n  A:\n    members: {members}\n{rest}"


def without_places(file: Desired) -> Desired:
    """Return what a file asks for, without its name, its digest and its lines."""
    nowhere = {"source": "", "line": 0}
    groups = tuple(
        attrs.evolve(
            found,
            members=tuple(attrs.evolve(member, **nowhere) for member in found.members),
            **nowhere,
        )
        for found in file.groups
    )
    return attrs.evolve(file, source="", digest="", groups=groups)


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("groups.yaml", YAML, [10, 11, 12]),
        ("groups.yml", YAML.replace("\n", "\r\n"), [10, 11, 12]),
        ("groups.yaml", "\ufeff" + YAML, [10, 11, 12]),
        ("groups.toml", TOML, [10, 11, 12]),
        ("groups.toml", TOML.replace("\n", "\r\n"), [10, 11, 12]),
        ("groups.json", json.dumps(JSON), [1, 1, 1]),
        ("groups.json", json.dumps(JSON, indent=1), [19, 20, 25]),
        ("GROUPS.JSON", "\ufeff" + json.dumps(JSON), [1, 1, 1]),
    ],
)
def test_every_format_asks_for_the_same_and_tells_the_lines(tmp_path, name, text, lines):
    (tmp_path / "designers.csv").write_text("email,until\n\nann@example.com,2026-12-31\n")
    found = read(text, name, tmp_path)
    first, second, _ = found.groups
    assert [member.line for member in first.members] == lines
    assert [(Path(m.source).name, m.line) for m in second.members] == [("designers.csv", 3)]
    assert without_places(found) == Desired(
        source="",
        digest="",
        account="my-account",
        guards=GuardLimits(max_removals=10, max_removals_per_group=0.2),
        protect=("dam-bot@example.com", "*@example.org"),
        groups=(
            DesiredGroup(
                name="Photographers and Editors",
                id="7f08f1f1fc910bf1f25274aef11d27",
                previously=("Photographers",),
                members=(
                    DesiredMember(email="john.doe@example.com"),
                    DesiredMember(
                        email="harry.potts@example.com", until=date(2027, 1, 31), reason="JIRA-12"
                    ),
                    DesiredMember(id="0abed8dfcc039ea05e2a1d494fd442"),
                ),
            ),
            DesiredGroup(
                name="Designers",
                mode="additive",
                members=(DesiredMember(email="ann@example.com", until=date(2026, 12, 31)),),
            ),
            DesiredGroup(name="Interns 2024", state="absent", allow_empty=True),
        ),
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("g.csv", "group,email,reason\nA,a@b.example,why\nB,,\n".replace("B,,", "B,c@d.example,")),
        ("g.csv", "sep=;\r\nGroup;E-Mail;Reason\r\n".replace("E-Mail", "EMAIL")
         + "A;a@b.example;why\r\nB;c@d.example;\r\n"),
        ("g.csv", "\ufeffemail\treason\tgroup\na@b.example\twhy\tA \n\nc@d.example\t\tB\n"),
        ("g.csv", '"group","email","reason"\n"A","a@b.example","why"\n"B","c@d.example",""\n'),
        ("g.jsonl", '{"group": "A", "email": "a@b.example", "reason": "why"}\n'
         '\n{"email": "c@d.example", "group": "B", "until": null}\n'),
    ],
)  # fmt: skip
def test_rows_ask_for_the_members_of_each_group(name, text):
    assert without_places(read(text, name)).groups == (
        DesiredGroup(name="A", members=(DesiredMember(email="a@b.example", reason="why"),)),
        DesiredGroup(name="B", members=(DesiredMember(email="c@d.example"),)),
    )


@pytest.mark.parametrize(
    "text",
    [
        YAML.replace("{from: designers.csv}", "[a@b.example]"),
        json.dumps(JSON).replace('{"from": "designers.csv"}', '["a@b.example"]'),
        json.dumps({"version": 1, "groups": {"A": {"members": ["a@b.example"]}}}, indent=1),
        "group,email\nA,a@b.example\n",
        "sep=;\ngroup;email\nA;a@b.example\n",
        '{"group": "A", "email": "a@b.example"}\n',
    ],
)
def test_standard_input_shows_its_format(text):
    (first, *_) = read_file("-", stdin=io.BytesIO(text.encode())).groups
    assert first.members[0].email in ("john.doe@example.com", "a@b.example")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("groups: {}", ["1: `version` is missing; write `version: 1`"]),
        ("version: 2\ngroups: {}", ["1: `version` must be 1, the only supported version"]),
        ('version: "1"\ngroups: {}', ["1: `version` must be 1, the only supported version"]),
        ("version: 1", ["1: `groups` is missing"]),
        ("version: 1\ngroups:\n", ["2: `groups` must be a mapping of names to groups"]),
        ("- a", ["1: the file must be a mapping"]),
        ("version: 1\ngroup: {}\ngroups: {}",
         ["2: unknown key `group` in the file; did you mean `groups`?"]),
        ("version: 1\ngroups:\n  A: {member: [a@b.example]}",
         ["3: unknown key `member` in the group `A`; did you mean `members`?",
          f"3: the group `A` has no `members`; {NOBODY}"]),
        ("version: 1\ngroups:\n  A:\n", [f"3: the group `A` has no `members`; {NOBODY}"]),
        (group("~"), [f"3: the group `A` has no `members`; {NOBODY}"]),
        (group("[]"),
         ["4: the group `A` is empty; write `allow_empty: true` if nobody is to be in it"]),
        (group("a@b.example"), ["4: `members` must be a list, or `{from: FILE}`"]),
        (group("{form: x.csv}"),
         ["4: unknown key `form` in `members`; did you mean `from`?",
          "4: `members` must be a list, or `{from: FILE}`"]),
        ("version: 1\ngroups:\n  A: [a@b.example]",
         ["3: the group `A` must be a mapping; put the list under `members:`"]),
        (group("[a@b.example, A@B.example]"),
         ["4: `A@B.example` occurs twice, first on line 4"]),
        (group("\n      - {id: u1}\n      - {id: u1, email: a@b.example}"),
         ["6: `a@b.example` occurs twice, first on line 5"]),
        (group("[u123]"), ["4: not an e-mail address: `u123`; write an ID as `{id: …}`"]),
        (group("[John <a@b.example>]"), ["4: not an e-mail address: `John <a@b.example>`"]),
        (group("[a@b]"), ["4: not an e-mail address: `a@b`"]),
        (group("[{reason: x}]"), ["4: a member needs an `email` or an `id`"]),
        (group("[{email: a@b.example, until: 31.01.2027}]"),
         ["4: `until` is not a date: `31.01.2027`; write YYYY-MM-DD"]),
        (group("[{email: a@b.example, until: [2027-02-01]}]"),
         ["4: `until` must be a date; write YYYY-MM-DD"]),
        (group("[{email: a@b.example, until: 2027-02-30}]"),
         ["4: `until` is not a date: `2027-02-30`; write YYYY-MM-DD"]),
        (group("[{email: a@b.example, untill: 2027-02-01}]"),
         ["4: unknown key `untill` in a member; did you mean `until`?"]),
        (group("[[a@b.example]]"), ["4: a member must be a mapping"]),
        (group("[a@b.example]", "  A:\n    members: [c@d.example]"),
         ["5: the group `A` occurs twice, first on line 3"]),
        (group("[a@b.example]", "  a :\n    members: [c@d.example]"),
         ["5: the group `a` occurs twice, first on line 3 as `A`"]),
        (group("[a@b.example]", '  "  A":\n    members: [c@d.example]'),
         ["5: the group `  A` occurs twice, first on line 3 as `A`"]),
        (group("[a@b.example]", '  "A\\u200b":\n    members: [c@d.example]'),
         ["5: the group `A\\u200b` occurs twice, first on line 3 as `A`"]),
        (group("[a@b.example]\n    members: [c@d.example]"),
         ["5: `members` occurs twice, first on line 4"]),
        (group("[a@b.example]\n    id: x", "  B: {id: x, members: [a@b.example]}"),
         ["6: the groups `A` (line 3) and `B` have one `id`"]),
        (group("[a@b.example]\n    mode: exakt"),
         ["5: `mode` must be `exact` or `additive`, not `exakt`"]),
        (group("[a@b.example]\n    state: absent"),
         ["4: the group `A` is to be absent: `members` is not allowed there"]),
        (group("[a@b.example]\n    allow_empty: yes"), ["5: `allow_empty` must be true or false"]),
        (group("[a@b.example]\n    id: '  '"), ["5: `id` is empty"]),
        ("version: 1\nguards: {max_removals: -1}\ngroups: {}",
         ["2: `max_removals` must be a whole number, 0 or more"]),
        ("version: 1\nguards: {max_removals_per_group: 1}\ngroups: {}",
         [f"2: `max_removals_per_group` must be a percentage, not `1`; {SHARE}"]),
        ("version: 1\nguards: {max_removals_per_group: 101%}\ngroups: {}",
         [f"2: `max_removals_per_group` must be a percentage, not `101%`; {SHARE}"]),
        ("version: 1\nguards: {max_removals_per_group: few}\ngroups: {}",
         [f"2: `max_removals_per_group` must be a percentage, not `few`; {SHARE}"]),
        ("version: 1\nprotect: a@b.example\ngroups: {}", ["2: `protect` must be a list"]),
        ("version: 1\nemail_domains:\n- '@a.example'\n- '*.example'\n- a\ngroups: {}",
         [f"{line}: not a domain: `{text}`; {DOMAIN}"
          for line, text in ((3, "@a.example"), (4, "*.example"), (5, "a"))]),
        ("version: 1\nemail_domains: []\ngroups: {}",
         ["2: `email_domains` is empty; leave it out, or list what it is about"]),
        ("version: 1\nrequire_until: perhaps\nmax_members: 1\ngroups: {}",
         ["2: `require_until` must be true or false",
          "3: unknown key `max_members` in the file; known: version, account, guards, protect, "
          "email_domains, require_until, not_together, groups, users"]),
        ("version: 1\nnot_together:\n- Finance\n- [A]\n- [A, ' A']\n- []\ngroups: {}",
         ["3: an item of `not_together` must be a list", f"4: {APART}", f"5: {APART}",
          "6: an item of `not_together` is empty; leave it out, or list what it is about"]),
        ("version: 1\nnot_together: [A, B]\ngroups: {}",
         ["2: an item of `not_together` must be a list"]),
        ("version: 1\nnot_together: A\ngroups: {}",
         ["2: `not_together` must be a list with something in it; write a list of lists of groups: "
          "[[Finance, Auditors]]"]),
        (group("[a@b.example]\n    max_members: few\n    not_with_role: Admin"),
         ["5: `max_members` must be a whole number, 0 or more",
          "6: `not_with_role` must be a list"]),
        (group("[a@b.example]\n    managed_by: ''"), ["5: `managed_by` is empty"]),
        (group("[a@b.example]\n    owner: ''"), ["5: `owner` is empty"]),
        (group("[a@b.example]\n    owner: a@b"),
         ["5: `owner` is not an e-mail address: `a@b`"]),
        (group('[a@b.example]\n    owner: "a\\u202eb"'),
         ["5: a bidi control character (U+202E) in `owner`: `a\\u202eb`"]),
        ("version: 1\ngroups:\n  A:\n    state: absent\n    max_members: 1\n    managed_by: x",
         ["5: the group `A` is to be absent: `max_members` is not allowed there"]),
        (group("\n    managed_by: scim"),
         [f"3: the group `A` has no `members`; {EMPTY}"]),
        ("version: 1\nprotect:\n- DAM bot\n- a@b.example;c@d.example\n- '*@a.example, u1'\n"
         "groups: {}",
         [f"3: `DAM bot` {ITEMS}", f"4: `a@b.example;c@d.example` {ITEMS}",
          f"5: `*@a.example, u1` {ITEMS}"]),
        (group('["a@b.example\\n"]'), ["4: a line break (U+000A) in `email`: `a@b.example\\n`"]),
        ("version: 1\ngroups: &a {}", ["2: an anchor, `&a`: not supported; write the value out"]),
        ("version: 1\nprotect: [*a]\ngroups: {}",
         ["2: an alias, `*a`: not supported; write the value out"]),
        ("version: !!int 1\ngroups: {}",
         ["1: a tag, `tag:yaml.org,2002:int`: not supported; tags have no meaning here"]),
        ("version: 1\ngroups:\n  <<: {members: [a@b.example]}",
         ["3: a merge key, `<<`: not supported; write the values out"]),
        ("version: 1\ngroups:\n  ? [a]\n  : b",
         ["3: a key must be text, not a list or a mapping"]),
        ("version: 1\n---\nversion: 1", ["2: a second document in one file"]),
        ("a: " + "[" * 30 + "]" * 30, ["1: nested too deeply"]),
        ("# nothing\n", ["-: the file is empty"]),
    ],
)  # fmt: skip
def test_a_mistake_in_yaml_is_an_error_with_its_line(text, expected):
    assert problems(text) == expected


RULED = """\
version: 1
email_domains: [example.com, " Example.org "]
require_until: true
not_together:
  - [Finance, Auditors]
  - [A, B, C]
groups:
  Finance:
    max_members: 10
    email_domains: [example.com]
    require_until: false
    not_with_role: [Master admin]
    members: [a@b.example]
  Everyone: {managed_by: scim}
"""
RULED_TOML = """\
version = 1
email_domains = ["example.com", " Example.org "]
require_until = true
not_together = [
  ["Finance", "Auditors"],
  ["A", "B", "C"]]

[groups.Finance]
max_members = 10
email_domains = ["example.com"]
require_until = false
not_with_role = ["Master admin"]
members = ["a@b.example"]
[groups.Everyone]
managed_by = "scim"
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("g.yaml", RULED),
        ("g.toml", RULED_TOML),
        ("g.json", json.dumps(yaml.safe_load(RULED))),
    ],
)
def test_rules_are_read_with_their_lines(name, text):
    found = read(text, name)
    rules = [(each.kind, each.values, each.limit) for each in found.rules]
    assert rules == [
        ("email_domains", ("example.com", "Example.org"), None),
        ("require_until", (), None),
        ("not_together", ("Finance", "Auditors"), None),
        ("not_together", ("A", "B", "C"), None),
    ]
    finance, everyone = found.groups
    assert [(each.kind, each.values, each.limit) for each in finance.rules] == [
        ("max_members", (), 10),
        ("email_domains", ("example.com",), None),
        ("not_with_role", ("Master admin",), None),
    ]
    lines = [each.line for each in (*found.rules, *finance.rules)]
    json_lines = [1] * len(lines)
    assert lines == (json_lines if name == "g.json" else [2, 3, 5, 6, 9, 10, 12])
    assert (everyone.managed_by, everyone.mode, everyone.members) == ("scim", "additive", ())


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("g.json", '{"version": 1,\n "groups": {"A": {"members": ["a@b.example"',
         ["2: not JSON: `,` is missing; is the file truncated?"]),
        ("g.json", '{"version": 1,\n "groups": {"A": {"members": ["a@b.exa',
         ["2: not JSON: unterminated string starting; is the file truncated?"]),
        ("g.json", '{"version": 1, "groups": {}} x',
         ["1: not JSON: text after the end of the document"]),
        ("g.json", '{"version": 1, "groups": {"A": {"id": 12, "members": ["a@b.example"]}}}',
         ["1: `id` must be text; write it in quotes"]),
        ("g.json", '{"version": 1, "groups": {}, "users": [{"id": "u1",\n"reason": "x"}]}',
         ["2: unknown key `reason` in a user; known: email, id"]),
        ("g.json", '{"version": 1,\n"version": 1, "groups": {}}',
         ["2: `version` occurs twice, first on line 1"]),
        ("g.json", '{"version": 1, "groups": {"\\ud800": {"members": ["a@b.example"]}}}',
         ["1: not JSON: half of a surrogate pair"]),
        ("g.json", "[" * 100_000, ["1: nested too deeply"]),
        ("g.toml", 'version = 1\n[groups.A]\nmembers = ["a@b.example"',
         ["3: not TOML: Unclosed array; is the file truncated?"]),
        ("g.toml", "version = 1\nversion = 1\n", ["2: not TOML: Cannot overwrite a value"]),
        ("g.toml", 'version = 1\n[groups]\n"A".members = [\n"x",\n"""a@b.example""",\n{ id = 1 }]',
         ["4: not an e-mail address: `x`; write an ID as `{id: …}`",
          "6: `id` must be text; write it in quotes"]),
        ("g.toml", 'version = 1\nguards."max\\u005fremovals" = 1.5\n[groups.A]\n'
         "allow_empty = 07:32:00  # [[\n[[groups.A.members]]\nid = 'x'\n[[groups.A.members]]\n"
         "until = 2027-01-01 10:00:00\nid = true\n[[groups.A.members]]\n[groups.A.members.id]\n",
         ["2: `max_removals` must be a whole number, 0 or more",
          "4: `allow_empty` must be true or false",
          "8: `until` is not a date: `2027-01-01T10:00:00`; write YYYY-MM-DD",
          "9: `id` must be text; write it in quotes", "11: `id` must be text"]),
        ("g.toml", 'version = 1\n[groups]\n["\\u0000"]\nx = 1\n',
         [r"3: unknown key `\x00` in the file; known: version, account, guards, protect, "
          "email_domains, require_until, not_together, groups, users"]),
        ("g.toml", "a = " + "[" * 10_000, ["-: nested too deeply"]),
        ("g.yaml", "version: 1\ngroups:\n  A: {members: ['a@b.exa",
         [f"3: not YAML: while scanning a quoted scalar, {CUT}"]),
        ("g.yaml", "version: 1\ngroups:\n  'A:\n    members: [a@b.example]\n\n",
         [f"3: not YAML: while scanning a quoted scalar, {CUT}"]),
        ("g.yaml", "version: 1\ngroups:\n\tA: x\n",
         ["3: not YAML: a tab in the indentation; indent with spaces"]),
        ("g.yaml", "version: 1\ngroups:\n  A:\n  \tmembers: []\n",
         ["4: not YAML: a tab in the indentation; indent with spaces"]),
        ("g.yaml", "version: 1\nprotect:\n  - *@example.com\ngroups: {}\n",
         ["3: not YAML: a value that begins with `*`; write it in quotes: \"*@example.com\""]),
        ("g.yaml", "version: 1\nprotect: [ann@example.com, *.ops@example.com]\ngroups: {}\n",
         ["2: not YAML: a value that begins with `*`; write it in quotes: \"*.ops@example.com\""]),
        ("g.yaml", "version: 1\ngroups:\n  A: {members: [@example.com]}\n",
         ["3: not YAML: a value that begins with `@`; write it in quotes"]),
        ("g.yaml", "version: 1\ngroups:\n  A:\n    members: []\n   mode: exact\n",
         ["5: not YAML: while parsing a block mapping, did not find expected key; "
          "indent it as the lines above it"]),
        ("g.yaml", "version: 1\ngroups\n  A:\n    members: [a@b.example]\n",
         ["2: not YAML: no colon after `groups`; end a key with `:`, begin an item with `- `"]),
        ("g.yaml", "version: 1\ngroups:\n  A:\n    members:\n      - a@b.example\n"
         "      c@d.example\n    mode: exact\n",
         ["6: not YAML: no colon after `c@d.example`; end a key with `:`, begin an item with "
          "`- `"]),
        ("g.yaml", 'version: 1\ngroups:\n  "\\u3164": {members: [a@b.example]}\n',
         ["3: a group's name is empty"]),
        ("g.csv", "group,email\n\ufe0f,a@b.example\n", ["2: the row names no group"]),
        ("g.yaml", "version: 1\ngroups:\n  A: why: not\n",
         ["3: not YAML: mapping values are not allowed in this context; indent it as the lines "
          "above it, or quote a value that has a colon in it"]),
        ("g.csv", "group,email\nA,a@b.example\nA,",
         ["3: a member needs an `email` or an `id`"]),
        ("g.csv", "group,email,reason\nA,a@b.example,\nA,c@d.exam",
         ["3: 2 cells in a row, 3 in the header; is the file truncated?"]),
        ("g.csv", 'group,email\nA,"a@b.exam',
         ["2: not CSV: unexpected end of data; is the file truncated?"]),
        ("g.csv", 'group,email\nA,a@b.example\nA,"x" y@b.example\nB,z',
         ["3: not CSV: ',' expected after '\"'"]),
        ("g.csv", "group,email\nA,a@b.example,x\nA,b\n",
         ["2: 3 cells in a row, 2 in the header; quote a cell that has `,` in it",
          "3: not an e-mail address: `b`; write an ID as `{id: …}`"]),
        ("g.csv", "group;email;reason\nA;a@b.example;one; two\n",
         ["2: 4 cells in a row, 3 in the header; quote a cell that has `;` in it"]),
        ("g.csv", "group,email,\nA,a@b.example,x\n", ["2: 3 cells in a row, 2 in the header; "
         "quote a cell that has `,` in it"]),
        ("g.csv", "group,,email\nA,x,a@b.example\n", ["2: `x` is in a column without a name"]),
        ("g.csv", "A,a@b.example\nA,c@d.example\n", ["1: the header is missing; the first row "
         "must name the columns: group, email, id, reason, until"]),
        ("g.csv", 'group,email\n"A\nA",a@b.example\n',
         [f"2: a line break in `group`; {QUOTE}"]),
        ("g.csv", 'id,group,until,email\n"u1\n",A,"2030-01-01\r\n","a@b.example\r"\n',
         [f"2: a line break in `{name}`; {QUOTE}" for name in ("id", "until", "email")]),
        ("g.csv", 'group,email,reason\nA,a@b.example,"why\nA,c@d.example,"\n',
         [f"2: a row inside a `reason`; {QUOTE}"]),
        ("g.csv", 'group,id,reason\nA,u1,"why\nA,u2,\nA,u3,why"\n',
         [f"2: a row inside a `reason`; {QUOTE}"]),
        ("g.csv", 'group,id,name\nA,u1,"Ann\nA,u2,Ben"\n',
         [f"2: a row inside the cell `Ann\\nA,u2,Ben`; {QUOTE}"]),
        ("g.csv", 'reason,id,group\n"why,u1,A\nwhy",u2,A\n',
         [f"2: a row inside a `reason`; {QUOTE}"]),
        ("g.csv", 'reason,email,group\n"why,a@b.example,A\nwhy",c@d.example,A\n',
         [f"2: a row inside a `reason`; {QUOTE}"]),
        ("g.csv", "group,email\n", ["-: there are no rows; an empty source is an error"]),
        ("g.csv", ",\n , \n", ["-: there are no rows; an empty source is an error"]),
        ("g.csv", "group,mail\nA,a@b.example\n",
         ["1: unknown column `mail`; did you mean `email`?", "1: the column `email` is missing"]),
        ("g.csv", "email,email\na@b.example,\n",
         ["1: the column `email` occurs twice", "1: the column `group` is missing"]),
        ("g.csv", "group,email\n,a@b.example\n", ["2: the row names no group"]),
        ("g.csv", "group,email\nA,a@b.example\na,c@d.example\n",
         ["3: the group `a` is spelt `A` on line 2"]),
        ("g.csv", "group,email\nA,a@b.example\n\ufeffA,c@d.example\n",
         [r"3: the group `\ufeffA` is spelt `A` on line 2"]),
        ("g.csv", "group,email\nA,a@b.example\nA,a@b.example\n",
         ["3: `a@b.example` occurs twice, first on line 2"]),
        ("g.csv", "group,email,until\nA,a@b.example,31/12/2027\n",
         ["2: `until` is not a date: `31/12/2027`; write YYYY-MM-DD"]),
        ("g.jsonl", '{"group": "A", "email": "a@b.example"}\n{"group": "A", "ema',
         ["2: not JSON: Unterminated string starting at; one object a line; "
          "is the file truncated?"]),
        ("g.jsonl", '{"group": "A", "emial": "a@b.example", "id": 1}\n[]\n',
         ["1: unknown key `emial`; did you mean `email`?", "1: `id` must be text",
          '2: not a JSON object; write {"group": …}']),
    ],
)  # fmt: skip
def test_a_mistake_in_another_format_is_an_error_with_its_line(name, text, expected):
    assert problems(text, name) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "-: the file is empty"),
        (b" \r\n\n", "-: the file is empty"),
        (codecs.BOM_UTF8, "-: the file is empty"),
        (codecs.BOM_UTF16_LE + "version: 1".encode("utf-16-le"), "1: encoded as UTF-16; save it as"
         " UTF-8"),
        ("version: 1".encode("utf-16-le"), "1: a NUL byte; save it as UTF-8"),
        (b"version: 1\ngroups: \0", "2: a NUL byte; is it a text file?"),
        ("version: 1\n# Zoë".encode("latin-1"), "2: not UTF-8: byte 0xeb; save it as UTF-8"),
        (b"version: 1\n# \x01", "2: not YAML: control characters are not allowed"),
        ("version: 1\n# Zoë ÄÖÜ\n# \x01\n\n\n".encode(),
         "3: not YAML: control characters are not allowed"),
    ],
)  # fmt: skip
def test_what_is_not_utf_8_text_is_an_error(content, expected):
    assert problems(content) == [expected]


def test_all_problems_of_a_file_and_its_includes_are_reported_at_once(tmp_path):
    (tmp_path / "people.csv").write_text("email\nx\ny\n")
    text = group("[x]\n    mod: exact", "  B: {members: {from: people.csv}}\n  C: {}\n")
    found = [at.split(": ")[0] for at in problems(text, "groups.yaml", tmp_path)]
    assert found == [
        *("groups.yaml:4", "groups.yaml:5", "groups.yaml:7", "people.csv:2", "people.csv:3"),
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("missing.csv", "4: cannot read `missing.csv`: No such file or directory"),
        ("../people.csv", "4: `../people.csv` is outside the file's folder"),
        ("/etc/people.csv", "4: `/etc/people.csv` is outside the file's folder"),
        ("link.csv", "4: `link.csv` is outside the file's folder"),
        ("loop.csv", "4: cannot read `loop.csv`: Too many levels of symbolic links"),
        ("people.yaml", "4: cannot include `people.yaml`; known: .csv, .jsonl, .ndjson"),
        ("folder.csv", "4: cannot read `folder.csv`: Is a directory"),
        (r'"a\0b.csv"', r"4: cannot include `a\x00b.csv`; a NUL character is in its name"),
    ],
)
def test_an_include_that_cannot_be_read_is_an_error_where_it_stands(tmp_path, path, expected):
    folder = tmp_path / "folder"
    (folder / "folder.csv").mkdir(parents=True)
    (tmp_path / "people.csv").write_text("email\na@b.example\n")
    (folder / "link.csv").symlink_to(tmp_path / "people.csv")
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    found = problems(group(f"{{from: {path}}}"), "groups.yaml", folder)
    assert found == [f"groups.yaml:{expected}"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("email\n", "there are no rows"),
        ("", "the file is empty"),
        ("group,email\nA,a@b.example\n", "unknown column `group`"),
    ],
)
def test_an_empty_include_is_an_error_even_where_a_group_may_be_empty(tmp_path, text, expected):
    (tmp_path / "people.csv").write_text(text)
    file = group("{from: people.csv}\n    allow_empty: true")
    assert expected in problems(file, "groups.yaml", tmp_path)[0]


def test_lists_and_includes_can_be_mixed_and_shared(tmp_path):
    (tmp_path / "people.jsonl").write_text('{"email": "c@d.example"}\n')
    text = group("[a@b.example, {from: people.jsonl}]", "  B: {members: {from: people.jsonl}}\n")
    first, second = read(text, "groups.yaml", tmp_path).groups
    assert [member.email for member in first.members] == ["a@b.example", "c@d.example"]
    assert [member.email for member in second.members] == ["c@d.example"]


def test_a_mistake_in_a_file_that_two_groups_include_is_reported_once(tmp_path):
    (tmp_path / "people.csv").write_text("email\nx\n")
    text = group("{from: people.csv}", "  B: {members: {from: people.csv}}\n")
    assert len(problems(text, "groups.yaml", tmp_path)) == 1


def test_a_member_both_listed_and_included_is_an_error(tmp_path):
    (tmp_path / "people.csv").write_text("email\na@b.example\n")
    (found,) = problems(group("[a@b.example, {from: people.csv}]"), "groups.yaml", tmp_path)
    assert (
        found == f"people.csv:2: `a@b.example` occurs twice, first on line {tmp_path}/groups.yaml:4"
    )


@pytest.mark.parametrize(
    "text",
    [
        "Team,E-Mail\nDesigners,a@b.example\n",
        "group;mail\nA;a@b.example\n",
        "Designers,a@b.example\nDesigners,c@d.example\n",
        '"Group name","email"\n"A","a@b.example"\n',
        "group\nA\n",
        '{"team": "A", "mail": "a@b.example"}\n',
    ],
)
def test_rows_with_wrong_names_on_standard_input_are_not_taken_for_yaml(text):
    with pytest.raises(FileError) as caught:
        read_file("-", stdin=io.BytesIO(text.encode()))
    assert re.search("unknown (column|key)|header is missing|column `email` is", str(caught.value))
    assert "not YAML" not in str(caught.value)


@pytest.mark.parametrize("is_included", [False, True])
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes in folders")
def test_a_pipe_that_nobody_closes_is_an_error_after_a_time(tmp_path, is_included):
    os.mkfifo(tmp_path / "people.csv")
    (tmp_path / "groups.yaml").write_text(group("{from: people.csv}"))
    name = "groups.yaml" if is_included else "people.csv"
    with pytest.raises(FileError, match=r"people\.csv: a pipe that was not closed within 0\.05 s"):
        read_file(tmp_path / name, timeout=0.05)


def test_standard_input_that_nobody_closes_is_an_error_after_a_time():
    reading, writing = os.pipe()
    os.write(writing, b"group,email\n")
    with (
        os.fdopen(reading, "rb") as stdin,
        os.fdopen(writing, "wb"),
        pytest.raises(FileError, match=r"-: a pipe that was not closed within 0\.05 seconds"),
    ):
        read_file("-", stdin=stdin, timeout=0.05)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf")])
def test_a_time_to_wait_must_be_positive_and_finite(timeout):
    with pytest.raises(ValueError, match="timeout must be a positive number"):
        read_file("-", stdin=io.BytesIO(b"x"), timeout=timeout)


def test_standard_input_cannot_include_files():
    assert problems(group("{from: people.csv}")) == [
        "4: standard input cannot include a file; there is no folder to start from"
    ]


def test_the_digest_covers_included_files(tmp_path):
    people = tmp_path / "people.csv"
    people.write_text("email\na@b.example\n")
    before = read(group("{from: people.csv}"), "groups.yaml", tmp_path).digest
    people.write_text("email\nc@d.example\n")
    assert read(group("{from: people.csv}"), "groups.yaml", tmp_path).digest != before


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ('[]\n    reason: |\n      - {email: a@b.example, id: "1"}\n    allow_empty: true', []),
        ('\n      - {email: a@b.example, id: "1"}\n      - c@d.example', [("1", 7), (None, 8)]),
        (
            '\n      - {email: a@b.example, id: "1"}\n      - {id: \ue000}',
            [("1", 7), ("\ue000", 8)],
        ),
        ('\n      - {email: a@b.example, id: n}\n      - {id: "3"}', [("n", 7), ("3", 8)]),
    ],
)
def test_lines_that_look_like_an_exported_member_are_read_as_any_other(members, expected):
    text = f"version: 1\naccount: acc\n# two\ngroups:\n  A:\n    members: {members}\n"
    [found] = read_file("-", stdin=io.BytesIO(text.encode())).groups
    assert [(each.id, each.line) for each in found.members] == expected
    assert found.reason in (None, '- {email: a@b.example, id: "1"}\n')


def test_text_that_is_the_mark_of_a_member_stays_on_its_line():
    (found,) = problems(group('\n      - "\\ue000"\n      - {email: a@b.example, id: "1"}'))
    assert found.startswith("5: not an e-mail address: `\\ue000`")


@pytest.mark.parametrize("end", [" " * 20_000, "," * 20_000, '"' + '\\"' * 20_000])
def test_what_json_ends_with_does_not_take_a_minute(end):
    begun = time.process_time()
    with suppress(FileError):
        read('{"version": 1, "groups": {}}' + end, "groups.json")
    assert time.process_time() - begun < 2


def test_a_file_beyond_the_limit_is_an_error(tmp_path):
    path = tmp_path / "groups.yaml"
    path.write_text(YAML)
    with pytest.raises(FileError, match="larger than 100 bytes"):
        read_file(path, max_bytes=100)


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileError, match=r"groups.yaml: cannot read the file: No such file"):
        read_file(tmp_path / "groups.yaml")


def test_the_name_must_show_the_format(tmp_path):
    (tmp_path / "groups.txt").write_text(YAML)
    with pytest.raises(FileError, match=r"unknown format: its name ends in `.txt`"):
        read_file(tmp_path / "groups.txt")
    with pytest.raises(ValueError, match="unknown format 'txt'"):
        read_file(tmp_path / "groups.txt", format="txt")


def test_messages_escape_what_could_drive_a_terminal():
    (found,) = problems('version: 1\n"\\e[31m": x\ngroups: {}')
    assert found.startswith(r"2: unknown key `\x1b[31m` in the file")


@pytest.mark.parametrize("name", ["yes", "null", "1.0", "2027-01-31", "0x1F", "~"])
def test_every_key_in_yaml_is_the_text_that_it_is(name):
    (found,) = read(f"version: 1\ngroups:\n  {name}: {{members: [a@b.example]}}\n").groups
    assert found.name == name


@pytest.mark.parametrize(
    "count", [20_000, pytest.param(100_000, marks=pytest.mark.exhaustive)], ids=str
)
@pytest.mark.parametrize("name", ["g.csv", "g.yaml"])
def test_thousands_of_lines_are_read_in_seconds(name, count):
    emails = [f"u{n}@b.example\n" for n in range(count)]
    if name == "g.csv":
        text = "group,email\nA," + "A,".join(emails)
    else:
        text = group("\n      - " + "      - ".join(emails))
    start = time.process_time()
    (found,) = read(text, name).groups
    assert len(found.members) == count
    assert found.members[-1].email == emails[-1].strip()
    # About 10 us a line on a quiet machine.
    assert time.process_time() - start < count * 150e-6


@given(st.data())
def test_a_file_cut_off_anywhere_never_asks_for_other_people(data):
    """A cut may go unseen between two members; but then those before it are as written."""
    name, text = data.draw(
        st.sampled_from(
            [
                ("g.csv", "group,email,id\nA,ann@example.com,u1\nA,bob@example.com,u2\n"),
                ("g.jsonl", '{"group":"A","email":"ann@example.com","id":"u1"}\n'
                 '{"group":"A","email":"bob@example.com","id":"u2"}\n'),
                ("g.json", json.dumps({"version": 1, "groups": {"A": {"members": [
                    {"email": "ann@example.com", "id": "u1"},
                    {"email": "bob@example.com", "id": "u2"}]}}})),
            ]
        )
    )  # fmt: skip
    whole = read(text, name).groups[0].members
    cut = data.draw(st.integers(0, len(text)))
    try:
        (found,) = read(text[:cut], name).groups
    except FileError:
        return
    assert found.members[:-1] == whole[: len(found.members) - 1]
    assert found.members[-1].email == whole[len(found.members) - 1].email


_cells = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1)


@st.composite
def spreadsheets(draw: st.DrawFn) -> tuple[bytes, list[tuple[str, str, str]]]:
    """Return a CSV file as some spreadsheet saves it, and its rows of group, e-mail and reason."""
    names = draw(st.lists(_cells, min_size=1, max_size=3, unique_by=name_key))
    reasons = (
        st.just("") | _cells | st.tuples(_cells, st.sampled_from(",;\t "), _cells).map("".join)
    )
    rows = [
        (draw(st.sampled_from(names)), f"u{number}@example.com", draw(reasons))
        for number in range(draw(st.integers(1, 4)))
    ]
    delimiter, end = draw(st.sampled_from(",;\t")), draw(st.sampled_from(["\n", "\r\n", "\r"]))
    columns = draw(st.permutations([0, 1, 2, 3]))  # the last is an empty one
    blank = st.sampled_from(["", "   ", delimiter * 3, f" {delimiter} "])
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    if draw(st.booleans()):
        text.write(f"sep={delimiter}{end}")
    for row in [("group", "email", "reason"), *rows]:
        writer.writerow([(*row, "")[column] for column in columns])
        text.write("".join(f"{line}{end}" for line in draw(st.lists(blank, max_size=2))))
    return draw(st.sampled_from([b"", codecs.BOM_UTF8])) + text.getvalue().encode(), rows


@given(spreadsheets(), st.sampled_from(["csv", None]))
def test_every_spreadsheet_is_read_as_the_rows_that_it_shows(sheet, chosen):
    content, rows = sheet
    read_back = [
        (found.name, member.email, member.reason or "")
        for found in read_file("-", stdin=io.BytesIO(content), format=chosen).groups
        for member in found.members
    ]
    assert sorted(read_back) == sorted(rows)


@given(st.data())
def test_stray_quotes_in_a_csv_file_swallow_nobody(data):
    order = data.draw(st.permutations(["group", "email", "until", "reason"]))
    rows = [
        {"group": name, "email": f"u{number}@example.com", "until": "", "reason": "for now"}
        for number, name in enumerate("AAB")
    ]
    text = "".join(",".join(row[name] for name in order) + "\n" for row in rows)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + '"' + text[at:]
    try:
        found = read(",".join(order) + "\n" + text, "g.csv").groups
    except FileError:
        return
    assert sum(len(each.members) for each in found) == len(rows)


@given(
    st.text(max_size=3),
    st.sampled_from("\0\n\r\x1b\x7f\x85\u2028\u202e\u202a\u2066\u2069"),
    st.text(max_size=3),
)
def test_no_format_has_names_with_characters_that_act(before, character, after):
    name = f"A{before}{character}{after}Z"
    member = {"members": ["a@b.example"]}
    document = json.dumps({"version": 1, "groups": {name: member}})
    for suffix, text in (
        ("json", document),
        ("yaml", f"version: 1\ngroups: {{{json.dumps(name)}: {{members: [a@b.example]}}}}"),
        ("jsonl", json.dumps({"group": name, "email": "a@b.example"})),
        ("csv", f'group,email\n"{name.replace(chr(34), chr(34) * 2)}",a@b.example\n'),
    ):
        with pytest.raises(FileError) as caught:
            read(text, f"g.{suffix}")
        assert caught.value.problems


_edited = st.builds(
    lambda text, at, length, put: text[:at] + put + text[at + length :],
    st.sampled_from([YAML, TOML, json.dumps(JSON, indent=1)]),
    st.integers(0, len(YAML)),
    st.integers(0, 5),
    st.text("\"'{}[],:#&\t\n ", max_size=2),
)


@given(st.binary(max_size=60) | (st.text(max_size=60) | _edited).map(str.encode))
def test_any_bytes_are_a_file_or_a_file_error(content):
    for suffix in ("yaml", "json", "toml", "csv", "jsonl"):
        try:
            read_file("-", stdin=io.BytesIO(content), format=suffix)
        except FileError as error:
            described = str(error)
            assert described
