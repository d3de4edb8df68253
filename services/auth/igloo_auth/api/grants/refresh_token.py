"""The grant that keeps a device signed in."""

from __future__ import annotations

from igloo_auth.api.callers import caller_network
from igloo_auth.api.limits import charge_refresh
from igloo_auth.operations.grants import Grant, GrantRefused
from igloo_auth.operations.refresh_secrets import hash_refresh_token
from igloo_auth.operations.refresh_tokens import exchange_refresh_token
from igloo_auth.queries.sessions import session_of_token
from igloo_auth.schemas.token import RefreshTokenGrant
from igloo_auth.settings import Settings
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.web import provided


def grant_by_refresh_token(request: RefreshTokenGrant) -> Grant:
    """Keep a device signed in."""
    with reading() as connection:
        session_id = session_of_token(connection, token_hash=hash_refresh_token(request.refresh_token))
    if session_id is not None:
        charge_refresh(session_id)
    with transaction() as session:
        outcome = exchange_refresh_token(
            session,
            token=request.refresh_token,
            network=caller_network(),
            lifetimes=provided(Settings).lifetimes,
            now=utc_now(),
        )
    # A reuse is refused only here, with the end of its session committed.
    if isinstance(outcome, GrantRefused):
        raise outcome
    return outcome
