"""The journals over time: what was changed is found, and what is needed is never deleted."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cld_user_groups.membership import Plan, delete_journals, list_runs, prunable, verify_runs
from cld_user_groups.membership.journal import End, Ended, FileJournal, Intent, Line
from cld_user_groups.membership.result import Status
from cld_user_groups.membership.runs import read_journal

from .accounts import add

DAY = datetime(2026, 1, 1, tzinfo=UTC)


def plan(source: str) -> Plan:
    return Plan(
        account_id="acc", source=source, created_at=DAY, expires_at=DAY, changes=(add("c", "u1"),)
    )


def write(directory: Path, day: int, source: str = "groups.yaml", *, ends: bool = True) -> Path:
    """Write the journal of a run on a day."""
    at = DAY + timedelta(days=day)
    made = plan(source)
    journal = FileJournal(directory, made, at)
    lines: list[Line] = [
        Intent(at=at, position=0, change=made.changes[0]),
        Ended(at=at, position=0, status=Status.DONE, group_id="id-c"),
    ]
    for line in (*lines, *([End(at=at, summary={"done": 1})] if ends else [])):
        journal.add(line)
    journal.flush()
    journal.close()
    return journal.path


def remove_line(number: int) -> Callable[[bytes], bytes]:
    def edit(content: bytes) -> bytes:
        lines = content.splitlines(keepends=True)
        del lines[number - 1]
        return b"".join(lines)

    return edit


UNCHAINED = (
    b'{"type":"outcome","at":"2026-01-01T00:00:00Z","position":0,"status":"failed"}\n{"type"'
)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda text: text, ()),
        (lambda text: text + b'{"type":"intent","at":"20', ()),
        (lambda text: text.replace(b'"groups.yaml"', b'"other.yaml"', 1),
         ("line 1 was changed, or the line after it is missing",)),
        (lambda text: text.replace(b'"previous":"', b'"previous":"\xff', 1),
         ("line 1 was changed, or the line after it is missing",)),
        (lambda text: text.replace(b"u1", b"u2"),
         ("line 2 was changed, or the line after it is missing",)),
        (remove_line(3), ("line 2 was changed, or the line after it is missing",)),
        (remove_line(4), ("line 3 was changed, or lines after it are missing",)),
        (lambda text: text.replace(b'"done":1', b'"done":0'),
         ("line 4 was changed, or lines after it are missing",)),
        (lambda text: text.replace(b'{"type":"end"', UNCHAINED + b':"end"'),
         ("line 4 has no digest: it was changed or inserted",
          "line 4 was changed, or the line after it is missing")),
        (lambda text: re.sub(rb',"previous":"\w*"', b"", text),
         ("line 4 was changed, or lines after it are missing",)),
    ],
)  # fmt: skip
def test_a_changed_or_missing_line_is_named_with_its_number(tmp_path, edit, expected):
    paths = [write(tmp_path, day) for day in range(3)]
    paths[1].write_bytes(edit(paths[1].read_bytes()))
    latest, changed, first = verify_runs(tmp_path)
    assert changed.problems == expected
    assert (latest.problems, first.problems, latest.has_digests) == ((), (), True)
    assert changed.run == paths[1].stem


def test_a_line_that_is_not_json_is_named_and_no_other_run_is_accused(tmp_path):
    paths = [write(tmp_path, day) for day in range(3)]
    paths[1].write_bytes(paths[1].read_bytes().replace(b'{"type":"header"', b"{", 1))
    _, changed, first = verify_runs(tmp_path)
    assert "line 1: JSON is malformed" in changed.problems[0]
    assert first.problems == ()


def test_a_journal_of_an_earlier_version_is_said_to_be_without_digests(tmp_path):
    old = (Path(__file__).with_name("journal-1.jsonl")).read_bytes()
    path = tmp_path / "20260102T030405.000000Z-ab12.jsonl"
    path.write_bytes(old)
    write(tmp_path, 3)
    latest, first = verify_runs(tmp_path)
    assert read_journal(path).outcomes
    assert (first.has_digests, first.problems, latest.problems) == (False, (), ())
    path.write_bytes(old.replace(b'"verified":true', b'"verified":null'))
    assert verify_runs(tmp_path)[1].problems == (
        f"line {len(old.splitlines())} was changed, or lines after it are missing",
    )


def test_the_latest_journal_is_not_verified_without_its_digests(tmp_path):
    path = [write(tmp_path, day) for day in range(2)][-1]
    path.write_bytes(re.sub(rb',"previous":"\w*"', b"", path.read_bytes()).replace(b"u1", b"u2"))
    latest, first = verify_runs(tmp_path)
    said = "its digests were taken out, or an earlier version wrote it since"
    assert (latest.problems, latest.has_digests, first.problems) == ((said,), False, ())


def test_a_journal_under_the_name_of_another_run_is_told(tmp_path):
    paths = [write(tmp_path, day) for day in range(3)]
    contents = [path.read_bytes() for path in paths]
    for path, content in zip(paths[:2], (contents[1], contents[0]), strict=True):
        path.write_bytes(content)
    (tmp_path / "copy.jsonl").write_bytes(contents[2])
    found = {each.run: each.problems for each in verify_runs(tmp_path)}
    said = "the file was renamed or copied: it is the journal of "
    assert found == {
        paths[0].stem: (said + paths[1].stem,),
        paths[1].stem: (said + paths[0].stem,),
        paths[2].stem: (),
        "copy": (said + paths[2].stem,),
    }


def test_the_latest_run_that_can_be_read_is_kept_behind_an_unreadable_one(tmp_path):
    first, latest, unreadable = (write(tmp_path, day) for day in range(3))
    unreadable.write_bytes(b"{}\n")
    found = prunable(list_runs(tmp_path), DAY + timedelta(days=100))
    assert [each.id for each in found.runs] == [first.stem]
    assert {each.id: why for each, why in found.kept}[latest.stem] == "it is the latest run"
    delete_journals(found.runs)
    assert read_journal(write(tmp_path, 3)).header.sequence == 3


def test_only_what_nothing_needs_may_be_deleted(tmp_path):
    undone, plain, broken, unreadable = (
        write(tmp_path, 0),
        write(tmp_path, 1),
        write(tmp_path, 2, ends=False),
        write(tmp_path, 3),
    )
    unreadable.write_bytes(b"{}\n")
    undo = write(tmp_path, 40, f"undo of {undone.stem}")
    latest = write(tmp_path, 41)

    def outcome(days: int) -> tuple[list[str], dict[str, str]]:
        found = prunable(list_runs(tmp_path), DAY + timedelta(days=days))
        return [each.id for each in found.runs], {each.id: why for each, why in found.kept}

    assert outcome(10) == (
        [plain.stem],
        {
            unreadable.stem: "it cannot be read",
            broken.stem: "it was broken off",
            undone.stem: f"run {undo.stem} undid it",
        },
    )
    gone, kept = outcome(100)
    assert gone == [undo.stem, plain.stem, undone.stem]
    assert kept[latest.stem] == "it is the latest run"
    delete_journals(prunable(list_runs(tmp_path), DAY + timedelta(days=100)).runs)
    assert {each.id for each in list_runs(tmp_path)} == {latest.stem, broken.stem, unreadable.stem}
    sequence = read_journal(write(tmp_path, 42)).header.sequence
    assert sequence == 6  # the number that the unreadable one had is given again
