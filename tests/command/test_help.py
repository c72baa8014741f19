"""The help: on one screen for all commands, and with two examples that work for each."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from cld_user_groups.command.cli import COMMANDS, SECTIONS, cli
from cld_user_groups.emulator.__main__ import build_parser


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the command lines of all commands, but for the emulator's, which is a program."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if name != "emulator":
            yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def test_the_help_of_all_commands_is_at_most_40_lines_of_whole_sentences():
    lines = CliRunner().invoke(cli, ["--help"], terminal_width=80).stdout.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    assert "..." not in "".join(lines).replace("[ARGS]...", "")
    for section in SECTIONS.values():
        for entry, says in section.items():
            assert says.endswith(".")
            (line,) = [each for each in lines if each.split()[:1] == [entry.partition(".")[2]]]
            assert line.endswith(says)


@pytest.mark.parametrize("path", list(commands(cli)), ids=" ".join)
def test_the_help_of_a_command_ends_with_two_examples_that_it_accepts(path):
    done = CliRunner().invoke(cli, [*path, "--help"], terminal_width=80)
    _, _, examples = done.stdout.partition("Examples:\n")
    lines = [line.strip() for line in examples.splitlines()]
    assert len(lines) == 2
    for line in lines:
        program, *words = shlex.split(line.partition(" > ")[0])
        assert (program, words[: len(path)]) == ("cld-user-groups", [*path])
        command: click.Command = cli
        context = click.Context(cli)
        while (
            isinstance(command, click.Group)
            and words
            and words[0] in command.list_commands(context)
        ):
            found = command.get_command(context, words.pop(0))
            assert found is not None
            command = found
        command.make_context(path[-1], words, resilient_parsing=False)


def test_the_help_of_the_emulator_is_like_that_of_a_command():
    program = "cld-user-groups emulator"
    lines = build_parser(program).format_help().splitlines()
    assert lines[0] == f"Usage: {program} [OPTIONS]"
    assert "Options:" in lines
    examples = [line.strip() for line in lines[lines.index("Examples:") + 1 :]]
    assert len(examples) == 2
    for line in examples:
        build_parser(program).parse_args(shlex.split(line.removeprefix(program)))


def test_every_command_is_in_a_section_once():
    assert len(COMMANDS) == sum(map(len, SECTIONS.values()))


@pytest.mark.parametrize("words", [["schema"], ["completion", "bash"], ["mcp"]], ids=" ".join)
def test_a_command_without_a_table_has_no_format_of_tables(words):
    for line in (["--format", "csv", *words], [*words, "--format", "markdown"]):
        done = CliRunner().invoke(cli, line)
        assert done.exit_code == 64
        assert "is not one of 'text', 'json'." in done.stderr
