"""The journal: what is on disk, who can read it, and what a crash leaves."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from cld_user_groups.membership import journal
from cld_user_groups.membership.documents import journal_schema
from cld_user_groups.membership.history import read_history
from cld_user_groups.membership.journal import (
    End,
    Ended,
    FileJournal,
    Intent,
    JournalError,
    Line,
    encode_line,
)
from cld_user_groups.membership.lock import account_lock
from cld_user_groups.membership.model import Plan
from cld_user_groups.membership.result import Status, Stop
from cld_user_groups.membership.runs import list_runs, load_run, read_journal
from cld_user_groups.membership.state import state_directory

from .accounts import add, create, delete, rename

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PLAN = Plan(
    account_id="acc",
    source="groups.yaml",
    digest="abc",
    created_at=NOW,
    expires_at=NOW + timedelta(hours=1),
    changes=(create("n"), rename("a", "b"), add("c", "u1"), delete("d", "u2")),
)


def ended(position: int, status: Status = Status.DONE, **more: Any) -> Ended:
    return Ended(at=NOW, position=position, status=status, **more)


def intent(position: int) -> Intent:
    return Intent(at=NOW, position=position, change=PLAN.changes[position])


def written(directory: Path, *lines: Line, now: datetime = NOW) -> FileJournal:
    journal = FileJournal(directory, PLAN, now)
    for line in lines:
        journal.add(line)
    journal.flush()
    journal.close()
    return journal


LINES: tuple[Line, ...] = (
    intent(0),
    intent(1),
    ended(1, request_id="r1", group_id="id-a"),
    ended(0, Status.FAILED, error="Name is taken"),
    End(at=NOW, summary={"done": 1, "failed": 1}, verified=False, differences=("it is not",)),
)


def test_a_run_is_read_as_it_was_written(tmp_path):
    run = read_journal(written(tmp_path, *LINES).path)
    assert run.header.account == "acc"
    assert run.header.plan.source == "groups.yaml"
    assert run.header.by.pid == os.getpid()
    assert [(outcome.position, outcome.status) for outcome in run.outcomes] == [
        (1, Status.DONE),
        (0, Status.FAILED),
    ]
    assert run.outcomes[0].change == PLAN.changes[1]
    assert run.confirmed == run.outcomes[:1]
    assert run.end == LINES[-1]


def test_a_journal_of_the_first_version_is_read_and_still_written_so():
    path = Path(__file__).with_name("journal-1.jsonl")
    run = read_journal(path)
    (outcome,) = run.outcomes
    assert (run.header.sequence, run.header.by.host, outcome.status) == (7, "ops", Status.DONE)
    assert run.end.verified
    for line in path.read_bytes().splitlines(keepends=True):
        assert encode_line(msgspec.json.decode(line, type=Line)) == line


def test_what_was_announced_and_never_ended_is_unknown(tmp_path):
    run = read_journal(written(tmp_path, intent(2)).path)
    assert run.outcomes[0].status is Status.UNKNOWN
    assert run.unconfirmed == run.outcomes
    assert run.end is None


def test_the_last_line_about_a_change_counts(tmp_path):
    lines = (intent(0), ended(0, Status.NOT_STARTED), intent(0), ended(0))
    assert read_journal(written(tmp_path, *lines).path).outcomes[0].status is Status.DONE


def test_only_its_owner_can_read_it(tmp_path):
    directory = tmp_path / "state" / "acc"
    journal = written(directory)
    assert journal.path.stat().st_mode & 0o777 == 0o600
    assert directory.stat().st_mode & 0o777 == 0o700


def test_nothing_is_on_disk_before_flush_and_all_of_it_after(tmp_path):
    journal = FileJournal(tmp_path, PLAN, NOW)
    before = journal.path.read_bytes()
    journal.add(intent(0))
    journal.add(intent(1))
    assert journal.path.read_bytes() == before
    journal.flush()
    found = re.sub(rb',"previous":"\w*"', b"", journal.path.read_bytes().removeprefix(before))
    assert found == encode_line(intent(0)) + encode_line(intent(1))
    journal.close()


def imported_again() -> Any:
    """Return the journal's module as it is where `os` and `sys` are as they are now."""
    name = "cld_user_groups.membership.journal_again"
    spec = importlib.util.spec_from_file_location(name, journal.__file__)
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_lines_that_are_flushed_together_cost_one_disk_write(tmp_path, monkeypatch):
    synced: list[int] = []
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "fdatasync", synced.append, raising=False)
    journal = imported_again().FileJournal(tmp_path, PLAN, NOW)
    assert len(synced) == 1
    for line in LINES:
        journal.add(line)
    journal.flush()
    journal.flush()
    assert len(synced) == 2
    journal.close()


