"""The documented retry settings: the same objects as in `cld_user_groups.utils`."""

from cld_user_groups.utils import *  # noqa: F403 - its __all__ is the public surface
from cld_user_groups.utils import __all__ as __all__
