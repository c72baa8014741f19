"""The reference of the command: a page for each of its commands, and the table that leads to them.

The pages are written from what `--help` says, at each build, and are not in the repository.
"""

from __future__ import annotations

import re
from pathlib import Path

import click
from sphinx.application import Sphinx

from cld_user_groups.command.cli import COMMANDS, SECTIONS, cli

#: The folder of the pages, in that of the site's sources.
FOLDER = "reference/commands"
_PAGE = """```{{eval-rst}}
.. click:: cld_user_groups.command.{module}:{name}_command
   :prog: cld-user-groups {name}
   :nested: full
```

It also accepts the [options of every command](../commands.md#options-of-every-command).
[Which command do I need?](../commands.md)
"""
#: What takes its options from another program.
_EMULATOR = """# cld-user-groups emulator

Serve an emulated account. `python -m cld_user_groups.emulator` is the same program, and
[the emulator](../../emulator.md) explains what it does.

<!-- generated: emulator-help -->

[Which command do I need?](../commands.md)
"""


def write_pages(app: Sphinx) -> None:
    """Write the page of each command; one that says the same is left as it is."""
    folder = Path(app.srcdir, FOLDER)
    folder.mkdir(exist_ok=True)
    pages = {
        folder / f"{name}.md": _PAGE.format(name=name, module=module)
        for name, module in COMMANDS.items()
    }
    pages[folder / "emulator.md"] = _EMULATOR
    for stale in set(folder.glob("*.md")) - pages.keys():
        stale.unlink()
    for path, text in pages.items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, encoding="utf-8")


def commands_table() -> str:
    """Return all commands by section, each with the anchor that it had when one page had all."""
    return "\n\n".join(
        f"### {section}\n\n| command | what it does |\n| --- | --- |\n" + "\n".join(rows)
        for section, entries in SECTIONS.items()
        for rows in [[_row(entry.partition(".")[2], says) for entry, says in entries.items()]]
    )


def _row(name: str, says: str) -> str:
    anchor = f'<span id="cld-user-groups-{name}"></span>'
    return f"| {anchor}[`{name}`](commands/{name}.md) | {says} |"


def add_examples(app: Sphinx, context: click.Context, lines: list[str]) -> None:
    """Show the examples of a command below its description, as code."""
    examples = (context.command.epilog or "").partition("Examples:\n")[2]
    if examples:
        block = ["", *(f"   {line.strip()}" for line in examples.splitlines()), ""]
        lines += ["", ".. rubric:: Examples", "", ".. code-block:: sh", *block]


def show_code(app: Sphinx, context: click.Context, lines: list[str]) -> None:
    """Show as code what the help of a command has between backticks."""
    lines[:] = [re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line) for line in lines]


def leave_out_examples(app: Sphinx, context: click.Context, lines: list[str]) -> None:
    """Leave out the end of a command's help, which is its examples."""
    if context.command is not cli:
        lines.clear()


def leave_out_global_options(app: Sphinx, context: click.Context, lines: list[str]) -> None:
    """Leave the options that every command accepts to the one place that describes them."""
    if context.command is cli:
        return
    shared = {option for each in cli.params for option in each.opts}
    is_shared = False
    kept: list[str] = []
    for line in lines:
        if line.startswith(".. option:: "):
            is_shared = line.split()[2] in shared
        if not is_shared:
            kept.append(line)
    lines[:] = kept
