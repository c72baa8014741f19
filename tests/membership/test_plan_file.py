"""Saved plans: documented, lossless, and rejected where they contradict themselves."""

from __future__ import annotations

import json

import attrs
import pytest
from jsonschema import Draft202012Validator
from tests.membership import planned_accounts
from tests.membership.planned_accounts import account, planned, wanted

from cld_user_groups.membership import (
    DesiredGroup,
    GuardLimits,
    Plan,
    PlanFileError,
    Rule,
    load_plan,
    parse_plan,
    plan_schema,
    render_json,
    save_plan,
)

RULES = (Rule(kind="email_domains", values=("example.com",), line=2),)


def example() -> Plan:
    made = planned_accounts.example(protect=("x@example.com",), rules=RULES)
    return attrs.evolve(made, notes=("\x1b <b> “a note”",))


def test_a_saved_plan_has_the_documented_keys():
    document = json.loads(render_json(example()))
    assert document["format"] == "cld-user-groups/plan/1"
    assert (document["account"], document["source"]) == ("acc", "groups.yaml")
    assert document["summary"] == {
        "create_group": 1,
        "rename_group": 1,
        "add_user": 2,
        "remove_user": 1,
        "delete_group": 1,
        "requests": 6,
        "removals": 2,
    }
    removal = document["changes"][4]
    assert removal["action"] == "remove_user"
    assert removal["group"] == {"id": "g-Kept", "name": "Kept"}
    assert removal["user"] == {"id": "u-dee", "email": "dee@example.com"}
    assert (removal["reason"], removal["line"]) == ("not listed", 6)
    assert [breach["guard"] for breach in document["breaches"]] == ["deletes_members"]


def test_a_saved_plan_matches_its_schema():
    Draft202012Validator.check_schema(plan_schema())
    Draft202012Validator(plan_schema()).validate(json.loads(render_json(example())))


def test_the_schema_requires_every_key_that_the_reader_does():
    document = json.loads(render_json(example()))
    for key in document:
        without = {name: value for name, value in document.items() if name != key}
        assert not Draft202012Validator(plan_schema()).is_valid(without), key
        with pytest.raises(PlanFileError):
            parse_plan(json.dumps(without))


def test_a_plan_is_saved_and_loaded(tmp_path):
    for made in (example(), attrs.evolve(example(), read_with=("--columns", "group=Team"))):
        save_plan(made, tmp_path / "plan.json")
        assert load_plan(tmp_path / "plan.json") == made
        Draft202012Validator(plan_schema()).validate(json.loads(render_json(made)))


def test_a_plan_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(PlanFileError, match=r"plan.json: cannot read the plan: No such file"):
        load_plan(tmp_path / "plan.json")


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda d: d.update(format="cld-user-groups/plan/2"), "Invalid enum value"),
        (lambda d: d.update(extra=1), "unknown field `extra`"),
        (lambda d: d["changes"][0].update(action="drop"), r"\$.changes\[0\].action"),
        (lambda d: d["changes"][0].update(line="1"), r"\$.changes\[0\].line"),
        (lambda d: d["changes"].pop(), "its summary is not that of its changes"),
        (lambda d: d.update(read_with=["--server-url", "http://x"]), r"\$.read_with has more than"),
        (lambda d: d.update(read_with=["--columns"]), r"\$.read_with has more than"),
        (lambda d: d["summary"].update(removals=1), "its summary is not that of its changes"),
        (lambda d: d.update(created_at="2026-11-22T12:00:00"), "no time zone"),
        (lambda d: d["changes"][0].update(depends_on=[0]), "must name changes before it"),
        (lambda d: d["changes"][3].update(depends_on=[]), "lacks the creation of its group"),
        (lambda d: d["changes"][0]["group"].update(id="x"), "group.id must be null"),
        (lambda d: d["changes"][4]["group"].update(id=None), "group.id is missing"),
        (lambda d: d["changes"][4].update(user=None), "user must be an object"),
        (lambda d: d["changes"][0].update(user={"id": "a", "email": None}), "user must be null"),
        (lambda d: d["changes"][1].update(old_name=None), "old_name must be there for a rename"),
        (lambda d: d["changes"][0].update(members=[{"id": "a", "email": None}]), "members must be"),
        (
            lambda d: (d["changes"][5].update(members=[]), d["summary"].update(removals=1)),
            r"\$.changes\[5\].members are not those of the group's fingerprint",
        ),
        (lambda d: d["fingerprints"].pop("g-Kept"), r"fingerprints lacks the group of \$.changes"),
        (lambda d: d.pop("today"), "missing required field `today`"),
        (lambda d: d.update(expires_at="9999-12-31T23:59:59Z"), "must expire within 24 hours"),
        (lambda d: d.pop("rules"), "missing required field `rules`"),
        (lambda d: d["rules"][0].update(groups=[]), r"\$.rules\[0\].groups are too few"),
        (lambda d: d["rules"][0].update(limit=3), "limit must be there for max_members"),
        (lambda d: d["rules"][0].update(kind="max_members"), "limit must be there"),
        (lambda d: d["rules"][0].update(kind="any"), r"\$.rules\[0\].kind"),
        (lambda d: d.pop("managed"), "missing required field `managed`"),
        (
            lambda d: d["managed"].update({"g-Kept": "scim"}),
            r"\$.changes\[4\] is of a group in \$.managed",
        ),
        (lambda d: d["limits"].update(max_removals=-1), "max_removals must be 0 or more, not -1"),
        (lambda d: d["limits"].update(max_removals_per_group=1e308), "must be from 0 to 1"),
        (lambda d: d["limits"].update(max_removals_per_group=-0.1), "must be from 0 to 1"),
        (lambda d: d["changes"][5].update(depends_on=[]), "lacks 3, the add_user of `New`"),
    ],
)
def test_a_plan_that_contradicts_itself_is_rejected(edit, expected):
    document = json.loads(render_json(example()))
    edit(document)
    with pytest.raises(PlanFileError, match=expected):
        parse_plan(json.dumps(document))


@pytest.mark.parametrize("position", [1, 2])
def test_a_plan_waits_for_what_gives_access_and_frees_names(position):
    snapshot = account({"A": ["ann"], "B": ["bob"], "Gone": []})
    made = planned(
        snapshot,
        wanted("Gone", "ann", previously=("A",)),
        wanted("B", "ann", allow_empty=True),
        DesiredGroup(name="Gone", id="g-Gone", state="absent"),
    )
    document = json.loads(render_json(made))
    waiting = [change for change in document["changes"] if change["depends_on"]]
    assert waiting
    for change in waiting:
        change["depends_on"] = []
    with pytest.raises(PlanFileError, match="depends_on lacks"):
        parse_plan(json.dumps(document))


@pytest.mark.parametrize("share", [float("nan"), float("inf"), 1e308, -0.01])
def test_a_limit_out_of_its_range_is_no_limit(share):
    with pytest.raises(ValueError, match="max_removals_per_group must be from 0 to 1"):
        GuardLimits(max_removals_per_group=share)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b"null", render_json(example())[:-20]]
)
def test_what_is_not_a_plan_is_rejected(content):
    with pytest.raises(PlanFileError, match=r"plan.json: not a saved plan"):
        parse_plan(content)
