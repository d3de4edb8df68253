"""Reads of what a person has stored and on its way."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from igloo_common.database import Reader


class Usage(NamedTuple):
    """How much it is."""

    photos: int
    stored_bytes: int
    open_uploads: int


def find_usage(reader: Reader, owner_id: UUID) -> Usage:
    """Return a person's usage; who never had any has none."""
    row = reader.execute(_USAGE, {"owner_id": owner_id}).one()
    return Usage(*row)


_USAGE = text("""
SELECT coalesce(photos, 0), coalesce(stored_bytes, 0), (
    SELECT count(*) FROM media_items
    WHERE owner_id = :owner_id AND state IN ('pending', 'uploaded', 'processing')
)
FROM (SELECT) AS nothing LEFT JOIN owner_usage ON owner_id = :owner_id
""")
