"""How often something may be done: counted in the database, said in headers, refused with 429."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, ClassVar, Final

from flask import Response, after_this_request, request
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from igloo_common.clock import utc_now
from igloo_common.database import reading
from igloo_common.errors import RateLimited
from igloo_common.problems import PROBLEM_TYPE, ProblemSchema
from igloo_common.statements import Sent, Statement
from igloo_common.wiring import current_wiring

IPV6_PREFIX_BITS: Final = 64
"""One household or one phone has as many addresses as it likes below its /64."""
RATE_LIMIT_HEADERS: Final[dict[str, Any]] = {
    "RateLimit": {
        "schema": {"type": "string"},
        "description": (
            "What is left now: `r` more at once, and one more in `t` seconds; after a refusal, as many as"
            " were asked for."
        ),
        "example": '"tokens";r=599;t=1',
    },
    "RateLimit-Policy": {
        "schema": {"type": "string"},
        "description": "What applies: `q` in any `w` seconds on average, and `q` at once at most.",
        "example": '"tokens";q=600;w=60',
    },
}
"""For `blp.response(…, headers=…)` of a limited view (draft-ietf-httpapi-ratelimit-headers-11)."""
RATE_LIMITED: Final[dict[str, Any]] = {
    "description": "Too often; try again after Retry-After",
    "schema": ProblemSchema,
    "content_type": PROBLEM_TYPE,
    "headers": {
        **RATE_LIMIT_HEADERS,
        "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds.", "example": 1},
    },
}
"""For `blp.alt_response(429, …)` of a limited view."""

_ANNOUNCED: Final = "igloo.rate_limits"
# The generic cell rate algorithm: a bucket that holds `quota` and fills evenly over the window is one time,
# that at which it will be full again. PostgreSQL locks the row, so that of any number of processes each
# takes its own; a refused one leaves it as it is. A time beyond the window is left over from a clock that
# was ahead, and must not keep anybody out for as long as that.
_TAKE: Final = Statement("""
INSERT INTO rate_limits AS bucket (name, subject, full_at)
VALUES (%(name)s, %(subject)s, %(now)s::timestamptz + %(cost)s::interval)
ON CONFLICT (name, subject) DO UPDATE SET full_at = CASE
    WHEN bucket.full_at <= %(now)s::timestamptz THEN excluded.full_at
    WHEN bucket.full_at + %(cost)s::interval <= %(now)s::timestamptz + %(window)s::interval
        THEN bucket.full_at + %(cost)s::interval
    ELSE least(bucket.full_at, %(now)s::timestamptz + %(window)s::interval)
END
RETURNING new.full_at, old.full_at IS NULL OR new.full_at > old.full_at
""")
_GIVE_BACK: Final = Statement("""
UPDATE rate_limits SET full_at = full_at - %(cost)s::interval
WHERE name = %(name)s AND subject = %(subject)s RETURNING full_at
""")
_LOOK: Final = Statement("SELECT full_at FROM rate_limits WHERE name = %(name)s AND subject = %(subject)s")
_PRUNE: Final = Statement("DELETE FROM rate_limits WHERE full_at <= %(now)s")


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """`quota` in any `window_seconds` on average, and as many at once; `name` is stored and sent."""

    name: str
    quota: int
    window_seconds: int = 60

    @property
    def window(self) -> timedelta:
        """The time in which an empty bucket fills."""
        return timedelta(seconds=self.window_seconds)

    @property
    def cost(self) -> timedelta:
        """The time in which one is filled in; rounded down, so that the whole quota fits into the window."""
        return self.window // self.quota


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """The answer: whether it may be done, how often more at once, and when there will be one more."""

    limit: RateLimit
    allowed: bool
    remaining: int
    reset_seconds: int
    """Rounded up; after a refusal, how long to wait."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A taking that is on its way."""

    sent: Sent
    limit: RateLimit
    count: int
    now: datetime

    def allowance(self) -> Allowance:
        """Read the answer."""
        [(full_at, allowed)] = self.sent.rows()
        return _allowance(self.limit, full_at=full_at, allowed=allowed, now=self.now, count=self.count)


class RateLimitExceeded(RateLimited):
    """It was done too often from there, or by them; nothing else has changed."""

    code: ClassVar[str] = "rate_limited"

    def __init__(self, allowance: Allowance, *, extra: Mapping[str, object] | None = None) -> None:
        self.retry_after_seconds = max(1, allowance.reset_seconds)
        detail = f"Too often: try again in {self.retry_after_seconds} s."
        super().__init__(detail, headers=_headers([allowance]), extra=extra)


def take(
    reader: Session | Connection, limit: RateLimit, *, subject: str, now: datetime, count: int = 1
) -> Allowance:
    """Take so many out of a subject's bucket, if there are as many in it; else none.

    Given a connection of `reading()`, it counts whatever becomes of the request. `subject` is stored as it
    is: pass what `charge` makes of an address.
    """
    return ask_to_take(reader, limit, subject=subject, now=now, count=count).allowance()


