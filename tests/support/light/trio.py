"""First on the path of the processes that tests start, in place of trio.

httpcore imports trio where it is installed, for a fifth of the time that the command takes to
start; where the command is used it hardly ever is. A process that runs tests needs it.
"""

raise ModuleNotFoundError("trio is for the tests themselves", name="trio")
