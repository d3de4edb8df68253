"""Cuts thumbnails anew, between the photos of the lane that it takes turns with."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.object_store import ObjectMissing, StorageUnavailable
from igloo_common.work_folders import work_folder
from igloo_media.events import RenditionFacts
from igloo_media.images import ImageRejected, ProcessingCrashed, ProcessingTimeout
from igloo_media.jobs.photo_facts import rendition_facts
from igloo_media.jobs.processing import PhotoLane
from igloo_media.operations.thumbs import (
    ThumbClaim,
    claim_thumb,
    finish_thumb,
    give_back_thumb,
    give_up_thumb,
)
from igloo_media.policies.objects import rendition_key
from igloo_media.policies.processing import MAX_ATTEMPTS, retry_delay
from igloo_media.policies.uploads import MAX_FILE_BYTES
from igloo_media.storage import ObjectTooLarge

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RenderLane:
    """Photos and thumbnails in turn: one of each, in one warm child.

    So neither keeps the other waiting: a thumbnail takes a twentieth of a photo's time, and waits for one.
    """

    photos: PhotoLane

    def step(self) -> bool:
        """Do the next of each; False when nothing is due."""
        made_photo = self.photos.step()
        return self.cut_next() or made_photo

    def cut_next(self) -> bool:
        """Cut the next thumbnail; False when none is due, or S3 is left alone for a moment.

        A worker killed at any point leaves it claimed until its lease ends; then the next version is cut.
        """
        if self.photos.outage.is_on:
            return False
        with transaction() as session:
            claim = claim_thumb(session, now=utc_now())
        if claim is not None:
            self.finish(claim)
        return claim is not None

    def finish(self, claim: ThumbClaim) -> None:
        """Bring a claimed thumbnail to its end, or give it back."""
        try:
            thumb = self._cut(claim)
        except StorageUnavailable as unavailable:
            pause = self.photos.leave_storage_alone(claim.media_id, unavailable)
            _give_back(claim, pause=pause, counts_as_attempt=False)
        except (ProcessingTimeout, ProcessingCrashed) as death:
            _retry_or_give_up(claim, death)
        except (ObjectMissing, ObjectTooLarge, ImageRejected) as reason:
            _give_up(claim, reason)
        else:
            self.photos.outage.note_success()
            with transaction() as session:
                finish_thumb(session, claim, thumb, now=utc_now())

    def _cut(self, claim: ThumbClaim) -> RenditionFacts:
        if claim.attempts > MAX_ATTEMPTS:
            # The worker itself died of it every time: nothing is left to try.
            raise ImageRejected(ProcessingCrashed.code, ProcessingCrashed.detail)
        storage = self.photos.storage
        with work_folder() as folder:
            source = folder / "full"
            storage.download(rendition_key(claim.media_id, "full"), source, max_bytes=MAX_FILE_BYTES)
            thumb = self.photos.renderer().cut_thumb(source, folder, claim.focal_point)
            self.photos.send(claim.key, thumb)
        return rendition_facts(thumb, version=claim.version)


def _retry_or_give_up(claim: ThumbClaim, death: ProcessingTimeout | ProcessingCrashed) -> None:
    if claim.attempts >= MAX_ATTEMPTS:
        _give_up(claim, death)
    else:
        log.warning(
            "thumbnail ended its child process",
            extra={"media_id": claim.media_id, "attempt": claim.attempts, "reason": str(death)},
        )
        _give_back(claim, pause=retry_delay(claim.attempts), counts_as_attempt=True)


def _give_back(claim: ThumbClaim, *, pause: timedelta, counts_as_attempt: bool) -> None:
    with transaction() as session:
        give_back_thumb(session, claim, pause=pause, counts_as_attempt=counts_as_attempt, now=utc_now())


def _give_up(claim: ThumbClaim, reason: Exception) -> None:
    log.error(
        "thumbnail stays as it was",
        extra={"media_id": claim.media_id, "reason": f"{type(reason).__name__}: {reason}"},
    )
    with transaction() as session:
        give_up_thumb(session, claim, now=utc_now())
