from typing import Literal

GetUsersSortBy = Literal["activity", "created_at", "name", "role", "status"]
