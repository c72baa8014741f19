"""Models of requests and responses, credentials, and errors, under their documented names."""

from typing import TYPE_CHECKING

from cld_provisioning_api import public as _public
from cld_provisioning_api.public import *  # noqa: F403 - all that methods take, return and raise
from cld_provisioning_api.types import InvalidId as InvalidId

from ._engine.retry import RateLimit as RateLimit
from ._find_users import FoundUsers as FoundUsers
from .errors import AlreadyExists as AlreadyExists
from .errors import APIError as APIError
from .errors import AuthorizationRequired as AuthorizationRequired
from .errors import BadRequest as BadRequest
from .errors import ClientClosed as ClientClosed
from .errors import CloudinaryError as CloudinaryError
from .errors import ErrorResponse as ErrorResponse
from .errors import NotAllowed as NotAllowed
from .errors import NotFound as NotFound
from .errors import RateLimited as RateLimited
from .errors import ResponseValidationError as ResponseValidationError
from .errors import TooManyRequests as TooManyRequests
from .errors import UsageRateExceeded as UsageRateExceeded
from .security import Security as Security

if not TYPE_CHECKING:  # mypy would read only the part of the list that is written here
    __all__ = [
        *_public.__all__,
        "APIError",
        "AlreadyExists",
        "AuthorizationRequired",
        "BadRequest",
        "ClientClosed",
        "CloudinaryError",
        "ErrorResponse",
        "FoundUsers",
        "InvalidId",
        "NotAllowed",
        "NotFound",
        "RateLimit",
        "RateLimited",
        "ResponseValidationError",
        "Security",
        "TooManyRequests",
        "UsageRateExceeded",
    ]
