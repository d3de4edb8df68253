"""Authorization codes: what a browser carries to an app, which trades it for tokens, once."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from igloo_auth.models.accounts import Account
from igloo_auth.models.security_events import SecurityEventKind
from igloo_auth.models.sessions import DeviceSession, RevocationReason
from igloo_auth.models.web_sign_ins import AuthorizationCode
from igloo_auth.operations.grants import Grant, GrantRefused
from igloo_auth.operations.security_events import record_security_event
from igloo_auth.operations.sessions import Device, end_session
from igloo_auth.operations.sign_ins import require_good_standing, sign_in
from igloo_auth.operations.web_sign_ins import WebSignIn
from igloo_auth.policies.proof_keys import proves
from igloo_auth.settings import TokenLifetimes

AUTHORIZATION_CODE: Final = "authorization_code"
"""The name of the grant."""
CODE_SECONDS: Final = 60
"""From the redirect to the app's request (RFC 6749 section 4.1.2 allows ten minutes)."""
_CODE_BYTES: Final = 32


class AuthorizationCodeInvalid(GrantRefused):
    """The code is unknown, or was not given to who presents it; `reason` says what does not fit."""


class AuthorizationCodeExpired(GrantRefused):
    """The code was not presented in time."""


class AuthorizationCodeReused(GrantRefused):
    """The code was traded before, by somebody with the same proof: the session it gave has been ended."""


@dataclass(frozen=True, kw_only=True)
class Redemption:
    """A code, and what its holder must know besides."""

    code: str
    client_id: str
    redirect_uri: str | None
    """None when it is not one of the client's."""
    code_verifier: str


def issue_authorization_code(
    session: Session, *, web_sign_in: WebSignIn, account_id: UUID, now: datetime
) -> str:
    """Make a code for an app whose person has just proved who they are.

    Raises:
        AccountSuspended, AccountDeleted: When the account may not sign in.
    """
    require_good_standing(session, account_id=account_id)
    code = secrets.token_urlsafe(_CODE_BYTES)
    session.execute(
        insert(AuthorizationCode).values(
            code_hash=_hash(code),
            client_id=web_sign_in.client_id,
            redirect_uri=web_sign_in.redirect_uri,
            code_challenge=web_sign_in.code_challenge,
            account_id=account_id,
            issued_at=now,
            expires_at=now + timedelta(seconds=CODE_SECONDS),
        )
    )
    return code


def redeem_authorization_code(
    session: Session, *, redemption: Redemption, device: Device, lifetimes: TokenLifetimes, now: datetime
) -> Grant | AuthorizationCodeReused:
    """Sign in the person whose code this is.

    The code's row is locked, so that of two that race one comes second. A reuse ends the session that the
    code gave; it is *returned*, not raised, because the end has to be committed before it is reported.

    Raises:
        AuthorizationCodeInvalid: When the code is unknown or its holder does not prove to be the client that
            asked for it. That does not spoil the code for who can.
        AuthorizationCodeExpired: When it comes too late.
        AccountSuspended, AccountDeleted: When the account may not sign in any more.
    """
    issued = _proven(_locked(session, redemption.code), redemption)
    if issued.session_id is not None:
        _end_reused(session, issued=issued, device=device, lifetimes=lifetimes, now=now)
        return AuthorizationCodeReused("This authorization code was used before: its session has been ended.")
    if issued.expires_at <= now:
        raise AuthorizationCodeExpired("This authorization code has expired: sign in again.")
    grant = sign_in(
        session,
        account_id=issued.account_id,
        device=device,
        grant_type=AUTHORIZATION_CODE,
        lifetimes=lifetimes,
        now=now,
    )
    issued.redeemed_at, issued.session_id = now, grant.session_id
    return grant


def _locked(session: Session, code: str) -> AuthorizationCode | None:
    """Lock a code's row, and its account before it: who ends an account takes its codes in that order too."""
    session.execute(
        select(Account.id)
        .join(AuthorizationCode, AuthorizationCode.account_id == Account.id)
        .where(AuthorizationCode.code_hash == _hash(code))
        .with_for_update(read=True, of=Account)
    )
    return session.scalar(
        select(AuthorizationCode).where(AuthorizationCode.code_hash == _hash(code)).with_for_update()
    )


def _proven(issued: AuthorizationCode | None, redemption: Redemption) -> AuthorizationCode:
    """Return the code if who presents it is who asked for it (RFC 6749 section 4.1.3, RFC 7636 4.6)."""
    if issued is None:
        raise AuthorizationCodeInvalid("This authorization code is not known.", reason="unknown")
    if issued.client_id != redemption.client_id:
        raise AuthorizationCodeInvalid("This authorization code is another client's.", reason="client")
    if issued.redirect_uri != redemption.redirect_uri:
        raise AuthorizationCodeInvalid("redirect_uri is not where this code was sent.", reason="redirect_uri")
    if not proves(redemption.code_verifier, challenge=issued.code_challenge):
        raise AuthorizationCodeInvalid("code_verifier does not fit the challenge.", reason="verifier")
    return issued


def _end_reused(
    session: Session, *, issued: AuthorizationCode, device: Device, lifetimes: TokenLifetimes, now: datetime
) -> None:
    """End the session of a code that came twice, unless it is over already (RFC 6749 section 4.1.2)."""
    given = session.scalar(
        select(DeviceSession).where(DeviceSession.id == issued.session_id).with_for_update()
    )
    if given is None or given.revoked_at is not None:
        return
    end_session(
        session,
        ended=given,
        reason=RevocationReason.AUTHORIZATION_CODE_REUSED,
        lifetimes=lifetimes,
        now=now,
    )
    record_security_event(
        session,
        account_id=given.account_id,
        kind=SecurityEventKind.AUTHORIZATION_CODE_REUSED,
        session_id=given.id,
        network=device.network,
        now=now,
    )


def _hash(code: str) -> bytes:
    # 256 random bits cannot be guessed, so that a plain hash is enough.
    return hashlib.sha256(code.encode()).digest()
