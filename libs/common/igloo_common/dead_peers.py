"""How soon each end of a database connection notices that the other is gone without a word.

A host that loses its power, or a firewall that forgets a connection, says nothing. Left to its defaults, a
thread then waits two hours for an answer; and PostgreSQL keeps the session for as long, with each of its
locks: no other relay would take the lead. Both ends ask after ten seconds of silence, and give up after
twenty-five.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_IDLE_SECONDS: Final = 10
_INTERVAL_SECONDS: Final = 5
_COUNT: Final = 3
_UNACKNOWLEDGED_MILLISECONDS: Final = 1000 * (_IDLE_SECONDS + _INTERVAL_SECONDS * _COUNT)

CLIENT: Final[Mapping[str, int]] = {
    "keepalives_idle": _IDLE_SECONDS,
    "keepalives_interval": _INTERVAL_SECONDS,
    "keepalives_count": _COUNT,
    "tcp_user_timeout": _UNACKNOWLEDGED_MILLISECONDS,
}
"""What libpq is told."""

SERVER: Final[Mapping[str, str]] = {
    "tcp_keepalives_idle": str(_IDLE_SECONDS),
    "tcp_keepalives_interval": str(_INTERVAL_SECONDS),
    "tcp_keepalives_count": str(_COUNT),
    "tcp_user_timeout": str(_UNACKNOWLEDGED_MILLISECONDS),
}
"""What the session's process at the server is told."""
