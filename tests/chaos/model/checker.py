"""Holds the healed stack against the ledger: each promise by its name, each broken one as a sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chaos.model.check_contents import contents_differ
from chaos.model.check_events import events_differ
from chaos.model.check_lists import lists_differ
from chaos.model.check_notifications import notifications_differ
from chaos.model.check_photos import photos_differ
from chaos.model.check_refusals import refusals_unexplained
from chaos.model.check_relations import relations_differ
from chaos.model.check_sessions import sessions_differ
from chaos.model.check_timelines import timelines_differ
from chaos.model.facts import Violation
from chaos.model.ground import Ground
from chaos.model.ledger import Ledger
from chaos.model.places import Places
from chaos.model.population import Population

Check = Callable[[Ground], Sequence[Violation]]

# Sessions first: their phones get fresh tokens for all that is read after.
CHECKS: Sequence[Check] = (
    sessions_differ,
    relations_differ,
    contents_differ,
    timelines_differ,
    lists_differ,
    notifications_differ,
    photos_differ,
    events_differ,
    refusals_unexplained,
)


def violations(population: Population, places: Places) -> list[Violation]:
    """Return every broken promise; the stack must have healed and drained, and the people have stopped."""
    return violations_of(population.ledger, places)


def violations_of(ledger: Ledger, places: Places) -> list[Violation]:
    """Return what the stack has broken of the promises in a ledger."""
    with Ground(ledger, places) as ground:
        found = [violation for check in CHECKS for violation in check(ground)]
    return [*ledger.broken, *found]
