"""A stateful emulator of user groups, users and roles of Cloudinary's Account Provisioning API.

For demos, and for the tests of services that use the SDK. In process, with no socket::

    emulator = Emulator()
    client = httpx.Client(transport=emulator.transport())

On a real socket (needs the extra ``emulator``)::

    with Emulator().serve() as server:
        print(server.url)

From a shell: ``python -m cld_user_groups.emulator --port 8080``.
"""

from .account import EmulatorGroup, EmulatorUser
from .calls import Call, CallLog
from .clock import EmulatorClock
from .emulator import Emulator
from .messages import EmulatorRequest, EmulatorResponse
from .roles import EmulatedRoles, EmulatorAssignment, EmulatorRole
from .routes import OPERATION_IDS
from .transport import EmulatorTransport

__all__ = [
    "OPERATION_IDS", "Call", "CallLog", "EmulatedRoles", "Emulator", "EmulatorAssignment",
    "EmulatorClock", "EmulatorGroup", "EmulatorRequest", "EmulatorResponse", "EmulatorRole",
    "EmulatorTransport", "EmulatorUser",
]  # fmt: skip
