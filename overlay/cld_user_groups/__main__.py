"""``python -m cld_user_groups``: the command."""

from .command import main

if __name__ == "__main__":
    main()
