from __future__ import annotations

from typing import Any

UserEmailPreferences = dict[str, Any]
"""What the user wants to be told by e-mail."""
