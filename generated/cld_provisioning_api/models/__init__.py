# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

"""Contains all the data models used in inputs/outputs"""

from .acknowledgement import Acknowledgement
from .error_detail import ErrorDetail
from .error_response import ErrorResponse
from .success_response import SuccessResponse
from .user_group import UserGroup
from .user_group_request import UserGroupRequest
from .user_group_user import UserGroupUser
from .user_group_users_response import UserGroupUsersResponse
from .user_groups_response import UserGroupsResponse

__all__ = (
    "Acknowledgement",
    "ErrorDetail",
    "ErrorResponse",
    "SuccessResponse",
    "UserGroup",
    "UserGroupRequest",
    "UserGroupsResponse",
    "UserGroupUser",
    "UserGroupUsersResponse",
)
