"""The lane that makes photos out of uploads, one at a time, with no transaction open while it works."""

from __future__ import annotations

import errno
import logging
import os
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.object_store import ObjectMissing, StorageUnavailable
from igloo_common.object_transfers import FileReplaced
from igloo_common.outages import Outage
from igloo_common.storage_errors import Trouble
from igloo_common.work_folders import has_room_for, work_folder
from igloo_media.images import ImageRejected, ProcessingCrashed, ProcessingTimeout, Renderer
from igloo_media.images.answers import RENDITIONS
from igloo_media.images.limits import ChildLimits
from igloo_media.images.outcome import RenditionFile
from igloo_media.jobs.photo_ends import fail_photo, give_photo_back, keep_photo, retry_or_fail
from igloo_media.jobs.photo_facts import rendered_photo
from igloo_media.jobs.photo_metrics import SECONDS
from igloo_media.operations.processing import Claim, RenderedPhoto, claim_next
from igloo_media.operations.takedowns import MEDIA_REFUSED_CODE, MEDIA_REFUSED_DETAIL, is_refused
from igloo_media.policies.objects import original_key, rendition_key
from igloo_media.policies.processing import (
    LONGEST_LANE_PAUSE_SECONDS,
    MAX_ATTEMPTS,
    outage_pause,
)
from igloo_media.storage import ObjectTooLarge, Storage

log = logging.getLogger(__name__)

DISK_FULL = os.strerror(errno.ENOSPC)


