"""The worker process: `python -m igloo_social.worker` moves events, erases people, copies and pushes."""

from __future__ import annotations

import sys

from igloo_common.object_store import ObjectStore
from igloo_common.settings import load_or_exit
from igloo_common.worker import Lane, Worker
from igloo_social.app import create_app
from igloo_social.consumers import consumers
from igloo_social.jobs.backlog import measure_backlog
from igloo_social.jobs.erasures import erase_next
from igloo_social.jobs.exports import ExportLane
from igloo_social.jobs.merging import MergingLane
from igloo_social.jobs.periodic import JOBS
from igloo_social.jobs.pushes import EndpointLane, PushLane, measure_pushes
from igloo_social.jobs.suspensions import move_next
from igloo_social.operations.account_tasks import CHANNEL
from igloo_social.push.sns import PushService
from igloo_social.settings import Settings

TASKS_SWEPT_EVERY_SECONDS = 1.0
BACKLOG_MEASURED_EVERY_SECONDS = 15.0
PEOPLE_WALKED_EVERY_SECONDS = 10.0
PUSHES_SWEPT_EVERY_SECONDS = 1.0
PUSH_THREADS = 4
ENDPOINTS_SWEPT_EVERY_SECONDS = 10.0


def main() -> int:
    """Run until told to stop; the return value is the exit status."""
    settings = load_or_exit(Settings.load)
    app = create_app(settings)
    exports = ExportLane(ObjectStore(settings.storage))
    merging = MergingLane(settings.merged_from_followers)
    push_service = PushService(settings.push, connections=PUSH_THREADS + 1)
    lanes = [
        Lane("erasures", erase_next, CHANNEL, TASKS_SWEPT_EVERY_SECONDS),
        Lane("suspensions", move_next, CHANNEL, TASKS_SWEPT_EVERY_SECONDS),
        Lane("exports", exports.step, CHANNEL, TASKS_SWEPT_EVERY_SECONDS),
        Lane("merging", merging.step, None, PEOPLE_WALKED_EVERY_SECONDS),
        Lane("measures", measure_backlog, None, BACKLOG_MEASURED_EVERY_SECONDS),
        # Telling of a push would cost every like a NOTIFY: they are looked for instead.
        Lane("pushes", PushLane(push_service).step, None, PUSHES_SWEPT_EVERY_SECONDS, threads=PUSH_THREADS),
        Lane("push endpoints", EndpointLane(push_service).step, None, ENDPOINTS_SWEPT_EVERY_SECONDS),
        Lane("push measures", measure_pushes, None, BACKLOG_MEASURED_EVERY_SECONDS),
    ]
    return Worker(app=app, settings=settings.common, consumers=consumers, jobs=JOBS, lanes=lanes).run()


if __name__ == "__main__":
    sys.exit(main())
