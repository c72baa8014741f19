"""What a breaking change asks of the changelog."""

from __future__ import annotations

import pytest
from tools.contract_diff.changelog import untold
from tools.contract_diff.changes import EVERY_OPERATION, GENERATED, Change, Kind

BEFORE = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [1.0.0]\n\n### Changed\n"
BROKEN = Change(Kind.BREAKING, "putThing", "it broke", "Thing")


def with_entry(entry: str) -> str:
    return BEFORE.replace("### Added", f"{entry}\n\n### Added")


@pytest.mark.parametrize(
    "entry",
    [
        "### Changed\n\n- **Breaking:** `putThing` wants to know why.",
        "### Removed\n\n- Breaking: a thing has no `id` in `Thing`.",
        "### Changed\n\n- Another.\n- **Breaking**: much is new\n  in `putThing`.",
        "### Changed (breaking)\n\n- `Thing` has no id.",
        "### Changed\n\n- **Breaking:** `Thing.id` is required.",
    ],
)
def test_a_breaking_change_is_told_by_an_entry_that_names_it(entry: str):
    assert untold([BROKEN], BEFORE, with_entry(entry)) == []


@pytest.mark.parametrize(
    "entry",
    [
        "### Changed\n\n- **Breaking:** `getThing` wants to know why.",
        "### Changed\n\n- **Breaking:** `putThings` and `ThingRequest` are others.",
        "### Changed\n\n- `putThing` wants to know why.",
        "### Changed\n\n- `putThing` is not breaking.",
        "### Added\n\n- **Breaking:** `putThing` wants to know why.",
        "### Changed\n\n- **Breaking:** putThing, a Thing.",
        "### Changed\n\n- **Breaking:** much.\n- `putThing` wants to know why.",
        "",
    ],
)
def test_a_breaking_change_is_not_told_by_anything_less(entry: str):
    assert untold([BROKEN], BEFORE, with_entry(entry)) == [("Thing", "putThing")]


@pytest.mark.parametrize("kind", [Kind.ADDITIVE, Kind.COSMETIC])
def test_other_changes_need_no_entry(kind: Kind):
    assert untold([Change(kind, "putThing", "it changed")], BEFORE, BEFORE) == []


def test_an_entry_that_was_there_before_does_not_tell_of_a_new_change():
    told = with_entry("### Changed\n\n- **Breaking:** `putThing`")
    assert untold([BROKEN], told, told) == [("Thing", "putThing")]
    more = told.replace("- A thing.", "- A thing.\n- Another.")
    assert untold([BROKEN], told, more) == [("Thing", "putThing")]
    assert untold([BROKEN], told, told.replace("`putThing`", "`putThing` wants to know why")) == []


def test_what_was_released_before_does_not_tell_of_a_new_change():
    released = f"{BEFORE}\n- **Breaking:** putThing\n"
    assert untold([BROKEN], BEFORE, released) == [("Thing", "putThing")]


def test_a_release_since_tells_of_its_changes():
    told = with_entry("### Changed\n\n- **Breaking:** `putThing`")
    released = told.replace("## [Unreleased]", "## [Unreleased]\n\n## [2.0.0]")
    assert untold([BROKEN], BEFORE, released) == []


@pytest.mark.parametrize("entry", ["`UserGroup` has a name", "`user_group` is gone"])
def test_a_generated_class_is_told_by_the_name_of_its_schema(entry: str):
    broken = Change(Kind.BREAKING, f"{GENERATED}a.models.user_group", "it broke", "UserGroup")
    assert untold([broken], BEFORE, with_entry(f"### Changed\n\n- **Breaking:** {entry}")) == []


def test_a_generated_function_is_told_by_the_name_of_its_operation():
    broken = Change(Kind.BREAKING, f"{GENERATED}a.api.things.put_thing", "sync: it broke")
    assert untold([broken], BEFORE, with_entry("### Changed\n\n- **Breaking:** `putThing`")) == []


def test_a_change_of_every_operation_is_told_in_these_words():
    broken = Change(Kind.BREAKING, EVERY_OPERATION, "server 0: removed")
    told = with_entry("### Changed\n\n- **Breaking:** every\n  operation has another server.")
    assert untold([broken], BEFORE, told) == []
    assert untold([broken], BEFORE, BEFORE) == [(EVERY_OPERATION,)]


def test_a_change_of_several_places_is_asked_for_once():
    several = [BROKEN, Change(Kind.BREAKING, "putThing", "it broke elsewhere", "Thing")]
    assert untold(several, BEFORE, BEFORE) == [("Thing", "putThing")]
