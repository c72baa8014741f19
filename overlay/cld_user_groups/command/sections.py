"""Which commands there are, by section of the help, and where each is: imported when it runs."""

from __future__ import annotations

from collections.abc import Mapping

#: By section and name, the module in this package and the command in it.
SECTIONS: Mapping[str, Mapping[str, str]] = {
    "People and groups": {
        "list": "listing:list_command",
        "show": "listing:show_command",
        "users": "finding:users_command",
        "whois": "finding:whois_command",
        "add": "members:add_command",
        "remove": "members:remove_command",
        "onboard": "boarding:onboard_command",
        "offboard": "boarding:offboard_command",
        "create": "groups:create_command",
        "rename": "groups:rename_command",
        "delete": "groups:delete_command",
        "copy": "combining:copy_command",
        "merge": "combining:merge_command",
    },
    "Files": {
        "export": "export:export_command",
        "plan": "plan:plan_command",
        "apply": "apply:apply_command",
        "schema": "schema:schema_command",
    },
    "History and reports": {
        "explain": "explain:explain_command",
        "diff": "diff:diff_command",
        "report": "review:report_command",
        "runs": "runs:runs_command",
        "undo": "undo:undo_command",
    },
    "Setup and testing": {
        "doctor": "doctor:doctor_command",
        "emulator": "emulator:emulator_command",
        "completion": "completion:completion_command",
    },
}
#: All commands by name.
COMMANDS = {name: where for commands in SECTIONS.values() for name, where in commands.items()}
