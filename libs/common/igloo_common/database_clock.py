"""A worker goes by the database's clock: its own may be wrong, and what it then deletes is gone."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

from prometheus_client import Gauge
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from igloo_common.clock import believe

LOOK_SECONDS: Final = 10.0
# An answer that took longer says too little of when the clock was read.
_LONGEST_ANSWER_SECONDS: Final = 1.0
_LOG = logging.getLogger(__name__)
OFFSET: Final = Gauge(
    "igloo_clock_offset_seconds", "How far this machine's clock is ahead of the database's, last seen."
)


class DatabaseClock:
    """Reads the database's clock now and then; in between, the monotonic clock of this machine counts on.

    Uploads that nobody attached, sessions that ended, accounts to be erased: jobs decide by the time what
    goes for good. Leases and due times of several workers are compared with each other as well.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._was_read = False

    def step(self) -> bool:
        """Read it once and go by it; always False: the next time is after a while.

        Raises:
            SQLAlchemyError: the database does not answer; what was read before goes on.
        """
        with self._engine.connect() as connection:
            autocommit = connection.execution_options(isolation_level="AUTOCOMMIT")
            asked = monotonic()
            shown: datetime = autocommit.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
            answered = monotonic()
        if answered - asked < _LONGEST_ANSWER_SECONDS or not self._was_read:
            now = shown + timedelta(seconds=(answered - asked) / 2)
            believe(now, at_monotonic=answered)
            self._was_read = True
            OFFSET.set((datetime.now(UTC) - now).total_seconds())
        return False

    def try_once(self) -> None:
        """Read it before anything else is done; a database that is away is waited for by nobody."""
        try:
            self.step()
        except SQLAlchemyError as error:
            _LOG.warning("The database's clock cannot be read", extra={"reason": type(error).__name__})
