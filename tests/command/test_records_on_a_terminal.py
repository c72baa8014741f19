"""One transcript of `doctor`, `explain` and `diff` on a terminal, over a socket."""

from __future__ import annotations

import re

from .shell import EDITED
from .terminal import screen_of

TRANSCRIPT = r"""\$ doctor
ok       python       CPython [^\n]*
ok       packages     cld-user-groups [^\n]*
ok       import name  cloudinary_account_provisioning is cld-user-groups's
ok       credentials  key \*\*\*, from CLOUDINARY_ACCOUNT_URL
ok       account      acc
ok       journals     1 in /[^\n]*/acc
ok       server       http://127.0.0.1:\d+
ok       reachable    3 groups with 4 memberships
ok       quota        \d+ of \d+ requests left, renewed at [^\n]* UTC
ok       clock        within 60 s of the server's
ok       contract     the responses match the OpenAPI document
skipped  providers    no response says which providers users come from
ok       permissions  the Permissions API responds: what groups grant can be read
exit 0
\$ doctor --server-url http://127.0.0.1:1
(?s:.*)
failed   reachable    no response: [^\n]*; check the network, [^\n]*
(?s:.*)
exit 1
\$ explain Interns john@example.com --file groups.yaml
john@example.com is in Interns.
  \d{4}-\d\d-\d\d \d\d:\d\d UTC  added by \S+@\S+: JIRA-1
      run \S+, from groups.yaml:7, SHA-256 [0-9a-f]{12}
The file: groups.yaml:7 lists the user: JIRA-1.
What Interns grants:
  no global role \(roles in folders and collections are not known\)
What john@example.com may do:
  Master Admin \(full control\) in the account
  Campaign Contributor in product environment [0-9a-f]+,
    folder fg38a9b0c1d2e3f4 \(through Artists\)
  Media Editor in all product environments \(through Artists\)
exit 0
\$ explain Marketing harry@example.com
harry@example.com is not in Marketing, and no run of this machine changed that.
What Marketing grants, and what harry@example.com may do:
  no global role \(roles in folders and collections are not known\)
exit 0
\$ diff before.yaml
~ Artists \(was Designers\)
    \+ maria@example.com
    - harry@example.com
\+ Interns
    \+ john@example.com
exit 0
\$ diff before.yaml before.yaml --detailed-exitcode
There are no differences.
exit 0
"""


def test_the_screen_is_what_people_read(shell):
    shell("export --output before.yaml")
    shell("apply", shell.write(EDITED), "--yes", code=0)
    commands = [
        line.removeprefix(r"\$ ").split()
        for line in TRANSCRIPT.splitlines()
        if line.startswith(r"\$ ")
    ]
    screen = screen_of(commands, (0, 0))
    assert re.fullmatch(TRANSCRIPT, screen), screen
