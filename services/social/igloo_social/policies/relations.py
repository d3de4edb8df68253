"""What people may do to each other, and what stands between them allows them to see."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from igloo_social.models.relations import RelationType

if TYPE_CHECKING:
    from igloo_social.models.relations import Relationship

MOST_FOLLOWEES: Final = 7_500
MOST_REQUESTS: Final = 1_000
"""Whom one person follows, and asks to: what feeds and lists are read along has to have an end."""
SHORTEST_MUTE: Final = timedelta(minutes=1)
LONGEST_MUTE: Final = timedelta(days=365)
"""What is to last longer is for good."""


def may_see_person(relationship: Relationship) -> bool:
    """Say whether the other person exists for the viewer: to the blocked they do not."""
    return not relationship.blocked_by


def may_see_followers(relationship: Relationship | None, *, is_private: bool, is_self: bool) -> bool:
    """Say whether the viewer may page through whom a person follows and who follows them.

    There is no relationship for an anonymous viewer.
    """
    if is_self:
        return True
    if relationship is None:
        return not is_private
    return may_see_person(relationship) and (not is_private or relationship.following)


def edge_of_follow(relationship: Relationship, *, is_private: bool) -> RelationType | None:
    """Choose the edge that a follow adds: none when it is there already, a request to a private account."""
    if relationship.following or (is_private and relationship.requested):
        return None
    return RelationType.REQUEST if is_private else RelationType.FOLLOW
