"""The documented import name: the same objects as in `cld_user_groups`, and nothing else.

The vendor publishes another distribution with this import name. Where that is installed too, import
from `cld_user_groups`, which no other distribution overwrites.
"""

from cld_user_groups import (
    AsyncCldProvisioning,
    CallOptions,
    CldProvisioning,
    Hook,
    HookContext,
    RawResponse,
    Security,
    __version__,
    maybe_applied,
)

from . import models, utils

__all__ = [
    "AsyncCldProvisioning", "CallOptions", "CldProvisioning", "Hook", "HookContext", "RawResponse",
    "Security", "__version__", "maybe_applied", "models", "utils",
]  # fmt: skip
