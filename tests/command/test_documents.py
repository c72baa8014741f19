"""The JSON documents of the commands have the keys that docs/reference/output.md lists."""

from __future__ import annotations

import json
import re

import pytest
from tests.support.code_blocks import ROOT

from .shell import EDITED

ROW = re.compile(r"^\| `(cld-user-groups/\w+/1)` \|[^|]*\| (.*) \|$", re.MULTILINE)
KEYS = {
    name: set(re.findall(r"`(\w+)`", cell))
    for name, cell in ROW.findall((ROOT / "docs/reference/output.md").read_text("utf-8"))
}


@pytest.mark.parametrize(
    "line",
    [
        ("list",),
        ("show", "Designers"),
        ("users",),
        ("whois", "john@example.com"),
        ("apply", "groups.yaml", "--yes"),
        ("runs",),
        ("runs", "show"),
        ("runs", "verify"),
        ("runs", "prune", "--older-than", "1d"),
        ("explain", "Creatives", "amara@example.com"),
        ("diff", "groups.yaml"),
        ("doctor",),
        ("export", "--output", "exported.yaml"),
        ("show", "nobody knows it"),
    ],
    ids=" ".join,
)
def test_document_has_the_documented_keys(shell, line):
    shell.write(EDITED)
    shell("apply groups.yaml --yes")
    document = json.loads(shell(*line, "--format", "json").stdout)
    assert document.keys() - {"format", "account"} <= KEYS[document["format"]]
