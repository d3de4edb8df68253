"""Objects on their way out of S3."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from igloo_common.database import Reader
from igloo_media.models import ObjectRemoval


def schedule_removals(session: Session, *, keys: Iterable[str], due_at: datetime) -> None:
    """Have objects removed once the transaction has committed and the time has come."""
    rows = [{"object_key": key, "due_at": due_at} for key in keys]
    session.execute(insert(ObjectRemoval).on_conflict_do_nothing(), rows)


def due_removals(reader: Reader, *, now: datetime, limit: int) -> list[str]:
    """Return keys whose time has come, the most overdue first."""
    due = select(ObjectRemoval.object_key).where(ObjectRemoval.due_at <= now)
    return list(reader.execute(due.order_by(ObjectRemoval.due_at).limit(limit)).scalars())


def forget_removals(session: Session, *, keys: Sequence[str], now: datetime) -> None:
    """Strike removals off that are done; one of the same object that is still to come stays."""
    session.execute(
        delete(ObjectRemoval).where(ObjectRemoval.object_key.in_(keys), ObjectRemoval.due_at <= now)
    )
