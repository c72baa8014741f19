"""A typed client for the user groups of Cloudinary's Account Provisioning API.

from cld_user_groups import CldProvisioning

with CldProvisioning() as client:  # credentials from CLOUDINARY_ACCOUNT_URL
    for group in client.user_groups.list().user_groups or ():
        print(group.id, group.name)
"""

from . import models, utils
from ._engine.request import CallOptions, RawResponse
from ._version import __version__
from .client import AsyncCldProvisioning, CldProvisioning
from .errors import maybe_applied
from .hooks import Hook, HookContext
from .security import Security

__all__ = [
    "AsyncCldProvisioning",
    "CallOptions",
    "CldProvisioning",
    "Hook",
    "HookContext",
    "RawResponse",
    "Security",
    "__version__",
    "maybe_applied",
    "models",
    "utils",
]
