"""How far the processing of photos is behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from igloo_common.database import Reader
from igloo_common.statements import Statement


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Photos that are not finished."""

    photos: int
    oldest_seconds: float
    """0 when none waits."""
    in_process: int


def count_waiting(reader: Reader, *, now: datetime) -> Waiting:
    """Count what waits and what is in process; reads the index of these alone."""
    row = _WAITING.row(reader, {"now": now})
    assert row is not None  # noqa: S101 - an aggregate has one row
    return Waiting(photos=row[0], oldest_seconds=row[1], in_process=row[2])


_WAITING = Statement("""
SELECT count(*) FILTER (WHERE state = 'uploaded'),
    coalesce(extract(epoch FROM %(now)s - min(uploaded_at) FILTER (WHERE state = 'uploaded')), 0)::float8,
    count(*) FILTER (WHERE state = 'processing')
FROM media_items WHERE state IN ('uploaded', 'processing')
""")
