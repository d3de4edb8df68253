"""What the turn of a photo ends in: one transaction each, and a count of it.

A claim that no longer counts changes nothing: the photo was deleted or taken over meanwhile.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_media.images import ProcessingCrashed, ProcessingTimeout
from igloo_media.jobs.photo_metrics import CHILD_DEATHS, OUTCOMES
from igloo_media.operations.processing import (
    Claim,
    RenderedPhoto,
    finish_failed,
    finish_ready,
    give_back,
    let_go,
)
from igloo_media.operations.removals import schedule_removals
from igloo_media.operations.takedowns import MEDIA_REFUSED_CODE, MEDIA_REFUSED_DETAIL, is_refused
from igloo_media.operations.turns import charge_owner
from igloo_media.policies.objects import rendition_keys
from igloo_media.policies.processing import MAX_ATTEMPTS, retry_delay

log = logging.getLogger(__name__)


def keep_photo(claim: Claim, photo: RenderedPhoto) -> None:
    """Take a photo as ready whose renditions lie in S3; refused, when its file was taken down meanwhile."""
    with transaction() as session:
        # Once more: its file may have been taken down while it was worked on.
        refused = is_refused(session, photo.content_sha256)
        kept = not refused and finish_ready(session, claim, photo, now=utc_now())
    if refused:
        fail_photo(claim, code=MEDIA_REFUSED_CODE, detail=MEDIA_REFUSED_DETAIL)
    elif kept:
        OUTCOMES.labels("ready").inc()
    else:
        _let_go(claim)


def fail_photo(claim: Claim, *, code: str, detail: str) -> None:
    """Take a photo as failed, for good."""
    with transaction() as session:
        now = utc_now()
        kept = finish_failed(session, claim, code=code, detail=detail, now=now)
        if kept:
            # An earlier attempt may have died between its uploads.
            schedule_removals(session, keys=rendition_keys(claim.media_id), due_at=now)
    if kept:
        OUTCOMES.labels(code).inc()
    else:
        _let_go(claim)


def retry_or_fail(claim: Claim, death: ProcessingTimeout | ProcessingCrashed) -> None:
    """Give a photo back that ended its child; after its last attempt it has failed."""
    log.warning(
        "photo ended its child process",
        extra={
            "media_id": claim.media_id,
            "attempt": claim.attempts,
            "code": death.code,
            "reason": str(death),
        },
    )
    CHILD_DEATHS.labels(death.code).inc()
    if claim.attempts >= MAX_ATTEMPTS:
        fail_photo(claim, code=death.code, detail=death.detail)
    else:
        give_photo_back(claim, pause=retry_delay(claim.attempts), counts_as_attempt=True)
    # Afterwards, as the next attempt at this one is to come behind those who have waited for it as well.
    with transaction() as session:
        charge_owner(session, owner_id=claim.owner_id, now=utc_now())


def give_photo_back(claim: Claim, *, pause: timedelta, counts_as_attempt: bool) -> None:
    """Let a photo be claimed again after a pause."""
    with transaction() as session:
        kept = give_back(session, claim, pause=pause, counts_as_attempt=counts_as_attempt, now=utc_now())
    if kept:
        OUTCOMES.labels("given_back").inc()
    else:
        _let_go(claim)


def _let_go(claim: Claim) -> None:
    with transaction() as session:
        let_go(session, claim, now=utc_now())
    OUTCOMES.labels("closed").inc()
    log.info("photo was deleted or taken over meanwhile", extra={"media_id": claim.media_id})
