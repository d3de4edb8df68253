"""A message of the last release, and one of the next, both have their effect in this one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.orm import Session

from factories.event_rooms import rows
from factories.event_services import NoteWritten
from factories.inbox_messages import apply_due, note_message, store
from igloo_common.consumers import Consumers, Delivery

pytestmark = pytest.mark.usefixtures("subscriber_app")


@pytest.fixture
def broker_url(tmp_path: Path) -> str:
    """Name a broker that nobody asks."""
    return f"filesystem://{tmp_path}"


@dataclass(frozen=True)
class ColouredText:
    """What this release reads: a colour as well, which the last one did not publish."""

    text: str
    colour: str = "white"


def test_messages_of_the_last_release_and_of_the_next_are_both_applied(observer: psycopg.Connection) -> None:
    register, seen = Consumers("social"), []

    @register.on(NoteWritten.type, ColouredText)
    def note(_session: Session, event: Delivery[ColouredText], _now: datetime) -> None:
        seen.append((event.sequence, event.data))

    old = note_message("note:1", 1, text="old")
    new = note_message("note:1", 2, text="new", colour="blue", weight={"grams": 3})
    store([old, new], register=register)
    apply_due(register)

    assert seen == [(1, ColouredText("old")), (2, ColouredText("new", "blue"))]
    assert rows(observer, "SELECT DISTINCT status FROM inbox", schema="social") == [("applied",)]
