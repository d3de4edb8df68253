"""Sessions: whoever was signed in still is, whoever signed out is not, and nobody was taken for a thief."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from chaos.model.facts import SignedIn, Violation
from chaos.model.ground import Ground, broken
from igloo_local.phone import Refused

PROMISE: Final = "refresh families are intact"
_MARGIN_SECONDS: Final = 5.0
_ENDED: Final = """
SELECT id::text, account_id::text AS user_id, revoked_reason AS reason FROM auth.sessions
WHERE account_id = ANY(%(people)s::uuid[]) AND revoked_at IS NOT NULL
"""
# One of each service, which verifies tokens by itself.
_VERIFYING: Final = ("/v1/account", "/v1/users/me", "/v1/uploads")


def sessions_differ(ground: Ground) -> Sequence[Violation]:
    """Refresh every session, and keep a phone of each person for the checks that follow."""
    return [
        *broken(PROMISE, [*_sessions(ground)]),
        *broken(PROMISE, [*_ended_unasked(ground)]),
        *broken(PROMISE, [*_without_phone(ground)]),
        *broken("tokens verify after a rotation", [*_tokens(ground)]),
    ]


def _sessions(ground: Ground) -> Iterator[str]:
    for session in ground.ledger.sessions:
        phone = ground.phone_of(session)
        try:
            phone.refresh()
        except Refused as refusal:
            phone.http.close()
            if not _may_have_ended(session):
                yield f"session {session.session_id} of {session.user_id} cannot refresh: {refusal}"
            continue
        if session.has_ended():
            yield f"session {session.session_id} of {session.user_id} has ended and refreshes"
        if session.has_ended() or session.user_id in ground.phones:
            phone.http.close()
        else:
            ground.phones[session.user_id] = phone


def _ended_unasked(ground: Ground) -> Iterator[str]:
    """Look for sessions that ended unasked.

    A session that the ledger does not know is one whose sign-in was never answered: nobody can end that.
    """
    known = {session.session_id: session for session in ground.ledger.sessions}
    for row in ground.rows(_ENDED, people=ground.ledger.people):
        session = known.get(row["id"])
        if row["reason"] != "signed_out" or session is None or not _may_have_ended(session):
            yield f"session {row['id']} of {row['user_id']} was ended unasked: {row['reason']}"


def _without_phone(ground: Ground) -> Iterator[str]:
    """Sign in whoever has no session left; the checks that follow read as everybody."""
    for user_id in ground.ledger.people:
        if user_id not in ground.phones:
            phone = ground.new_phone()
            try:
                phone.sign_in(ground.ledger.facebook_tokens[user_id])
            except Refused as refusal:
                phone.http.close()
                yield f"{user_id} cannot sign in: {refusal}"
                continue
            if str(phone.user_id) != user_id:
                yield f"{user_id} signed in again and is {phone.user_id}"
            ground.phones[user_id] = phone


def _tokens(ground: Ground) -> Iterator[str]:
    """Try the last token of each person and signing key that is still good."""
    for token in ground.ledger.tokens.values():
        is_good = token.expires_at > ground.ledger.wall() + _MARGIN_SECONDS
        if is_good and not _may_have_ended(token.session):
            phone = ground.new_phone()
            phone.access_token = token.text
            for path in _VERIFYING:
                try:
                    phone.call("GET", path)
                except Refused as refusal:
                    name = f"a token of {token.session.user_id} signed with {token.key_id}"
                    yield f"{name} is refused: {refusal}"
            phone.http.close()


def _may_have_ended(session: SignedIn) -> bool:
    return session.may_have_ended(until=math.inf)
