"""A client library for accessing Cloudinary Account Provisioning API - User Groups"""

from .client import AuthenticatedClient, Client

__all__ = (
    "AuthenticatedClient",
    "Client",
)
