"""The resource `user_groups`, generated from openapi.yaml."""

from cld_provisioning_api.api.user_groups import (
    AsyncRawUserGroups,
    AsyncUserGroups,
    RawUserGroups,
    UserGroups,
)

__all__ = ["AsyncRawUserGroups", "AsyncUserGroups", "RawUserGroups", "UserGroups"]
