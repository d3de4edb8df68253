"""Remembers how far people have read their notifications: forward only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.dialects.postgresql import insert

from igloo_common.errors import Conflict, Invalid
from igloo_social.models.notifications import READ_MARKERS
from igloo_social.operations.relations import share_person

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session


class ReadMarkerStale(Conflict):
    """The notifications have been read further than this already, on another phone perhaps."""


class ReadMarkerInFuture(Invalid):
    """Nobody has read what has not happened yet."""


def move_read_marker(session: Session, *, recipient_id: UUID, read_until: datetime, now: datetime) -> None:
    """Remember that everything up to a moment has been read; saying the same again changes nothing.

    Raises:
        UserNotFound: The person's account was deleted.
        ReadMarkerStale: When the marker stands later already.
        ReadMarkerInFuture: When the moment has not come yet.
    """
    if read_until > now:
        raise ReadMarkerInFuture("read_until lies in the future.")
    share_person(session, recipient_id)
    marker = insert(READ_MARKERS).values(recipient_id=recipient_id, read_until=read_until)
    moved = session.execute(
        marker.on_conflict_do_update(
            index_elements=[READ_MARKERS.c.recipient_id],
            set_={"read_until": marker.excluded.read_until},
            where=READ_MARKERS.c.read_until <= marker.excluded.read_until,
        ).returning(READ_MARKERS.c.recipient_id)
    ).one_or_none()
    if moved is None:
        raise ReadMarkerStale("The notifications have been read further than this already.")
