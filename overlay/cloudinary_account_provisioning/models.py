"""The documented models and errors: the same objects as in `cld_user_groups.models`."""

from cld_user_groups.models import *  # noqa: F403 - its __all__ is the public surface
from cld_user_groups.models import __all__ as __all__  # type: ignore[attr-defined] # pyright: ignore
