"""Runs the command on an emulated account."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen
from click.testing import CliRunner, Result

from cld_user_groups.command.cli import cli
from cld_user_groups.emulator import Emulator

FRESH = (sys.executable, "-m", "cld_user_groups")


@frozen(kw_only=True)
class Shell:
    """Runs the command without a terminal, in process, in a folder of its own."""

    emulator: Emulator
    folder: Path

    def __call__(
        self,
        line: str = "",
        *more: str,
        stdin: str | bytes | None = None,
        code: int | None = None,
        writes: int | None = None,
        calls: int | None = None,
        members: dict[str, set[str]] | None = None,
        out: str | Sequence[str] = (),
        err: str | Sequence[str] = (),
        says: str | Sequence[str] = (),
    ) -> Result:
        """Run the command, and check what is given of what it ends in.

        Args:
            line: The command line, as a shell has it, or its first word.
            more: More words of it, each as it is.
            stdin: What is piped to it.
            code: Its exit code.
            writes: How many requests could have changed something by then.
            calls: How many requests were sent by then.
            members: Who is in each group by then.
            out: A text of standard output, or several; an empty one where it must be empty.
            err: The same of standard error.
            says: The same of either.
        """
        done = CliRunner().invoke(cli, [*shlex.split(line), *more], input=stdin)
        assert code in (None, done.exit_code), (done.exit_code, done.output)
        assert writes in (None, self.writes()), self.writes()
        assert calls in (None, len(self.emulator.calls)), [*self.emulator.calls]
        assert members in (None, self.members()), self.members()
        both = done.stdout + done.stderr
        for stream, texts in ((done.stdout, out), (done.stderr, err), (both, says)):
            for text in (texts,) if isinstance(texts, str) else texts:
                assert text in stream if text else not stream, (text, stream)
        return done

    def json(self, line: str, *more: str, stdin: str | bytes | None = None) -> dict[str, Any]:
        """Run the command with `--format json`; its output must be one JSON document."""
        done = self(line, *more, "--format", "json", stdin=stdin)
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def write(self, content: str | bytes, name: str = "groups.yaml") -> str:
        """Write a file, and return its name."""
        data = content.encode() if isinstance(content, str) else content
        (self.folder / name).write_bytes(data)
        return name

    def add_crowd(self, count: int) -> list[str]:
        """Add a group "Crowd" of so many people, and return their e-mails."""
        users = [
            self.emulator.add_user_account(f"P {number}", email=f"p{number}@example.com")
            for number in range(count)
        ]
        self.emulator.add_group("Crowd", users=users)
        return [user.email for user in users]

    def members(self) -> dict[str, set[str]]:
        """Return who is in each group, by the part of the e-mail before the @."""
        return {
            group.name: {user.email.partition("@")[0] for user in group.users}
            for group in self.emulator.groups
        }

    def writes(self) -> int:
        """Return how many requests could have changed something."""
        reads = {"inspectMultiple"}  # a POST
        return sum(
            call.method != "GET" and call.operation_id not in reads for call in self.emulator.calls
        )


def process(
    *arguments: str, command: Sequence[str] = FRESH, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, whose streams are captured by default.

    It is a fresh interpreter, unless `command` is another.
    """
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    words = [*command, *arguments]
    return subprocess.run(words, text=True, check=False, timeout=60, **(streams | options))


@contextmanager
def unread_pipe() -> Generator[int]:
    """A pipe to write to that nobody reads, from before anything is written."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)


SAMPLE = {"Designers": {"john", "harry"}, "Marketing": {"maria"}}

#: Creates a group, renames one, adds two people, removes one.
EDITED = """\
version: 1
groups:
  Artists:
    previously: [Designers]
    members: [john@example.com, maria@example.com]
  Interns:
    members: [{email: john@example.com, reason: JIRA-1}]
"""
AS_EDITED = {"Artists": {"john", "maria"}, "Interns": {"john"}, "Marketing": {"maria"}}
