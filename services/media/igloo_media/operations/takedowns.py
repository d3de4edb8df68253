"""Photos that a moderator's decision keeps from being shown, and files that it keeps from coming back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from igloo_common.database import Reader
from igloo_common.errors import Conflict, FieldError
from igloo_common.statements import Sent, Statement
from igloo_media.models import MediaItem, MediaState, Takedown
from igloo_media.operations.locks import lock_items
from igloo_media.operations.purges import withdraw_paths
from igloo_media.policies.objects import rendition_paths

MEDIA_REFUSED_CODE: Final = "media_refused"
MEDIA_REFUSED_DETAIL: Final = "This file is not accepted: a moderator took it down."


class MediaRefused(Conflict):
    """A moderator took this very file down: it is not taken again, from anybody."""


def take_down(
    session: Session, *, post_id: UUID, author_id: UUID, media_ids: Collection[UUID], now: datetime
) -> None:
    """Withhold the author's photos of a hidden post, and refuse their files from now on.

    The same bytes in another post stay: each post is a decision of its own.
    """
    shown = lock_items(
        session,
        *_photos_of(post_id, author_id, media_ids),
        MediaItem.state != MediaState.DELETED,
        MediaItem.withheld_at.is_(None),
    )
    withheld = session.execute(
        update(MediaItem)
        .where(MediaItem.id.in_(shown))
        .values(withheld_at=now)
        .returning(
            MediaItem.id,
            MediaItem.thumb_version,
            # A photo from before its bytes were noted was held against what its client had announced.
            func.coalesce(MediaItem.content_sha256, MediaItem.sha256).label("checksum"),
        )
    ).all()
    refused = {photo.checksum for photo in withheld if photo.checksum is not None}
    if refused:
        rows = [{"post_id": post_id, "sha256": checksum, "decided_at": now} for checksum in sorted(refused)]
        session.execute(insert(Takedown).on_conflict_do_nothing(), rows)
    paths = [
        path for photo in withheld for path in rendition_paths(photo.id, thumb_version=photo.thumb_version)
    ]
    withdraw_paths(session, paths=paths, now=now)


def take_back(session: Session, *, post_id: UUID, author_id: UUID, media_ids: Collection[UUID]) -> None:
    """Show the photos of a restored post again, and accept their files, unless another post forbids it."""
    photos = lock_items(session, *_photos_of(post_id, author_id, media_ids))
    session.execute(update(MediaItem).where(MediaItem.id.in_(photos)).values(withheld_at=None))
    session.execute(delete(Takedown).where(Takedown.post_id == post_id))


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """The question which of some files are refused, on its way to the database."""

    checksums: Sequence[bytes | None]
    asked: Sent | None

    def settle(self) -> None:
        """Wait for the answer.

        Raises:
            MediaRefused: with a pointer to each file that is refused.
        """
        refused = {checksum for (checksum,) in self.asked.rows()} if self.asked else set()
        if refused:
            errors = [
                FieldError(pointer=f"/files/{place}", code=MEDIA_REFUSED_CODE, detail=MEDIA_REFUSED_DETAIL)
                for place, checksum in enumerate(self.checksums)
                if checksum in refused
            ]
            raise MediaRefused("Some of the files are not accepted.", errors=errors)


def ask_for_refusal(session: Session, checksums: Sequence[bytes | None]) -> Refusal:
    """Ask which of these files are refused, in the round trip of whatever is read next; none is no file."""
    announced = [checksum for checksum in checksums if checksum is not None]
    asked = _REFUSED.send(session, {"checksums": announced}) if announced else None
    return Refusal(checksums=checksums, asked=asked)


def is_refused(reader: Reader, checksum: bytes) -> bool:
    """Tell whether a file that has arrived is refused."""
    return (
        reader.execute(select(Takedown.sha256).where(Takedown.sha256 == checksum).limit(1)).first()
        is not None
    )


def _photos_of(
    post_id: UUID, author_id: UUID, media_ids: Collection[UUID]
) -> tuple[ColumnElement[bool], ...]:
    return (
        MediaItem.id.in_(media_ids),
        MediaItem.owner_id == author_id,
        (MediaItem.post_id == post_id) | MediaItem.post_id.is_(None),
    )


_REFUSED = Statement("SELECT DISTINCT sha256 FROM takedowns WHERE sha256 = ANY(%(checksums)s::bytea[])")
