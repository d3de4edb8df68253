"""Sign-ins through a browser while their person is at Facebook: begun once, finished once."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from igloo_auth.models.web_sign_ins import AuthorizationRequest
from igloo_common.errors import Malformed

REQUEST_SECONDS = 10 * 60
"""How long a person may take at Facebook."""
_SECRET_BYTES = 32


class StateInvalid(Malformed):
    """Nobody began this sign-in, not in this browser, or too long ago; `reason` says which."""

    def __init__(self, detail: str, *, reason: str) -> None:
        super().__init__(detail, extra={"reason": reason})


@dataclass(frozen=True, kw_only=True)
class WebSignIn:
    """What a client asked for, and where it is to be told the outcome."""

    client_id: str
    redirect_uri: str
    client_state: str | None
    code_challenge: str


@dataclass(frozen=True, kw_only=True)
class BrowserSecrets:
    """What only the browser of a sign-in knows: neither is stored but as a hash."""

    state: str
    """Goes to Facebook and comes back in the address."""
    binding: str
    """Stays in the browser, as a cookie: an address that is sent to somebody else does not bring it."""


def begin_web_sign_in(session: Session, *, sign_in: WebSignIn, now: datetime) -> BrowserSecrets:
    """Remember what a client asked for until its person comes back from Facebook."""
    begun = BrowserSecrets(
        state=secrets.token_urlsafe(_SECRET_BYTES), binding=secrets.token_urlsafe(_SECRET_BYTES)
    )
    session.execute(
        insert(AuthorizationRequest).values(
            state_hash=_hash(begun.state),
            browser_hash=_hash(begun.binding),
            client_id=sign_in.client_id,
            redirect_uri=sign_in.redirect_uri,
            client_state=sign_in.client_state,
            code_challenge=sign_in.code_challenge,
            expires_at=now + timedelta(seconds=REQUEST_SECONDS),
        )
    )
    return begun


def finish_web_sign_in(session: Session, *, presented: BrowserSecrets, now: datetime) -> WebSignIn:
    """Return what was asked for, and forget it: the same state finishes nothing a second time.

    A state in another browser is refused and stays good in its own, or whoever sees an address could spoil
    the sign-in of the person that it belongs to.

    Raises:
        StateInvalid: When nobody began it, in this browser, within its time.
    """
    state_hash = _hash(presented.state)
    begun_in = session.scalar(
        select(AuthorizationRequest.browser_hash).where(AuthorizationRequest.state_hash == state_hash)
    )
    if begun_in is not None and not hmac.compare_digest(begun_in, _hash(presented.binding)):
        raise StateInvalid("This sign-in was begun in another browser.", reason="other_browser")
    # Of two callbacks with one state the row goes to one.
    row = session.execute(
        delete(AuthorizationRequest)
        .where(AuthorizationRequest.state_hash == state_hash)
        .returning(
            AuthorizationRequest.client_id,
            AuthorizationRequest.redirect_uri,
            AuthorizationRequest.client_state,
            AuthorizationRequest.code_challenge,
            AuthorizationRequest.expires_at,
        )
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if row is None:
        raise StateInvalid("This sign-in is not known, or was finished before.", reason="unknown")
    if row.expires_at <= now:
        raise StateInvalid("This sign-in was begun too long ago.", reason="expired")
    return WebSignIn(
        client_id=row.client_id,
        redirect_uri=row.redirect_uri,
        client_state=row.client_state,
        code_challenge=row.code_challenge,
    )


def _hash(secret: str) -> bytes:
    # 256 random bits cannot be guessed, so that a plain hash is enough.
    return hashlib.sha256(secret.encode()).digest()
