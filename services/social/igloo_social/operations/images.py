"""Attaching images to posts, which may be made before their media are ready, and come out whole or not."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert

from igloo_common.errors import FieldError, Invalid
from igloo_social.models.images import MEDIA_ITEMS, MediaState
from igloo_social.models.posts import POST_IMAGES, POSTS, PostState, Visibility
from igloo_social.operations.locks import lock_media
from igloo_social.operations.profiles import meet_living
from igloo_social.operations.publishing import emit_changed, fail_post, publish_post, take_back_post
from igloo_social.policies.images import DELETED, refusal_of
from igloo_social.queries.images import (
    authors_wishing_for,
    lock_posts_wishing_for,
    media_by_id,
    media_of_post,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Row
    from sqlalchemy.orm import Session


_LATER_FIELDS = ("version", "is_animated")


class MediaNotUsable(Invalid):
    """Some of the media cannot be shown by this post; `errors` says which and why."""


@dataclass(frozen=True, kw_only=True)
class Rendition:
    """One size of a medium that can be fetched."""

    name: str
    width: int
    height: int
    content_type: str
    version: int = 1
    is_animated: bool = False


@dataclass(frozen=True, kw_only=True)
class Medium:
    """What the media service said about a medium that is ready or has failed."""

    media_id: UUID
    owner_id: UUID
    state: Literal[MediaState.READY, MediaState.FAILED]
    failure_code: str | None = None
    failure_detail: str | None = None
    width: int | None = None
    height: int | None = None
    blurhash: str | None = None
    dominant_color: str | None = None
    alt_text: str | None = None
    focal_x: float | None = None
    focal_y: float | None = None
    renditions: Sequence[Rendition] = ()


def reserve_media(
    session: Session, *, post_id: UUID, author_id: UUID, media_ids: Sequence[UUID]
) -> Mapping[UUID, Row[Any]]:
    """Lock the media that a new post asks for, and return those that are ready; the others are yet to come.

    Raises:
        MediaNotUsable: A medium is somebody else's, failed, deleted, or shown by another post.
    """
    lock_media(session, media_ids)
    known = media_by_id(session, media_ids)
    errors = [
        FieldError(pointer=f"/media_ids/{position}", code=refusal.code, detail=refusal.detail)
        for position, media_id in enumerate(media_ids)
        if media_id in known
        and (refusal := refusal_of(known[media_id], author_id=author_id, post_id=post_id))
    ]
    if errors:
        raise MediaNotUsable("Some of the media cannot be shown by this post.", errors=errors)
    return known


def attach_media(
    session: Session, *, post_id: UUID, media_ids: Sequence[UUID], ready: Mapping[UUID, Row[Any]]
) -> None:
    """Note what a new post shows, in order, and give it the media that are ready.

    Needs the locks of `reserve_media`.
    """
    session.execute(
        insert(POST_IMAGES).values(
            [
                {"post_id": post_id, "position": position, "media_id": media_id}
                for position, media_id in enumerate(media_ids)
            ]
        )
    )
    if ready:
        _attach(session, post_id, list(ready))


def apply_medium(session: Session, medium: Medium, *, now: datetime) -> None:
    """Note what became of a medium, and bring the posts that wish for it a step further.

    The locks make the events of a post's media, and the post itself, take turns: whoever comes last sees all
    the others and publishes, so that no post is left waiting. Media and posts of the deleted are let be: they
    are being removed.
    """
    lock_media(session, (medium.media_id,))
    people = {medium.owner_id, *authors_wishing_for(session, medium.media_id)}
    living = meet_living(session, people, now=now)
    if medium.owner_id not in living:
        return
    posts = lock_posts_wishing_for(session, medium.media_id)
    _store(session, medium, now)
    for post in posts:
        if post.author_id not in living:
            continue
        if post.state == PostState.PROCESSING:
            _advance(session, post, medium.media_id, now)
        elif medium.state is MediaState.READY:
            if _images_json(_show_anew(session, post)) != post.images:
                _announce_change(session, post, now)
        else:
            _lose_image(session, post, medium.media_id, now)


def _advance(session: Session, post: Row[Any], media_id: UUID, now: datetime) -> None:
    """Give a waiting post the medium, or fail it; publish it when this was the last."""
    medium = media_by_id(session, (media_id,))[media_id]
    if refusal := refusal_of(medium, author_id=post.author_id, post_id=post.id):
        fail_post(
            session,
            post_id=post.id,
            author_id=post.author_id,
            code=refusal.code,
            detail=refusal.detail,
            now=now,
        )
        return
    _attach(session, post.id, (media_id,))
    media = _show_anew(session, post)
    if all(image.is_attached for image in media):
        publish_post(
            session,
            post_id=post.id,
            author_id=post.author_id,
            media_ids=[image.media_id for image in media],
            now=now,
        )


def _lose_image(session: Session, post: Row[Any], media_id: UUID, now: datetime) -> None:
    """Take an image from a post that is out, for it is gone: its owner deleted it the moment they posted it.

    The media service had not heard of the post yet, or would not have let them. What is left stays out; a
    post that has nothing left fails, so that its author sees why.
    """
    wish = POST_IMAGES.c.post_id == post.id, POST_IMAGES.c.media_id == media_id
    session.execute(delete(POST_IMAGES).where(*wish))
    session.execute(update(MEDIA_ITEMS).where(MEDIA_ITEMS.c.media_id == media_id).values(post_id=None))
    if not _show_anew(session, post) and not post.caption.strip():
        take_back_post(session, post, code=DELETED.code, detail=DELETED.detail, now=now)
    _announce_change(session, post, now)


def _announce_change(session: Session, post: Row[Any], now: datetime) -> None:
    if post.state in {PostState.PUBLISHED, PostState.HIDDEN}:
        is_for_others = post.state == PostState.PUBLISHED and post.visibility != Visibility.PRIVATE
        emit_changed(session, post_id=post.id, author_id=post.author_id, now=now, is_for_others=is_for_others)


def _show_anew(session: Session, post: Row[Any]) -> Sequence[Row[Any]]:
    """Rewrite what readers see of a post's images from the tables that decide."""
    media = media_of_post(session, post.id)
    session.execute(update(POSTS).where(POSTS.c.id == post.id).values(images=_images_json(media)))
    return media


