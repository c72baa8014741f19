# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

"""What the methods take, return and raise, with the models in it."""

from .api.principals.get_principal_roles import GetPrincipalRolesRequest
from .api.principals.get_principal_roles import GetPrincipalRolesRequestTypedDict
from .api.users.get_users import GetUsersRequest
from .api.users.get_users import GetUsersRequestTypedDict
from .models.get_users_sort_by import GetUsersSortBy
from .models.get_users_sort_order import GetUsersSortOrder
from .models.get_users_union_type import GetUsersUnionType
from .models.group_of_user import GroupOfUser
from .models.groups_of_user_response import GroupsOfUserResponse
from .models.inspect_multiple_request import InspectMultipleRequest
from .models.inspect_multiple_request import InspectMultipleRequestTypedDict
from .api.principals.inspect import InspectRequest
from .api.principals.inspect import InspectRequestTypedDict
from .models.inspect_response import InspectResponse
from .models.inspected_principals import InspectedPrincipals
from .models.management_type import ManagementType
from .models.permission_type import PermissionType
from .models.principal import Principal
from .models.principal_role import PrincipalRole
from .models.principal_roles import PrincipalRoles
from .models.principal_roles_response import PrincipalRolesResponse
from .models.principal_type import PrincipalType
from .models.principal import PrincipalTypedDict
from .models.role import Role
from .models.role_assignment import RoleAssignment
from .models.role_assignment import RoleAssignmentTypedDict
from .models.roles_response import RolesResponse
from .models.scope_type import ScopeType
from .models.sub_account_summary import SubAccountSummary
from .models.success_response import SuccessResponse
from .models.update_principal_roles_request import UpdatePrincipalRolesRequest
from .models.update_principal_roles_request_operation import UpdatePrincipalRolesRequestOperation
from .models.update_principal_roles_request import UpdatePrincipalRolesRequestTypedDict
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
    "GetPrincipalRolesRequest",
    "GetPrincipalRolesRequestTypedDict",
    "GetUsersRequest",
    "GetUsersRequestTypedDict",
    "GetUsersSortBy",
    "GetUsersSortOrder",
    "GetUsersUnionType",
    "GroupOfUser",
    "GroupsOfUserResponse",
    "InspectMultipleRequest",
    "InspectMultipleRequestTypedDict",
    "InspectRequest",
    "InspectRequestTypedDict",
    "InspectResponse",
    "InspectedPrincipals",
    "ManagementType",
    "PermissionType",
    "Principal",
    "PrincipalRole",
    "PrincipalRoles",
    "PrincipalRolesResponse",
    "PrincipalType",
    "PrincipalTypedDict",
    "Role",
    "RoleAssignment",
    "RoleAssignmentTypedDict",
    "RolesResponse",
    "ScopeType",
    "SubAccountSummary",
    "SuccessResponse",
    "UpdatePrincipalRolesRequest",
    "UpdatePrincipalRolesRequestOperation",
    "UpdatePrincipalRolesRequestTypedDict",
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
