"""Sessions whose access tokens are refused before they expire."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

_LOG = logging.getLogger(__name__)
_READ_EVERY_SECONDS: Final = 1.0

_DENY = text(
    "INSERT INTO revoked_sessions AS known (session_id, until) VALUES (:session_id, :until)"
    " ON CONFLICT (session_id) DO UPDATE SET until = greatest(known.until, excluded.until)"
)
_READ = text("SELECT session_id FROM revoked_sessions WHERE until > now()")
_PRUNE = text("DELETE FROM revoked_sessions WHERE until <= :now")


def deny_session(session: Session, session_id: UUID, until: datetime) -> None:
    """Refuse a session's tokens until the last of them has expired; every process knows within a second."""
    session.execute(_DENY, {"session_id": session_id, "until": until})


def prune_denied_sessions(session: Session, *, now: datetime) -> int:
    """Forget the sessions whose tokens have all expired by now; returns how many."""
    return session.execute(_PRUNE, {"now": now}).rowcount  # type: ignore[attr-defined,no-any-return]


class Denylist:
    """This process's copy of the denied sessions, at most a second old while the database answers.

    It is short: an entry lives as long as an access token does. While the database is down the last copy
    stays in force; without any copy yet, the error goes to the caller, as nothing can be vouched for.
    """

    def __init__(self, engine: Engine, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._monotonic = monotonic
        self._denied: frozenset[UUID] | None = None
        self._read_again_at = float("-inf")
        self._reading = threading.Lock()

    def denies(self, session_id: UUID) -> bool:
        """Tell whether the session has been revoked."""
        denied = self._denied
        if denied is None or self._monotonic() >= self._read_again_at:
            denied = self._refreshed(denied)
        return session_id in denied

    def _refreshed(self, known: frozenset[UUID] | None) -> frozenset[UUID]:
        # One thread reads; the others go on with the copy they have, if there is one.
        if not self._reading.acquire(blocking=known is None):
            return known or frozenset()
        try:
            if self._denied is None or self._monotonic() >= self._read_again_at:
                self._denied = self._read(known)
                self._read_again_at = self._monotonic() + _READ_EVERY_SECONDS
            return self._denied
        finally:
            self._reading.release()

    def _read(self, known: frozenset[UUID] | None) -> frozenset[UUID]:
        try:
            with self._engine.connect() as connection:
                autocommit = connection.execution_options(isolation_level="AUTOCOMMIT")
                return frozenset(autocommit.execute(_READ).scalars())
        except SQLAlchemyError:
            if known is None:
                raise
            _LOG.warning("The denylist could not be read; the last copy stays in force", exc_info=True)
            return known
