"""The lane that makes photos out of uploads, one at a time, with no transaction open while it works."""

from __future__ import annotations

import errno
import logging
import os
import signal
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.object_store import ObjectMissing, StorageUnavailable
from igloo_common.outages import Outage
from igloo_common.storage_errors import Trouble
from igloo_common.work_folders import work_folder
from igloo_media.events import RenditionFacts
from igloo_media.images import ImageRejected, Photo, ProcessingCrashed, ProcessingTimeout, Renderer
from igloo_media.images.limits import ChildLimits
from igloo_media.jobs.photo_metrics import CHILD_DEATHS, OUTCOMES, SECONDS
from igloo_media.operations.processing import (
    Claim,
    RenderedPhoto,
    claim_next,
    finish_failed,
    finish_ready,
    give_back,
    let_go,
)
from igloo_media.operations.removals import schedule_removals
from igloo_media.operations.takedowns import MEDIA_REFUSED_CODE, MEDIA_REFUSED_DETAIL, is_refused
from igloo_media.operations.turns import charge_owner
from igloo_media.policies.objects import original_key, rendition_key, rendition_keys
from igloo_media.policies.processing import (
    LONGEST_LANE_PAUSE_SECONDS,
    MAX_ATTEMPTS,
    outage_pause,
    retry_delay,
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
            _fail(claim, code=rejected.code, detail=str(rejected))
        except (ProcessingTimeout, ProcessingCrashed) as death:
            if DISK_FULL in str(death):
                self._wait_for_storage(claim, StorageUnavailable(str(death), trouble=Trouble.FULL))
            else:
                _retry_or_fail(claim, death)
        except StorageUnavailable as unavailable:
            self._wait_for_storage(claim, unavailable)
        except OSError as error:
            # This machine's own disk, or no process to be had: no fault of the photo either.
            self._wait_for_storage(claim, StorageUnavailable(str(error), trouble=Trouble.FULL))
        else:
            self.outage.note_success()
            _keep(claim, photo)

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
        _give_back(claim, pause=pause, counts_as_attempt=False)

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
                self.storage.upload(key, rendition.path, content_type=rendition.content_type)
        return _as_rendered(photo, content_sha256=content_sha256)

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
                _give_back(claim, pause=timedelta(0), counts_as_attempt=False)
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


def _as_rendered(photo: Photo, *, content_sha256: bytes) -> RenderedPhoto:
    return RenderedPhoto(
        content_sha256=content_sha256,
        width=photo.width,
        height=photo.height,
        frames=photo.frames,
        receipt=asdict(photo.receipt),
        blurhash=photo.blurhash,
        dominant_color=photo.dominant_color,
        renditions=[
            RenditionFacts(
                name=each.name,
                width=each.width,
                height=each.height,
                content_type=each.content_type,
                size_bytes=each.size_bytes,
                is_animated=each.is_animated,
            )
            for each in photo.renditions
        ],
    )


def _refuse_taken_down(checksum: bytes) -> None:
    """Spare the work on a file that a moderator took down."""
    with reading() as reader:
        refused = is_refused(reader, checksum)
    if refused:
        raise ImageRejected(MEDIA_REFUSED_CODE, MEDIA_REFUSED_DETAIL)


def _keep(claim: Claim, photo: RenderedPhoto) -> None:
    with transaction() as session:
        # Once more: its file may have been taken down while it was worked on.
        refused = is_refused(session, photo.content_sha256)
        kept = not refused and finish_ready(session, claim, photo, now=utc_now())
    if refused:
        _fail(claim, code=MEDIA_REFUSED_CODE, detail=MEDIA_REFUSED_DETAIL)
    elif kept:
        OUTCOMES.labels("ready").inc()
    else:
        _let_go(claim)


def _fail(claim: Claim, *, code: str, detail: str) -> None:
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


def _retry_or_fail(claim: Claim, death: ProcessingTimeout | ProcessingCrashed) -> None:
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
        _fail(claim, code=death.code, detail=death.detail)
    else:
        _give_back(claim, pause=retry_delay(claim.attempts), counts_as_attempt=True)
    # Afterwards, as the next attempt at this one is to come behind those who have waited for it as well.
    with transaction() as session:
        charge_owner(session, owner_id=claim.owner_id, now=utc_now())


def _give_back(claim: Claim, *, pause: timedelta, counts_as_attempt: bool) -> None:
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
