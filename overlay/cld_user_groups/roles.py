"""The resource `roles`, generated from openapi.yaml."""

from cld_provisioning_api.api.roles import AsyncRawRoles, AsyncRoles, RawRoles, Roles

__all__ = ["AsyncRawRoles", "AsyncRoles", "RawRoles", "Roles"]
