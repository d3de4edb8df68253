"""Who calls: access tokens (RFC 9068 profile, RFC 8725 practice) verified here, without asking anybody."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol
from uuid import UUID

import jwt
from flask import g

from igloo_common.denylist import Denylist, deny_session
from igloo_common.errors import Unauthenticated
from igloo_common.keys import Key, KeySource, KeysUnavailable, RemoteKeys

__all__ = [
    "AuthenticationRequired",
    "Denylist",
    "Identity",
    "InvalidToken",
    "Key",
    "KeySource",
    "KeysUnavailable",
    "RemoteKeys",
    "SessionRevoked",
    "TokenExpired",
    "TokenVerifier",
    "current_identity",
    "deny_session",
    "viewer_id",
]

_ALGORITHM: Final = "ES256"
_TYPES: Final = frozenset({"at+jwt", "application/at+jwt"})
_REQUIRED_CLAIMS: Final = ["iss", "aud", "sub", "sid", "exp", "iat", "jti"]
_MAX_TOKEN_CHARACTERS: Final = 4096
# Base64 decoders put up with padding and strange characters: one token would be written in many ways.
_COMPACT: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_REMEMBERED_TOKENS: Final = 4096
_KEYS_LOOKED_AT_EVERY_SECONDS: Final = 1.0


class AuthenticationRequired(Unauthenticated):
    """This operation needs an access token."""

    bearer_error: ClassVar[str | None] = None


class InvalidToken(Unauthenticated):
    """The access token is not one of ours."""


class TokenExpired(Unauthenticated):
    """The access token has expired; a refresh token gets another."""


class SessionRevoked(Unauthenticated):
    """The session of this access token has been ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a verified access token says of its bearer; `expires_at` is in Unix seconds."""

    user_id: UUID
    session_id: UUID
    scopes: frozenset[str]
    expires_at: int


class Denies(Protocol):
    """Knows which sessions have been ended."""

    def denies(self, session_id: UUID) -> bool:
        """Tell whether the session's tokens are to be refused."""


class TokenVerifier:
    """Verifies access tokens, and remembers the verified ones until they expire.

    A signature costs some 70 µs to check, a remembered token a tenth of a microsecond. What can change
    while a token is remembered (the time, the denylist) is checked each time, and once a second whether a key
    was withdrawn: then all of them are checked anew.
    """

    def __init__(
        self,
        *,
        keys: KeySource,
        issuer: str,
        audience: str,
        denylist: Denies,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._denylist = denylist
        self._unix_time = unix_time
        self._verified: dict[str, Identity] = {}
        self._withdrawals = 0
        self._keys_looked_at = float("-inf")
        self._changing = threading.Lock()

    def verify(self, token: str) -> Identity:
        """Return the bearer's identity.

        Raises:
            InvalidToken, TokenExpired, SessionRevoked: refusals, all 401.
            KeysUnavailable: nothing can be said of the token at the moment.
        """
        now = self._unix_time()
        # Below nothing as well: a clock that was set back must not stop this for hours.
        if not 0 <= now - self._keys_looked_at < _KEYS_LOOKED_AT_EVERY_SECONDS:
            self._look_at_keys(now)
        identity = self._verified.get(token)
        if identity is None:
            withdrawals = self._withdrawals
            identity = self._decoded(token)
            self._remember(token, identity, withdrawals)
        if identity.expires_at <= now:
            self._verified.pop(token, None)
            raise TokenExpired("The access token has expired.")
        if self._denylist.denies(identity.session_id):
            raise SessionRevoked("This session has been ended.")
        return identity

    def _look_at_keys(self, now: float) -> None:
        # Set first: while this thread may wait for the document, the others go on with what they have.
        self._keys_looked_at = now
        withdrawals = self._keys.withdrawals()
        if withdrawals != self._withdrawals:
            with self._changing:
                self._withdrawals = withdrawals
                self._verified.clear()

    def _remember(self, token: str, identity: Identity, withdrawals: int) -> None:
        # Oldest first out: all tokens live equally long, so the oldest is the next to expire anyway.
        with self._changing:
            if withdrawals != self._withdrawals:
                # While the signature was checked, a key was withdrawn, and it may have been this token's.
                return
            if len(self._verified) >= _REMEMBERED_TOKENS:
                self._verified.pop(next(iter(self._verified)), None)
            self._verified[token] = identity

    def _decoded(self, token: str) -> Identity:
        if len(token) > _MAX_TOKEN_CHARACTERS:
            raise InvalidToken("The access token is too long.")
        if not _COMPACT.fullmatch(token):
            raise InvalidToken("The access token is not valid.")
        try:
            key = self._key(jwt.get_unverified_header(token))
            claims = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                # Clocks differ by a little between machines: a token issued "in the future" is no attack.
                options={"require": _REQUIRED_CLAIMS, "verify_iat": False},
            )
            return _identity(claims)
        except jwt.ExpiredSignatureError as error:
            raise TokenExpired("The access token has expired.") from error
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
            raise InvalidToken("The access token is not valid.") from error

    def _key(self, header: dict[str, Any]) -> Key:
        # The header chooses a key and nothing else: the algorithm is ours, and embedded keys are ignored.
        kind, kid = header.get("typ"), header.get("kid")
        if not isinstance(kind, str) or kind.lower() not in _TYPES:
            raise InvalidToken("This is not an access token.")
        if header.get("alg") != _ALGORITHM or not isinstance(kid, str):
            raise InvalidToken("The access token is not valid.")
        key = self._keys.key(kid)
        if key is None:
            raise InvalidToken("The access token is signed with an unknown key.")
        return key


def _identity(claims: dict[str, Any]) -> Identity:
    scope = claims.get("scope", "")
    if not isinstance(scope, str):
        raise TypeError("scope must be a text")
    return Identity(
        user_id=UUID(str(claims["sub"])),
        session_id=UUID(str(claims["sid"])),
        scopes=frozenset(scope.split()),
        expires_at=int(claims["exp"]),
    )


def current_identity() -> Identity:
    """Return who makes the current request; only for operations that require a caller."""
    identity: Identity | None = g.get("identity")
    if identity is None:
        raise AuthenticationRequired("This operation needs an access token.")
    return identity


def viewer_id() -> UUID | None:
    """Return the caller's user id, or None for an anonymous reader."""
    identity: Identity | None = g.get("identity")
    return None if identity is None else identity.user_id
