"""Whom posts and comments mention: found by username, stored beside the text, and told if they may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from igloo_common.statements import Statement
from igloo_social.models.notifications import NotificationKind
from igloo_social.operations import notifications
from igloo_social.operations.notification_groups import Removal
from igloo_social.policies.captions import usernames_in
from igloo_social.queries.mentions import mentioned_in_post, those_who_see

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session


class Mention(NamedTuple):
    """A person whom a text mentions, by the username that stands there, in lower case."""

    user_id: UUID
    username: str


def share_named(session: Session, *, writer_id: UUID, text: str) -> None:
    """Keep whom a text may mention, and its writer, from leaving until the transaction ends.

    Before it locks a post: an erasure then finds the mention and what it told, or the person is not found.
    """
    _hold_named(session, _SHARE_NAMED, writer_id, text)


def lock_named(session: Session, *, writer_id: UUID, text: str) -> None:
    """Do the same where the writer's row is to be changed, for which sharing it is not enough."""
    _hold_named(session, _LOCK_NAMED, writer_id, text)


def _hold_named(session: Session, hold: Statement, writer_id: UUID, text: str) -> None:
    if usernames := usernames_in(text):
        hold.run(session, {"writer_id": writer_id, "usernames": list(usernames)})


def mention_in_comment(
    session: Session, *, comment_id: UUID, author_id: UUID, text: str
) -> Sequence[Mention]:
    """Store whom a new comment mentions, and return them by username; without `@`, it asks nothing.

    Needs the author's lock, `share_person` or stronger, taken in a statement before: then a block between the
    two either is seen, or waits and finds what they were told. Needs those of `share_named`, too. Telling the
    mentioned is `tell_mentioned`.
    """
    usernames = usernames_in(text)
    if not usernames:
        return ()
    found = {"text_id": comment_id, "author_id": author_id, "usernames": list(usernames)}
    return [Mention(*row) for row in _IN_COMMENT.rows(session, found)]


def mention_in_post(session: Session, *, post_id: UUID, author_id: UUID, text: str) -> Sequence[Mention]:
    """Store whom a new post's caption mentions, likewise. Needs the locks of `lock_named`."""
    usernames = usernames_in(text)
    if not usernames:
        return ()
    found = {"text_id": post_id, "author_id": author_id, "usernames": list(usernames)}
    return [Mention(*row) for row in _IN_POST.rows(session, found)]


def mention_anew_in_post(
    session: Session, *, post_id: UUID, author_id: UUID, text: str
) -> tuple[frozenset[UUID], frozenset[UUID]]:
    """Store whom an edited caption mentions; return who came to be mentioned, and who no longer is.

    Needs the locks of `lock_named`, and the post's.
    """
    before = frozenset(user_id for (user_id,) in _FORGET.rows(session, {"text_id": post_id}))
    now = mention_in_post(session, post_id=post_id, author_id=author_id, text=text)
    if not now:
        _COUNT_NONE.run(session, {"text_id": post_id})
    after = frozenset(mention.user_id for mention in now)
    return after - before, before - after


def tell_mentioned(
    session: Session,
    user_ids: Collection[UUID],
    *,
    writer_id: UUID,
    post_id: UUID,
    object_id: UUID,
    now: datetime,
) -> None:
    """Tell those of the mentioned who may see the post; told already, they are not told again.

    `object_id` is what mentions them: the post itself or a comment under it. Needs the writer's lock.
    """
    others = [user_id for user_id in user_ids if user_id != writer_id]
    if not others:
        return
    for recipient_id in those_who_see(session, post_id=post_id, user_ids=others):
        notifications.notify(
            session,
            recipient_id=recipient_id,
            kind=NotificationKind.MENTION,
            actor_id=writer_id,
            object_id=object_id,
            post_id=post_id,
            now=now,
        )


def tell_mentioned_in_post(session: Session, *, post_id: UUID, author_id: UUID, now: datetime) -> None:
    """Tell all whom a post that is out mentions and who may see it. Needs the author's lock."""
    user_ids = mentioned_in_post(session, post_id)
    tell_mentioned(session, user_ids, writer_id=author_id, post_id=post_id, object_id=post_id, now=now)


def withdraw_mentions(
    session: Session, user_ids: Collection[UUID], *, writer_id: UUID, object_id: UUID
) -> None:
    """Take back what the mentioned were told: they are not any more, or may not see it."""
    for recipient_id in sorted(user_ids):
        notifications.withdraw(
            session,
            recipient_id=recipient_id,
            kind=NotificationKind.MENTION,
            actor_id=writer_id,
            object_id=object_id,
        )


def withdraw_unseen_mentions(session: Session, *, post_id: UUID) -> None:
    """Take back what people were told of mentions in a post and under it who may not see it any more.

    Needs the post's lock.
    """
    told = [user_id for (user_id,) in _TOLD.rows(session, {"post_id": post_id})]
    seeing = those_who_see(session, post_id=post_id, user_ids=told) if told else ()
    if unseen := sorted(set(told).difference(seeing)):
        _UNSEEN.run(session, {"post_id": post_id, "recipient_ids": unseen})


# In the order of their ids, so that two who mention each other do not deadlock.
_NAMED = """
SELECT user_id FROM profiles WHERE user_id = %(writer_id)s OR username = ANY(%(usernames)s) ORDER BY user_id
"""
_SHARE_NAMED = Statement(f"{_NAMED} FOR SHARE")
_LOCK_NAMED = Statement(f"{_NAMED} FOR NO KEY UPDATE")


def _mentioning(texts: str, mentions: str, column: str) -> Statement:
    """Write the statement that finds the people, stores them, counts them and returns them."""
    return Statement(f"""
    WITH people AS (
        SELECT user_id, username FROM profiles
        WHERE username = ANY(%(usernames)s) AND deleted_at IS NULL AND suspended_at IS NULL
            AND NOT EXISTS (SELECT FROM relations WHERE relation_type = 'b'
                AND from_user = %(author_id)s AND to_user = profiles.user_id)
            AND NOT EXISTS (SELECT FROM relations WHERE relation_type = 'b'
                AND from_user = profiles.user_id AND to_user = %(author_id)s)
    ), stored AS (
        INSERT INTO {mentions} ({column}, user_id, username)
        SELECT %(text_id)s, user_id, username FROM people
    ), counted AS (
        UPDATE {texts} SET mention_count = (SELECT count(*) FROM people) WHERE id = %(text_id)s
    )
    SELECT user_id, username FROM people ORDER BY username
    """)  # noqa: S608 - words of our own


_IN_POST = _mentioning("posts", "post_mentions", "post_id")
_IN_COMMENT = _mentioning("comments", "comment_mentions", "comment_id")
_FORGET = Statement("DELETE FROM post_mentions WHERE post_id = %(text_id)s RETURNING user_id")
_TOLD = Statement(
    "SELECT DISTINCT recipient_id FROM notifications WHERE post_id = %(post_id)s AND kind = 'mention'"
)
_UNSEEN = Removal("post_id = %(post_id)s AND kind = 'mention' AND recipient_id = ANY(%(recipient_ids)s)")
_COUNT_NONE = Statement("UPDATE posts SET mention_count = 0 WHERE id = %(text_id)s AND mention_count > 0")
