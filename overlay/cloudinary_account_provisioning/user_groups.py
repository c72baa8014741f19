"""The resource `user_groups`, sync and async, each also `with_raw_response`."""

from __future__ import annotations

from . import _operations as operations
from ._methods import (
    AsyncResource,
    SyncResource,
    async_method,
    async_raw_method,
    sync_method,
    sync_raw_method,
)


class RawUserGroups(SyncResource):
    """The user groups, each result as a RawResponse."""

    __slots__ = ()

    list = sync_raw_method(operations.list_groups)
    create = sync_raw_method(operations.create)
    get = sync_raw_method(operations.get)
    update = sync_raw_method(operations.update)
    delete = sync_raw_method(operations.delete)
    list_users = sync_raw_method(operations.list_users)
    add_user = sync_raw_method(operations.add_user)
    remove_user = sync_raw_method(operations.remove_user)


class UserGroups(SyncResource):
    """The user groups of an account, and the users in them."""

    __slots__ = ()

    list = sync_method(operations.list_groups)
    create = sync_method(operations.create)
    get = sync_method(operations.get)
    update = sync_method(operations.update)
    delete = sync_method(operations.delete)
    list_users = sync_method(operations.list_users)
    add_user = sync_method(operations.add_user)
    remove_user = sync_method(operations.remove_user)

    @property
    def with_raw_response(self) -> RawUserGroups:
        """The same methods; each returns its result with status, headers and retries."""
        return RawUserGroups(self.account_id, self._send)


class AsyncRawUserGroups(AsyncResource):
    """The user groups, each result as a RawResponse."""

    __slots__ = ()

    list = async_raw_method(operations.list_groups)
    create = async_raw_method(operations.create)
    get = async_raw_method(operations.get)
    update = async_raw_method(operations.update)
    delete = async_raw_method(operations.delete)
    list_users = async_raw_method(operations.list_users)
    add_user = async_raw_method(operations.add_user)
    remove_user = async_raw_method(operations.remove_user)


class AsyncUserGroups(AsyncResource):
    """The user groups of an account, and the users in them."""

    __slots__ = ()

    list = async_method(operations.list_groups)
    create = async_method(operations.create)
    get = async_method(operations.get)
    update = async_method(operations.update)
    delete = async_method(operations.delete)
    list_users = async_method(operations.list_users)
    add_user = async_method(operations.add_user)
    remove_user = async_method(operations.remove_user)

    @property
    def with_raw_response(self) -> AsyncRawUserGroups:
        """The same methods; each returns its result with status, headers and retries."""
        return AsyncRawUserGroups(self.account_id, self._send)
