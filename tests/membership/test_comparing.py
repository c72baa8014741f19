"""How two lists of groups differ: exports, files, accounts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cld_user_groups.membership.comparing import compare, groups_of
from cld_user_groups.membership.model import Action, DesiredGroup, DesiredMember

from .recorded import BEGINNING
from .test_past import Account, snapshot_of

_users = st.sets(st.sampled_from(["u1", "u2", "u3"]))
_accounts = st.dictionaries(
    st.sampled_from(["g1", "g2", "g3"]), st.tuples(st.sampled_from("ABC"), _users)
)


def group(name: str, *emails: str, id: str | None = None, **more: object) -> DesiredGroup:  # noqa: A002
    members = tuple(DesiredMember(email=email) for email in emails)
    return DesiredGroup(name=name, id=id, members=members, **more)  # type: ignore[arg-type]


def told(before: list[DesiredGroup], after: list[DesiredGroup], *, by_id: bool = True) -> list[str]:
    """Return the differences, a few words each."""
    words: list[str] = []
    for each in compare(before, after, by_id=by_id):
        who = each.member and (each.member.email or each.member.id)
        words.append(" ".join(filter(None, (each.action, each.group.name, each.old_name, who))))
    return words


@given(_accounts, _accounts)
def test_the_differences_lead_from_the_one_account_to_the_other(before, after):
    account: Account = {key: (name, set(users)) for key, (name, users) in before.items()}
    for each in compare(groups_of(snapshot_of(before)), groups_of(snapshot_of(after))):
        key = each.group.id or ""
        user = each.member.id or "" if each.member else ""
        match each.action:
            case Action.CREATE_GROUP:
                account[key] = (each.group.name, set())
            case Action.DELETE_GROUP:
                assert not account.pop(key)[1]
            case Action.RENAME_GROUP:
                assert account[key][0] == each.old_name
                account[key] = (each.group.name, account[key][1])
            case Action.ADD_USER:
                assert user not in account[key][1]
                account[key][1].add(user)
            case Action.REMOVE_USER:
                account[key][1].remove(user)
    assert account == after
    assert snapshot_of(before).taken_at == BEGINNING


def test_groups_without_an_id_are_the_same_by_name_and_members_by_email():
    before = [group("A", "a@x.example", "B@x.example"), group("Gone")]
    after = [group("New"), group("A", " b@X.example", "c@x.example", id="g1")]
    assert told(before, after) == [
        "add_user A c@x.example",
        "remove_user A a@x.example",
        "delete_group Gone",
        "create_group New",
    ]


def test_a_previous_name_makes_a_rename_unless_the_name_is_another_groups():
    assert told([group("Old")], [group("New", previously=("Old",))]) == ["rename_group New Old"]
    both = [group("New", previously=("Old",)), group("Old")]
    assert told([group("Old")], both) == ["create_group New"]


def test_two_ids_are_two_groups_whatever_they_are_called():
    before, after = [group("A", id="g1")], [group("A", id="g2")]
    assert told(before, after) == ["delete_group A", "create_group A"]
    assert told(before, after, by_id=False) == []


def test_a_member_is_the_same_by_id_but_not_in_another_account():
    before = [DesiredGroup(name="A", members=(DesiredMember(id="u1", email="old@x.example"),))]
    after = [DesiredGroup(name="A", members=(DesiredMember(id="u1", email="new@x.example"),))]
    assert told(before, after) == []
    assert len(told(before, after, by_id=False)) == 2


def test_a_member_with_an_id_is_the_same_as_one_that_has_only_the_email():
    with_id = [DesiredGroup(name="A", members=(DesiredMember(id="u1", email="a@x.example"),))]
    assert told(with_id, [group("A", "A@x.example")]) == []
    assert told([group("A", "A@x.example")], with_id) == []


def test_a_group_that_a_file_wants_absent_is_not_there():
    assert told([group("A")], [group("A", state="absent")]) == ["delete_group A"]
