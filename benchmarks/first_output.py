"""CPU time of each command, from its start to its output and its end, in a pipe.

Beside a process that imports httpx and click, but not rich, which httpx loads where it finds it;
or, with files of 20,000 memberships, beside one that reads as large an account with `json.load`.
The emulator's time does not count.
"""

import json
import os
import tempfile
from pathlib import Path

from measure import by_turns, compare
from planning import account_json
from server import emulator
from startup import WITHOUT_RICH, cost
from wire import ACCOUNT_ID, KEY, SECRET

from command import options, report

_LINES = (
    ("--help",),
    ("list",),
    ("add", "Designers", "chen@example.com", "--dry-run"),
)


def program(line: tuple[str, ...]) -> str:
    """Return a program that is a call of the command."""
    return (
        f"import sys; sys.argv = {['cld-user-groups', *line]!r}\n"
        "from cld_user_groups.command import main; main()"
    )


_WITH_FILES = ("export", "plan groups.yaml", "plan groups.json", "diff groups.json")


def with_files(folder: Path, pairs: int) -> None:
    """Measure whole commands on an account of 200 groups of 100 members."""
    account = account_json(200)
    (folder / "account.json").write_bytes(account)
    groups = {
        group["name"]: {"members": [user["email"] for user in group["users"]]}
        for group in json.loads(account)["user_groups"]
    }
    (folder / "groups.json").write_text(json.dumps({"version": 1, "groups": groups}))
    lines = [f'  "{name}":\n    members:' for name in groups]
    for number, group in enumerate(groups.values()):
        lines[number] += "".join(f"\n      - {email}" for email in group["members"])
    (folder / "groups.yaml").write_text("version: 1\ngroups:\n" + "\n".join(lines) + "\n")
    os.chdir(folder)
    baseline = cost("import json; json.load(open('account.json'))")
    with emulator(str(folder / "groups.json")) as server:
        os.environ["CLOUDINARY_PROVISIONING_SERVER_URL"] = server
        for line in _WITH_FILES:
            measured = by_turns(cost(program(tuple(line.split()))), baseline, pairs)
            report(compare(measured).row(f"{line}, 20,000 memberships", "sdk"))


def main() -> None:
    """Measure the commands."""
    chosen = options(__doc__)
    with emulator() as server, tempfile.TemporaryDirectory() as state:
        os.environ |= {
            "CLOUDINARY_ACCOUNT_URL": f"account://{KEY}:{SECRET}@{ACCOUNT_ID}",
            "CLOUDINARY_PROVISIONING_SERVER_URL": server,
            "XDG_STATE_HOME": state,
        }
        for line in _LINES:
            baseline = cost(f"{WITHOUT_RICH}import httpx, click")
            pairs = by_turns(cost(program(line)), baseline, chosen.pairs(12))
            report(compare(pairs).row(f"first output of {line[0]}", chosen.client))
        with_files(Path(state), chosen.pairs(6))


if __name__ == "__main__":
    main()