def ask_to_take(
    reader: Session | Connection, limit: RateLimit, *, subject: str, now: datetime, count: int = 1
) -> Asked:
    """Take as `take` does, in the round trip of whatever is read next.

    In a transaction, the subject's bucket is locked from there to the end of it, also by a refusal: what is
    asked after it sees all that the subject's earlier takers have committed.
    """
    if count > limit.quota:
        raise ValueError(f"{count} at once never fit into a quota of {limit.quota}")
    parameters = {"cost": limit.cost * count, "window": limit.window, "now": now}
    sent = _TAKE.send(reader, {"name": limit.name, "subject": subject, **parameters})
    return Asked(sent=sent, limit=limit, count=count, now=now)


def give_back(session: Session, limit: RateLimit, *, subject: str, now: datetime, count: int) -> Allowance:
    """Put so many back into a bucket that this transaction has taken more from."""
    parameters = {"name": limit.name, "subject": subject, "cost": limit.cost * count}
    [(full_at,)] = _GIVE_BACK.rows(session, parameters)
    return _allowance(limit, full_at=full_at, allowed=True, now=now)


def look(reader: Session | Connection, limit: RateLimit, *, subject: str, now: datetime) -> Allowance:
    """Tell what `take` would answer, and take nothing."""
    return _seen(limit, _send_look(reader, limit, subject=subject), now=now)


def _send_look(reader: Session | Connection, limit: RateLimit, *, subject: str) -> Sent:
    return _LOOK.send(reader, {"name": limit.name, "subject": subject})


def _seen(limit: RateLimit, look: Sent, *, now: datetime) -> Allowance:
    [[full_at]] = look.rows() or [(now,)]
    allowed = full_at <= now or full_at + limit.cost <= now + limit.window
    return _allowance(limit, full_at=full_at, allowed=allowed, now=now)


def _allowance(
    limit: RateLimit, *, full_at: datetime, allowed: bool, now: datetime, count: int = 1
) -> Allowance:
    room = now + limit.window - min(max(full_at, now), now + limit.window)
    remaining = min(room // limit.cost, limit.quota)
    awaited = remaining + 1 if allowed else count
    # A whole bucket gets no more; `-(-a // b)` is a division that rounds up.
    missing = timedelta() if remaining == limit.quota else awaited * limit.cost - room
    reset_seconds = -(-missing // timedelta(seconds=1))
    return Allowance(limit=limit, allowed=allowed, remaining=remaining, reset_seconds=reset_seconds)


def charge(limit: RateLimit, subject: str, *, extra: Mapping[str, object] | None = None) -> None:
    """Count the current request against a subject's limit, and say in its headers what is left.

    In a transaction of its own, so that it counts whatever becomes of the request; not to be called inside
    of one. `extra` goes into the refusal.

    Raises:
        RateLimitExceeded: When there is nothing left.
    """
    with reading() as connection:
        taken = take(connection, limit, subject=_stored(limit, subject), now=utc_now())
    announce(taken)
    if not taken.allowed:
        raise RateLimitExceeded(taken, extra=extra)


def charge_while_left(
    limit: RateLimit, other: RateLimit, subject: str, *, extra: Mapping[str, object] | None = None
) -> None:
    """Charge a limit, and go on only while something is left of another, which is charged elsewhere.

    As `charge`, for one subject and in one round trip; nothing is taken from the other limit.

    Raises:
        RateLimitExceeded: When there is nothing left of either.
    """
    now = utc_now()
    with reading() as connection:
        look = _send_look(connection, other, subject=_stored(other, subject))
        taken = take(connection, limit, subject=_stored(limit, subject), now=now)
        left = _seen(other, look, now=now)
    announce(taken)
    if not taken.allowed:
        raise RateLimitExceeded(taken, extra=extra)
    if not left.allowed:
        announce(left)
        raise RateLimitExceeded(left, extra=extra)


def address_subject(address: str | None) -> str:
    """Return what an address is counted as: itself, or the /64 of IPv6; all that is none is one subject."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ip_network((parsed.packed, IPV6_PREFIX_BITS), strict=False))
        parsed = parsed.ipv4_mapped
    return str(parsed)


def prune_rate_limits(session: Session, *, now: datetime) -> int:
    """Forget the buckets that are full again: a missing one counts as full. Returns how many."""
    return _PRUNE.count(session, {"now": now})


def _stored(limit: RateLimit, subject: str) -> str:
    """Return what is stored of a subject: without the key, nobody finds an address by trying them all."""
    key = current_wiring().settings.secret_key.encode()
    return hmac.digest(key, f"igloo rate limit v1 {limit.name} {subject}".encode(), "sha256")[:16].hex()


def announce(allowance: Allowance) -> None:
    """Say in the reply's headers what is left, beside what the request was charged for before."""
    # Of the request, not of Flask's `g`: that one lives as long as a context which somebody else has opened.
    announced: list[Allowance] | None = request.environ.get(_ANNOUNCED)
    if announced is None:
        announced = request.environ[_ANNOUNCED] = []
        after_this_request(_add_headers)
    announced.append(allowance)


def _add_headers(response: Response) -> Response:
    response.headers.update(_headers(request.environ[_ANNOUNCED]))
    return response


def _headers(announced: Sequence[Allowance]) -> dict[str, str]:
    return {
        "RateLimit": ", ".join(
            f'"{one.limit.name}";r={one.remaining};t={one.reset_seconds}' for one in announced
        ),
        "RateLimit-Policy": ", ".join(
            f'"{one.limit.name}";q={one.limit.quota};w={one.limit.window_seconds}' for one in announced
        ),
    }
