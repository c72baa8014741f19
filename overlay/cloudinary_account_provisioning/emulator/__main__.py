"""``python -m cloudinary_account_provisioning.emulator``."""

import sys

from ._cli import main

if __name__ == "__main__":
    sys.exit(main())
