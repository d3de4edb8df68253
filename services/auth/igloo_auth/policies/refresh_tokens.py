"""When an exchanged refresh token is an honest retry, and when it is a stolen one."""

from __future__ import annotations

from datetime import datetime, timedelta


def is_honest_retry(
    *, rotated_at: datetime, successor_rotated_at: datetime | None, grace_seconds: int, now: datetime
) -> bool:
    """Decide about a refresh token that was exchanged before.

    A phone that lost the answer, or whose app refreshed twice at once, comes again soon, or at the latest
    before it can have used the successor. After both, two parties hold tokens of one chain (RFC 9700
    section 4.14.2).
    """
    if successor_rotated_at is None:
        return True
    return now - rotated_at <= timedelta(seconds=grace_seconds)
