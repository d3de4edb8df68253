"""What is on its way to phones: taken up for a while, put off, and forgotten once it was sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from igloo_common.backoff import backoff_seconds
from igloo_common.statements import Statement
from igloo_social.operations.devices import RETIRING

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from igloo_social.queries.pushes import Target

LEASE: Final = timedelta(minutes=2)
"""How long a worker has a push to itself: three calls to SNS, each as slow as may be, take less.

One that dies over it leaves it to another, which sends it a second time if it was sent: then it takes its own
place on the phone.
"""
WORTH_SENDING_FOR: Final = timedelta(hours=1)
LONGEST_PAUSE_SECONDS: Final = 300.0
SHORTEST_PAUSE_WHEN_FORBIDDEN: Final = timedelta(minutes=1)
LONGEST_ENDPOINT_PAUSE_SECONDS: Final = 3600.0
DISCARDED_AT_ONCE: Final = 1_000


@dataclass(frozen=True, kw_only=True)
class Push:
    """A push that a worker has taken up."""

    id: UUID
    notification_id: UUID
    user_id: UUID
    device_id: UUID
    attempts: int
    created_at: datetime

    def is_stale(self, now: datetime) -> bool:
        """Say whether it is too late to disturb anybody with it."""
        return self.created_at <= now - WORTH_SENDING_FOR


@dataclass(frozen=True, kw_only=True)
class RetiredEndpoint:
    """An endpoint that a worker is about to delete at SNS."""

    arn: str
    attempts: int


def claim_due_push(session: Session, *, now: datetime) -> Push | None:
    """Take up the push that has waited longest, for LEASE.

    Others that wait to tell the same phone of the same group go: what is sent speaks for the whole group.
    """
    row = _CLAIM.row(session, {"now": now, "until": now + LEASE})
    if row is None:
        return None
    push = Push(**dict(zip(Push.__dataclass_fields__, row, strict=True)))
    if not push.is_stale(now):
        same = {"notification_id": push.notification_id, "id": push.id}
        _FORGET_SAME.run(session, {**same, "user_id": push.user_id, "device_id": push.device_id})
    return push


def forget_push(session: Session, push: Push) -> None:
    """Be done with a push: it was sent, or there is no point in it."""
    _FORGET.run(session, {"id": push.id})


def put_off_push(session: Session, push: Push, *, now: datetime, slowly: bool = False) -> float:
    """Have a push tried again later, each time later; return in how many seconds."""
    pause = backoff_seconds(push.attempts, cap=LONGEST_PAUSE_SECONDS)
    if slowly:
        pause += SHORTEST_PAUSE_WHEN_FORBIDDEN.total_seconds()
    _PUT_OFF.run(session, {"id": push.id, "due_at": now + timedelta(seconds=pause)})
    return pause


def discard_due_pushes(session: Session, *, now: datetime) -> int:
    """Forget some of the pushes that are due, where nothing can be pushed; return how many."""
    return _DISCARD.count(session, {"now": now, "limit": DISCARDED_AT_ONCE})


def keep_endpoint(session: Session, target: Target, *, arn: str) -> None:
    """Remember the endpoint of a phone, unless the phone has got another token meanwhile."""
    _KEEP_ENDPOINT.run(session, {**_as_it_was(target), "arn": arn})


def forget_endpoint(session: Session, target: Target) -> None:
    """Have another endpoint made for a phone, as SNS does not know this one."""
    _FORGET_ENDPOINT.run(session, {**_as_it_was(target), "arn": target.endpoint_arn})


def remove_unreachable(session: Session, target: Target, *, now: datetime) -> None:
    """Forget a phone that its platform does not know, unless it has registered anew meanwhile."""
    _REMOVE_UNREACHABLE.run(
        session, {**_as_it_was(target), "registered_at": target.registered_at, "now": now}
    )


def claim_retired_endpoint(session: Session, *, now: datetime) -> RetiredEndpoint | None:
    """Take up the endpoint that has been out of use for longest, for LEASE."""
    row = _CLAIM_RETIRED.row(session, {"now": now, "until": now + LEASE})
    return None if row is None else RetiredEndpoint(arn=row[0], attempts=row[1])


def forget_retired(session: Session, endpoint: RetiredEndpoint) -> None:
    """Be done with an endpoint that is deleted."""
    _FORGET_RETIRED.run(session, {"arn": endpoint.arn})


def put_off_retired(session: Session, endpoint: RetiredEndpoint, *, now: datetime) -> float:
    """Have an endpoint deleted later; return in how many seconds."""
    pause = backoff_seconds(endpoint.attempts, cap=LONGEST_ENDPOINT_PAUSE_SECONDS)
    _PUT_OFF_RETIRED.run(session, {"arn": endpoint.arn, "due_at": now + timedelta(seconds=pause)})
    return pause


def _as_it_was(target: Target) -> dict[str, object]:
    return {"user_id": target.user_id, "device_id": target.id, "token": target.token}


_CLAIM = Statement("""
WITH due AS (
    SELECT id FROM pushes WHERE due_at <= %(now)s ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE pushes SET due_at = %(until)s, attempts = attempts + 1 FROM due WHERE pushes.id = due.id
RETURNING pushes.id, notification_id, user_id, device_id, attempts, created_at
""")
# Those with attempts are with another worker, or wait to be tried again.
_FORGET_SAME = Statement("""
DELETE FROM pushes WHERE id IN (
    SELECT pushes.id FROM pushes JOIN notifications AS other ON other.id = pushes.notification_id
    WHERE pushes.user_id = %(user_id)s AND device_id = %(device_id)s AND attempts = 0 AND pushes.id <> %(id)s
        AND other.group_id = (SELECT group_id FROM notifications WHERE id = %(notification_id)s)
    FOR UPDATE OF pushes SKIP LOCKED
)
""")
_FORGET = Statement("DELETE FROM pushes WHERE id = %(id)s")
_PUT_OFF = Statement("UPDATE pushes SET due_at = %(due_at)s WHERE id = %(id)s")
_DISCARD = Statement("""
DELETE FROM pushes WHERE id IN (
    SELECT id FROM pushes WHERE due_at <= %(now)s ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
""")
_SAME_DEVICE = "user_id = %(user_id)s AND id = %(device_id)s AND token = %(token)s"
_KEEP_ENDPOINT = Statement(
    f"""
WITH kept AS (
    UPDATE devices SET endpoint_arn = %(arn)s WHERE {_SAME_DEVICE} RETURNING endpoint_arn
)
DELETE FROM retired_endpoints WHERE arn IN (SELECT endpoint_arn FROM kept)
"""  # noqa: S608 - words of our own
)
_FORGET_ENDPOINT = Statement(
    f"UPDATE devices SET endpoint_arn = NULL WHERE {_SAME_DEVICE} AND endpoint_arn = %(arn)s"  # noqa: S608 - as above
)
_REMOVE_UNREACHABLE = Statement(
    f"""
WITH removed AS (
    DELETE FROM devices WHERE {_SAME_DEVICE} AND registered_at = %(registered_at)s RETURNING endpoint_arn
)
{RETIRING}
"""  # noqa: S608 - as above
)
_CLAIM_RETIRED = Statement("""
WITH due AS (
    SELECT arn FROM retired_endpoints WHERE due_at <= %(now)s
    ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE retired_endpoints SET due_at = %(until)s, attempts = attempts + 1
FROM due WHERE retired_endpoints.arn = due.arn
RETURNING retired_endpoints.arn, attempts
""")
_FORGET_RETIRED = Statement("DELETE FROM retired_endpoints WHERE arn = %(arn)s")
_PUT_OFF_RETIRED = Statement("UPDATE retired_endpoints SET due_at = %(due_at)s WHERE arn = %(arn)s")