@pytest.mark.skipif(os.name == "nt", reason="fcntl is not there")
@pytest.mark.parametrize("can", [True, False])
def test_macos_is_asked_to_write_to_the_disk_itself(tmp_path, monkeypatch, can):
    import fcntl

    asked: list[object] = []

    def write_to_disk(handle: int, command: int) -> None:
        asked.append(command)
        if not can:
            raise OSError(45, "Operation not supported")

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", write_to_disk)
    monkeypatch.setattr(os, "fsync", asked.append)
    imported_again().FileJournal(tmp_path, PLAN, NOW).close()
    header, directory = (asked[:-1], asked[-1])
    assert header[0] == 51
    assert len(header) == (1 if can else 2)
    assert directory != 51


def test_line_breaks_are_the_same_on_windows(tmp_path, monkeypatch):
    binary, opened, open_file = 1 << 30, list[int](), os.open

    def note(path: Path, flags: int, mode: int = 0) -> int:
        opened.append(flags)
        return open_file(path, flags & ~binary, mode)

    monkeypatch.setattr(os, "O_BINARY", binary, raising=False)
    monkeypatch.setattr(os, "open", note)
    FileJournal(tmp_path, PLAN, NOW).close()
    assert opened[0] & binary


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), OSError(30, "Read-only")]
)
def test_a_disk_that_cannot_be_written_is_an_error_that_names_the_file(
    tmp_path, monkeypatch, error
):
    journal = FileJournal(tmp_path, PLAN, NOW)

    def fail(*_: object) -> int:
        raise error

    monkeypatch.setattr(os, "write", fail)
    journal.add(intent(0))
    with pytest.raises(JournalError, match=journal.path.name):
        journal.flush()
    journal.close()


def test_a_journal_that_cannot_be_begun_leaves_no_run(tmp_path, monkeypatch):
    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", fail)
    with pytest.raises(JournalError, match="No space left"):
        FileJournal(tmp_path, PLAN, NOW)
    assert list_runs(tmp_path) == ()


def test_a_run_that_was_killed_before_its_first_line_is_not_the_latest(tmp_path):
    first = written(tmp_path, *LINES)
    for second, torn in enumerate((b"", b'{"type":"header"'), 1):
        killed = written(tmp_path, now=NOW + timedelta(seconds=second))
        killed.path.write_bytes(torn)
    assert load_run(tmp_path).id == first.run
    with pytest.raises(JournalError, match="no header"):
        load_run(tmp_path, killed.run)


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be written"):
        FileJournal(tmp_path / "file" / "acc", PLAN, NOW)


@given(st.data())
def test_a_journal_cut_anywhere_is_read_up_to_the_cut(tmp_path_factory, data):
    directory = tmp_path_factory.mktemp("journals")
    path = written(directory, *LINES).path
    whole = path.read_bytes()
    header = whole.index(b"\n") + 1
    cut = data.draw(st.integers(header, len(whole)))
    path.write_bytes(whole[:cut])
    run = read_journal(path)
    complete = whole[:cut].count(b"\n")
    assert run.is_torn is (not whole[:cut].endswith(b"\n"))
    assert (run.end is not None) is (complete == len(LINES) + 1)
    statuses = {outcome.position: outcome.status for outcome in run.outcomes}
    assert (statuses.get(1) is Status.DONE) is (complete >= 4)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda text: text.replace(b'"intent"', b'"intend"', 1), "line 2: the type"),
        (lambda text: text.replace(b"{", b"", 1), "line 1"),
        (lambda text: text.replace(b"journal/1", b"journal/2", 1), "line 1: the format"),
        (lambda text: text.replace(b'"position":1', b'"position":"1"', 1), "line 3"),
        (lambda text: text.replace(b'"status":"done"', b'"status":"did"', 1), "line 4"),
        (lambda text: text[text.index(b"\n") + 1 :], "the first line"),
        (lambda text: text + text[: text.index(b"\n") + 1], "out of place"),
        (lambda text: text + encode_line(intent(2)), "out of place"),
        (lambda text: b"", "no header"),
        (lambda text: text[:20], "no header"),
        (lambda text: text.replace(b"\n", b"\n[]\n", 1), "line 2: not a JSON object"),
        (lambda text: text.replace(b"\n", b"\n\xff\n", 1), "line 2"),
    ],
)
def test_damage_that_no_crash_leaves_is_an_error_that_names_the_line(tmp_path, damage, says):
    path = written(tmp_path, *LINES).path
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(JournalError, match=says):
        read_journal(path)


def test_an_outcome_of_a_change_that_was_never_announced_is_an_error(tmp_path):
    with pytest.raises(JournalError, match="never announced"):
        read_journal(written(tmp_path, ended(0)).path)


