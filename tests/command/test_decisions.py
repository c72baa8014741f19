"""`report --decisions`, a spreadsheet, then `plan` and `apply --from-review`, and the file."""

from __future__ import annotations

import csv
import io
import subprocess
import sys

import pytest

from .recipes import Machine
from .shell import SAMPLE, Shell
from .terminal import screen_of

FILE = """\
version: 1
groups:
  Designers:
    owner: ann@example.com
    members:
      - john@example.com
      - harry@example.com
"""
JOHN = "0abed8dfcc039ea05e2a1d494fd442"
SHEET = "decisions.csv"


def sheet(shell: Shell, *options: str) -> list[dict[str, str]]:
    """Write the decisions of a report, and return its rows."""
    assert shell("report --decisions", SHEET, *options).exit_code == 0
    text = (shell.folder / SHEET).read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def decide(shell: Shell, rows: list[dict[str, str]], **choices: str) -> None:
    """Save rows as a spreadsheet does, with decisions by the name before the @."""
    for row in rows:
        row["decision"] = choices.get(row["email"].partition("@")[0], row["decision"])
    written = io.StringIO()
    writer = csv.DictWriter(written, sorted(rows[0]), delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    shell.write(b"\xef\xbb\xbf" + written.getvalue().encode(), SHEET)


def test_a_sheet_has_a_row_for_each_membership(shell):
    rows = sheet(shell, "--file", shell.write(FILE))
    assert [(row["group"], row["email"], row["owner"]) for row in rows] == [
        ("Marketing", "maria@example.com", ""),
        ("Designers", "harry@example.com", "ann@example.com"),
        ("Designers", "john@example.com", "ann@example.com"),
    ]
    last = rows[-1]
    assert (last["name"], last["user_id"], last["account"]) == ("John Doe", JOHN, "acc")
    assert last["roles"].startswith("Campaign Contributor")
    assert (last["decision"], last["by"], last["note"]) == ("", "", "")
    assert last["read_at"].endswith("Z")
    assert "last_login_unknown" in last["findings"]


def test_a_sheet_that_is_filled_in_is_not_replaced(shell):
    decide(shell, sheet(shell), john="remove")
    shell("report --decisions", SHEET, code=1, err="--force")


def test_decisions_are_applied_kept_in_the_file_and_undone(shell):
    name = shell.write(FILE)
    rows = sheet(shell, "--file", name)
    rows[-1] |= {"by": "ann@example.com", "note": "left the team"}
    decide(shell, rows, john="Remove ", harry="keep", maria="ask")
    planned = shell(f"plan {name} --from-review", SHEET, code=0, writes=0, members=SAMPLE)
    assert "decided by ann@example.com: left the team; line 4" in planned.stdout
    assert "Not decided: 1, `maria@example.com in Marketing`." in planned.stdout
    applied = shell(f"apply {name} --from-review", SHEET, "--yes", code=0)
    assert shell.members() == SAMPLE | {"Designers": {"harry"}}
    # The next nightly run adds them again, unless the file is edited as shown.
    assert [each["action"] for each in shell.json(f"plan {name}")["changes"]] == ["add_user"]
    assert shell(f"plan {name} --from-review", SHEET).stderr in applied.stderr
    shell.write(_patched(shell, applied.stderr))
    assert "groups.yaml lists none of them" in shell(f"plan {name} --from-review", SHEET).stderr
    assert "Nothing to do" in shell(f"plan {name}").stdout
    again = shell("plan --from-review", SHEET).stdout
    assert "Already in place: 1, `john@example.com in Designers`." in again
    shell("undo --yes", code=0, members=SAMPLE)


@pytest.mark.parametrize(
    ("read_at", "why"),
    [(None, " added it after the review; "), ("28.11.2026", "`read_at` does not say when ")],
)
def test_who_came_back_since_the_review_is_not_removed(shell, read_at, why):
    rows = sheet(shell)
    rows = [{**row, "read_at": read_at or row["read_at"]} for row in rows]
    decide(shell, rows, john="remove")
    shell("apply --from-review", SHEET, "--yes", code=0)
    shell("undo --yes", code=0)
    held = shell("apply --from-review", SHEET, "--yes", code=5, members=SAMPLE, out=why)
    assert "not removed: `john@example.com in Designers`, for " in held.stdout
    # Who was removed elsewhere since has gone, whatever the journals know.
    (designers,) = (each for each in shell.emulator.groups if each.name == "Designers")
    shell.emulator.remove_member(designers, JOHN)
    planned = shell("plan --from-review", SHEET, code=0)
    assert "Already in place: 1, `john@example.com in Designers`." in planned.stdout


def test_a_saved_plan_of_decisions_is_applied(shell):
    decide(shell, sheet(shell), john="remove")
    shell("plan --from-review", SHEET, "--out", "saved.json", err="No file of groups is known here")
    shell("apply saved.json --yes", code=0, members=SAMPLE | {"Designers": {"harry"}})
    assert "decided in a review" in shell("explain Designers john@example.com").stdout


def test_what_a_guard_refuses_is_not_to_be_taken_out_of_the_file(shell):
    name = shell.write(f"protect: [john@example.com]\n{FILE}")
    decide(shell, sheet(shell), john="remove")
    for command in ("plan", "apply"):
        refused = shell(command, name, "--from-review", SHEET, code=3)
        assert "Edit groups.yaml" not in refused.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals")
def test_a_narrow_terminal_breaks_no_line_of_the_edit(shell):
    people = '[john@example.com, {email: harry@example.com, reason: "a reason with many words"}]'
    name = shell.write(f"version: 1\ngroups:\n  Designers: {{members: {people}}}\n")
    decide(shell, sheet(shell), john="remove")
    screen = screen_of([["plan", name, "--from-review", SHEET, "--no-pager"]], (40, 24))
    assert f"\n-  Designers: {{members: {people}}}\n" in screen


@pytest.mark.skipif(sys.platform == "win32", reason="the how-to is for POSIX shells")
def test_the_quarterly_review_is_as_its_how_to_says(shell):
    machine = Machine(shell.folder)
    steps = machine.replay(
        "how-to/quarterly-review.md",
        confirming={"cld-user-groups apply groups.yaml --from-review decisions.csv"},
    )
    reported = next(steps)
    assert "Wrote 3 memberships to decide on to decisions.csv." in reported.stderr
    text = (shell.folder / SHEET).read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["group"]: row["owner"] for row in rows} == {
        "Designers": "ann@example.com", "Marketing": "bob@example.com",
    }  # fmt: skip
    decide(shell, rows, john="remove", harry="keep", maria="keep")
    planned, applied = next(steps), next(steps)
    assert (planned.returncode, applied.returncode) == (0, 0)
    assert "- john@example.com  decided in a review" in planned.stdout
    assert shell.members() == SAMPLE | {"Designers": {"harry"}}
    edited, agreed, signed = steps
    assert (edited.returncode, agreed.returncode, signed.returncode) == (0, 0, 0)
    assert edited.stdout.endswith("patching file groups.yaml\n")
    page = (shell.folder / "signed.html").read_text("utf-8")
    changed = page.partition('<h2 id="changes">')[2].partition("</section>")[0]
    assert "john@example.com" in changed
    assert "<small>by " in changed
    assert "not known" not in changed


def _patched(shell: Shell, shown: str) -> str:
    """Return the file of groups with the edit that was shown."""
    patch = shown[shown.index("--- groups.yaml") :]
    command = ["patch", "-p0", "-o", "-"]
    done = subprocess.run(
        command, input=patch, cwd=shell.folder, text=True, check=True, stdout=subprocess.PIPE
    )
    return done.stdout
