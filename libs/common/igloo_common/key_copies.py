"""The last known good copy of auth's public keys, which a restart survives while auth is away.

A process keeps these keys in memory. One that starts while auth is away has none, and would refuse people who
are signed in: so each process leaves the document that it has fetched in its service's own schema, and one
that cannot fetch takes what any other has left there.

Who can forge a copy can sign in as anybody, with this service, for as long as auth is away. Therefore:

- Only public halves are written, whatever the document held.
- A copy is sealed with the service's SECRET_KEY over address, time and content. Who can write into the
  database, and no more, can neither make one nor give an old one a new date.
- The newer document wins, by the database's clock alone: a slow process does not put back what another has
  replaced, and none takes a copy that is older than what it has. So a key that was withdrawn (`flask keys
  revoke`) comes back through no copy as soon as one process of the service has fetched the document without
  it, and processes that are cut off from auth learn of the withdrawal from those that are not.
- A copy is taken for IGLOO_KEYS_KEPT_SECONDS after auth had confirmed it, and for nothing else than that auth
  does not answer. Where every process of the service was down when a key was withdrawn, and auth is away
  when they start, the copy is the last to know of that key; with 0 none is taken. In memory keys have always
  stayed for as long as auth is away.
"""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import psycopg

from igloo_common.settings import CommonSettings
from igloo_common.short_connections import short_connection

_LOG = logging.getLogger(__name__)
_CONFIRM_AFTER_SECONDS: Final = 3600.0
_RETRY_AFTER_SECONDS: Final = 30.0
_READ_AGAIN_AFTER_SECONDS: Final = 0.1

_READ: Final = """
SELECT document, fetched_at, seal, greatest(extract(epoch FROM now() - fetched_at), 0)::float8
FROM key_copies WHERE jwks_url = %(url)s AND fetched_at > now() - make_interval(secs => %(kept)s)
"""
_TIME_OF: Final = "SELECT now() - make_interval(secs => %(age)s)"
_WRITE: Final = """
INSERT INTO key_copies AS known (jwks_url, document, fetched_at, seal)
VALUES (%(url)s, %(document)s, %(fetched_at)s, %(seal)s)
ON CONFLICT (jwks_url) DO UPDATE
SET document = excluded.document, fetched_at = excluded.fetched_at, seal = excluded.seal
WHERE known.fetched_at < excluded.fetched_at
"""


@dataclass(frozen=True, kw_only=True)
class KeptDocument:
    """A document of keys, and how long ago auth gave it to somebody."""

    content: bytes
    age_seconds: float


class KeyCopy:
    """The copy of one service; its methods never fail, as keys are had without it. Used by one thread."""

    def __init__(self, settings: CommonSettings, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database_url = settings.database_url
        self._schema = settings.service
        self._url = settings.jwks_url
        self._kept_seconds = settings.keys_kept_seconds
        self._sealing_key = hmac.digest(settings.secret_key.encode(), b"igloo key copy v1", "sha512")
        self._monotonic = monotonic
        self._written: bytes | None = None
        self._next_write_at = float("-inf")
        self._next_read_at = float("-inf")

    def read(self) -> KeptDocument | None:
        """Return the copy, unless there is none that may be believed, or it has just been looked for."""
        if not self._kept_seconds or self._monotonic() < self._next_read_at:
            return None
        row = self._row()
        self._next_read_at = self._monotonic() + _READ_AGAIN_AFTER_SECONDS
        if row is None:
            return None
        content, fetched_at, seal, age_seconds = row
        if not hmac.compare_digest(seal, self._seal(content, fetched_at)):
            _LOG.error("The copy of the signing keys is not sealed by this service, and is not used")
            return None
        return KeptDocument(content=content, age_seconds=age_seconds)

    def _row(self) -> tuple[Any, ...] | None:
        try:
            with short_connection(self._database_url, schema=self._schema) as connection:
                return connection.execute(_READ, {"url": self._url, "kept": self._kept_seconds}).fetchone()
        except psycopg.Error as error:
            reason = type(error).__name__
            _LOG.warning("The copy of the signing keys cannot be read", extra={"reason": reason})
            return None

    def keep(self, content: bytes, *, age_seconds: float) -> None:
        """Write a document that auth has just given, if it is news or has not been confirmed for an hour."""
        now = self._monotonic()
        if not self._kept_seconds or (content == self._written and now < self._next_write_at):
            return
        try:
            self._write(content, age_seconds)
        except psycopg.Error as error:
            _LOG.warning("The signing keys cannot be kept", extra={"reason": type(error).__name__})
            self._next_write_at = now + _RETRY_AFTER_SECONDS
        else:
            self._next_write_at = now + _CONFIRM_AFTER_SECONDS
        self._written = content

    def _write(self, content: bytes, age_seconds: float) -> None:
        with short_connection(self._database_url, schema=self._schema) as connection:
            row = connection.execute(_TIME_OF, {"age": age_seconds}).fetchone()
            if row is not None:
                seal = self._seal(content, row[0])
                values = {"url": self._url, "document": content, "fetched_at": row[0], "seal": seal}
                connection.execute(_WRITE, values)

    def _seal(self, content: bytes, fetched_at: datetime) -> bytes:
        sealed = (self._url.encode(), fetched_at.astimezone(UTC).isoformat().encode(), content)
        return hmac.digest(self._sealing_key, b"\n".join(sealed), "sha256")
