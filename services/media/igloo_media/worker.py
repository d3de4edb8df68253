"""The worker process: `python -m igloo_media.worker` makes photos, and relays and applies events."""

from __future__ import annotations

import sys
from functools import partial

from igloo_common.settings import load_or_exit
from igloo_common.worker import Lane, PeriodicJob, Worker
from igloo_media.app import create_app
from igloo_media.caches import Caches
from igloo_media.consumers import consumers
from igloo_media.images.limits import ChildLimits
from igloo_media.jobs.abandonments import abort_abandoned
from igloo_media.jobs.account_tasks import AccountTaskLane
from igloo_media.jobs.collector import collect_items, remove_objects
from igloo_media.jobs.photo_metrics import MEASURED_EVERY_SECONDS, measure_photos
from igloo_media.jobs.processing import PhotoLane
from igloo_media.jobs.purging import measure_purges, purge_caches
from igloo_media.jobs.recounts import RECOUNTED_EVERY_SECONDS, recount_usage
from igloo_media.jobs.sweeper import sweep_uploads
from igloo_media.jobs.thumbs import RenderLane
from igloo_media.operations.wakes import ACCOUNT_TASKS_CHANNEL, PHOTOS_CHANNEL
from igloo_media.settings import ImageSettings, Settings
from igloo_media.storage import Storage


def main() -> int:
    """Run until told to stop; the return value is the exit status."""
    settings = load_or_exit(Settings.load)
    app = create_app(settings)
    storage = Storage(settings.storage, connections=settings.images.lanes + 3)
    photos = PhotoLane(storage=storage, limits=_limits(settings.images), threads=settings.images.threads)
    worker = Worker(
        app=app,
        settings=settings.common,
        consumers=consumers,
        jobs=[
            PeriodicJob("sweep-uploads", 60.0, partial(sweep_uploads, storage)),
            PeriodicJob("abort-abandoned-parts", 10.0, partial(abort_abandoned, storage)),
            PeriodicJob("collect-items", 600.0, collect_items),
            PeriodicJob("recount-usage", RECOUNTED_EVERY_SECONDS, recount_usage),
            PeriodicJob("remove-objects", 5.0, partial(remove_objects, storage)),
            PeriodicJob("purge-caches", 2.0, partial(purge_caches, Caches(settings.caches))),
        ],
        # Each with its own threads: a person who leaves with ten thousand photos keeps nobody else's waiting.
        lanes=[
            Lane("photos", RenderLane(photos).step, PHOTOS_CHANNEL, 2.0, threads=settings.images.lanes),
            Lane("account-tasks", AccountTaskLane(storage).step, ACCOUNT_TASKS_CHANNEL, 1.0),
            Lane("measures", _measure, None, MEASURED_EVERY_SECONDS),
        ],
    )
    try:
        return worker.run()
    finally:
        with app.app_context():
            photos.give_up()


def _measure() -> bool:
    measure_purges()
    return measure_photos()


def _limits(settings: ImageSettings) -> ChildLimits:
    return ChildLimits(
        memory_bytes=settings.memory_bytes,
        cpu_seconds=settings.cpu_seconds,
        wall_seconds=settings.wall_seconds,
    )


if __name__ == "__main__":
    sys.exit(main())
