# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from __future__ import annotations

from typing import Any

PolicyParameters = dict[str, Any]
"""What a role for content is restricted to - `folder_id` or `collection_id`."""
