from typing import Literal

GetUsersSortOrder = Literal["asc", "desc"]
