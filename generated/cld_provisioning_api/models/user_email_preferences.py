# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from __future__ import annotations

from typing import Any

UserEmailPreferences = dict[str, Any]
"""What the user wants to be told by e-mail."""
