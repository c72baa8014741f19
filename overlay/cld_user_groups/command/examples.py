"""Two examples of each command, which its `--help` ends with."""

from __future__ import annotations

from typing import Final

#: By module and name of a command, what follows `cld-user-groups`.
_EXAMPLES: Final = {
    "groups.list": ("list", "list --roles --format csv > groups.csv"),
    "groups.show": ("show Designers", "show 'Photographers and Editors' --format json"),
    "people.users": ("users", "users potts"),
    "people.whois": ("whois harry@example.com", "whois harry@example.com --format json"),
    "groups.add": (
        "add Designers harry@example.com --reason JIRA-12",
        "add Designers @newcomers.txt --dry-run",
    ),
    "groups.remove": (
        "remove Designers harry@example.com",
        "remove Designers @leavers.txt --allow-removals 12",
    ),
    "people.onboard": (
        "onboard harry@example.com --like john@example.com",
        "onboard @newcomers.txt --like john@example.com --dry-run",
    ),
    "people.offboard": (
        "offboard harry@example.com --reason 'left on 30 June'",
        "offboard @leavers.txt --dry-run",
    ),
    "groups.create": ("create Interns", "create 'Interns 2027' --reason JIRA-12"),
    "groups.rename": ("rename Designers Artists", "rename Designers Artists --dry-run"),
    "groups.delete": ("delete Interns", "delete Interns --allow-removals 3"),
    "groups.copy": ("copy Designers Artists", "copy Designers 'All staff' --dry-run"),
    "groups.merge": (
        "merge Interns Trainees --into Beginners",
        "merge Interns --into Designers --dry-run",
    ),
    "files.export": ("export --output groups.yaml", "export --format csv > groups.csv"),
    "files.plan": ("plan groups.yaml", "plan okta.csv --columns group=groupName,email=login"),
    "files.apply": ("apply groups.yaml", "apply groups.yaml --yes --max-wait 2h --keep-quota 200"),
    "files.schema": ("schema", "schema plan > plan.schema.json"),
    "files.diff": ("diff groups.yaml", "diff before.yaml after.yaml --detailed-exitcode"),
    "history.explain": (
        "explain Designers harry@example.com",
        "explain Designers harry@example.com --file groups.yaml",
    ),
    "report.report": (
        "report --output review.html --decisions decisions.csv",
        "report --format csv > review.csv",
    ),
    "runs.runs": ("runs", "runs --format json"),
    "runs.show": ("runs show", "runs show --format csv"),
    "runs.verify": ("runs verify", "runs verify --format json"),
    "runs.prune": ("runs prune --older-than 365d --dry-run", "runs prune --older-than 365d --yes"),
    "history.undo": ("undo", "undo --dry-run"),
    "assistant.mcp": ("mcp", "mcp --read-only"),
    "doctor.doctor": ("doctor", "doctor --profile production"),
    "completion.completion": ("completion", "completion zsh"),
}


def examples_of(module: str, name: str) -> str | None:
    """Return the examples of a command of a module as the end of its help, or None."""
    found = _EXAMPLES.get(f"{module.rpartition('.')[2]}.{name}", ())
    if not found:
        return None
    return "\n".join(["\b", "Examples:", *(f"  cld-user-groups {line}" for line in found)])
