"""CPU time of `cld-user-groups --version` and of importing the documented name.

Beside `import httpx` and beside the names of `cld_user_groups`, which are imported when they are
used; the documented name may load no module of its own beyond its re-exports.
"""

import subprocess
import sys

from measure import by_turns, compare
from startup import WITHOUT_RICH, cost

from command import options, report

_VERSION = (
    "import sys; sys.argv = ['cld-user-groups', '--version']\n"
    "import runpy; runpy.run_module('cld_user_groups', run_name='__main__')"
)
_OWN, _DOCUMENTED = "cld_user_groups", "cloudinary_account_provisioning"


def modules(name: str) -> set[str]:
    """Return the names of the modules that an import loads."""
    program = f"import sys; from {name} import *; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True
    )
    return set(done.stdout.split())


def main() -> None:
    """Measure both."""
    chosen = options(__doc__)
    more = {name for name in modules(_DOCUMENTED) - modules(_OWN) if _DOCUMENTED not in name}
    if more:
        raise SystemExit(f"import {_DOCUMENTED} loads more: {', '.join(sorted(more))}")
    pairs = by_turns(cost(_VERSION), cost(f"{WITHOUT_RICH}import httpx"), chosen.pairs(20))
    report(compare(pairs).row("command startup", chosen.client))
    documented, own = (cost(f"from {name} import *") for name in (_DOCUMENTED, _OWN))
    pairs = by_turns(documented, own, chosen.pairs(20))
    report(compare(pairs).row("import name", chosen.client))


if __name__ == "__main__":
    main()
