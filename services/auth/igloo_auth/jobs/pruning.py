"""Forgets what is over."""

from __future__ import annotations

from collections.abc import Callable

from igloo_auth.operations.account_pruning import prune_exports, prune_tombstones
from igloo_auth.operations.pruning import (
    BATCH_ROWS,
    erase_seals,
    prune_authorization_codes,
    prune_authorization_requests,
    prune_refresh_tokens,
    prune_security_events,
    prune_sessions,
    prune_used_nonces,
)
from igloo_auth.settings import Settings
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.web import provided


def prune() -> None:
    """Forget what has expired, old sessions and useless seals, in transactions too short to be waited for."""
    _until_done(prune_authorization_requests)
    _until_done(prune_authorization_codes)
    _until_done(prune_used_nonces)
    _until_done(prune_refresh_tokens)
    _until_done(prune_sessions)
    _until_done(prune_security_events)
    _until_done(prune_exports)
    _until_done(prune_tombstones)
    with transaction() as session:
        erase_seals(session, lifetimes=provided(Settings).lifetimes, now=utc_now())


def _until_done(prune_batch: Callable[..., int]) -> None:
    while True:
        with transaction() as session:
            pruned = prune_batch(session, now=utc_now())
        if pruned < BATCH_ROWS:
            return
