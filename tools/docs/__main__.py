"""Build the site, and check it: `make docs`."""

from __future__ import annotations

import shutil
import sys
import time

from sphinx.cmd.build import main as sphinx_build

from .accessibility import make_accessible
from .links import ROOT, SITE, broken_links
from .search import search_numbers


def main() -> int:
    """Build the site in site/, and return the exit code."""
    start = time.monotonic()
    shutil.rmtree(SITE, ignore_errors=True)
    code = sphinx_build(
        [
            *("--quiet", "--fail-on-warning", "--fresh-env", "--jobs", "auto"),
            *("--doctree-dir", str(ROOT / ".site"), str(ROOT / "docs"), str(SITE)),
        ]
    )
    make_accessible(SITE)
    search_numbers(SITE)
    problems = broken_links(SITE)
    for problem in problems:
        print(problem, file=sys.stderr)
    if code or problems:
        return 1
    pages = len(list(SITE.rglob("*.html")))
    print(f"{pages} pages in {SITE.name}/, in {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
