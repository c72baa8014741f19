# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

"""What the methods take, return and raise, with the models in it."""

from .api.users.get_users import GetUsersRequest
from .api.users.get_users import GetUsersRequestTypedDict
from .models.get_users_sort_by import GetUsersSortBy
from .models.get_users_sort_order import GetUsersSortOrder
from .models.get_users_union_type import GetUsersUnionType
from .models.group_of_user import GroupOfUser
from .models.groups_of_user_response import GroupsOfUserResponse
from .models.sub_account_summary import SubAccountSummary
from .models.success_response import SuccessResponse
from .models.user import User
from .models.user_group import UserGroup
from .models.user_group_request import UserGroupRequest
from .models.user_group_request import UserGroupRequestTypedDict
from .models.user_group_user import UserGroupUser
from .models.user_group_users_response import UserGroupUsersResponse
from .models.user_groups_response import UserGroupsResponse
from .models.user_sub_accounts_response import UserSubAccountsResponse
from .models.users_response import UsersResponse
from .models.error_detail import ErrorDetail as Error
from .models.error_response import ErrorResponse as ErrorResponseData

__all__ = [
    "Error",
    "ErrorResponseData",
    "GetUsersRequest",
    "GetUsersRequestTypedDict",
    "GetUsersSortBy",
    "GetUsersSortOrder",
    "GetUsersUnionType",
    "GroupOfUser",
    "GroupsOfUserResponse",
    "SubAccountSummary",
    "SuccessResponse",
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
