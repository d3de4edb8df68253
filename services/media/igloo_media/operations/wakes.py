"""Waking the lanes of workers once the transaction has committed: nothing waits for their next look."""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import Session

from igloo_common.statements import Statement

PHOTOS_CHANNEL: Final = "media_uploaded"
"""The lane of photos, which cuts thumbnails as well."""
ACCOUNT_TASKS_CHANNEL: Final = "media_account_tasks"


def wake_lane(session: Session, channel: str) -> None:
    """Wake the lane that listens to a channel."""
    _WAKE.run(session, {"channel": channel})


_WAKE = Statement("SELECT pg_notify(%(channel)s, '')")
