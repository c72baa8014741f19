"""The exit codes of the command."""

from __future__ import annotations

#: Done, or nothing to do.
DONE = 0
#: An error. Nothing was written. `doctor`: a check has failed.
ERROR = 1
#: `plan --detailed-exitcode`, `diff --detailed-exitcode`: there are changes.
CHANGES = 2
#: A guard refuses the plan. Nothing was written.
GUARD = 3
#: The account has changed since the plan was made, or the plan has expired. Nothing was written.
STALE = 4
#: The run has ended before the account was as asked, or was interrupted; or there was no quota to
#: read the account.
INCOMPLETE = 5
#: The command line is not valid, or the command cannot ask. Nothing was written.
USAGE = 64
