"""What somebody may report: only what they see, and as it reads at that moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

from sqlalchemy import Row, Uuid, bindparam, select

from igloo_social.models.comments import COMMENTS
from igloo_social.models.posts import POSTS
from igloo_social.models.profiles import PROFILES, is_here
from igloo_social.models.reports import REPORTS, ReportTarget
from igloo_social.queries.comments import CommentNotFound
from igloo_social.queries.images import attached_media_ids
from igloo_social.queries.posts import PostNotFound, visible_post
from igloo_social.queries.profiles import UserNotFound, visible_profile
from igloo_social.queries.visibility import POST_IS_VISIBLE, person_is_shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from igloo_common.database import Reader
    from igloo_common.errors import NotFound


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is reported, whose it is, and how it reads now: what SnapshotSchema documents."""

    kind: ReportTarget
    id: UUID
    owner_id: UUID
    snapshot: Mapping[str, Any]


def owner_of(reader: Reader, *, kind: ReportTarget, target_id: UUID) -> UUID:
    """Tell whose a thing is, whoever asks and whatever became of it; that never changes.

    Raises:
        PostNotFound, CommentNotFound: There never was such a thing.
    """
    if kind is ReportTarget.USER:
        return target_id
    owner_id: UUID | None = reader.execute(_OWNERS[kind], {"target_id": target_id}).scalar()
    if owner_id is None:
        refuse(kind)
    return owner_id


def visible_target(reader: Reader, *, kind: ReportTarget, target_id: UUID, viewer_id: UUID) -> Target:
    """Read a thing that the viewer sees.

    Raises:
        UserNotFound, PostNotFound, CommentNotFound: They see none.
    """
    read = {ReportTarget.USER: _person, ReportTarget.POST: _post, ReportTarget.COMMENT: _comment}[kind]
    return read(reader, target_id, viewer_id)


def refuse(kind: ReportTarget) -> NoReturn:
    """Answer as for a thing that there never was."""
    nothing: Mapping[ReportTarget, type[NotFound]] = {
        ReportTarget.USER: UserNotFound,
        ReportTarget.POST: PostNotFound,
        ReportTarget.COMMENT: CommentNotFound,
    }
    raise nothing[kind]


def open_report(reader: Reader, *, reporter_id: UUID, kind: ReportTarget, target_id: UUID) -> Row[Any] | None:
    """Find what somebody reported already and nobody has decided about."""
    statement = select(REPORTS).where(
        REPORTS.c.reporter_id == reporter_id,
        REPORTS.c.target_kind == kind.value,
        REPORTS.c.target_id == target_id,
        REPORTS.c.resolved_at.is_(None),
    )
    return reader.execute(statement).one_or_none()


def _person(reader: Reader, user_id: UUID, viewer_id: UUID) -> Target:
    profile = visible_profile(reader, user_id=user_id, viewer_id=viewer_id).profile
    return Target(
        kind=ReportTarget.USER,
        id=user_id,
        owner_id=user_id,
        snapshot={
            "username": profile.username,
            "display_name": profile.display_name,
            "text": profile.bio,
            "media_ids": [],
            "visibility": "private" if profile.is_private else "public",
            "post_id": None,
        },
    )


def _post(reader: Reader, post_id: UUID, viewer_id: UUID) -> Target:
    post = visible_post(reader, post_id=post_id, viewer_id=viewer_id)
    return Target(
        kind=ReportTarget.POST,
        id=post_id,
        owner_id=post.author_id,
        snapshot={
            "username": post.username,
            "display_name": post.display_name,
            "text": post.caption,
            "media_ids": [str(media_id) for media_id in attached_media_ids(reader, post_id)],
            "visibility": post.visibility,
            "post_id": None,
        },
    )


def _comment(reader: Reader, comment_id: UUID, viewer_id: UUID) -> Target:
    row = reader.execute(_COMMENT, {"target_id": comment_id, "viewer_id": viewer_id}).one_or_none()
    if row is None:
        raise CommentNotFound
    return Target(
        kind=ReportTarget.COMMENT,
        id=comment_id,
        owner_id=row.author_id,
        snapshot={
            "username": row.username,
            "display_name": row.display_name,
            "text": row.text,
            "media_ids": [],
            "visibility": row.visibility,
            "post_id": str(row.post_id),
        },
    )


_TARGET_ID = bindparam("target_id", type_=Uuid())
_OWNERS = {
    ReportTarget.POST: select(POSTS.c.author_id).where(POSTS.c.id == _TARGET_ID),
    ReportTarget.COMMENT: select(COMMENTS.c.author_id).where(COMMENTS.c.id == _TARGET_ID),
}
_SPEAKER = PROFILES.alias("speaker")
_COMMENT = (
    select(
        COMMENTS.c.post_id,
        COMMENTS.c.author_id,
        COMMENTS.c.text,
        POSTS.c.visibility,
        _SPEAKER.c.username,
        _SPEAKER.c.display_name,
    )
    .select_from(COMMENTS)
    .join(POSTS, POSTS.c.id == COMMENTS.c.post_id)
    .join(PROFILES, PROFILES.c.user_id == POSTS.c.author_id)
    .join(_SPEAKER, _SPEAKER.c.user_id == COMMENTS.c.author_id)
    .where(
        COMMENTS.c.id == _TARGET_ID,
        COMMENTS.c.deleted_at.is_(None),
        COMMENTS.c.hidden_by.is_(None),
        POST_IS_VISIBLE,
        is_here(_SPEAKER),
        person_is_shown(COMMENTS.c.author_id),
    )
)
