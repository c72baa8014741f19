"""A typed client for the user groups of Cloudinary's Account Provisioning API.

from cld_user_groups import CldProvisioning

with CldProvisioning() as client:  # credentials from CLOUDINARY_ACCOUNT_URL
    for group in client.user_groups.list().user_groups:
        print(group.id, group.name)
"""

from typing import TYPE_CHECKING

from ._lazy import names_of
from ._version import __version__

if TYPE_CHECKING:
    from . import models, utils
    from ._engine.request import CallOptions, RawResponse
    from .client import AsyncCldProvisioning, CldProvisioning
    from .errors import maybe_applied
    from .hooks import Hook, HookContext
    from .security import Security

# The command prints its version and its help without the client and httpx.
_NAMES = {
    "._engine.request": "CallOptions, RawResponse",
    ".client": "AsyncCldProvisioning, CldProvisioning",
    ".errors": "maybe_applied",
    ".hooks": "Hook, HookContext",
    ".security": "Security",
}
if not TYPE_CHECKING:
    __getattr__ = names_of(__name__, _NAMES)


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "AsyncCldProvisioning", "CallOptions", "CldProvisioning", "Hook", "HookContext", "RawResponse",
    "Security", "__version__", "maybe_applied", "models", "utils",
]  # fmt: skip
