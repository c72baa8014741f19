"""Users and groups of the emulated account, and the sample account, which is the reference's."""

from datetime import UTC, datetime
from typing import Final

import attrs

_SAMPLE_MOMENT: Final = datetime(2016, 9, 27, 8, 0, 16, tzinfo=UTC)


@attrs.frozen
class EmulatorUser:
    """A user of the account.

    Attributes:
        id: The user's ID.
        name: The full name.
        email: The e-mail address.
        role: The role in the account.
        pending: Whether the invitation has not been accepted yet.
        enabled: Whether the user may log in.
        all_sub_accounts: Whether the user has access to every product environment.
        sub_account_ids: The product environments that the user has access to otherwise.
        created_at: When the user was added to the account.
        last_login: When the user logged in last, or None for never.
    """

    id: str
    name: str
    email: str
    role: str = attrs.field(default="media_library_user", kw_only=True)
    pending: bool = attrs.field(default=False, kw_only=True)
    enabled: bool = attrs.field(default=True, kw_only=True)
    all_sub_accounts: bool = attrs.field(default=True, kw_only=True)
    sub_account_ids: tuple[str, ...] = attrs.field(
        default=(), kw_only=True, converter=tuple[str, ...]
    )
    created_at: datetime = attrs.field(default=_SAMPLE_MOMENT, kw_only=True)
    last_login: datetime | None = attrs.field(default=None, kw_only=True)


@attrs.frozen(kw_only=True)
class EmulatorGroup:
    """A user group at one point in time.

    Attributes:
        id: The group's ID.
        name: The group's name.
        users: The members, in the order in which they were added.
        created_at: When the group was created.
        updated_at: When its name or its members changed last.
    """

    id: str
    name: str
    users: tuple[EmulatorUser, ...] = attrs.field(default=(), converter=tuple[EmulatorUser, ...])
    created_at: datetime = _SAMPLE_MOMENT
    updated_at: datetime = attrs.Factory(lambda group: group.created_at, takes_self=True)
    _user_ids: frozenset[str] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_user_ids", frozenset(user.id for user in self.users))

    def has(self, user_id: str) -> bool:
        """Return whether a user is a member."""
        return user_id in self._user_ids


_JOHN = EmulatorUser("0abed8dfcc039ea05e2a1d494fd442", "John Doe", "john@example.com")
_HARRY = EmulatorUser("asdf1234uiopjkl7890wernmjlcaeg", "Harry Potts", "harry@example.com")
_MARIA = EmulatorUser("3c7a1be0f4529d86e1b07c5a94d2f8", "Maria Rossi", "maria@example.com")
_CHEN = EmulatorUser("9e2f60d8a1c74b35f08d6e913ab7c4", "Chen Wei", "chen@example.com")
_AMARA = EmulatorUser("51d8c3f7e6a0429bb4f21e7d08c96a", "Amara Okafor", "amara@example.com")

SAMPLE_ENVIRONMENT: Final = "0aaaaa1bbbbb2ccccc3ddddd4eeeee5f"
SAMPLE_USERS: Final = (_JOHN, _HARRY, _MARIA, _CHEN, _AMARA)
SAMPLE_GROUPS: Final = (
    EmulatorGroup(id="7f08f1f1fc910bf1f25274aef11d27", name="Designers", users=(_JOHN, _HARRY)),
    EmulatorGroup(id="c2b9e47d1806f35a9d4e72b1c08f63", name="Marketing", users=(_MARIA,)),
)
