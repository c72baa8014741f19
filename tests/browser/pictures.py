"""A real access review in the browser: `make pictures` writes pictures of it to docs/."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from attrs import evolve
from playwright.sync_api import Browser

from cld_user_groups.emulator import Emulator, EmulatorUser

from .chromium import CHROMIUM, launched

DOCS = Path(__file__).resolve().parents[2] / "docs"
WIDTH = 900
#: The file's name, the color scheme, where in the report it begins, and how high it is.
PICTURES: list[tuple[str, Literal["light", "dark"], str, int]] = [
    ("report.png", "light", "", 1090),
    ("report-picture.png", "dark", "#picture", 700),
    ("report-roles.png", "light", "#grants", 860),
]
BEFORE = """\
version: 1
groups:
  Designers: {members: [amara@example.com, chen@example.com, john@example.com]}
  Freelancers: {members: [harry@example.com, lena@example.com]}
  Marketing: {members: [maria@example.com, chen@example.com, lena@example.com]}
"""
AFTER = """\
version: 1
groups:
  Designers:
    members: [amara@example.com, john@example.com, {email: maria@example.com, reason: JIRA-12}]
  Freelancers:
    members:
      - harry@example.com
      - lena@example.com
      - {email: noor@example.com, reason: JIRA-15, until: %s}
  Marketing: {members: [maria@example.com, chen@example.com, lena@example.com]}
  Photographers: {members: [amara@example.com, noor@example.com, harry@example.com]}
"""


def account() -> Emulator:
    """Return the sample account with some more people, who are not all there any more."""
    now = datetime.now(UTC)
    more = [
        EmulatorUser(f"{number:030x}", name, f"{name.split()[0].lower()}@example.com")
        for number, name in enumerate(("Lena Fischer", "Noor Haddad", "Jonas Adler"))
    ]
    users = [
        evolve(user, last_login=now - timedelta(days=122 if user.name == "Harry Potts" else 2))
        for user in (*Emulator().users, *more)
    ]
    users[-3] = evolve(users[-3], enabled=False)
    return Emulator(users=users, groups=())


def assign_roles(emulator: Emulator) -> None:
    """Assign roles to the groups, once they are there."""
    roles = [
        ("Designers", "cld::role::prodenv::media_editor", {}),
        ("Freelancers", "campaign_contributor_12334565", {"folder_id": "fg38a9b0c1d2e3f4"}),
        ("Photographers", "cld::role::prodenv::master_admin", {}),
    ]
    ids = {group.name: group.id for group in emulator.groups}
    for name, role, within in roles:
        emulator.roles.assign(ids[name], role, "production", **within)


def draw(browser: Browser, document: Path) -> None:
    """Draw a report as light from its beginning, and as dark where the picture is.

    Args:
        browser: The browser.
        document: The report.
    """
    for name, scheme, place, height in PICTURES:
        page = browser.new_page(color_scheme=scheme, viewport={"width": WIDTH, "height": height})
        page.goto(f"{document.as_uri()}{place}")
        page.screenshot(path=DOCS / name)
        page.close()


def write_report(folder: Path) -> Path:
    """Make the report of an account that has changed since the report before.

    Args:
        folder: The folder of the report, and of what is needed for it.
    """
    emulator = account()
    with emulator.serve() as server:
        environment = {
            **os.environ,
            "CLOUDINARY_ACCOUNT_URL": "account://k:s@acc",
            "CLOUDINARY_PROVISIONING_SERVER_URL": server.url,
            "XDG_STATE_HOME": str(folder / "state"),
            "LOGNAME": "ada",
        }

        def run(*arguments: str) -> None:
            command = [sys.executable, "-m", "cld_user_groups", *arguments, "--quiet"]
            subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)

        soon = datetime.now(UTC).date() + timedelta(days=21)
        for name, content in (("before.yaml", BEFORE), ("groups.yaml", AFTER % soon)):
            (folder / name).write_text(content, encoding="utf-8")
        run("apply", "before.yaml", "--yes")
        run("report", "--output", "before.json")
        run("apply", "groups.yaml", "--yes")
        assign_roles(emulator)
        run("report", "--since", "before.json", "--output", "report.html")
    path = folder / "report.html"
    # The name of the machine that happens to draw it is of no use to readers.
    text = path.read_text("utf-8").replace(f"@{socket.gethostname()}", "@ops")
    path.write_text(text, encoding="utf-8")
    return path


def main() -> None:
    """Draw the pictures, where Chromium is there."""
    if CHROMIUM is None:
        print("Left out: the pictures of a report need Chromium")
        return
    with tempfile.TemporaryDirectory() as folder, launched() as browser:
        draw(browser, write_report(Path(folder)))


if __name__ == "__main__":
    main()
