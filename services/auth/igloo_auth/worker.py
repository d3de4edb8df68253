"""The worker process: `python -m igloo_auth.worker` relays events out and forgets what is over."""

from __future__ import annotations

import sys

from igloo_auth.app import create_app
from igloo_auth.consumers import consumers
from igloo_auth.jobs import JOBS
from igloo_auth.settings import Settings
from igloo_common.settings import load_or_exit
from igloo_common.worker import Worker


def main() -> int:
    """Run until told to stop; the return value is the exit status."""
    settings = load_or_exit(Settings.load)
    app = create_app(settings)
    return Worker(app=app, settings=settings.common, consumers=consumers, jobs=JOBS).run()


if __name__ == "__main__":
    sys.exit(main())
