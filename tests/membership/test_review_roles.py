"""What groups grant, in the access review: who may do what, and that not known is never none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from attrs import evolve
from jsonschema import Draft202012Validator
from tests.membership.planned_accounts import account, desired, wanted
from tests.membership.reviewed import reviewed

from cld_user_groups.membership import Grant, Roles, Rule, review_schema
from cld_user_groups.membership.grants import NO_ROLE
from cld_user_groups.membership.review import (
    Kind,
    Review,
    RoleHolder,
    render_html,
    render_json,
    render_markdown,
    render_text,
    rows,
)
from cld_user_groups.membership.review.rendering import View

RENDERERS = [render_text, render_markdown, render_html]
REASON = "the Permissions API responded with status 500"


def role(name: str, where: str | None = "all", **fields: Any) -> Grant:
    scope = "prodenv" if where else "account"
    return Grant(name, f"cld::role::{scope}::{name}", scope, where, is_system=True, **fields)


EDITOR, ADMIN = role("media_editor"), role("master_admin")
ADMIN_OF_E1, ADMIN_OF_ACCOUNT = role("master_admin", "e1"), role("master_admin", None)
IN_FOLDER = role("contributor", "e1", within=(("folder_id", "f1"),))


def made(
    groups: Mapping[str, str],
    granted: Mapping[str, Iterable[Grant]],
    own: Mapping[str, Iterable[Grant]] | None = None,
    **fields: Any,
) -> Review:
    """Return the review of groups of people of one letter; who is not in `granted` is not known."""
    known = {("group", f"g-{name}"): tuple(grants) for name, grants in granted.items()}
    known |= {("user", f"u-{name}"): tuple(grants) for name, grants in (own or {}).items()}
    return reviewed(account(groups, roles=Roles(known, REASON, requests=2)), **fields)


def of_roles(found: Review) -> list[tuple[str, str | None, str | None]]:
    """Return the findings of what is granted: the kind, the person and the group."""
    kinds = ("full_control_by_one_group", "same_access", "without_roles")
    return [
        (each.kind.value, each.user_id, each.group_id)
        for each in found.findings
        if each.kind in kinds
    ]


def test_each_role_has_its_groups_and_who_has_it_through_which():
    found = made(
        {"A": "ab", "B": "bc", "C": ""},
        {"A": [EDITOR], "B": [EDITOR, IN_FOLDER], "C": [ADMIN]},
        {"a": [ADMIN], "b": [EDITOR]},
    )
    assert [(each.grant, each.group_ids) for each in found.access] == [
        (ADMIN, ("g-C",)),
        (IN_FOLDER, ("g-B",)),
        (EDITOR, ("g-A", "g-B")),
    ]
    admins, in_folder, editors = (each.holders for each in found.access)
    assert admins == (RoleHolder(user_id="u-a", own=True, group_ids=()),)
    assert [(each.user_id, each.own, each.group_ids) for each in editors] == [
        ("u-a", False, ("g-A",)),
        ("u-b", True, ("g-A", "g-B")),
        ("u-c", None, ("g-B",)),
    ]
    assert [each.user_id for each in in_folder] == ["u-b", "u-c"]


@pytest.mark.parametrize(
    ("granted", "own", "groups"),
    [
        ({"A": [ADMIN], "B": []}, [], ["A"]),
        ({"A": [ADMIN], "B": []}, None, ["A"]),
        ({"A": [ADMIN], "B": [ADMIN]}, None, []),
        ({"A": [ADMIN], "B": []}, [ADMIN], []),
        ({"A": [ADMIN_OF_E1], "B": [ADMIN]}, None, ["B"]),
        ({"A": [ADMIN_OF_E1], "B": []}, [ADMIN], []),
        ({"A": [ADMIN_OF_E1, ADMIN], "B": []}, None, ["A"]),
        ({"A": [ADMIN_OF_E1], "B": [ADMIN_OF_ACCOUNT]}, None, ["A", "B"]),
        ({"A": [EDITOR, IN_FOLDER], "B": []}, None, []),
        ({"B": [ADMIN]}, None, ["B"]),
    ],
)
def test_full_control_through_one_group_only_is_found(granted, own, groups):
    found = made({"A": "a", "B": "ab"}, granted, None if own is None else {"a": own})
    of_a = [group for kind, user, group in of_roles(found) if user == "u-a"]
    assert of_a == [f"g-{name}" for name in groups]


@pytest.mark.parametrize(
    ("groups", "granted", "pairs"),
    [
        ({"A": "ab", "B": "ab"}, {"A": [EDITOR], "B": [EDITOR]}, [("g-B", "g-A")]),
        ({"A": "ab", "B": "ab"}, {"A": [EDITOR], "B": [EDITOR, ADMIN]}, []),
        ({"A": "ab", "B": "ab"}, {"A": [EDITOR]}, []),
        ({"A": "ab", "B": "ab"}, {}, []),
        ({"A": "ab", "B": "abc"}, {"A": [EDITOR], "B": [EDITOR]}, []),
        ({"A": "", "B": ""}, {"A": [EDITOR], "B": [EDITOR]}, []),
        (
            {"A": "a", "B": "a", "C": "a"},
            {"A": [], "B": [], "C": []},
            [("g-B", "g-A"), ("g-C", "g-A")],
        ),
    ],
)
def test_groups_with_the_same_members_and_roles_are_found(groups, granted, pairs):
    found = [
        (each.group_id, each.same_as)
        for each in made(groups, granted).findings
        if each.kind is Kind.SAME_ACCESS
    ]
    assert found == pairs


def test_only_a_group_of_which_that_is_known_is_without_a_role():
    found = made({"A": "a", "B": "b", "C": "c"}, {"A": [EDITOR], "B": []})
    assert of_roles(found) == [("without_roles", None, "g-B")]


@pytest.mark.parametrize("render", RENDERERS)
def test_roles_that_are_not_known_are_said_once_and_never_none(render):
    text = render(made({"A": "a", "B": "b"}, {}))
    assert text.count(REASON) == 1
    assert text.count("not known") >= 3  # the reason, and each group
    assert NO_ROLE not in text
    assert "no global role" not in text
    assert "Full control" not in text


@pytest.mark.parametrize("render", RENDERERS)
def test_groups_of_which_it_is_not_known_are_named(render):
    text = render(made({"A": "a", "Brand": "b"}, {"A": [EDITOR]}))
    assert "What Brand grants is not known" in text
    assert "Roles that people hold themselves are not known" in text
    assert "Full control through one group" not in text  # nor "nothing to report"


def test_a_note_names_at_most_ten_groups():
    names = [f"Group {number:02}" for number in range(13)]
    note = made(dict.fromkeys(names, ""), {"Group 00": []}).notes[0]
    assert note.startswith("What Group 01, Group 02, ")
    assert "Group 10 and 2 other groups grant is not known" in note


@pytest.mark.parametrize("render", RENDERERS)
def test_what_is_known_is_said_to_be_nothing_to_report(render):
    text = render(made({"A": "a"}, {"A": [EDITOR]}))
    (said,) = [line for line in text.splitlines() if "Nothing to report" in line]
    for part in ("Full control through one group only", NO_ROLE, "the same known roles"):
        assert part in said


@pytest.mark.parametrize("render", RENDERERS)
def test_every_format_has_what_groups_grant_and_who_may_do_what(render):
    groups = {"Staff": "ab", "Crew": "b"}
    granted = {"Staff": [ADMIN, IN_FOLDER], "Crew": [ADMIN]}
    text = render(made(groups, granted, {"a": [], "b": [IN_FOLDER]}))
    for part in (ADMIN.text, IN_FOLDER.text, "through Crew, Staff", "What groups grant"):
        assert part in text
    assert "assigned to the person and through Staff" in text
    assert "Roles that people hold themselves" not in text


def test_full_control_stands_out_in_html():
    text = render_html(made({"A": "a"}, {"A": [ADMIN, EDITOR]}, {"a": []}))
    assert text.count(f'<strong class="remove">{ADMIN.text}</strong>') == 3  # one of them a finding
    assert f"<li>{EDITOR.text}</li>" in text


@pytest.mark.parametrize("render", [*RENDERERS, render_json])
def test_what_was_not_read_is_not_spoken_of(render):
    text = render(reviewed(account({"A": "a"}))).rpartition("</style>")[2]
    for part in ("grants", "may do what", "same known roles", "without_roles"):
        assert part not in text
    assert render is not render_json or json.loads(text)["roles"] is None


@pytest.mark.parametrize(
    "found",
    [
        made({"A": "ab", "B": "b"}, {"A": [ADMIN, IN_FOLDER], "B": []}, {"a": [EDITOR]}),
        made({"A": "ab", "B": "ab"}, {"A": [EDITOR]}),
        made({"A": "a"}, {}),
        made({}, {}),
    ],
    ids=["known", "in part", "not known", "no groups"],
)
def test_the_document_matches_its_schema(found):
    Draft202012Validator(review_schema()).validate(json.loads(render_json(found)))


def test_the_document_says_who_may_do_what_and_null_where_it_is_not_known():
    found = made({"A": "a", "B": "b"}, {"A": [ADMIN]}, {"a": []})
    roles = json.loads(render_json(found))["roles"]
    assert roles["not_known_because"] == REASON
    assert roles["groups"] == [
        {"group": "g-A", "granted": [ADMIN.document]},
        {"group": "g-B", "granted": None},
    ]
    assert roles["people"] == [{"user": "u-a", "granted": []}, {"user": "u-b", "granted": None}]
    assert roles["access"] == [
        {
            **ADMIN.document,
            "groups": ["g-A"],
            "people": [{"user": "u-a", "own": False, "groups": ["g-A"]}],
        }
    ]


def test_rows_have_what_the_group_grants_and_what_is_found_of_it():
    found = made({"A": "a", "B": "a", "C": "a"}, {"A": [ADMIN, EDITOR], "B": []})
    of_groups = {row[0]: row[-3:-1] for row in rows(found)}
    assert of_groups["A"][1] == f"{ADMIN.text}; {EDITOR.text}"
    assert "full_control_by_one_group" in of_groups["A"][0]
    assert of_groups["B"] == ("last_login_unknown; without_roles", NO_ROLE)
    assert of_groups["C"] == ("last_login_unknown", "not known")


def test_a_finding_about_a_group_counts_in_its_decision():
    found = made({"A": "ab"}, {"A": []})
    found = evolve(found, findings=tuple(e for e in found.findings if e.user_id is None))
    assert View(found).to_look_at(found.groups[0]) == 1


FILE = desired(
    wanted("A", "a", managed_by="scim"),
    wanted("B", rules=(Rule(kind="not_with_role", values=("master_admin",), line=4),)),
    rules=(Rule(kind="max_members", limit=1, line=2),),
)


@pytest.mark.parametrize("render", RENDERERS)
def test_what_manages_a_group_and_what_breaks_a_rule_are_shown(render):
    found = made({"A": "ab", "B": "b"}, {"A": [ADMIN], "B": []}, {"b": []}, desired=FILE)
    text = render(found)
    for part in ("managed by", "scim", "Rule: ", "may have 1"):
        assert part in text
    assert "is held through" in text
    document = json.loads(render_json(found))
    Draft202012Validator(review_schema()).validate(document)
    assert [group["managed_by"] for group in document["groups"]] == ["scim", None]
    assert sum(note.startswith("Rule: ") for note in document["notes"]) == 2
    assert {row[0]: row[-1] for row in rows(found)} == {"A": "scim", "B": None}


def test_a_role_that_is_not_known_is_no_proof_that_a_rule_is_kept():
    found = made({"A": "ab", "B": "b"}, {"A": [ADMIN], "B": []}, desired=FILE)
    assert any("is held through" in each for each in found.notes)
    found = made({"A": "ab", "B": "b"}, {}, desired=FILE)
    assert any("not known" in each and REASON in each for each in found.notes)
