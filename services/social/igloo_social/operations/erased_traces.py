"""Removing what a deleted person did and was told, and what is remembered of them elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common.event_traces import empty_applied
from igloo_common.statements import Statement
from igloo_social.operations.likes import recount_likes
from igloo_social.operations.notification_batches import withdraw_told_of, withdraw_told_to
from igloo_social.queries.shown_posts import lock_posts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy.orm import Session

LIKES_AT_ONCE = 200
ROWS_AT_ONCE = 5_000


def remove_likes_given(session: Session, account_id: UUID) -> Mapping[str, int]:
    """Take some of the person's likes back, and count those posts' likes anew under the posts' locks."""
    liked = LIKED_POSTS.rows(session, {"account_id": account_id, "limit": LIKES_AT_ONCE})
    if not liked:
        return {}
    post_ids = [post_id for (post_id,) in liked]
    likes = {"account_id": account_id, "post_ids": post_ids}
    lock_posts(session, post_ids)
    removed = REMOVE_LIKES.count(session, likes)
    recount_likes(session, post_ids)
    return {"likes_given": removed}


def remove_bookmarks(session: Session, account_id: UUID) -> Mapping[str, int]:
    """Forget some of what the person kept for later; nobody counts it."""
    return {"bookmarks": REMOVE_BOOKMARKS.count(session, {"account_id": account_id, "limit": ROWS_AT_ONCE})}


def remove_dismissals(session: Session, account_id: UUID) -> Mapping[str, int]:
    """Forget some of whom the person did not want to be suggested, or else of who did not want them.

    One of the two in a transaction: two who dismissed each other may be leaving at once.
    """
    batch = {"account_id": account_id, "limit": ROWS_AT_ONCE}
    removed = REMOVE_DISMISSALS.count(session, batch) or REMOVE_DISMISSED.count(session, batch)
    return {"dismissed_suggestions": removed}


def remove_notifications(session: Session, account_id: UUID) -> Mapping[str, int]:
    """Remove some of what the person was told, and of what others were told that the person did."""
    told_to = withdraw_told_to(session, account_id, limit=ROWS_AT_ONCE)
    return {"notifications": told_to or withdraw_told_of(session, account_id, limit=ROWS_AT_ONCE)}


def remove_feed(session: Session, account_id: UUID) -> Mapping[str, int]:
    """Remove some of the person's own feed, and of what was to be looked at again there and elsewhere."""
    batch = {"account_id": account_id, "limit": ROWS_AT_ONCE}
    changes = REMOVE_FEED_CHANGES.count(session, batch) + REMOVE_POST_CHANGES.count(session, batch)
    return {"feed_entries": REMOVE_FEED.count(session, batch), "feed_changes": changes}


def remove_read_marker(session: Session, account_id: UUID) -> Mapping[str, int]:
    """Forget how far the person had read, and what they wanted to be told."""
    account = {"account_id": account_id}
    return {
        "read_markers": REMOVE_READ_MARKER.count(session, account),
        "notification_preferences": REMOVE_PREFERENCES.count(session, account),
    }


def remove_friends(session: Session, account_id: UUID) -> Mapping[str, int]:
    """Forget who the person's Facebook friends are, and that the person is one of theirs."""
    return {"facebook_friends": REMOVE_FRIENDS.count(session, {"account_id": account_id})}


def remove_kept_replies(session: Session, account_id: UUID) -> Mapping[str, int]:
    """Forget the replies that were kept for the person's phone to ask again: they hold posts in full."""
    return {"kept_replies": REMOVE_KEPT_REPLIES.count(session, {"subject": str(account_id)})}


def forget_events(session: Session, account_id: UUID) -> Mapping[str, int]:
    """Empty the applied events that hold the person's name, picture and friends.

    That they came is remembered as of all events, for two weeks. What was said of photos went with these;
    other events hold ids and times alone, and go after the same two weeks.
    """
    keys = [f"account:{account_id}", f"friends:{account_id}"]
    return {"events": empty_applied(session, aggregate_keys=keys)}


LIKED_POSTS = Statement("""
SELECT post_id FROM likes WHERE user_id = %(account_id)s ORDER BY post_id LIMIT %(limit)s
""")
REMOVE_LIKES = Statement("""
DELETE FROM likes WHERE user_id = %(account_id)s AND post_id = ANY(%(post_ids)s)
""")
REMOVE_BOOKMARKS = Statement("""
WITH kept AS MATERIALIZED (
    SELECT post_id FROM bookmarks WHERE user_id = %(account_id)s ORDER BY post_id LIMIT %(limit)s FOR UPDATE
)
DELETE FROM bookmarks WHERE user_id = %(account_id)s AND post_id = ANY(ARRAY(SELECT post_id FROM kept))
""")
REMOVE_DISMISSALS = Statement("""
DELETE FROM dismissed_suggestions WHERE user_id = %(account_id)s AND dismissed_id IN (
    SELECT dismissed_id FROM dismissed_suggestions WHERE user_id = %(account_id)s LIMIT %(limit)s
)
""")
REMOVE_DISMISSED = Statement("""
DELETE FROM dismissed_suggestions WHERE dismissed_id = %(account_id)s AND user_id IN (
    SELECT user_id FROM dismissed_suggestions WHERE dismissed_id = %(account_id)s LIMIT %(limit)s
)
""")
# By ctid, for rows of this table never move, and in the order of its key: without either, PostgreSQL may
# rather read all feeds through.
REMOVE_FEED = Statement("""
DELETE FROM timeline WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM timeline WHERE owner_id = %(account_id)s ORDER BY published_at, post_id LIMIT %(limit)s
))
""")
REMOVE_FEED_CHANGES = Statement("""
DELETE FROM feed_changes WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM feed_changes WHERE owner_id = %(account_id)s LIMIT %(limit)s
))
""")
REMOVE_POST_CHANGES = Statement("""
DELETE FROM post_changes WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM post_changes WHERE author_id = %(account_id)s LIMIT %(limit)s
))
""")
REMOVE_READ_MARKER = Statement("DELETE FROM notification_read_markers WHERE recipient_id = %(account_id)s")
REMOVE_PREFERENCES = Statement("DELETE FROM notification_preferences WHERE user_id = %(account_id)s")
REMOVE_FRIENDS = Statement("""
DELETE FROM facebook_friends WHERE user_id = %(account_id)s OR friend_id = %(account_id)s
""")
REMOVE_KEPT_REPLIES = Statement("DELETE FROM idempotency_keys WHERE subject = %(subject)s")
