from dataclasses import replace

import pytest

from igloo_social.models.relations import Relationship, RelationType
from igloo_social.policies.relations import edge_of_follow, may_see_followers, may_see_person

STRANGERS = Relationship()


def test_the_letters_of_edges_say_which_end_is_meant() -> None:
    assert Relationship.of_kinds("fm", "rb") == Relationship(
        following=True, muting=True, requested_by=True, blocked_by=True
    )
    assert Relationship.of_kinds("rb", "f") == Relationship(requested=True, blocking=True, followed_by=True)
    assert Relationship.of_kinds(None, None) == STRANGERS


@pytest.mark.parametrize(
    ("relationship", "is_private", "edge"),
    [
        (STRANGERS, False, RelationType.FOLLOW),
        (STRANGERS, True, RelationType.REQUEST),
        (replace(STRANGERS, requested=True), True, None),
        (replace(STRANGERS, requested=True), False, RelationType.FOLLOW),
        (replace(STRANGERS, following=True), True, None),
        (replace(STRANGERS, following=True), False, None),
        (replace(STRANGERS, followed_by=True), True, RelationType.REQUEST),
    ],
)
def test_a_follow_adds_the_edge_that_is_missing(
    relationship: Relationship, is_private: bool, edge: RelationType | None
) -> None:
    assert edge_of_follow(relationship, is_private=is_private) is edge


def test_only_the_blocked_do_not_see_a_person() -> None:
    assert may_see_person(replace(STRANGERS, blocking=True))
    assert not may_see_person(replace(STRANGERS, blocked_by=True))


@pytest.mark.parametrize(
    ("relationship", "is_private", "allowed"),
    [
        (None, False, True),
        (None, True, False),
        (STRANGERS, False, True),
        (STRANGERS, True, False),
        (replace(STRANGERS, requested=True), True, False),
        (replace(STRANGERS, followed_by=True), True, False),
        (replace(STRANGERS, following=True), True, True),
        (replace(STRANGERS, blocked_by=True), False, False),
    ],
)
def test_the_followers_of_a_private_account_are_for_its_followers(
    relationship: Relationship | None, is_private: bool, allowed: bool
) -> None:
    assert may_see_followers(relationship, is_private=is_private, is_self=False) is allowed


def test_everybody_sees_their_own_followers() -> None:
    assert may_see_followers(None, is_private=True, is_self=True)
