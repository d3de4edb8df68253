"""Sessions: whoever was signed in still is, whoever signed out is not, and nobody was taken for a thief."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from chaos.model.facts import SignedIn, Violation
from chaos.model.ground import Ground, broken
from igloo_local.phone import Refused

PROMISE = "refresh families are intact"


def sessions_differ(ground: Ground) -> Sequence[Violation]:
    """Refresh every session, and keep a phone of each person for the checks that follow."""
    return [
        *broken(PROMISE, [*_sessions(ground)]),
        *broken(PROMISE, [*_without_phone(ground)]),
        *broken("tokens verify after a rotation", [*_tokens(ground)]),
    ]


def _sessions(ground: Ground) -> Iterator[str]:
    for session in ground.ledger.sessions:
        phone = ground.phone_of(session)
        try:
            phone.refresh()
        except Refused as refusal:
            if not session.may_have_ended(until=math.inf):
                yield f"session {session.session_id} of {session.user_id} cannot refresh: {refusal}"
            continue
        if session.has_ended():
            yield f"session {session.session_id} of {session.user_id} has ended and refreshes"
        else:
            ground.phones.setdefault(session.user_id, phone)


def _without_phone(ground: Ground) -> Iterator[str]:
    """Sign in whoever has no session left; the checks that follow read as everybody."""
    for user_id in ground.ledger.people:
        if user_id not in ground.phones:
            phone = ground.new_phone()
            try:
                phone.sign_in(ground.ledger.facebook_tokens[user_id])
            except Refused as refusal:
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
            try:
                phone.call("GET", "/v1/users/me")
            except Refused as refusal:
                yield f"a token of {token.session.user_id} signed with {token.key_id} is refused: {refusal}"


_MARGIN_SECONDS = 5.0


def _may_have_ended(session: SignedIn) -> bool:
    return session.may_have_ended(until=math.inf)
