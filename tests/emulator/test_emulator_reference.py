"""docs/emulator.md names everything public."""

import inspect
import re
from pathlib import Path

import attrs

from cld_user_groups.emulator import Call, CallLog, Emulator

TEXT = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text(encoding="utf-8")


def public_names() -> set[str]:
    """Return the names that a user of the emulator may pass or call."""
    names = {field.name for field in attrs.fields(Call)}
    for owner in (Emulator, CallLog):
        names |= {name for name, _ in inspect.getmembers(owner) if not name.startswith("_")}
    for function in (Emulator, Emulator.fail, Emulator.add_user_account):
        names |= inspect.signature(function).parameters.keys() - {"self"}
    # Of the base classes, or nothing that a user calls.
    return names - {"append", "count", "index"}


def test_everything_public_is_documented() -> None:
    names = public_names()
    assert len(names) > 50
    missing = [name for name in names if not re.search(rf"(?<![\w-]){name}\b", TEXT)]
    assert missing == [], "docs/emulator.md does not name them"
