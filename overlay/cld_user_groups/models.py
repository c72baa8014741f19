"""Models of requests and responses, credentials, and errors, under their documented names."""

from cld_provisioning_api.api.users.get_users import GetUsersRequest, GetUsersRequestTypedDict
from cld_provisioning_api.models import ErrorDetail as Error
from cld_provisioning_api.models import ErrorResponse as ErrorResponseData
from cld_provisioning_api.models import (
    GetUsersSortBy,
    GetUsersSortOrder,
    GetUsersUnionType,
    GroupOfUser,
    GroupsOfUserResponse,
    SubAccountSummary,
    SuccessResponse,
    User,
    UserGroup,
    UserGroupRequest,
    UserGroupsResponse,
    UserGroupUser,
    UserGroupUsersResponse,
    UsersResponse,
    UserSubAccountsResponse,
)
from cld_provisioning_api.models.user_group_request import UserGroupRequestTypedDict
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
    "GetUsersRequest",
    "GetUsersRequestTypedDict",
    "GetUsersSortBy",
    "GetUsersSortOrder",
    "GetUsersUnionType",
    "GroupOfUser",
    "GroupsOfUserResponse",
    "InvalidId",
    "NotAllowed",
    "NotFound",
    "RateLimit",
    "RateLimited",
    "ResponseValidationError",
    "Security",
    "SubAccountSummary",
    "SuccessResponse",
    "TooManyRequests",
    "UsageRateExceeded",
    "User",
    "UserGroup",
    "UserGroupRequest",
    "UserGroupRequestTypedDict",
    "UserGroupUser",
    "UserGroupUsersResponse",
    "UserGroupsResponse",
    "UserSubAccountsResponse",
    "UsersResponse",
]
