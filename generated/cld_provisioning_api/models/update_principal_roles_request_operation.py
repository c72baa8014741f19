# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from typing import Literal

UpdatePrincipalRolesRequestOperation = Literal["add", "remove"]
