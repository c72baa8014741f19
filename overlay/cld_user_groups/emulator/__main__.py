"""``python -m cld_user_groups.emulator``."""

import sys

from ._cli import main

if __name__ == "__main__":
    sys.exit(main())
