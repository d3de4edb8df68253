"""The lanes that push news to phones and clear away what pushed to phones that are gone.

A push is sent at least once. Between SNS taking it and the row going, a worker may die; the push is then sent
again, under the same collapse id, and takes its own place on the phone.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Gauge

from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_social.operations import pushes as operations
from igloo_social.push.payloads import message_for
from igloo_social.push.sns import (
    EndpointDisabled,
    EndpointMissing,
    MessageRefused,
    PushError,
    PushForbidden,
    PushUnavailable,
    TokenRefused,
)
from igloo_social.queries.pushes import Pointless, news_for, waiting_pushes

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from igloo_social.operations.pushes import Push
    from igloo_social.push.sns import PushService
    from igloo_social.queries.pushes import News, Target

SENT: Final = Counter("igloo_pushes_sent_total", "Pushes that SNS has taken.", ["platform"])
DROPPED: Final = Counter("igloo_pushes_dropped_total", "Pushes that had become pointless.", ["reason"])
FAILED: Final = Counter(
    "igloo_pushes_failed_total", "Attempts that SNS did not take, by its error.", ["reason"]
)
WAITING: Final = Gauge("igloo_pushes_waiting", "Pushes that are not sent yet.")
OLDEST: Final = Gauge("igloo_pushes_oldest_seconds", "Age of the oldest of these pushes.")

logger = logging.getLogger(__name__)


@dataclass
class PushLane:
    """Sends pushes, one at a time a thread; no transaction waits for SNS."""

    service: PushService
    _trouble: set[str] = field(default_factory=set)
    """What SNS has been saying no with: it is logged when it begins and when it is over."""

    def step(self) -> bool:
        """Send the next push; False when none is due."""
        if not self.service.reaches_any:
            return _discard()
        with transaction() as session:
            push = operations.claim_due_push(session, now=utc_now())
        if push is None:
            return False
        try:
            self._work(push)
        except Exception:
            logger.exception("A push failed and is tried again.", extra=_put_off(push))
        return True

    def _work(self, push: Push) -> None:
        if push.is_stale(utc_now()):
            _drop(push, "too_old")
            return
        with reading() as reader:
            found = news_for(
                reader, user_id=push.user_id, device_id=push.device_id, notification_id=push.notification_id
            )
        if isinstance(found, Pointless):
            _drop(push, found.value)
        elif not self.service.reaches(found[0].platform):
            _drop(push, "not_configured")
        else:
            self._try(push, *found)

    def _try(self, push: Push, target: Target, news: News) -> None:
        try:
            self._send(push, target, news)
        except (EndpointDisabled, TokenRefused) as error:
            _fail(error)
            _finish(push, lambda session: operations.remove_unreachable(session, target, now=utc_now()))
        except MessageRefused as error:
            _fail(error)
            logger.exception("SNS refuses what was to be pushed.", extra={"kind": news.kind})
            _finish(push)
        except EndpointMissing as error:
            _fail(error)
            with transaction() as session:
                operations.forget_endpoint(session, target)
                operations.put_off_push(session, push, now=utc_now())
        except (PushForbidden, PushUnavailable) as error:
            _fail(error)
            self._complain(error, _put_off(push, slowly=isinstance(error, PushForbidden)))

    def _send(self, push: Push, target: Target, news: News) -> None:
        arn = target.endpoint_arn or self._endpoint(target)
        self.service.publish(arn, message_for(target.platform, news))
        SENT.labels(target.platform.value).inc()
        self._be_content()
        _finish(push)

    def _endpoint(self, target: Target) -> str:
        arn = self.service.endpoint_for(target.platform, target.token)
        with transaction() as session:
            operations.keep_endpoint(session, target, arn=arn)
        return arn

    def _complain(self, error: PushError, extra: dict[str, object]) -> None:
        if str(error) not in self._trouble:
            self._trouble.add(str(error))
            level = logging.ERROR if isinstance(error, PushForbidden) else logging.WARNING
            logger.log(level, "Pushes wait for SNS.", extra={**extra, "reason": str(error)})

    def _be_content(self) -> None:
        if self._trouble:
            self._trouble.clear()
            logger.info("SNS takes pushes again.")


@dataclass
class EndpointLane:
    """Deletes endpoints at SNS that no phone uses any more."""

    service: PushService

    def step(self) -> bool:
        """Delete the next endpoint; False when there is none, or when SNS is out of reach."""
        if not self.service.reaches_any:
            return False
        with transaction() as session:
            endpoint = operations.claim_retired_endpoint(session, now=utc_now())
        if endpoint is None:
            return False
        try:
            self.service.delete_endpoint(endpoint.arn)
        except PushError as error:
            with transaction() as session:
                pause = operations.put_off_retired(session, endpoint, now=utc_now())
            extra = {"reason": str(error), "pause_seconds": round(pause, 1)}
            logger.warning("An endpoint at SNS could not be deleted.", extra=extra)
            return False
        with transaction() as session:
            operations.forget_retired(session, endpoint)
        return True


def measure_pushes() -> bool:
    """Measure what waits; False, as the next look has time."""
    with reading() as reader:
        found = waiting_pushes(reader)
    WAITING.set(found.waiting)
    OLDEST.set(found.oldest_seconds)
    return False


def _discard() -> bool:
    with transaction() as session:
        discarded = operations.discard_due_pushes(session, now=utc_now())
    DROPPED.labels("not_configured").inc(discarded)
    return discarded == operations.DISCARDED_AT_ONCE


def _finish(push: Push, effect: Callable[[Session], None] | None = None) -> None:
    with transaction() as session:
        if effect is not None:
            effect(session)
        operations.forget_push(session, push)


def _drop(push: Push, reason: str) -> None:
    DROPPED.labels(reason).inc()
    _finish(push)


def _fail(error: PushError) -> None:
    FAILED.labels(str(error)).inc()


def _put_off(push: Push, *, slowly: bool = False) -> dict[str, object]:
    with transaction() as session:
        pause = operations.put_off_push(session, push, now=utc_now(), slowly=slowly)
    return {"push_id": str(push.id), "attempts": push.attempts, "pause_seconds": round(pause, 1)}
