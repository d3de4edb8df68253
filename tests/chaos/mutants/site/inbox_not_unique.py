"""A mutant that keeps an event as often as it comes: its inbox knows no conflict."""

from __future__ import annotations

from igloo_common import inbox

_UNIQUE = "ON CONFLICT (event_id) DO NOTHING"


def mutate() -> None:
    """Make a plain INSERT of the statement that stores; the primary key has to be dropped as well."""
    if _UNIQUE not in inbox._STORE:
        raise RuntimeError("the inbox stores in another way than this mutant knows")
    inbox._STORE = inbox._STORE.replace(_UNIQUE, "")
