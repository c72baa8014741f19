"""Models of requests and responses, credentials, and errors, under their documented names."""

from cld_provisioning_api import public as _public
from cld_provisioning_api.models import ErrorDetail as Error
from cld_provisioning_api.models import ErrorResponse as ErrorResponseData
from cld_provisioning_api.public import *  # noqa: F403
from cld_provisioning_api.types import InvalidId

from ._engine.retry import RateLimit
from ._find_users import FoundUsers
from .errors import (
    AlreadyExists,
    APIError,
    AuthorizationRequired,
    BadRequest,
    ClientClosed,
    CloudinaryError,
    ErrorResponse,
    NotAllowed,
    NotFound,
    RateLimited,
    ResponseValidationError,
    TooManyRequests,
    UsageRateExceeded,
)
from .security import Security

__all__ = [
    "APIError",
    "AlreadyExists",
    "AuthorizationRequired",
    "BadRequest",
    "ClientClosed",
    "CloudinaryError",
    "Error",
    "ErrorResponse",
    "ErrorResponseData",
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
__all__ += _public.__all__
