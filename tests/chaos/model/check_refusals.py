"""Refusals: each one that a person was given has its reason in what people did."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from chaos.model.facts import Refusal, Violation
from chaos.model.ground import Ground, broken
from chaos.model.ledger import Ledger

_SHOWN: Final = 20
# Two phones of one person, or one that asks again: whoever has read further wins.
_EXPLAIN_THEMSELVES: Final = frozenset({"read_marker_stale"})
_WITH_TOKENS: Final = frozenset({"refresh", "sign out"})
_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _CONFLICT = 400, 401, 403, 404, 409
_GONE, _TOO_MANY = 410, 429


def refusals_unexplained(ground: Ground) -> Sequence[Violation]:
    """Check every refusal of the run."""
    return broken("a refusal has its reason", [*_unexplained(ground.ledger)][:_SHOWN])


def _unexplained(ledger: Ledger) -> Iterator[str]:
    for refusal in ledger.refusals:
        explain = _REASONS.get(refusal.status)
        if refusal.code in _EXPLAIN_THEMSELVES:
            continue
        if explain is None or not explain(ledger, refusal):
            yield f"{refusal.operation} of {refusal.actor_id}: {refusal.detail}"


def _has_signed_out(_: Ledger, refusal: Refusal) -> bool:
    return refusal.session is not None and refusal.session.may_have_ended(until=refusal.end)


def _token_has_ended(ledger: Ledger, refusal: Refusal) -> bool:
    """Tell whether it is a token that was refused, of a session that may have ended."""
    return refusal.operation in _WITH_TOKENS and _has_signed_out(ledger, refusal)


def _is_out_of_sight(ledger: Ledger, refusal: Refusal) -> bool:
    """Tell whether the thing may have been deleted by then, or a block may have stood."""
    made = refusal.made
    while made is not None:
        if any(removal.start <= refusal.end and not removal.refused for removal in made.removals):
            return True
        made = made.post
    return _may_be_blocked(ledger, refusal)


def _is_of_changes(_: Ledger, refusal: Refusal) -> bool:
    """Tell whether it was a token for the feed's changes, which reach back for some days and so many rows."""
    return refusal.operation == "changes"


def _says_when_to_come_again(_: Ledger, refusal: Refusal) -> bool:
    """Tell whether a limit was met: it says of itself until when."""
    return refusal.code in {"rate_limited", "too_many_open_uploads"}


def _may_be_blocked(ledger: Ledger, refusal: Refusal) -> bool:
    others = {refusal.person_id, refusal.made.author_id if refusal.made else None} - {None, refusal.actor_id}
    return any(
        ledger.may_block(*pair, since=refusal.start, until=refusal.end)
        for other in others
        for pair in ((refusal.actor_id, str(other)), (str(other), refusal.actor_id))
    )


_REASONS: Final[Mapping[int, Callable[[Ledger, Refusal], bool]]] = {
    _BAD_REQUEST: _token_has_ended,
    _UNAUTHORIZED: _has_signed_out,
    _FORBIDDEN: _may_be_blocked,
    _NOT_FOUND: _is_out_of_sight,
    _CONFLICT: _may_be_blocked,
    _GONE: _is_of_changes,
    _TOO_MANY: _says_when_to_come_again,
}
