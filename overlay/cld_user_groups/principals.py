"""The resource `principals`, generated from openapi.yaml."""

from cld_provisioning_api.api.principals import (
    AsyncPrincipals,
    AsyncRawPrincipals,
    Principals,
    RawPrincipals,
)

__all__ = ["AsyncPrincipals", "AsyncRawPrincipals", "Principals", "RawPrincipals"]
