"""Locks on facts that no single row stands for, held until the transaction ends.

Whoever takes several kinds takes them in this order, so that nobody deadlocks: media, profiles rows by id,
audiences, posts rows by id, media_items rows, comments rows by id, notification_groups rows by id,
devices, devices rows by key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from sqlalchemy.orm import Session

# One round trip for all of them. The function scan keeps the order of the array, so that two transactions
# that want the same names take them in the same order and cannot deadlock.
_EXCLUSIVE = Statement(
    "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(%(names)s::text[]) AS name"
)
_SHARED = Statement(
    "SELECT pg_advisory_xact_lock_shared(hashtextextended(name, 0)) FROM unnest(%(names)s::text[]) AS name"
)


def lock_media(session: Session, media_ids: Iterable[UUID]) -> None:
    """Keep others from attaching these media, or hearing of them, until the transaction ends."""
    _lock(session, _EXCLUSIVE, (f"media:{media_id}" for media_id in media_ids))


def lock_audience(session: Session, author_ids: Iterable[UUID]) -> None:
    """Wait for fan-outs of these authors to end, and hold off new ones until the transaction ends."""
    _lock(session, _EXCLUSIVE, (f"audience:{author_id}" for author_id in author_ids))


def share_audience(session: Session, author_id: UUID) -> None:
    """Write to the feeds of an author's followers, beside other such writers, while nobody leaves."""
    _lock(session, _SHARED, (f"audience:{author_id}",))


def lock_devices(session: Session, *facts: str) -> None:
    """Decide whose phone is whose while nobody else decides about the same person, session or token."""
    _lock(session, _EXCLUSIVE, (f"devices:{fact}" for fact in facts))


def _lock(session: Session, statement: Statement, names: Iterable[str]) -> None:
    statement.rows(session, {"names": sorted(set(names))})
