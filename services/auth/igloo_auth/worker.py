"""The worker process: `python -m igloo_auth.worker` relays events and does what takes longer."""

from __future__ import annotations

import sys

from igloo_auth.app import create_app
from igloo_auth.consumers import consumers
from igloo_auth.facebook.graph import FacebookGraph
from igloo_auth.jobs import JOBS
from igloo_auth.jobs.erasure import ErasureLane
from igloo_auth.jobs.exports import ExportLane
from igloo_auth.jobs.friend_lookups import FriendLane
from igloo_auth.operations.account_deletions import DELETIONS_CHANNEL
from igloo_auth.operations.account_exports import EXPORTS_CHANNEL
from igloo_auth.operations.friend_lookups import FRIENDS_CHANNEL
from igloo_auth.settings import Settings
from igloo_common.object_store import ObjectStore
from igloo_common.settings import load_or_exit
from igloo_common.web import provided
from igloo_common.worker import Lane, Worker


def main() -> int:
    """Run until told to stop; the return value is the exit status."""
    settings = load_or_exit(Settings.load)
    app = create_app(settings)
    with app.app_context():
        friends = FriendLane(graph=provided(FacebookGraph), secret_key=settings.common.secret_key)
        store = provided(ObjectStore)
    return Worker(
        app=app,
        settings=settings.common,
        consumers=consumers,
        jobs=JOBS,
        lanes=[
            Lane("friends", friends.step, FRIENDS_CHANNEL, 5.0),
            Lane("exports", ExportLane(store).step, EXPORTS_CHANNEL, 5.0),
            Lane("erasure", ErasureLane(store).step, DELETIONS_CHANNEL, 2.0),
        ],
    ).run()


if __name__ == "__main__":
    sys.exit(main())
