# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

"""Contains all the data models used in inputs/outputs"""

from .acknowledgement import Acknowledgement
from .error_detail import ErrorDetail
from .error_response import ErrorResponse
from .get_users_sort_by import GetUsersSortBy
from .get_users_sort_order import GetUsersSortOrder
from .get_users_union_type import GetUsersUnionType
from .group_of_user import GroupOfUser
from .groups_of_user_response import GroupsOfUserResponse
from .inspect_multiple_request import InspectMultipleRequest
from .inspect_response import InspectResponse
from .inspected_principals import InspectedPrincipals
from .management_type import ManagementType
from .permission_type import PermissionType
from .policy_parameters import PolicyParameters
from .principal import Principal
from .principal_role import PrincipalRole
from .principal_roles import PrincipalRoles
from .principal_roles_response import PrincipalRolesResponse
from .principal_type import PrincipalType
from .role import Role
from .role_assignment import RoleAssignment
from .roles_response import RolesResponse
from .scope_type import ScopeType
from .sub_account_summary import SubAccountSummary
from .success_response import SuccessResponse
from .update_principal_roles_request import UpdatePrincipalRolesRequest
from .update_principal_roles_request_operation import (
    UpdatePrincipalRolesRequestOperation,
)
from .user import User
from .user_email_preferences import UserEmailPreferences
from .user_group import UserGroup
from .user_group_request import UserGroupRequest
from .user_group_user import UserGroupUser
from .user_group_users_response import UserGroupUsersResponse
from .user_groups_response import UserGroupsResponse
from .user_sub_accounts_response import UserSubAccountsResponse
from .users_response import UsersResponse

__all__ = (
    "Acknowledgement",
    "ErrorDetail",
    "ErrorResponse",
    "GetUsersSortBy",
    "GetUsersSortOrder",
    "GetUsersUnionType",
    "GroupOfUser",
    "GroupsOfUserResponse",
    "InspectedPrincipals",
    "InspectMultipleRequest",
    "InspectResponse",
    "ManagementType",
    "PermissionType",
    "PolicyParameters",
    "Principal",
    "PrincipalRole",
    "PrincipalRoles",
    "PrincipalRolesResponse",
    "PrincipalType",
    "Role",
    "RoleAssignment",
    "RolesResponse",
    "ScopeType",
    "SubAccountSummary",
    "SuccessResponse",
    "UpdatePrincipalRolesRequest",
    "UpdatePrincipalRolesRequestOperation",
    "User",
    "UserEmailPreferences",
    "UserGroup",
    "UserGroupRequest",
    "UserGroupsResponse",
    "UserGroupUser",
    "UserGroupUsersResponse",
    "UsersResponse",
    "UserSubAccountsResponse",
)
