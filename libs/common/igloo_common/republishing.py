"""Publishing again what has been published: after a broker, or a reader, has lost what it had."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from igloo_common.database import Reader
from igloo_common.retention import OUTBOX_KEPT_FOR
from igloo_common.statements import Statement

CHUNK = 5_000

# Nothing older than the retention, though it be there still: the inboxes may have forgotten it. By the
# primary key, which rises with time, so that each chunk begins where the one before ended.
_REPEATED = """
published_at IS NOT NULL AND created_at >= now() - %(kept_for)s
    AND (%(since)s::timestamptz IS NULL OR created_at >= %(since)s::timestamptz)
    AND (%(type)s::text IS NULL OR type = %(type)s::text)
"""
_COUNT = Statement(f"SELECT count(*) FROM outbox WHERE {_REPEATED}")  # noqa: S608 - words of our own
_REPUBLISH = Statement(f"""
WITH chunk AS (
    SELECT id FROM outbox WHERE id > %(after)s AND {_REPEATED} ORDER BY id LIMIT %(chunk)s FOR UPDATE
), repeated AS (
    UPDATE outbox SET published_at = NULL WHERE id = ANY(ARRAY(SELECT id FROM chunk)) RETURNING id
)
SELECT count(*), max(id) FROM repeated
""")  # noqa: S608 - words of our own
_WAKE = Statement("SELECT pg_notify('outbox_' || current_schema(), '')")


def count_published(reader: Reader, *, since: datetime | None, event_type: str | None) -> int:
    """Count what `republish_chunk` would have published again, all in all."""
    wanted = {"since": since, "type": event_type, "kept_for": OUTBOX_KEPT_FOR}
    return int(_COUNT.rows(reader, wanted)[0][0])


def republish_chunk(
    session: Session, *, since: datetime | None, event_type: str | None, after: int
) -> tuple[int, int | None]:
    """Have up to CHUNK published events published again, in their order; whoever knows one is not affected.

    Returns how many, and the id to go on `after`, None when there are no more.
    """
    wanted = {"since": since, "type": event_type, "kept_for": OUTBOX_KEPT_FOR}
    (repeated, last), *_ = _REPUBLISH.rows(session, {**wanted, "after": after, "chunk": CHUNK})
    _WAKE.run(session, {})
    return repeated, last
