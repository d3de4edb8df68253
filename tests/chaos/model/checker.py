"""Holds the healed stack against the ledger: each promise by its name, each broken one as a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import psycopg
import requests

from chaos.model.check_contents import contents_differ
from chaos.model.check_events import events_differ
from chaos.model.check_lists import lists_differ
from chaos.model.check_notifications import notifications_differ
from chaos.model.check_photos import photos_differ
from chaos.model.check_refusals import refusals_unexplained
from chaos.model.check_relations import relations_differ
from chaos.model.check_rows import rows_differ
from chaos.model.check_sessions import sessions_differ
from chaos.model.check_timelines import timelines_differ
from chaos.model.check_views import views_differ
from chaos.model.facts import Violation
from chaos.model.ground import Ground
from chaos.model.ledger import Ledger
from chaos.model.places import Places
from chaos.model.population import Population
from igloo_local.phone import Refused

Check = Callable[[Ground], Sequence[Violation]]

# Sessions first: their phones get fresh tokens for all that is read after.
CHECKS: Sequence[Check] = (
    sessions_differ,
    relations_differ,
    contents_differ,
    timelines_differ,
    lists_differ,
    views_differ,
    notifications_differ,
    photos_differ,
    events_differ,
    rows_differ,
    refusals_unexplained,
)


def violations(population: Population, places: Places) -> list[Violation]:
    """Return every broken promise; the stack must have healed and drained, and the people have stopped."""
    return violations_of(population.ledger, places)


def violations_of(ledger: Ledger, places: Places) -> list[Violation]:
    """Return what the stack has broken of the promises in a ledger."""
    with Ground(ledger, places) as ground:
        found = [violation for check in CHECKS for violation in _found(check, ground)]
    return [*ledger.broken, *found]


def _found(check: Check, ground: Ground) -> Iterator[Violation]:
    """Look; where the stack does not even let us, that is what was found."""
    try:
        yield from check(ground)
    except (Refused, requests.RequestException, psycopg.Error) as error:
        yield Violation(promise="everything can be looked at", sentence=f"{check.__name__}: {error!r}")