def test_runs_are_listed_latest_first_and_an_unreadable_one_says_why(tmp_path):
    first = written(tmp_path, *LINES)
    second = written(tmp_path, now=NOW + timedelta(seconds=1))
    (tmp_path / "20260101T000000.000000Z-bad.jsonl").write_text("{}\n")
    runs = list_runs(tmp_path)
    assert [run.id for run in runs] == [second.run, first.run, "20260101T000000.000000Z-bad"]
    assert runs[0].started_at == NOW + timedelta(seconds=1)
    assert "line 1" in runs[2].error
    assert load_run(tmp_path).id == second.run
    assert load_run(tmp_path, first.run).id == first.run


def test_the_latest_run_has_the_highest_number_whatever_the_clock_says(tmp_path):
    old = written(tmp_path, now=NOW + timedelta(days=5000))
    lines = old.path.read_text().replace('"sequence":1,', "")  # as earlier versions wrote it
    old.path.write_text(lines)
    first = written(tmp_path, now=NOW + timedelta(days=1000))
    second = written(tmp_path, now=NOW)
    assert load_run(tmp_path).id == second.run
    assert [run.id for run in list_runs(tmp_path)] == [second.run, first.run, old.run]
    assert [run.id for run in read_history(tmp_path).runs] == [old.run, first.run, second.run]


def test_a_journal_that_may_be_the_latest_and_cannot_be_read_is_named(tmp_path):
    (tmp_path / "20200101T000000.000000Z-bad.jsonl").write_text("{{\n")
    written(tmp_path)
    with pytest.raises(JournalError, match=r"-bad\.jsonl, line 1"):
        load_run(tmp_path)


@pytest.mark.parametrize("run", ["nope", "../acc/x", "", "/etc/passwd"])
def test_a_run_that_is_not_there_is_an_error(tmp_path, run):
    written(tmp_path)
    with pytest.raises(JournalError, match="there is no run"):
        load_run(tmp_path, run)


def test_without_any_run_the_latest_is_an_error(tmp_path):
    assert list_runs(tmp_path / "none") == ()
    with pytest.raises(JournalError, match="there is no run"):
        load_run(tmp_path / "none")


@given(st.text(min_size=1))
def test_an_account_has_one_directory_below_the_base_whatever_its_id(account_id):
    try:
        account_id.encode()
    except UnicodeEncodeError:
        return
    directory = state_directory(account_id, Path("/base"))
    assert directory.parent == Path("/base")
    assert directory.name not in ("", ".", "..")


def test_the_directory_follows_xdg_state_home(monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert state_directory("acc") == Path("/state/cld-user-groups/acc")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert state_directory("acc") == Path("/home/me/.local/state/cld-user-groups/acc")


def test_every_line_is_as_the_schema_says(tmp_path):
    import jsonschema

    stopped = End(at=NOW, summary={"done": 0}, stopped=Stop.QUOTA, detail="none is left")
    paths = [written(tmp_path, *LINES).path, written(tmp_path, intent(3), stopped).path]
    validator = jsonschema.Draft202012Validator(journal_schema())
    validator.check_schema(journal_schema())
    for path in paths:
        for line in path.read_bytes().splitlines():
            validator.validate(msgspec.json.decode(line))
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"type": "outcome", "position": 1, "status": "did", "at": str(NOW)})


def test_nothing_is_written_through_a_link_in_the_directory_of_the_state(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    directory = tmp_path / "cld-user-groups" / "acc"
    directory.mkdir(parents=True)
    (directory / "lock.json").symlink_to(victim)
    with account_lock(directory, "acc"):
        pass
    (directory / "lock").unlink(missing_ok=True)
    (directory / "lock").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic link"), account_lock(directory, "acc"):
        pass
    assert victim.read_text() == "precious"


def test_a_note_that_cannot_be_removed_keeps_no_lock(tmp_path):
    about = tmp_path / "lock.json"
    with account_lock(tmp_path, "acc"):
        about.unlink()
        about.mkdir()  # as little to be unlinked as what another process reads on Windows
    about.rmdir()
    with account_lock(tmp_path, "acc"):
        pass


def test_the_directories_of_the_state_are_for_their_owner_alone(tmp_path):
    before = os.umask(0)
    try:
        written(tmp_path / "new" / "cld-user-groups" / "acc")
        open_to_all = tmp_path / "old" / "cld-user-groups" / "acc"
        open_to_all.mkdir(parents=True)
        written(open_to_all)
    finally:
        os.umask(before)
    new = tmp_path / "new"
    created = [new, new / "cld-user-groups", new / "cld-user-groups" / "acc"]
    for directory in (*created, open_to_all, open_to_all.parent):
        assert directory.stat().st_mode & 0o777 == 0o700, directory
    assert open_to_all.parent.parent.stat().st_mode & 0o777 == 0o777  # not ours
