"""Addresses on their way out of the caches before the service."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from igloo_common.database import Reader
from igloo_media.models import CachePurge
from igloo_media.policies.purges import Purge, settled_after


def note_purges(session: Session, *, paths: Iterable[str], due_at: datetime) -> None:
    """Have caches forget paths once the transaction has committed and the time has come.

    For paths that show something else from now on: an answer that was decided on before may be read until
    `due_at`, and may enter a cache. What nobody shall see any more is `withdraw_paths`'s.
    """
    _note(session, [{"path": path, "due_at": due_at, "is_last": True} for path in paths])


def withdraw_paths(session: Session, *, paths: Iterable[str], now: datetime) -> None:
    """Have caches refuse paths at once, and forget them once nothing from before can still be on its way.

    A cache may be reading the photo at this moment, and would keep it after the first purge.
    """
    both = [
        (path, due_at, last) for path in paths for due_at, last in ((now, False), (settled_after(now), True))
    ]
    _note(session, [{"path": path, "due_at": due_at, "is_last": last} for path, due_at, last in both])


def due_purges(reader: Reader, *, now: datetime, limit: int) -> list[Purge]:
    """Return purges whose time has come, the most overdue first."""
    due = (
        select(CachePurge.path, CachePurge.due_at, CachePurge.is_last)
        .where(CachePurge.due_at <= now)
        .order_by(CachePurge.due_at, CachePurge.path)
        .limit(limit)
    )
    return [Purge(**row._mapping) for row in reader.execute(due)]


def forget_purges(session: Session, purges: Sequence[Purge]) -> None:
    """Strike off purges that every cache has confirmed; one of the same path that is still to come stays."""
    done = [(purge.path, purge.due_at) for purge in purges]
    session.execute(delete(CachePurge).where(tuple_(CachePurge.path, CachePurge.due_at).in_(done)))


def oldest_purge(reader: Reader) -> datetime | None:
    """Return since when the most overdue purge waits; none when there is none, due or not."""
    return reader.execute(select(func.min(CachePurge.due_at))).scalar_one()


def _note(session: Session, rows: list[dict[str, object]]) -> None:
    if rows:
        session.execute(insert(CachePurge).on_conflict_do_nothing(), rows)
