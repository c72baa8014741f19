"""The clients that are compared, each with the code that its users write for the same calls.

No client is imported before it is used: each has an environment of its own.
"""

import base64
import json
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import httpx
from wire import ACCOUNT_ID, GROUP_ID, GROUP_PATH, GROUPS_PATH, KEY, NEW_NAME, SECRET, SERVER


class Calls(NamedTuple):
    """The two calls, ready to be made, or to be awaited."""

    list: Callable[[], Any]
    update: Callable[[], Any]


class Client(Protocol):
    """One of the clients, using an httpx client that the benchmark passes.

    Attributes:
        title: Its name in the results.
        startup: A program that imports and constructs it.
    """

    title: str
    startup: str

    def calls(self, http: httpx.Client, server: str = SERVER) -> Calls:
        """Return the calls of the sync client."""

    def async_calls(self, http: httpx.AsyncClient, server: str = SERVER) -> Calls:
        """Return the calls of the async client."""

    def decoder(self) -> Callable[[bytes], Any]:
        """Return a function that decodes the body of a list response."""


class BareHttpx:
    """httpx itself, which all others are compared with. The httpx client has base_url and auth."""

    title = "bare httpx"
    startup = "import httpx; httpx.Client()"

    def calls(self, http: httpx.Client, server: str = SERVER) -> Calls:
        http.base_url = httpx.URL(server)
        http.auth = httpx.BasicAuth(KEY, SECRET)
        return Calls(
            lambda: http.get(GROUPS_PATH).json(),
            lambda: http.put(GROUP_PATH, json=NEW_NAME).json(),
        )

    def async_calls(self, http: httpx.AsyncClient, server: str = SERVER) -> Calls:
        http.base_url = httpx.URL(server)
        http.auth = httpx.BasicAuth(KEY, SECRET)

        async def list_groups() -> Any:
            return (await http.get(GROUPS_PATH)).json()

        async def update_group() -> Any:
            return (await http.put(GROUP_PATH, json=NEW_NAME)).json()

        return Calls(list_groups, update_group)

    def decoder(self) -> Callable[[bytes], Any]:
        return json.loads


class Sdk:
    """This project."""

    title = "this SDK"
    startup = (
        "from cld_user_groups import CldProvisioning, Security\n"
        "CldProvisioning(account_id='a', security=Security('k', 'secret')).user_groups"
    )

    def calls(self, http: httpx.Client | None, server: str = SERVER) -> Calls:
        from cld_user_groups import CldProvisioning, Security

        groups = CldProvisioning(
            Security(KEY, SECRET), ACCOUNT_ID, server_url=server, client=http
        ).user_groups
        return Calls(
            groups.list, lambda: groups.update(group_id=GROUP_ID, user_group_request=NEW_NAME)
        )

    def async_calls(self, http: httpx.AsyncClient, server: str = SERVER) -> Calls:
        from cld_user_groups import AsyncCldProvisioning, Security

        groups = AsyncCldProvisioning(
            Security(KEY, SECRET), ACCOUNT_ID, server_url=server, client=http
        ).user_groups
        return Calls(
            groups.list, lambda: groups.update(group_id=GROUP_ID, user_group_request=NEW_NAME)
        )

    def decoder(self) -> Callable[[bytes], Any]:
        from cld_provisioning_api.api.user_groups.get_user_groups import decode_success

        return decode_success


class Stock:
    """The generator's output for the same OpenAPI document with its own templates."""

    title = "stock generated client"
    startup = (
        "from stock_client import AuthenticatedClient\n"
        "from stock_client.api.user_groups import get_user_groups\n"
        "AuthenticatedClient(base_url='https://api.cloudinary.com', token='t', prefix='Basic')"
    )

    def calls(self, http: httpx.Client, server: str = SERVER) -> Calls:
        from stock_client.api.user_groups import get_user_groups, update_user_group
        from stock_client.models import UserGroupRequest

        client = self._client(http, server).set_httpx_client(http)
        return Calls(
            lambda: get_user_groups.sync(ACCOUNT_ID, client=client),
            lambda: update_user_group.sync(
                ACCOUNT_ID, GROUP_ID, client=client, body=UserGroupRequest.from_dict(NEW_NAME)
            ),
        )

    def async_calls(self, http: httpx.AsyncClient, server: str = SERVER) -> Calls:
        from stock_client.api.user_groups import get_user_groups, update_user_group
        from stock_client.models import UserGroupRequest

        client = self._client(http, server).set_async_httpx_client(http)
        return Calls(
            lambda: get_user_groups.asyncio(ACCOUNT_ID, client=client),
            lambda: update_user_group.asyncio(
                ACCOUNT_ID, GROUP_ID, client=client, body=UserGroupRequest.from_dict(NEW_NAME)
            ),
        )

    def _client(self, http: httpx.Client | httpx.AsyncClient, server: str) -> Any:
        from stock_client import AuthenticatedClient

        # It applies none of its settings to a caller-supplied httpx client.
        token = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
        http.base_url = httpx.URL(server)
        http.headers["Authorization"] = f"Basic {token}"
        return AuthenticatedClient(base_url=server, token=token, prefix="Basic")

    def decoder(self) -> Callable[[bytes], Any]:
        from stock_client.models import UserGroupsResponse

        return lambda content: UserGroupsResponse.from_dict(json.loads(content))


class Vendor:
    """The vendor's generated SDK."""

    title = "vendor's SDK 0.1.3"
    startup = (
        "from cloudinary_account_provisioning import CldProvisioning, models\n"
        "security = models.Security(provisioning_api_key='k', provisioning_api_secret='secret')\n"
        "CldProvisioning(account_id='a', security=security).user_groups"
    )

    def calls(self, http: httpx.Client, server: str = SERVER) -> Calls:
        from cloudinary_account_provisioning import CldProvisioning

        groups = CldProvisioning(
            self._security(), ACCOUNT_ID, server_url=server, client=http
        ).user_groups
        return Calls(
            groups.list, lambda: groups.update(group_id=GROUP_ID, user_group_request=NEW_NAME)
        )

    def async_calls(self, http: httpx.AsyncClient, server: str = SERVER) -> Calls:
        from cloudinary_account_provisioning import AsyncCldProvisioning

        groups = AsyncCldProvisioning(
            self._security(), ACCOUNT_ID, server_url=server, async_client=http
        ).user_groups
        return Calls(
            groups.list, lambda: groups.update(group_id=GROUP_ID, user_group_request=NEW_NAME)
        )

    def _security(self) -> Any:
        from cloudinary_account_provisioning import models

        return models.Security(provisioning_api_key=KEY, provisioning_api_secret=SECRET)

    def decoder(self) -> Callable[[bytes], Any]:
        from cloudinary_account_provisioning.utils.serializers import unmarshal_json

        from cloudinary_account_provisioning import models

        return lambda content: unmarshal_json(content.decode(), models.UserGroupsResponse)


class Classic:
    """The vendor's older client, built on urllib3: here only started."""

    title = "classic client 1.46.3"
    startup = (
        "from cloudinary import provisioning\n"
        "provisioning.account_config(account_id='a', provisioning_api_key='k',"
        " provisioning_api_secret='secret')"
    )


CLIENTS: dict[str, Any] = {
    "sdk": Sdk(),
    "httpx": BareHttpx(),
    "stock": Stock(),
    "vendor": Vendor(),
    "classic": Classic(),
}
