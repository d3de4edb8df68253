"""The one order in which rows of photos are locked, by whoever changes several of them at once."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from igloo_media.models import MediaItem


def lock_items(session: Session, *wanted: ColumnElement[bool]) -> list[UUID]:
    """Lock the rows of photos by their ids, and return these.

    An UPDATE or DELETE of several rows locks them as it comes upon them: two at once, each of which holds
    what the other one waits for, would be a deadlock. In a statement of its own, as only the next one sees
    what was committed while this one waited.
    """
    return list(session.scalars(select(MediaItem.id).where(*wanted).order_by(MediaItem.id).with_for_update()))
