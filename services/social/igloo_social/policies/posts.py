"""Where posts count, and who may read how they were before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from igloo_social.models.posts import PostState, Visibility

if TYPE_CHECKING:
    from igloo_social.models.relations import Relationship


class Counted(NamedTuple):
    """How much a post adds to each of its author's counts."""

    posts: int
    public: int
    followers: int


UNCOUNTED = Counted(0, 0, 0)


def counted(state: str, visibility: str) -> Counted:
    """Say where a post that is not deleted counts: for its author always, for others while it is out."""
    is_out = state == PostState.PUBLISHED
    return Counted(
        posts=1,
        public=int(is_out and visibility == Visibility.PUBLIC),
        followers=int(is_out and visibility == Visibility.FOLLOWERS),
    )


def was_shown_to(state: str, visibility: str) -> Visibility:
    """Say to whom a post is shown as it is: what is not out, or out of sight, to its author alone."""
    return Visibility(visibility) if state == PostState.PUBLISHED else Visibility.PRIVATE


def visible_post_count(
    relationship: Relationship, *, is_private: bool, public: int, for_followers: int
) -> int:
    """Say how many of somebody's posts another person could page through."""
    if relationship.blocking or relationship.blocked_by:
        return 0
    if relationship.following:
        return public + for_followers
    return 0 if is_private else public


def may_see_revision(visibility: str, *, is_author: bool, follows_author: bool) -> bool:
    """Say whether somebody who sees a post now may read how it was while it was shown thus."""
    if is_author:
        return True
    return visibility == Visibility.PUBLIC or (visibility == Visibility.FOLLOWERS and follows_author)
