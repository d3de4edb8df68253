"""What the worker does on schedule to what no event comes for."""

from __future__ import annotations

import logging
from datetime import timedelta

from igloo_common.worker import PeriodicJob

from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_social.operations.publishing import fail_stranded_posts

MEDIA_AWAITED_FOR = timedelta(hours=24)
"""As long as the media service keeps an upload that no post shows."""

logger = logging.getLogger(__name__)


def sweep_stranded_posts() -> None:
    """Fail the posts whose media never came, so that their authors see it."""
    now = utc_now()
    with transaction() as session:
        failed = fail_stranded_posts(session, created_before=now - MEDIA_AWAITED_FOR, now=now)
    if failed:
        logger.warning("Posts failed whose media never came.", extra={"count": failed})


JOBS = (PeriodicJob(name="sweep-stranded-posts", every_seconds=60, run=sweep_stranded_posts),)
