"""Taking a person out: hidden from everybody at once, and then removed piece by piece.

What stays, and why, is said in `bury_person`. Every function that removes takes at most one batch, so that
its transaction is short, and may be run again whenever a worker died: what is gone is gone, and the rest is
found by looking for it. They rely on `bury_person` having been committed before: nobody can follow, like,
comment, post for, mention or tell the person any more, since all that does so looks at `deleted_at` under a
lock that burying waits for, or under the lock of a post, which removing it waits for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from igloo_social.models.profiles import PROFILES
from igloo_social.operations.erased_comments import remove_comments
from igloo_social.operations.erased_devices import remove_devices
from igloo_social.operations.erased_mentions import remove_mentions
from igloo_social.operations.erased_posts import remove_media, remove_posts
from igloo_social.operations.erased_relations import remove_relations
from igloo_social.operations.erased_reports import remove_reports, remove_set_apart
from igloo_social.operations.erased_traces import (
    forget_events,
    remove_bookmarks,
    remove_dismissals,
    remove_feed,
    remove_friends,
    remove_kept_replies,
    remove_likes_given,
    remove_notifications,
    remove_read_marker,
)
from igloo_social.operations.profiles import see_person

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

_BATCHES: tuple[Callable[[Session, UUID], Mapping[str, int]], ...] = (
    # Feeds are cleaned by the posts' times, and so before the posts go; likes and relations bring rows to the
    # tables below, and so go before them. Others may be liking, and so pushing to the person's phones, until
    # the posts are gone.
    remove_relations,
    remove_likes_given,
    remove_comments,
    remove_bookmarks,
    remove_dismissals,
    remove_set_apart,
    remove_notifications,
    remove_media,
    remove_posts,
    remove_mentions,
    remove_devices,
    remove_feed,
    remove_read_marker,
    remove_friends,
    remove_reports,
    remove_kept_replies,
    forget_events,
)


def bury_person(session: Session, *, user_id: UUID, now: datetime) -> None:
    """Make a person's profile a tombstone, of one never seen too: from the commit on nobody sees them.

    The row stays for good, with the account's id, the username and times. The username stays reserved, and so
    do those that the person had before, so that nobody can pass for them; the row keeps late tokens and late
    events from making them anew. The trail of moderation stays as well, with ids alone.
    """
    see_person(session, user_id=user_id, now=now)
    session.execute(
        update(PROFILES)
        .where(PROFILES.c.user_id == user_id, PROFILES.c.deleted_at.is_(None))
        .values(
            display_name="",
            bio="",
            avatar_url=None,
            is_private=False,
            friends_found_at=None,
            version=PROFILES.c.version + 1,
            updated_at=now,
            deleted_at=now,
        )
    )


def erase_batch(session: Session, *, account_id: UUID) -> Mapping[str, int]:
    """Remove one batch of what is left of a buried person: how many of each kind; none when all is gone."""
    for remove in _BATCHES:
        removed = {kind: count for kind, count in remove(session, account_id).items() if count}
        if removed:
            return removed
    return {}


def forget_counts(session: Session, *, user_id: UUID) -> None:
    """Empty the counts of a person who has nothing left to count."""
    session.execute(
        update(PROFILES)
        .where(PROFILES.c.user_id == user_id)
        .values(
            follower_count=0,
            following_count=0,
            post_count=0,
            public_post_count=0,
            followers_post_count=0,
        )
    )
