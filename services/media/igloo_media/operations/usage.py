"""What a person has stored and on its way: counted as it comes and goes, and held against what they may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from sqlalchemy.orm import Session

from igloo_common.errors import Conflict, RateLimited
from igloo_common.rate_limits import (
    Allowance,
    Asked,
    RateLimit,
    RateLimitExceeded,
    ask_to_take,
    give_back,
    take,
)
from igloo_common.statements import Sent, Statement
from igloo_media.settings import HOUR_SECONDS, PersonLimits

UPLOADS: Final = "uploads"
"""The name of the rate limit, in its headers and in the table of all of them."""
OPEN_RETRY_SECONDS: Final = 60


class TooManyOpenUploads(RateLimited):
    """As many uploads are open as may be: finish or give up some (`GET /v1/uploads?state=pending`)."""

    def __init__(self, open_uploads: int) -> None:
        self.retry_after_seconds = OPEN_RETRY_SECONDS
        super().__init__(f"{open_uploads} uploads are not finished: finish or give up some first.")


class QuotaExceeded(Conflict):
    """The photos would take more room than the person has: delete some."""

    code: ClassVar[str] = "quota_exceeded"


@dataclass(frozen=True, kw_only=True)
class Admission:
    """What was asked about a person before their new uploads were written, and is judged after it.

    The first of the questions locks the person's rate limit until the transaction ends, so that of all their
    requests at once each sees what the others have written: together they get as much as one after the other.
    """

    owner_id: UUID
    limits: PersonLimits
    rate: Asked
    standing: Sent

    def settle(self, session: Session, new_sizes: Sequence[int]) -> Allowance:
        """Let the new ones of the files through, and return what may be asked for next; known ones are free.

        Raises:
            RateLimitExceeded: the person asked for more files in the last hour than they may.
            TooManyOpenUploads: more would be open than may be.
            QuotaExceeded: stored and on its way would be more than may be.
        """
        allowance = self._charge(session, len(new_sizes))
        if not new_sizes:
            return allowance
        if not allowance.allowed:
            raise RateLimitExceeded(allowance)
        [(open_uploads, open_bytes, stored_bytes)] = self.standing.rows()
        if open_uploads + len(new_sizes) > self.limits.open_uploads:
            raise TooManyOpenUploads(open_uploads)
        if stored_bytes + open_bytes + sum(new_sizes) > self.limits.stored_bytes:
            raise QuotaExceeded("Your photos would take more room than you have: delete some first.")
        return allowance

    def _charge(self, session: Session, new: int) -> Allowance:
        """Charge for the new ones, where all were charged for before it was known which are."""
        taken, known = self.rate.allowance(), self.rate.count - new
        limit, subject, now = self.rate.limit, str(self.owner_id), self.rate.now
        if known and taken.allowed:
            return give_back(session, limit, subject=subject, now=now, count=known)
        if known and new:
            return take(session, limit, subject=subject, now=now, count=new)
        return taken


def ask_admission(
    session: Session, *, owner_id: UUID, count: int, limits: PersonLimits, now: datetime
) -> Admission:
    """Ask, in the round trip of what is read next, whether a person may have so many uploads more."""
    rate = RateLimit(name=UPLOADS, quota=limits.uploads_per_hour, window_seconds=HOUR_SECONDS)
    return Admission(
        owner_id=owner_id,
        limits=limits,
        rate=ask_to_take(session, rate, subject=str(owner_id), now=now, count=count),
        standing=_STANDING.send(session, {"owner_id": owner_id}),
    )


def count_photo(session: Session, *, owner_id: UUID, stored_bytes: int) -> None:
    """Count a photo that this transaction has made ready; its row was locked before this one."""
    _ADD.run(session, {"owner_id": owner_id, "photos": 1, "stored_bytes": stored_bytes})


def discount_photo(session: Session, *, owner_id: UUID, media_id: UUID) -> None:
    """Discount a photo that this transaction ends, likewise; its renditions are still known."""
    _DISCOUNT.run(session, {"owner_id": owner_id, "media_id": media_id})


def count_bytes(session: Session, *, owner_id: UUID, more: int) -> None:
    """Count the bytes by which a photo that stays ready has grown, or shrunk; likewise."""
    _ADD.run(session, {"owner_id": owner_id, "photos": 0, "stored_bytes": more})


def forget_usage(session: Session, owner_id: UUID) -> None:
    """Drop what is counted of a person who is being erased, the rate of their uploads included."""
    _FORGET.run(session, {"owner_id": owner_id})
    _FORGET_RATE.run(session, {"name": UPLOADS, "subject": str(owner_id)})


_STANDING = Statement("""
SELECT count(*), coalesce(sum(size_bytes), 0)::bigint,
    coalesce((SELECT stored_bytes FROM owner_usage WHERE owner_id = %(owner_id)s), 0)
FROM media_items
WHERE owner_id = %(owner_id)s AND state IN ('pending', 'uploaded', 'processing')
""")
_ADD = Statement("""
INSERT INTO owner_usage AS usage (owner_id, photos, stored_bytes)
VALUES (%(owner_id)s, %(photos)s, %(stored_bytes)s)
ON CONFLICT (owner_id) DO UPDATE SET photos = usage.photos + excluded.photos,
    stored_bytes = usage.stored_bytes + excluded.stored_bytes
""")
_DISCOUNT = Statement("""
UPDATE owner_usage SET photos = photos - 1, stored_bytes = stored_bytes - (
    SELECT coalesce(sum(size_bytes), 0) FROM renditions WHERE media_id = %(media_id)s
) WHERE owner_id = %(owner_id)s
""")
_FORGET = Statement("DELETE FROM owner_usage WHERE owner_id = %(owner_id)s")
_FORGET_RATE = Statement("DELETE FROM rate_limits WHERE name = %(name)s AND subject = %(subject)s")
