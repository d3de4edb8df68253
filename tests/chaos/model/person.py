"""One person with a phone: the session that it holds, and how it asks."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import jwt

from chaos.model.asking import Asker, Errand
from chaos.model.facts import Made, SignedIn, Token
from chaos.model.ledger import Ledger
from chaos.model.registers import Write
from igloo_local.phone import Phone

T = TypeVar("T")

REFRESHED_BEFORE_SECONDS = 60


class Person:
    """Someone who is signed in, signs in again when signed out, and writes everything down."""

    def __init__(
        self, gateway: str, facebook_access_token: str, ledger: Ledger, *, seed: int, stop: threading.Event
    ) -> None:
        self.phone = Phone(gateway=gateway)
        self.ledger = ledger
        self.random = random.Random(seed)  # noqa: S311 - a repeatable run, not a secret
        self.session: SignedIn | None = None
        self.asker = Asker(ledger, stop=stop, drop_connections=self.phone.http.close)
        self.user_id = ""
        self._facebook_access_token = facebook_access_token
        self._expires_at = 0.0

    def enter(self) -> None:
        """Sign in for the first time, before anything is broken, and be known from then on.

        Raises:
            Refused: igloo does not take them.
        """
        self._take(self.phone.sign_in(self._facebook_access_token))
        self.user_id = str(self.phone.user_id)
        self.phone.call("GET", "/v1/users/me")
        self.ledger.facebook_tokens[self.user_id] = self._facebook_access_token
        self.ledger.people.append(self.user_id)

    def sign_in(self) -> None:
        """Open one more session; the one before it stays as it is."""
        granted = self.asker.ask(
            Errand(operation="sign in", actor_id=self.user_id),
            lambda: self.phone.sign_in(self._facebook_access_token),
        )
        if granted is not None:
            self._take(granted)

    def refresh(self) -> None:
        """Exchange the refresh token of the session; a lost answer is asked for again with the same token."""
        session = self.session
        errand = Errand(operation="refresh", actor_id=self.user_id, session=session)
        granted = self.asker.ask(errand, self.phone.refresh)
        if granted is not None and session is not None:
            session.refresh_token = str(granted["refresh_token"])
            self._keep_token(session)

    def sign_out(self) -> None:
        """End the session, and sign in anew: or try to, at the next request."""
        session = self.session
        if session is None:
            return
        self.asker.ask(
            Errand(
                operation="sign out",
                actor_id=self.user_id,
                session=session,
                writes=[(session.endings, True)],
            ),
            lambda: self.phone.call("POST", "/v1/auth/revoke", json={"token": session.refresh_token}),
        )
        self.session = None
        self.sign_in()

    def ask(
        self,
        operation: str,
        request: str,
        *,
        body: object = None,
        key: str | None = None,
        writes: Sequence[tuple[list[Write[Any]], object]] = (),
        made: Made | None = None,
        about: Made | None = None,
        person_id: str | None = None,
    ) -> Any:  # noqa: ANN401 - whatever JSON the route answers
        """Send a request, written `METHOD /path`, as this person; None when it came to nothing.

        An empty answer is an empty object.
        """
        method, path = request.split(" ", 1)
        headers = {"Idempotency-Key": key} if key else None
        return self.send(
            Errand(
                operation=operation,
                actor_id=self.user_id,
                session=self.session,
                writes=writes,
                made=made,
                about=about,
                person_id=person_id,
            ),
            lambda: self.phone.call(method, path, json=body, headers=headers) or {},
        )

    def send(self, errand: Errand, send: Callable[[], T]) -> T | None:
        """Send anything as this person, with a token that is still good; None when there is none."""
        return self.asker.ask(errand, send) if self._is_signed_in() else None

    def _is_signed_in(self) -> bool:
        if self.session is None:
            self.sign_in()
        elif self.ledger.wall() > self._expires_at - REFRESHED_BEFORE_SECONDS:
            self.refresh()
        return self.session is not None and self.ledger.wall() < self._expires_at

    def _take(self, granted: dict[str, Any]) -> None:
        claims = _read(str(granted["access_token"]))
        self.session = SignedIn(
            user_id=str(granted["user_id"]),
            session_id=str(claims["sid"]),
            refresh_token=str(granted["refresh_token"]),
        )
        self.ledger.sessions.append(self.session)
        self._keep_token(self.session)

    def _keep_token(self, session: SignedIn) -> None:
        text = str(self.phone.access_token)
        self._expires_at = float(_read(text)["exp"])
        key_id = str(jwt.get_unverified_header(text)["kid"])
        self.ledger.keep_token(Token(session=session, key_id=key_id, text=text, expires_at=self._expires_at))


def _read(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims
