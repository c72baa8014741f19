"""Check that this commit can be released, as a list with a line per check.

    make release-check              all: version, changelog, tag, and what is built
    make release-check BUILT=1      only what is built, as CI runs it on every change

The wheel and the source distribution are built twice, from two exports of the commit in different
folders and with different umasks, and must be the same bytes. `twine check` reads their metadata as
an index would. The software bill of materials (CycloneDX) lists what an environment with the wheel
and nothing else holds. What passed lies in dist/, with SHA256SUMS. Exit with 1 where a check fails.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from packaging.version import InvalidVersion, Version
from tools.contract_diff import __main__ as contract_diff
from tools.contract_diff.changes import CannotCompareError, Kind
from tools.contract_diff.revisions import LAST_RELEASE, NothingToCompareError

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
RUN_TIME = {"httpx", "attrs", "msgspec", "python-dateutil"}
OWN = "cld-user-groups"


def check_version(version: str, tags: Sequence[str]) -> str | None:
    """Return what is wrong with the version, if anything.

    Args:
        version: The version of the distribution.
        tags: All tags of the repository.
    """
    try:
        parsed = Version(version)
    except InvalidVersion:
        return f"{version} is not a version (PEP 440)"
    if str(parsed) != version or parsed.local or parsed.is_devrelease:
        return f"{version} is not a version to release; {parsed.base_version} is"
    released = [Version(tag[1:]) for tag in tags if re.fullmatch(r"v\d[\w.]*", tag)]
    newest = max((each for each in released if each != parsed), default=None)
    return (
        f"{version} is not above {newest}, which is released"
        if newest and newest > parsed
        else None
    )


def check_step(version: str, released: str, kinds: Iterable[Kind]) -> str | None:
    """Return why the changes since a release need a greater step of the version, if they do.

    Args:
        version: The version of the distribution.
        released: The last version that was released.
        kinds: What the changes since then mean for users.
    """
    step, last = Version(version), Version(released)
    worst = min(kinds, key=list(Kind).index, default=Kind.COSMETIC)
    next_minor = (last.major, last.minor + 1)
    needed = {
        Kind.BREAKING: (last.major + 1, 0) if last.major else next_minor,
        Kind.ADDITIVE: next_minor,
        Kind.COSMETIC: (last.major, last.minor),
    }[worst]
    if (step.major, step.minor) >= needed:
        return None
    return f"changes since {released} are {worst}: {needed[0]}.{needed[1]}.0 or later is needed"


def check_changelog(text: str, version: str) -> str | None:
    """Return what CHANGELOG.md lacks for a version, if anything."""
    sections = dict(re.findall(r"^## \[([^\]]+)\](?: - )?([^\n]*)$", text, re.MULTILINE))
    unreleased = text.partition("## [Unreleased]")[2].partition("\n## [")[0]
    if version not in sections:
        return f"no section ## [{version}] - DATE"
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", sections[version]):
        return f"the section of {version} has no date, yyyy-mm-dd"
    if re.search(r"^- ", unreleased, re.MULTILINE):
        return f"entries under Unreleased that belong under {version}"
    return None


def check_tag(version: str, tags: Sequence[str], tags_of_commit: Sequence[str]) -> str | None:
    """Return what is wrong with the version's tag, if anything; it may not exist yet."""
    tag = f"v{version}"
    if tag in tags and tag not in tags_of_commit:
        return f"{tag} is another commit: a released version is never moved, take the next"
    return None


def check_same(first: Path, second: Path) -> str | None:
    """Return which files of two folders differ, if any."""
    one, two = digests(first), digests(second)
    different = sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))
    return f"differ between two builds: {', '.join(different)}" if different else None


def check_components(document: dict[str, object]) -> str | None:
    """Return what a bill of materials lacks, if anything."""
    components = document.get("components")
    assert isinstance(components, list)
    missing = (RUN_TIME | {OWN}) - {component["name"] for component in components}
    return f"lacks {', '.join(sorted(missing))}" if missing else None


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run a command and return its output; a failure ends the check with that output."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def build(folder: Path, *, umask: int) -> Path:
    """Build the commit, exported below a folder, and return the folder of what was built."""
    source, output = folder / "source", folder / "dist"
    source.mkdir()
    before = os.umask(umask)
    try:
        run("git", "archive", "--output", folder / "source.tar", "HEAD")
        run("tar", "-xf", folder / "source.tar", "-C", source)
        run(sys.executable, "-m", "hatchling", "build", "-d", output, cwd=source)
    finally:
        os.umask(before)
    return output


def list_components(wheel: Path, folder: Path) -> Path:
    """Install the wheel into an environment of its own; return its bill of materials."""
    environment = folder / "environment"
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    run("uv", "pip", "install", "--quiet", "--python", python, "-c", "constraints.txt", wheel)
    for record in environment.glob("lib/*/site-packages/*.dist-info/direct_url.json"):
        record.unlink()  # where this wheel lies is nobody's business
    output = folder / "dist" / "sbom.cdx.json"
    options = ["--output-reproducible", "--output-format", "JSON", "--output-file", str(output)]
    run("cyclonedx-py", "environment", *options, python)
    return output


def step_needed(version: str) -> str | None:
    """Return why the changes since the last release need a greater step, if they do."""
    try:
        base, what, found = contract_diff.changes(ROOT)
    except NothingToCompareError:
        return None
    except CannotCompareError as error:
        return str(error)
    if what != LAST_RELEASE:
        return None  # there is none
    return check_step(version, base.removeprefix("v"), [each.kind for each in found])


def check_built(report: Callable[[str, str | None], None]) -> None:
    """Build, check what was built, and put it into dist/."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        built = build(Path(one), umask=0o022)
        report("wheel and sdist are reproducible", check_same(built, build(Path(two), umask=0o077)))
        run("twine", "check", "--strict", *built.iterdir())
        report("twine check", None)
        (wheel,) = built.glob("*.whl")
        components = list_components(wheel, Path(one))
        report("bill of materials", check_components(json.loads(components.read_text("utf-8"))))
        sums = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests(built).items()))
        (built / "SHA256SUMS").write_text(sums, "utf-8")
        shutil.rmtree(DIST, ignore_errors=True)
        shutil.copytree(built, DIST)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the checks.

    Raises:
        SystemExit: With 1 where a check fails.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--built", action="store_true", help="only what is built")
    only_built = parser.parse_args(arguments).built
    failed = False

    def report(what: str, problem: str | None) -> None:
        nonlocal failed
        failed = failed or problem is not None
        print(f"[{' ' if problem else 'x'}] {what}{f': {problem}' if problem else ''}", flush=True)

    version = run("hatchling", "version").strip()
    tags = run("git", "tag").split()
    if not only_built:
        changed = run("git", "status", "--porcelain")
        report("work tree is clean", "there are changes" if changed else None)
        report(f"version {version}", check_version(version, tags))
        report("step of the version", step_needed(version))
        report("CHANGELOG.md", check_changelog((ROOT / "CHANGELOG.md").read_text("utf-8"), version))
        here = run("git", "tag", "--points-at", "HEAD").split()
        report(f"tag v{version}", check_tag(version, tags, here))
    check_built(report)
    if failed:
        sys.exit(1)
    print(
        "dist/ holds what to release. What is left for people: docs/releasing.md, from the tag on."
    )


if __name__ == "__main__":
    main()
