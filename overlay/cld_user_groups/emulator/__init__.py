"""A stateful emulator of the user groups of Cloudinary's Account Provisioning API.

For demos, and for the tests of services that use the SDK. In process, with no socket::

    emulator = Emulator()
    client = httpx.Client(transport=emulator.transport())

On a real socket (needs the extra ``emulator``)::

    with Emulator().serve() as server:
        print(server.url)

From a shell: ``python -m cld_user_groups.emulator --port 8080``.
"""

from ._calls import Call, CallLog
from ._clock import EmulatorClock
from ._emulator import Emulator
from ._messages import EmulatorRequest, EmulatorResponse
from ._models import EmulatorGroup, EmulatorUser
from ._routes import OPERATION_IDS
from ._transport import EmulatorTransport

__all__ = [
    "OPERATION_IDS",
    "Call",
    "CallLog",
    "Emulator",
    "EmulatorClock",
    "EmulatorGroup",
    "EmulatorRequest",
    "EmulatorResponse",
    "EmulatorTransport",
    "EmulatorUser",
]
