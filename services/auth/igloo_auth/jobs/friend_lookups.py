"""The lane that asks Facebook for a person's friends, after a sign-in and without making anybody wait."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from igloo_auth.facebook.failures import FacebookFailed, FacebookTokenInvalid, FacebookUnavailable
from igloo_auth.facebook.graph import FacebookGraph
from igloo_auth.operations.friend_lookups import (
    Claim,
    abandon_friend_lookup,
    claim_friend_lookup,
    finish_friend_lookup,
    postpone_friend_lookup,
)
from igloo_auth.operations.token_seals import SealBroken, open_token
from igloo_common.backoff import backoff_seconds
from igloo_common.clock import utc_now
from igloo_common.database import transaction

log = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS: Final = 120.0


@dataclass(frozen=True, kw_only=True)
class FriendLane:
    """Makes the look-ups that are due, one at a time, with no transaction open while Facebook is asked."""

    graph: FacebookGraph
    secret_key: str = field(repr=False)

    def step(self) -> bool:
        """Make the next look-up; False when none is due.

        A worker killed at any point leaves it claimed until its lease ends; then it is made again.
        """
        with transaction() as session:
            claim = claim_friend_lookup(session, now=utc_now())
        if claim is not None:
            self.finish(claim)
        return claim is not None

    def finish(self, claim: Claim) -> None:
        """Bring a claimed look-up to its end, or put it off."""
        if claim.expires_at <= utc_now():
            _abandon(claim, "expired")
            return
        try:
            token = open_token(claim.sealed_token, secret_key=self.secret_key)
            friends = self.graph.friends_of(token)
        except SealBroken:
            _abandon(claim, "seal_broken")
        except FacebookTokenInvalid as refusal:
            _abandon(claim, refusal.reason)
        except (FacebookUnavailable, FacebookFailed) as failure:
            _postpone(claim, failure)
        else:
            with transaction() as session:
                finish_friend_lookup(session, claim, facebook_user_ids=friends, now=utc_now())


def _abandon(claim: Claim, reason: str) -> None:
    with transaction() as session:
        abandon_friend_lookup(session, claim)
    facts = {"account_id": claim.account_id, "attempts": claim.attempts, "reason": reason}
    log.warning("friends are not looked up", extra=facts)


def _postpone(claim: Claim, failure: FacebookUnavailable | FacebookFailed) -> None:
    wanted = float(failure.retry_after_seconds)
    seconds = max(wanted, backoff_seconds(claim.attempts, cap=LONGEST_PAUSE_SECONDS))
    with transaction() as session:
        postpone_friend_lookup(session, claim, pause=timedelta(seconds=seconds), now=utc_now())
