"""Rules and managed groups in every output, with exit codes that are true."""

from __future__ import annotations

import pytest

from cld_user_groups.emulator import EmulatorRole

from .terminal import converse

FILE = """\
version: 1
email_domains: [example.com]
not_together: [[Designers, Marketing]]
groups:
  Designers:
    members:
      - john@example.com
      - harry@example.com
      - maria@example.com
  Everyone: {managed_by: scim, members: [john@example.com]}
"""
HELD = "groups.yaml:9: `maria@example.com` is not added to `Designers`: also in `Marketing`"
MANAGED = "groups.yaml:10: `Everyone` is managed by `scim`, and never written"
NOTE = "Managed elsewhere, and never written: `Everyone` by `scim` (line 10)."


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json", "csv"])
def test_every_output_of_a_plan_says_what_a_rule_holds_back(desk, form):
    done = desk("plan", desk.write(FILE), "--format", form, code=5)
    said = done.stdout + done.stderr
    assert HELD in said
    assert MANAGED in said
    if form != "csv":
        assert NOTE in said
    assert desk.writes() == 0


def test_a_breach_that_stands_is_a_warning_and_no_error(desk):
    group = "{mode: additive, members: [john@example.com]}"
    text = f"version: 1\nemail_domains: [example.org]\ngroups: {{Designers: {group}}}\n"
    done = desk("plan", desk.write(text), code=0)
    assert (
        "Warning: groups.yaml:2: in `Designers`, the e-mail is not in `example.org`:" in done.stdout
    )
    assert "Nothing to do" in desk("apply groups.yaml --yes").stdout


def test_apply_does_the_rest_and_is_incomplete(desk):
    text = FILE.replace("      - harry@example.com\n", "")
    desk("apply", desk.write(text), "--yes", code=5, says="also in `Marketing`")
    assert desk.members()["Designers"] == {"john"}
    assert "Everyone" not in desk.members()


def test_a_saved_plan_is_held_to_its_rules_on_the_account_of_now(desk):
    text = FILE.replace("[[Designers, Marketing]]", "[[Designers, Other]]")
    desk.emulator.add_group("Other")
    desk("plan", desk.write(text), "--out", "plan.json", code=5)
    other = next(group for group in desk.emulator.groups if group.name == "Other")
    maria = next(user for user in desk.emulator.users if user.email == "maria@example.com")
    desk.emulator.add_member(other, maria)
    desk("apply plan.json --yes", code=4, writes=0, err="also in `Other`")


def test_additions_alone_keep_the_rules(desk):
    members = "[john@example.com, maria@example.com]"
    text = f"version: 1\ngroups: {{Designers: {{max_members: 2, members: {members}}}}}\n"
    desk.write(text)
    desk("plan groups.yaml", code=0)
    desk("apply groups.yaml --adds-only --yes", code=5)
    assert desk.members()["Designers"] == {"john", "harry"}


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (None, "`Master Admin` is held by the user"),
        (403, "is not known (this account or API key does not have the Permissions API"),
    ],
)
def test_roles_are_read_for_a_rule_that_needs_them(desk, status, why):
    desk.emulator.roles.refused_with = status
    rule = "not_with_role: [Master Admin], members: [maria@example.com, john@example.com]"
    desk.write(f"version: 1\ngroups: {{Marketing: {{{rule}}}}}\n")
    done = desk("apply groups.yaml --yes", code=5, err=why)
    assert "`john@example.com` is not added to `Marketing`: " in done.stderr
    assert desk.members()["Marketing"] == {"maria"}
    desk.emulator.calls.assert_called("inspectMultiple", times=1 if status else 2)


RULED = """\
version: 1
groups:
  Marketing:
    not_with_role: [Editor]
    members: [maria@example.com, harry@example.com]
"""


def test_roles_are_read_again_after_the_question(shell):
    def promote() -> None:
        shell.emulator.roles.define(EmulatorRole(id="editor_1", name="Editor"))
        shell.emulator.roles.assign(shell.emulator.users[1].id, "editor_1", principal_type="user")

    screen = converse("apply", shell.write(RULED), typed="y\n", meanwhile=promote, code=4)
    assert "`Editor` is held by the user" in screen
    assert shell.writes() == 0


def test_an_account_read_before_roles_that_come_slowly_is_read_again(desk, monkeypatch):
    monkeypatch.setattr("cld_user_groups.membership.pace.LONG_PAUSE", 0.0)
    desk("plan", desk.write(RULED), code=0)
    desk.emulator.calls.assert_called("getUserGroups", times=2)


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json"])
def test_a_report_compares_the_account_with_the_rules_of_a_file(desk, form):
    desk.emulator.add_member(*(desk.emulator.groups[1], desk.emulator.users[0]))
    done = desk("report --file", desk.write(FILE), "--format", form, code=0, out="john@example.com")
    assert "nobody may be in both" in done.stdout


def test_a_report_reads_the_roles_of_those_whom_a_rule_is_about(desk):
    john = desk.emulator.users[0]
    desk.emulator.add_group("Everyone", users=[john])
    everyone = "Everyone: {managed_by: scim, not_with_role: [Master Admin]}"
    desk.write(f"version: 1\ngroups: {{{everyone}}}\n")
    document = desk.json("report --file groups.yaml")
    said = "Rule: groups.yaml:2: in `Everyone`, `Master Admin` is held by the user"
    assert f"{said}: `john@example.com`." in document["notes"]
    managed = {each["name"]: each["managed_by"] for each in document["groups"]}
    assert managed == {"Designers": None, "Everyone": "scim", "Marketing": None}
    desk.emulator.calls.assert_called("inspectMultiple", times=4)
