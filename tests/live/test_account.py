"""Whether the real account responds as openapi.yaml has it: `make contract LIVE=1`.

The tests of the group of their own are in the order of its life, and skipped without WRITE=1.
"""

from __future__ import annotations

import pytest

from cld_user_groups import CldProvisioning, Security, models
from cld_user_groups.contract import ContractCheck

from .conftest import OwnGroup

pytestmark = pytest.mark.live

NO_SUCH_ID = "0" * 30


@pytest.fixture(scope="module")
def group(all_groups: list[models.UserGroup]) -> models.UserGroup:
    if not all_groups:
        pytest.skip("the account has no group")
    return all_groups[0]


def users_of(client: CldProvisioning, group_id: str) -> set[str | None]:
    return {user.id for user in client.user_groups.list_users(group_id=group_id).users or ()}


def test_every_group_has_an_id_and_a_name(client: CldProvisioning):
    groups = client.user_groups.list().user_groups
    assert groups is not None
    assert all(group.id and group.name is not None for group in groups)


def test_every_group_has_its_details_where_they_are_asked_for(all_groups: list[models.UserGroup]):
    for group in all_groups:
        assert None not in (group.id, group.users, group.created_at, group.updated_at)


def test_a_group_can_be_read(client: CldProvisioning, group: models.UserGroup):
    assert group.id
    assert client.user_groups.get(group_id=group.id).id == group.id
    detailed = client.user_groups.get(group_id=group.id, extended_details=True)
    assert None not in (detailed.users, detailed.created_at, detailed.updated_at)


def test_every_user_of_a_group_has_an_id(client: CldProvisioning, group: models.UserGroup):
    assert group.id
    assert client.user_groups.list_users(group_id=group.id).users is not None
    assert None not in users_of(client, group.id)


def test_a_user_of_the_account_can_be_read_with_the_groups_it_is_in(client: CldProvisioning):
    users = client.users.list().users
    assert all(user.id for user in users)
    if not users:
        pytest.skip("the account has no user")
    assert client.users.get(user_id=users[0].id).id == users[0].id
    listed = {group.id for group in client.users.get_groups(user_id=users[0].id).groups}
    assert listed <= {group.id for group in client.user_groups.list().user_groups}


def test_a_group_that_does_not_exist_is_a_404(client: CldProvisioning):
    with pytest.raises(models.NotFound):
        client.user_groups.get(group_id=NO_SUCH_ID)


def test_a_wrong_secret_is_a_401(
    client: CldProvisioning, contract: ContractCheck, server_url: str | None
):
    wrong = Security(provisioning_api_key="no-such-key", provisioning_api_secret="no-such-secret")
    with CldProvisioning(
        security=wrong, account_id=client.account_id, server_url=server_url, hooks=[contract]
    ) as other:
        with pytest.raises(models.AuthorizationRequired):
            other.user_groups.list()


class TestOwnGroup:
    def test_it_is_read_as_it_was_created(self, client: CldProvisioning, own_group: OwnGroup):
        assert client.user_groups.get(group_id=own_group.id).name == own_group.name

    def test_another_of_its_name_is_a_409(self, client: CldProvisioning, own_group: OwnGroup):
        with pytest.raises(models.AlreadyExists):
            client.user_groups.create(name=own_group.name)

    def test_it_is_renamed(self, client: CldProvisioning, own_group: OwnGroup):
        name = own_group.new_name
        assert client.user_groups.update(group_id=own_group.id, name=name).name == name

    def test_it_is_listed_by_its_new_name(self, client: CldProvisioning, own_group: OwnGroup):
        groups = client.user_groups.list().user_groups or ()
        assert [each.name for each in groups if each.id == own_group.id] == [own_group.new_name]

    def test_a_user_is_added(self, client: CldProvisioning, own_group: OwnGroup, user_id: str):
        added = client.user_groups.add_user(group_id=own_group.id, user_id=user_id)
        assert added.id == user_id
        assert users_of(client, own_group.id) == {user_id}

    def test_a_user_who_is_in_it_is_a_409(
        self, client: CldProvisioning, own_group: OwnGroup, user_id: str
    ):
        with pytest.raises(models.AlreadyExists):
            client.user_groups.add_user(group_id=own_group.id, user_id=user_id)

    def test_a_user_is_removed(self, client: CldProvisioning, own_group: OwnGroup, user_id: str):
        left = client.user_groups.remove_user(group_id=own_group.id, user_id=user_id).users
        assert left == []
        assert users_of(client, own_group.id) == set()

    def test_it_is_deleted(self, client: CldProvisioning, own_group: OwnGroup):
        assert client.user_groups.delete(group_id=own_group.id).message == "ok"
        with pytest.raises(models.NotFound):
            client.user_groups.get(group_id=own_group.id)