@dataclass
class PhotoLane:
    """Processes photos; each thread that steps it keeps a warm child of its own."""

    storage: Storage
    limits: ChildLimits
    threads: int = 1
    outage: Outage = field(default_factory=lambda: Outage(longest_seconds=LONGEST_LANE_PAUSE_SECONDS))
    _in_hand: set[Claim] = field(default_factory=set)
    _own: threading.local = field(default_factory=threading.local)
    _renderers: list[Renderer] = field(default_factory=list)

    def step(self) -> bool:
        """Process the next photo; False when none is due, or S3 is left alone for a moment.

        A worker killed at any point leaves the photo claimed until its lease ends; then it is processed
        again, to the same keys.
        """
        if self.outage.is_on:
            return False
        with transaction() as session:
            claim = claim_next(session, now=utc_now())
        if claim is not None:
            self.finish(claim)
        return claim is not None

    def finish(self, claim: Claim) -> None:
        """Bring a claimed photo to its end, or give it back."""
        self._in_hand.add(claim)
        try:
            with SECONDS.time():
                self._bring_to_end(claim)
        finally:
            self._in_hand.discard(claim)

    def _bring_to_end(self, claim: Claim) -> None:
        try:
            photo = self._processed(claim)
        except ImageRejected as rejected:
            fail_photo(claim, code=rejected.code, detail=str(rejected))
        except (ProcessingTimeout, ProcessingCrashed) as death:
            if self._is_of_full_disk(claim, death):
                self._wait_for_storage(claim, StorageUnavailable(str(death), trouble=Trouble.FULL))
            else:
                retry_or_fail(claim, death)
        except StorageUnavailable as unavailable:
            self._wait_for_storage(claim, unavailable)
        except OSError as error:
            # This machine's own disk, or no process to be had: no fault of the photo either.
            self._wait_for_storage(claim, StorageUnavailable(str(error), trouble=Trouble.FULL))
        else:
            self.outage.note_success()
            keep_photo(claim, photo)

    def _is_of_full_disk(self, claim: Claim, death: Exception) -> bool:
        """Tell whether the disk killed the child, and not the photo.

        Its last words alone are not believed: a photo that makes it say them would be tried for ever, and
        keep the lane from working. What this photo had written is gone by now, and counts as free.
        """
        may_write = claim.size_bytes + len(RENDITIONS) * self.limits.written_bytes
        return DISK_FULL in str(death) and not has_room_for(may_write)

    def leave_storage_alone(self, media_id: UUID, unavailable: StorageUnavailable) -> timedelta:
        """Pause the lane, for longer and longer, and return for how long."""
        asked = unavailable.trouble in (Trouble.SLOW_DOWN, Trouble.FULL)
        alone = timedelta(seconds=self.outage.note_failure(patience=4.0 if asked else 1.0))
        log.warning(
            "photo storage is out",
            extra={
                "media_id": media_id,
                "trouble": unavailable.trouble,
                "reason": str(unavailable),
                "pause": str(alone),
            },
        )
        return alone

    def _wait_for_storage(self, claim: Claim, unavailable: StorageUnavailable) -> None:
        alone = self.leave_storage_alone(claim.media_id, unavailable)
        pause = max(alone, outage_pause(utc_now() - claim.uploaded_at))
        give_photo_back(claim, pause=pause, counts_as_attempt=False)

    def _processed(self, claim: Claim) -> RenderedPhoto:
        if claim.attempts > MAX_ATTEMPTS:
            # The worker itself died of it every time: nothing is left to try.
            raise ImageRejected(ProcessingCrashed.code, ProcessingCrashed.detail)
        with work_folder() as folder:
            source = folder / "original"
            content_sha256 = self._fetch(claim, source)
            _refuse_taken_down(content_sha256)
            photo = self.renderer().render(source, folder, focal_point=claim.focal_point)
            for rendition in photo.renditions:
                key = rendition_key(claim.media_id, rendition.name)
                self.send(key, rendition)
        return rendered_photo(photo, content_sha256=content_sha256)

    def send(self, key: str, rendition: RenditionFile) -> None:
        """Upload what the child wrote, and nothing that it has put in its place since that was looked at.

        Raises:
            ProcessingCrashed: the child has put something there.
        """
        try:
            self.storage.upload(key, rendition.path, content_type=rendition.content_type)
        except FileReplaced as replaced:
            # No photo makes a decoder do so that is not in the hands of somebody else: it gets no other.
            self.renderer().close()
            raise ProcessingCrashed("the child has put something else in a rendition's place") from replaced

    def _fetch(self, claim: Claim, source: Path) -> bytes:
        """Download the original and return its SHA-256."""
        try:
            key = original_key(claim.owner_id, claim.media_id)
            checksum = self.storage.download(key, source, max_bytes=claim.size_bytes)
        except ObjectMissing as error:
            raise ImageRejected(
                "upload_lost", "The uploaded file is no longer there; send it again."
            ) from error
        except ObjectTooLarge as error:
            raise ImageRejected("file_too_large", "More bytes arrived than were announced.") from error
        if claim.sha256 is not None and checksum != claim.sha256:
            raise ImageRejected(
                "checksum_mismatch", "The file that arrived is not the one that was announced."
            )
        return checksum

    @property
    def children(self) -> list[int]:
        """The process ids of the children that are there now."""
        return [renderer.child_id for renderer in self._renderers if renderer.child_id is not None]

    def give_up(self) -> None:
        """Give back what threads have in hand that did not finish in time; their process is about to end.

        So the next worker need not wait for the leases, and nobody's photo is charged an attempt for it.
        """
        try:
            for claim in tuple(self._in_hand):
                log.warning("photo is given back unfinished", extra={"media_id": claim.media_id})
                give_photo_back(claim, pause=timedelta(0), counts_as_attempt=False)
        finally:
            # Its thread may be waiting for it: killed and no more, so that the thread sees the end of it.
            for child in self.children:
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)

    def close(self) -> None:
        """End the children of all threads; the lane may be stepped again after it."""
        for renderer in self._renderers:
            renderer.close()

    def renderer(self) -> Renderer:
        """Give the renderer of the thread that asks."""
        if not hasattr(self._own, "renderer"):
            self._own.renderer = Renderer(self.limits, threads=self.threads)
            self._renderers.append(self._own.renderer)
        renderer: Renderer = self._own.renderer
        return renderer


def _refuse_taken_down(checksum: bytes) -> None:
    """Spare the work on a file that a moderator took down."""
    with reading() as reader:
        refused = is_refused(reader, checksum)
    if refused:
        raise ImageRejected(MEDIA_REFUSED_CODE, MEDIA_REFUSED_DETAIL)
