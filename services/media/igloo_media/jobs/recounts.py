"""The daily walk through what is counted of people's photos: puts right what is wrong, and measures it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from time import time
from typing import Final
from uuid import UUID

from prometheus_client import Gauge

from igloo_common.database import reading, transaction
from igloo_media.operations.recounts import FIRST, next_owners, recount, wrongly_counted

RECOUNTED_EVERY_SECONDS: Final = 24 * 3600.0
LOOKED_AT_AT_ONCE: Final = 500

WRONG: Final = Gauge("igloo_media_usage_wrong", "People whose count of photos the last walk found wrong.")
FINISHED_AT: Final = Gauge(
    "igloo_media_usage_recount_success_timestamp_seconds", "When a walk through all counts last ended."
)

log = logging.getLogger(__name__)


def recount_usage() -> None:
    """Look at everybody's count without locks, and count anew, one by one, for whom it is wrong."""
    wrong = 0
    for owner_id in _suspects():
        with transaction() as session:
            was_wrong = recount(session, owner_id)
        if was_wrong:
            wrong += 1
            log.error("a count of photos was wrong", extra={"owner_id": owner_id})
    WRONG.set(wrong)
    FINISHED_AT.set(time())


def _suspects() -> Iterator[UUID]:
    after = FIRST
    while True:
        with reading() as reader:
            owner_ids = next_owners(reader, after=after, limit=LOOKED_AT_AT_ONCE)
            suspects = wrongly_counted(reader, owner_ids)
        yield from suspects
        if len(owner_ids) < LOOKED_AT_AT_ONCE:
            return
        after = owner_ids[-1]
