"""Puts stored counts right that disagree with what they count, under the locks of whoever changes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from igloo_common.statements import Statement
from igloo_social.operations.comments import recount_comments
from igloo_social.operations.counts import recount_people
from igloo_social.operations.drift import COMMENTS, GROUPS, PEOPLE, POSTS, wrong_among
from igloo_social.operations.likes import recount_likes
from igloo_social.operations.locks import lock_audience
from igloo_social.operations.notification_groups import regroup
from igloo_social.operations.post_counts import recount_posts
from igloo_social.operations.ranks import rerank
from igloo_social.operations.relations import lock_people
from igloo_social.operations.tags import agree_tags
from igloo_social.operations.timeline import backfill

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

    from igloo_social.operations.drift import Ground

FOLLOWS_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class Found:
    """Which rows were wrong in one way, and how many of them no longer are."""

    wrong: Sequence[UUID]
    put_right: int


def put_right(session: Session, ground: Ground, ids: Sequence[UUID], *, now: datetime) -> Mapping[str, Found]:
    """Look at rows again under their locks, and put right what is still wrong; the others stay untouched."""
    _LOCKS[ground.table](session, ids)
    before = wrong_among(session, ground, ids)
    for kind, wrong in before.items():
        if wrong:
            _FIXES[kind](session, wrong, now)
    after = wrong_among(session, ground, ids)
    return {kind: Found(wrong, len(set(wrong) - set(after[kind]))) for kind, wrong in before.items()}


def _lock_groups(session: Session, group_ids: Sequence[UUID]) -> None:
    """Lock groups after all that people hold who tell facts of them: recipients, and the facts' posts."""
    groups = {"ids": list(group_ids)}
    lock_people(session, [user_id for (user_id,) in _RECIPIENTS.rows(session, groups)])
    _LOCK_POSTS_OF_GROUPS.rows(session, groups)
    _LOCK_GROUPS.rows(session, groups)


def _recount_posts(session: Session, author_ids: Sequence[UUID], _now: datetime) -> None:
    for author_id in author_ids:
        recount_posts(session, author_id)


def _part_follows(session: Session, follower_ids: Sequence[UUID], now: datetime) -> None:
    """Have follows of accounts that are not read merged written to again, some for each follower.

    Whoever changes one of them holds the follower's lock; no fan-out is under way meanwhile.
    """
    rows = _MERGED_FOLLOWS.rows(session, {"ids": list(follower_ids), "limit": FOLLOWS_AT_ONCE})
    lock_audience(session, {author_id for _, author_id in rows})
    for follower_id, author_id in rows:
        _PART_FOLLOW.run(session, {"follower_id": follower_id, "author_id": author_id})
        backfill(session, follower_id=follower_id, author_id=author_id, now=now)


def _agree_tags(session: Session, post_ids: Sequence[UUID], _now: datetime) -> None:
    for post_id in post_ids:
        agree_tags(session, post_id)


def _recount_mentions(texts: str, mentions: str, column: str) -> Statement:
    return Statement(f"""
    UPDATE {texts} SET mention_count = (SELECT count(*) FROM {mentions} WHERE {column} = {texts}.id)
    WHERE id = ANY(%(ids)s::uuid[])
    """)  # noqa: S608 - words of our own


def _locking(table: str) -> Statement:
    return Statement(f"SELECT FROM {table} WHERE id = ANY(%(ids)s::uuid[]) ORDER BY id FOR NO KEY UPDATE")


_LOCK_POSTS = _locking("posts")
_LOCK_COMMENTS = _locking("comments")
_RECIPIENTS = Statement("""
SELECT DISTINCT recipient_id FROM notification_groups WHERE id = ANY(%(ids)s::uuid[])
""")
_LOCK_POSTS_OF_GROUPS = Statement("""
SELECT FROM posts WHERE id = ANY(ARRAY(
    SELECT DISTINCT post_id FROM notifications WHERE group_id = ANY(%(ids)s::uuid[])
)) ORDER BY id FOR NO KEY UPDATE
""")
_LOCK_GROUPS = Statement("""
SELECT FROM notification_groups WHERE id = ANY(%(ids)s::uuid[]) ORDER BY id FOR UPDATE
""")
_MERGED_FOLLOWS = Statement("""
SELECT follow.from_user, follow.to_user FROM unnest(%(ids)s::uuid[]) AS follower(id), LATERAL (
    SELECT from_user, to_user FROM relations JOIN profiles AS author ON author.user_id = to_user
    WHERE from_user = follower.id AND is_merged AND NOT author.merged_at_read LIMIT %(limit)s
) AS follow
""")
_PART_FOLLOW = Statement("""
UPDATE relations SET is_merged = false
WHERE from_user = %(follower_id)s AND to_user = %(author_id)s AND relation_type = 'f'
""")
_RECOUNT_POST_MENTIONS = _recount_mentions("posts", "post_mentions", "post_id")
_RECOUNT_COMMENT_MENTIONS = _recount_mentions("comments", "comment_mentions", "comment_id")

_LOCKS: Final[Mapping[str, Callable[[Session, Sequence[UUID]], object]]] = {
    PEOPLE.table: lock_people,
    POSTS.table: lambda session, ids: _LOCK_POSTS.rows(session, {"ids": list(ids)}),
    COMMENTS.table: lambda session, ids: _LOCK_COMMENTS.rows(session, {"ids": list(ids)}),
    GROUPS.table: _lock_groups,
}
_FIXES: Final[Mapping[str, Callable[[Session, Sequence[UUID], datetime], object]]] = {
    "followers": lambda session, ids, _: recount_people(session, list(ids)),
    "followees": lambda session, ids, _: recount_people(session, list(ids)),
    "posts": _recount_posts,
    "merged_follows": _part_follows,
    "likes": lambda session, ids, _: recount_likes(session, ids),
    "comments": lambda session, ids, _: recount_comments(session, ids),
    "ranks": lambda session, ids, _: rerank(session, ids),
    "post_mentions": lambda session, ids, _: _RECOUNT_POST_MENTIONS.run(session, {"ids": list(ids)}),
    "tags": _agree_tags,
    "comment_mentions": lambda session, ids, _: _RECOUNT_COMMENT_MENTIONS.run(session, {"ids": list(ids)}),
    "notification_groups": lambda session, ids, _: regroup(session, ids),
}
