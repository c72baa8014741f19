from typing import Literal

GetUsersUnionType = Literal["exclude", "include"]
