"""The worker process: `python -m igloo_social.worker` relays events out and applies events that came in."""

from __future__ import annotations

import sys

from igloo_common.settings import load_or_exit
from igloo_common.worker import Worker
from igloo_social.app import create_app
from igloo_social.consumers import consumers
from igloo_social.jobs import JOBS
from igloo_social.settings import Settings


def main() -> int:
    """Run until told to stop; the return value is the exit status."""
    settings = load_or_exit(Settings.load)
    app = create_app(settings)
    return Worker(app=app, settings=settings.common, consumers=consumers, jobs=JOBS).run()


if __name__ == "__main__":
    sys.exit(main())
