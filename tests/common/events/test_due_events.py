"""Order, blockage and depth: which stored events an applier takes, however many wait."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import permutations
from pathlib import Path
from threading import Event

import psycopg
import pytest
from flask import Flask
from sqlalchemy.orm import Session

from factories.event_rooms import rows
from factories.event_services import POISON, NoteWritten
from factories.inbox_messages import apply_due, note_message, store
from igloo_common.consumers import Consumers, Delivery
from igloo_common.database import transaction
from igloo_common.dead_events import discard_dead, list_dead

pytestmark = pytest.mark.usefixtures("subscriber_app")
CLOSED, OPENED = "auth.note.closed.v1", "auth.note.opened.v1"
MANY = """
INSERT INTO social.inbox
    (event_id, type, aggregate_key, sequence, payload, received_at, next_attempt_at, status, attempts)
SELECT gen_random_uuid(), %(type)s, %(key)s, number,
    convert_to(replace(%(body)s, '"sequence":1', '"sequence":' || number), 'UTF8'), now(), now(),
    CASE WHEN number = 1 THEN %(head)s ELSE 'pending' END, 0
FROM generate_series(1, %(count)s) AS number
"""


@pytest.fixture
def broker_url(tmp_path: Path) -> str:
    """Name a broker that nobody asks: these tests hand the messages over themselves."""
    return f"filesystem://{tmp_path}"


@dataclass(frozen=True)
class Nothing:
    """A view that reads nothing."""


def doors() -> tuple[Consumers, dict[str, str]]:
    """Make a service that knows of each note whether it is open or closed, and by hearsay alone."""
    register, state = Consumers("social"), {}

    def note(session: Session, event: Delivery[Nothing], _now: datetime) -> None:
        state[event.key] = event.type

    register.on(CLOSED, Nothing, superseded_by=[OPENED])(note)
    register.on(OPENED, Nothing, superseded_by=[CLOSED])(note)
    return register, state


def fill(observer: psycopg.Connection, key: str, count: int, *, head: str = "pending") -> None:
    body = note_message(key, 1).body.decode()
    observer.execute(MANY, {"type": NoteWritten.type, "key": key, "body": body, "head": head, "count": count})


def effects(observer: psycopg.Connection) -> list[tuple[object, ...]]:
    return rows(observer, "SELECT aggregate_key, sequence FROM effects ORDER BY number", schema="social")


def counts(observer: psycopg.Connection) -> dict[object, object]:
    query = "SELECT status, count(*) FROM inbox GROUP BY status"
    return dict(rows(observer, query, schema="social"))  # type: ignore[arg-type] # pairs


@pytest.mark.parametrize("order", list(permutations([1, 2, 3])))
def test_opposite_events_end_where_the_last_of_them_says_in_whatever_order_they_come(
    order: Sequence[int],
) -> None:
    register, state = doors()
    for sequence in order:
        kind = OPENED if sequence == 2 else CLOSED
        store([note_message("note:1", sequence, event_type=kind)], register=register)
        apply_due(register)

    assert state == {"note:1": CLOSED}


def test_an_event_that_comes_late_waits_for_a_later_one_that_is_being_applied(
    subscriber_app: Flask, observer: psycopg.Connection
) -> None:
    register = Consumers("social")
    entered, go_on = Event(), Event()

    def hold(session: Session, event: Delivery[Nothing], _now: datetime) -> None:
        entered.set()
        assert go_on.wait(10)

    register.on(OPENED, Nothing, superseded_by=[CLOSED])(lambda *_: None)
    register.on(CLOSED, Nothing)(hold)
    store([note_message("note:1", 2, event_type=CLOSED)], register=register)

    def work() -> None:
        with subscriber_app.app_context():
            apply_due(register)

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(work)
        assert entered.wait(10)
        store([note_message("note:1", 1, event_type=OPENED)], register=register)
        apply_due(register)
        query = "SELECT sequence, status FROM inbox ORDER BY 1"
        assert rows(observer, query, schema="social") == [(1, "pending"), (2, "pending")]
        go_on.set()
        holder.result(10)
    apply_due(register)

    assert rows(observer, query, schema="social") == [(1, "stale"), (2, "applied")]


def test_a_key_with_many_events_is_worked_off_in_runs(observer: psycopg.Connection) -> None:
    fill(observer, "note:1", 320)

    steps = apply_due()

    assert effects(observer) == [("note:1", number) for number in range(1, 321)]
    assert steps <= 11


def test_a_run_that_meets_poison_ends_there_and_others_go_on(observer: psycopg.Connection) -> None:
    texts = ["hello", "hello", POISON, "hello"]
    store([note_message("note:1", number, text=text) for number, text in enumerate(texts, 1)])
    store([note_message("note:2", 1), note_message("note:2", 2)])

    apply_due()

    assert sorted(effects(observer), key=str) == [("note:1", 1), ("note:1", 2), ("note:2", 1), ("note:2", 2)]
    assert counts(observer) == {"applied": 4, "pending": 2}


def test_thousands_behind_a_dead_event_hold_nobody_up_and_go_on_once_it_is_given_up(
    observer: psycopg.Connection,
) -> None:
    fill(observer, "note:1", 1_000, head="dead")
    store([note_message("note:2", 1)])

    apply_due()

    assert effects(observer) == [("note:2", 1)]
    query = "SELECT count(*) FROM inbox WHERE status = 'pending' AND next_attempt_at <= now()"
    ((looked_at,),) = rows(observer, query, schema="social")
    assert int(str(looked_at)) < 256

    with transaction() as session:
        (dead,) = list_dead(session)
        assert discard_dead(session, dead.event_id)
    apply_due()

    assert len(effects(observer)) == 1_000
    assert counts(observer) == {"applied": 999 + 1, "stale": 1}