def _images_json(media: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    return [describe_image(image.media_id, image) for image in media]


def _attach(session: Session, post_id: UUID, media_ids: Sequence[UUID]) -> None:
    session.execute(
        update(MEDIA_ITEMS)
        .where(MEDIA_ITEMS.c.media_id.in_(media_ids), MEDIA_ITEMS.c.post_id.is_(None))
        .values(post_id=post_id)
    )


def _store(session: Session, medium: Medium, now: datetime) -> None:
    said = {**asdict(medium), "state": medium.state.value, "updated_at": now}
    said["renditions"] = said["renditions"] if medium.state is MediaState.READY else None
    session.execute(
        insert(MEDIA_ITEMS)
        .values(said)
        .on_conflict_do_update(
            index_elements=[MEDIA_ITEMS.c.media_id],
            set_={name: value for name, value in said.items() if name not in {"media_id", "owner_id"}},
        )
    )


def describe_image(media_id: UUID, medium: Row[Any] | None) -> dict[str, Any]:
    """Describe an image as readers see it, less the addresses, which are signed for each reading anew.

    One that the post does not have yet is there with nothing but its id, so that the order can be seen.
    """
    return {
        "media_id": str(media_id),
        "width": medium.width if medium else None,
        "height": medium.height if medium else None,
        "blurhash": medium.blurhash if medium else None,
        "dominant_color": medium.dominant_color if medium else None,
        "alt_text": medium.alt_text if medium else None,
        "focal_point": _focal_point(medium) if medium else None,
        "renditions": {
            rendition["name"]: _described(rendition) for rendition in (medium and medium.renditions) or ()
        },
    }


def _focal_point(medium: Row[Any]) -> dict[str, float] | None:
    return None if medium.focal_x is None else {"x": medium.focal_x, "y": medium.focal_y}


def _described(rendition: Mapping[str, Any]) -> dict[str, Any]:
    # What was stored before there were versions and animations has neither.
    described = {field: rendition[field] for field in ("width", "height", "content_type")}
    return {**described, **{name: rendition[name] for name in _LATER_FIELDS if rendition.get(name)}}
