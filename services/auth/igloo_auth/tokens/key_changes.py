"""How a document of signing keys changes: pure, with the time passed in as Unix seconds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from igloo_auth.tokens.key_documents import KeyDocument, SigningKey, new_key
from igloo_auth.tokens.key_rings import KeyRing, KeyState


class KeyChangeRefused(Exception):
    """The keys are not in a state for this change; the text says why."""


@dataclass(frozen=True, kw_only=True)
class KeyChange:
    """The document as it is to be, and what differs from the one before."""

    document: KeyDocument
    added: SigningKey | None
    dropped: tuple[SigningKey, ...]


def rotated(ring: KeyRing, *, now: int, signs_from: int, although_pending: bool) -> KeyChange:
    """Add a key that signs from then on, and drop those that are over.

    Raises:
        KeyChangeRefused: When a key waits for its time already, unless that is accepted.
    """
    pending = _in_state(ring, KeyState.NEXT, now)
    if pending and not although_pending:
        raise KeyChangeRefused(f"{pending[0].kid} waits for its time to sign already")
    return _change(ring, dropped=_in_state(ring, KeyState.RETIRED, now), added=new_key(signs_from=signs_from))


def retired(ring: KeyRing, kids: Collection[str], *, now: int) -> KeyChange:
    """Drop keys that are over: all of them, or the ones named.

    Raises:
        KeyChangeRefused: When one is unknown, or tokens of it may be alive.
    """
    named = _named(ring, kids)
    alive = [key for key in named if ring.state(key, now) is not KeyState.RETIRED]
    if alive:
        raise KeyChangeRefused(f"{alive[0].kid} is not over: tokens of it are alive, or will be")
    return _change(ring, dropped=named or _in_state(ring, KeyState.RETIRED, now))


def revoked(ring: KeyRing, kids: Collection[str], *, now: int) -> KeyChange:
    """Drop keys that others have seen; where the one that signs is among them, a new one signs at once.

    Raises:
        KeyChangeRefused: When one is unknown.
    """
    named = _named(ring, kids)
    signer_goes = ring.signer(now) in named
    return _change(ring, dropped=named, added=new_key(signs_from=now) if signer_goes else None)


def _change(ring: KeyRing, *, dropped: Collection[SigningKey], added: SigningKey | None = None) -> KeyChange:
    kept = tuple(key for key in ring.document.keys if key not in dropped)
    document = KeyDocument(keys=kept if added is None else (*kept, added))
    return KeyChange(document=document, added=added, dropped=tuple(dropped))


def _named(ring: KeyRing, kids: Collection[str]) -> list[SigningKey]:
    named = [key for key in ring.document.keys if key.kid in kids]
    if unknown := set(kids) - {key.kid for key in named}:
        raise KeyChangeRefused(f"there is no key {min(unknown)}")
    return named


def _in_state(ring: KeyRing, state: KeyState, now: int) -> list[SigningKey]:
    return [key for key in ring.document.keys if ring.state(key, now) is state]
