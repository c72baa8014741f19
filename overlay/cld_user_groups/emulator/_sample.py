"""The sample account, which is that of the API's reference."""

from typing import Final

from ._models import EmulatorGroup, EmulatorUser

_JOHN = EmulatorUser("0abed8dfcc039ea05e2a1d494fd442", "John Doe", "john@example.com")
_HARRY = EmulatorUser("asdf1234uiopjkl7890wernmjlcaeg", "Harry Potts", "harry@example.com")
_MARIA = EmulatorUser("3c7a1be0f4529d86e1b07c5a94d2f8", "Maria Rossi", "maria@example.com")
_CHEN = EmulatorUser("9e2f60d8a1c74b35f08d6e913ab7c4", "Chen Wei", "chen@example.com")
_AMARA = EmulatorUser("51d8c3f7e6a0429bb4f21e7d08c96a", "Amara Okafor", "amara@example.com")

SAMPLE_USERS: Final = (_JOHN, _HARRY, _MARIA, _CHEN, _AMARA)
"""Five users; the last two are in no group."""

SAMPLE_GROUPS: Final = (
    EmulatorGroup(id="7f08f1f1fc910bf1f25274aef11d27", name="Designers", users=(_JOHN, _HARRY)),
    EmulatorGroup(id="c2b9e47d1806f35a9d4e72b1c08f63", name="Marketing", users=(_MARIA,)),
)
"""The group "Designers" of the reference, and a second one."""
