"""The worker process: `python -m igloo_auth.worker` relays events out and prunes what is over."""

from __future__ import annotations

import sys
from collections.abc import Callable

from igloo_common.worker import PeriodicJob, Worker

from igloo_auth.app import create_app
from igloo_auth.consumers import consumers
from igloo_auth.operations.pruning import BATCH_ROWS, erase_seals, prune_refresh_tokens, prune_sessions
from igloo_auth.settings import Settings, TokenLifetimes
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.settings import load_or_exit

PRUNE_EVERY_SECONDS = 600.0


def prune(lifetimes: TokenLifetimes) -> None:
    """Forget what is over, in transactions short enough to disturb no refresh."""
    _until_done(prune_refresh_tokens)
    _until_done(prune_sessions)
    with transaction() as session:
        erase_seals(session, lifetimes=lifetimes, now=utc_now())


def main() -> int:
    """Run until told to stop; the return value is the exit status."""
    settings = load_or_exit(Settings.load)
    jobs = [
        PeriodicJob(name="prune", every_seconds=PRUNE_EVERY_SECONDS, run=lambda: prune(settings.lifetimes))
    ]
    app = create_app(settings)
    return Worker(app=app, settings=settings.common, consumers=consumers, jobs=jobs).run()


def _until_done(prune_batch: Callable[..., int]) -> None:
    while True:
        with transaction() as session:
            pruned = prune_batch(session, now=utc_now())
        if pruned < BATCH_ROWS:
            return


if __name__ == "__main__":
    sys.exit(main())
