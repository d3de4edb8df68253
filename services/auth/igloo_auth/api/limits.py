"""How often an address, a person and a device may ask the auth service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from igloo_auth.api.callers import caller_address
from igloo_auth.operations.grants import GrantRefused
from igloo_auth.settings import RateLimits, Settings
from igloo_common.rate_limits import (
    RateLimit,
    RateLimitExceeded,
    address_subject,
    charge,
    charge_while_left,
)
from igloo_common.web import provided

# RFC 6749 has no error for "too often". This one, of its section 4.1.2.1, is what client libraries know as
# "try again later"; `invalid_grant` would have them sign the person out.
TRY_LATER: Final = {"error": "temporarily_unavailable"}


@contextmanager
def limited_grant() -> Iterator[None]:
    """Count a request of the token endpoint, and once more if the proof in it is refused.

    Who was refused too often is not even looked at: neither Facebook nor our tokens are asked.

    Raises:
        RateLimitExceeded: Before the block is entered, which so changes nothing.
    """
    address, limits = address_subject(caller_address()), _settings()
    refusals = RateLimit(name="refusals", quota=limits.refusals_per_address)
    tokens = RateLimit(name="tokens", quota=limits.tokens_per_address)
    charge_while_left(tokens, refusals, address, extra=TRY_LATER)
    try:
        yield
    except GrantRefused:
        _count_refusal(refusals, address)
        raise


def charge_sign_in(facebook_user_id: str) -> None:
    """Count a sign-in of somebody whom Facebook has vouched for; before their session is opened."""
    limit = RateLimit(name="sign-ins", quota=_settings().sign_ins_per_identity)
    charge(limit, facebook_user_id, extra=TRY_LATER)


def charge_refresh(session_id: UUID) -> None:
    """Count a refresh of one device."""
    limit = RateLimit(name="refreshes", quota=_settings().refreshes_per_session)
    charge(limit, str(session_id), extra=TRY_LATER)


def charge_nonce() -> None:
    """Count a nonce that an address asks for."""
    limit = RateLimit(name="nonces", quota=_settings().nonces_per_address)
    charge(limit, address_subject(caller_address()))


def charge_web_sign_in() -> None:
    """Count a sign-in that is begun in a browser."""
    limit = RateLimit(name="web-sign-ins", quota=_settings().web_sign_ins_per_address)
    charge(limit, address_subject(caller_address()), extra=TRY_LATER)


def _settings() -> RateLimits:
    return provided(Settings).rate_limits


def _count_refusal(refusals: RateLimit, address: str) -> None:
    try:
        charge(refusals, address)
    except RateLimitExceeded:
        # Others were refused at the same moment: this one still hears why, the next one hears "too often".
        return
