"""Writing and deleting comments, with a count that agrees and news that hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from igloo_common.errors import Conflict, Forbidden
from igloo_common.ids import new_id
from igloo_common.statements import Statement
from igloo_social.models.comments import COMMENTS
from igloo_social.models.notifications import NotificationKind
from igloo_social.models.posts import POSTS
from igloo_social.operations import notifications
from igloo_social.operations.likes import require_published
from igloo_social.operations.mentions import mention_in_comment, share_named, tell_mentioned
from igloo_social.operations.ranks import ranked, recount
from igloo_social.operations.relations import share_person
from igloo_social.policies.comments import may_delete_comment
from igloo_social.queries.comments import (
    CommentNotFound,
    comment_as_written,
    comment_is_visible,
    find_comment,
)
from igloo_social.queries.shown_posts import lock_post, lock_shown_post

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

    from igloo_social.queries.comments import CommentRow, KnownComment


class CommentsClosed(Conflict):
    """The post's author takes no more comments under it; what was said before stays."""


class NotYourComment(Forbidden):
    """Only who wrote a comment, and whose post it stands under, may delete it."""


def add_comment(
    session: Session, *, post_id: UUID, author_id: UUID, text: str, now: datetime
) -> tuple[CommentRow, UUID]:
    """Comment on a post, and tell its author and whom the comment mentions; also return the post's author.

    Nobody is told twice: the post's author hears of the comment, and not of being mentioned in it.

    Raises:
        UserNotFound: The person's account was deleted.
        PostNotFound, PostNotPublished: See `require_published`.
        CommentsClosed: The post takes no comments, not even its author's.
    """
    share_named(session, writer_id=author_id, text=text)
    share_person(session, author_id)
    post = require_published(lock_shown_post(session, post_id=post_id, viewer_id=author_id))
    if not post.comments_open:
        raise CommentsClosed("The post takes no more comments.")
    comment_id = new_id()
    comment = {"id": comment_id, "post_id": post_id, "author_id": author_id, "text": text, "now": now}
    _ADD.run(session, comment)
    mentioned = mention_in_comment(session, comment_id=comment_id, author_id=author_id, text=text)
    notifications.notify(
        session,
        recipient_id=post.author_id,
        kind=NotificationKind.COMMENT,
        actor_id=author_id,
        object_id=comment_id,
        post_id=post_id,
        now=now,
    )
    tell_mentioned(
        session,
        {mention.user_id for mention in mentioned} - {post.author_id},
        writer_id=author_id,
        post_id=post_id,
        object_id=comment_id,
        now=now,
    )
    return comment_as_written(session, comment_id=comment_id, viewer_id=author_id), post.author_id


def delete_comment(session: Session, *, comment_id: UUID, user_id: UUID, now: datetime) -> None:
    """Delete a comment, its words at once, and what was told about it; deleted already, it changes nothing.

    Raises:
        UserNotFound: The person's account was deleted.
        CommentNotFound: There is no such comment for this person.
        NotYourComment: They see it, and neither wrote it nor the post.
    """
    share_person(session, user_id)
    comment = find_comment(session, comment_id)
    if comment is None:
        raise CommentNotFound
    if not _is_theirs(comment, user_id):
        if comment_is_visible(session, comment_id=comment_id, viewer_id=user_id):
            raise NotYourComment("Only who wrote a comment, and whose post it stands under, may delete it.")
        raise CommentNotFound
    lock_post(session, comment.post_id)
    if _DELETE.rows(session, {"comment_id": comment_id, "now": now}):
        notifications.withdraw_all_about_comment(session, comment_id)


def remove_between(session: Session, a: UUID, b: UUID, *, now: datetime) -> Sequence[UUID]:
    """Delete the comments of each under the other's posts, and return their ids.

    Needs both people's and those posts' locks. What was told about the comments is the caller's to take back.
    """
    return [comment_id for (comment_id,) in _DELETE_BETWEEN.rows(session, {"people": [a, b], "now": now})]


def recount_comments(session: Session, post_ids: Sequence[UUID]) -> list[UUID]:
    """Count the comments shown under these posts anew; return those whose stored counts were wrong.

    Needs the posts' locks.
    """
    shown = COMMENTS.c.deleted_at.is_(None), COMMENTS.c.hidden_by.is_(None)
    comments = select(func.count()).select_from(COMMENTS).where(COMMENTS.c.post_id == POSTS.c.id, *shown)
    return recount(session, post_ids, stored=POSTS.c.comment_count, rows=comments)


def _is_theirs(comment: KnownComment, user_id: UUID) -> bool:
    """Tell whether the comment is the person's to delete; theirs under a post that is gone is, too.

    Under their own post, they may delete what they see there, and again what has been deleted.
    """
    if user_id == comment.author_id:
        return True
    is_out_of_sight = comment.post_is_deleted or comment.is_hidden
    return not is_out_of_sight and may_delete_comment(
        user_id, author_id=comment.author_id, post_author_id=comment.post_author_id
    )


# Adding is exact under the post's lock; a popular post has too many comments to count each time.
_ADD = Statement(f"""
WITH added AS (
    INSERT INTO comments (id, post_id, author_id, text, created_at)
    VALUES (%(id)s, %(post_id)s, %(author_id)s, %(text)s, %(now)s)
    RETURNING post_id
)
UPDATE posts SET comment_count = comment_count + 1, rank_at = {ranked(comments="comment_count + 1")}
WHERE id IN (SELECT post_id FROM added)
""")  # noqa: S608 - words of our own


def _deleting(comments: str) -> Statement:
    """Write the statement that empties comments, forgets whom they mention, and counts those once shown.

    A count never falls below nothing: one that had drifted must not keep anybody from deleting.
    """
    fewer = "greatest(comment_count - fewer.count, 0)"
    return Statement(f"""
    WITH doomed AS (
        SELECT id, post_id, hidden_by, mention_count FROM comments WHERE deleted_at IS NULL AND {comments}
        FOR NO KEY UPDATE
    ), emptied AS (
        UPDATE comments SET deleted_at = %(now)s, text = '', mention_count = 0
        WHERE id = ANY(ARRAY(SELECT id FROM doomed))
    ), forgotten AS (
        DELETE FROM comment_mentions
        WHERE comment_id = ANY(ARRAY(SELECT id FROM doomed WHERE mention_count > 0))
    ), fewer AS (
        SELECT post_id, count(*)::integer AS count FROM doomed WHERE hidden_by IS NULL GROUP BY post_id
    ), counted AS (
        UPDATE posts SET comment_count = {fewer}, rank_at = {ranked(comments=fewer)}
        FROM fewer WHERE posts.id = fewer.post_id
    )
    SELECT id FROM doomed
    """)  # noqa: S608 - words of our own


_DELETE = _deleting("id = %(comment_id)s")
_DELETE_BETWEEN = _deleting("""id IN (
    SELECT said.id FROM comments said JOIN posts ON posts.id = said.post_id
    WHERE said.author_id = ANY(%(people)s) AND posts.author_id = ANY(%(people)s)
        AND posts.author_id <> said.author_id
)""")
