"""What the worker does on schedule to what no event comes for."""

from __future__ import annotations

import logging
from datetime import timedelta

from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.worker import PeriodicJob
from igloo_social.jobs.counts import SLICES_EVERY_SECONDS, CountsJob
from igloo_social.operations.account_tasks import prune_tasks
from igloo_social.operations.devices import remove_silent_devices
from igloo_social.operations.feed_changes import prune_changes
from igloo_social.operations.follow_requests import accept_waiting
from igloo_social.operations.mutes import end_expired_mutes
from igloo_social.operations.notification_batches import group_strays, prune_notifications
from igloo_social.operations.publishing import fail_stranded_posts

MEDIA_AWAITED_FOR = timedelta(hours=24)
"""As long as the media service keeps an upload that no post shows."""

NEWS_PRUNED_AT_ONCE = 2_000
NEWS_GROUPED_AT_ONCE = 500
MUTES_AT_ONCE = 100
CHANGES_PRUNED_AT_ONCE = 5_000
DEVICES_AT_ONCE = 500

logger = logging.getLogger(__name__)


def sweep_stranded_posts() -> None:
    """Fail the posts whose media never came, so that their authors see it."""
    now = utc_now()
    with transaction() as session:
        failed = fail_stranded_posts(session, created_before=now - MEDIA_AWAITED_FOR, now=now)
    if failed:
        logger.warning("Posts failed whose media never came.", extra={"count": failed})


def forget_finished_tasks() -> None:
    """Forget what was done about accounts a month ago: the table stays as small as reads of it expect."""
    with transaction() as session:
        prune_tasks(session, now=utc_now())


def forget_feed_changes() -> None:
    """Forget the changes of feeds that no phone's token reaches any more."""
    while _forget_some_feed_changes() >= CHANGES_PRUNED_AT_ONCE:
        pass


def _forget_some_feed_changes() -> int:
    with transaction() as session:
        return prune_changes(session, now=utc_now(), limit=CHANGES_PRUNED_AT_ONCE)


def end_mutes() -> None:
    """Remove the mutes whose time is up; they have counted for nothing since."""
    while _end_some_mutes() == MUTES_AT_ONCE:
        pass


def _end_some_mutes() -> int:
    with transaction() as session:
        return end_expired_mutes(session, now=utc_now(), limit=MUTES_AT_ONCE)


def accept_waiting_requests() -> None:
    """Let those follow who asked to before an account went public, where they were many."""
    while _accept_some_requests():
        pass


def _accept_some_requests() -> bool:
    with transaction() as session:
        return accept_waiting(session, now=utc_now())


def forget_old_news() -> None:
    """Forget what people were told three months ago, in short transactions; the groups of it go with it."""
    while True:
        with transaction() as session:
            removed = prune_notifications(session, now=utc_now(), limit=NEWS_PRUNED_AT_ONCE)
        if removed < NEWS_PRUNED_AT_ONCE:
            return


def group_stray_news() -> None:
    """Show what the release before told while this one was taking its place."""
    grouped = NEWS_GROUPED_AT_ONCE
    while grouped == NEWS_GROUPED_AT_ONCE:
        with transaction() as session:
            grouped = group_strays(session, limit=NEWS_GROUPED_AT_ONCE)


def forget_silent_devices() -> None:
    """Forget phones on which the app was not opened for so long that its session is over."""
    removed = DEVICES_AT_ONCE
    while removed == DEVICES_AT_ONCE:
        with transaction() as session:
            removed = remove_silent_devices(session, now=utc_now(), limit=DEVICES_AT_ONCE)


JOBS = (
    PeriodicJob(name="sweep-stranded-posts", every_seconds=60, run=sweep_stranded_posts),
    PeriodicJob(name="accept-waiting-requests", every_seconds=10, run=accept_waiting_requests),
    PeriodicJob(name="end-mutes", every_seconds=60, run=end_mutes),
    PeriodicJob(name="forget-feed-changes", every_seconds=3600, run=forget_feed_changes),
    PeriodicJob(name="forget-old-news", every_seconds=3600, run=forget_old_news),
    PeriodicJob(name="group-stray-news", every_seconds=60, run=group_stray_news),
    PeriodicJob(name="forget-silent-devices", every_seconds=3600, run=forget_silent_devices),
    PeriodicJob(name="forget-finished-tasks", every_seconds=3600, run=forget_finished_tasks),
    PeriodicJob(name="reconcile-counts", every_seconds=SLICES_EVERY_SECONDS, run=CountsJob().run),
)
