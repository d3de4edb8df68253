"""What is received takes effect once, in order per key; what fails blocks nothing but itself."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from threading import Event
from uuid import UUID

import orjson
import psycopg
import pytest
from flask import Flask
from sqlalchemy.orm import Session

from factories.event_rooms import rows
from factories.event_services import POISON, NoteWritten, consumers
from igloo_common import applier as applier_module
from igloo_common.applier import Applier
from igloo_common.clock import utc_now
from igloo_common.consumers import Consumers, Delivery
from igloo_common.database import current_engine, transaction
from igloo_common.dead_events import discard_dead, list_dead, replay_dead
from igloo_common.events import Envelope, encode_envelope
from igloo_common.ids import new_id
from igloo_common.inbox import readopt_ignored, store_messages
from igloo_common.messaging import Incoming
from igloo_common.outbox import emit
from igloo_common.tracing import current_trace

pytestmark = pytest.mark.usefixtures("subscriber_app")
MAX_ATTEMPTS = 3
LATER = "auth.note.recoloured.v1"


@pytest.fixture
def broker_url(tmp_path: Path) -> str:
    """Name a broker that nobody asks: these tests hand the messages over themselves."""
    return f"filesystem://{tmp_path}"


def message(key: str, sequence: int, *, event_id: UUID | None = None, **fields: object) -> Incoming:
    envelope = Envelope(
        id=event_id or new_id(),
        type=str(fields.pop("type", NoteWritten.type)),
        key=key,
        sequence=sequence,
        time=utc_now(),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        data=orjson.dumps({"text": "hello", "unknown": [1]} | fields),
    )
    return raw(encode_envelope(envelope, source="/igloo/auth"))


def raw(body: bytes, content_type: str = "application/json") -> Incoming:
    return Incoming(body=body, routing_key=NoteWritten.type, content_type=content_type, tag=1)


def store(*messages: Incoming, register: Consumers = consumers) -> None:
    with current_engine().begin() as connection:
        store_messages(connection, messages, handled_types=register.subscriptions.keys())


def apply_due(register: Consumers = consumers) -> None:
    applier = Applier(register, now=utc_now, max_attempts=MAX_ATTEMPTS)
    while applier.step():
        pass


def apply_all(observer: psycopg.Connection) -> None:
    """Apply until nothing is left to try, however long the pauses between attempts are."""
    for _ in range(MAX_ATTEMPTS):
        observer.execute("UPDATE social.inbox SET next_attempt_at = now()")
        apply_due()


def effects(observer: psycopg.Connection) -> list[tuple[object, ...]]:
    return rows(observer, "SELECT aggregate_key, sequence FROM effects ORDER BY 1, 2", schema="social")


def statuses(observer: psycopg.Connection) -> list[tuple[object, ...]]:
    query = "SELECT aggregate_key, sequence, status FROM inbox ORDER BY 1, 2"
    return rows(observer, query, schema="social")


def test_a_message_that_comes_again_after_it_was_stored_or_applied_has_no_second_effect(
    observer: psycopg.Connection,
) -> None:
    once = message("note:1", 1)
    store(once, once)
    store(once)
    apply_due()
    store(once, message("note:1", 2))
    apply_due()

    assert effects(observer) == [("note:1", 1), ("note:1", 2)]


def test_four_appliers_apply_each_event_once_and_each_key_in_order(
    subscriber_app: Flask, observer: psycopg.Connection
) -> None:
    keys = [f"note:{number}" for number in range(10)]
    store(*(message(key, sequence) for sequence in range(1, 21) for key in keys))

    def work(_: int) -> None:
        with subscriber_app.app_context():
            for _attempt in range(200):
                apply_due()
                if not pending():
                    return

    def pending() -> bool:
        with current_engine().connect() as connection:
            query = "SELECT count(*) FROM inbox WHERE status = 'pending'"
            return bool(connection.exec_driver_sql(query).scalar_one())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    assert effects(observer) == [(key, sequence) for key in sorted(keys) for sequence in range(1, 21)]
    applied = rows(observer, "SELECT aggregate_key, sequence FROM effects ORDER BY number", schema="social")
    for key in keys:
        assert [sequence for of, sequence in applied if of == key] == list(range(1, 21))


def test_a_poison_event_goes_dead_with_its_error_and_blocks_only_its_key(
    observer: psycopg.Connection,
) -> None:
    store(message("note:1", 1), message("note:2", 1, text=POISON), message("note:2", 2), message("note:3", 1))
    apply_all(observer)

    assert effects(observer) == [("note:1", 1), ("note:3", 1)]
    assert statuses(observer) == [
        ("note:1", 1, "applied"),
        ("note:2", 1, "dead"),
        ("note:2", 2, "pending"),
        ("note:3", 1, "applied"),
    ]
    with transaction() as session:
        (dead,) = list_dead(session)
    assert (dead.attempts, dead.last_error) == (MAX_ATTEMPTS, "ValueError: cannot be copied")


def test_a_failing_event_is_put_off_for_longer_each_time(observer: psycopg.Connection) -> None:
    store(message("note:1", 1, text=POISON))
    delays = []
    for _ in range(MAX_ATTEMPTS - 1):
        observer.execute("UPDATE social.inbox SET next_attempt_at = now()")
        apply_due()
        query = "SELECT extract(epoch FROM next_attempt_at - now())::float8 FROM inbox"
        delays.append(rows(observer, query, schema="social")[0][0])

    assert 0.5 < float(str(delays[0])) <= 2
    assert 1.5 < float(str(delays[1])) <= 4


def test_a_dead_event_that_is_replayed_goes_first_and_its_key_goes_on(observer: psycopg.Connection) -> None:
    poison = new_id()
    store(message("note:2", 1, event_id=poison, text=POISON), message("note:2", 2))
    apply_all(observer)
    cured = message("note:2", 1).body
    observer.execute("UPDATE social.inbox SET payload = %s WHERE event_id = %s", [cured, poison])

    with transaction() as session:
        assert replay_dead(session) == 1
    apply_due()

    assert effects(observer) == [("note:2", 1), ("note:2", 2)]


def test_a_dead_event_that_is_discarded_lets_its_key_go_on_without_it(observer: psycopg.Connection) -> None:
    poison = new_id()
    store(message("note:2", 1, event_id=poison, text=POISON), message("note:2", 2))
    apply_all(observer)

    with transaction() as session:
        assert discard_dead(session, poison)
        assert not discard_dead(session, poison)
    apply_due()

    assert effects(observer) == [("note:2", 2)]


def test_an_older_event_after_a_newer_one_of_its_kind_is_stale_and_has_no_effect(
    observer: psycopg.Connection,
) -> None:
    store(message("note:1", 5))
    apply_due()
    store(message("note:1", 4), message("note:2", 4))
    apply_due()

    assert effects(observer) == [("note:1", 5), ("note:2", 4)]
    assert ("note:1", 4, "stale") in statuses(observer)


def test_an_event_for_a_newer_version_of_the_service_waits_for_it(observer: psycopg.Connection) -> None:
    store(message("note:1", 1), message("note:1", 2, type=LATER), message("note:1", 3))
    apply_due()
    assert effects(observer) == [("note:1", 1), ("note:1", 3)]
    assert ("note:1", 2, "ignored") in statuses(observer)

    newer = Consumers("social")
    seen: list[int] = []
    newer.on(LATER, Empty)(lambda _session, event, _now: seen.append(event.sequence))
    with transaction() as session:
        assert readopt_ignored(session, handled_types=newer.subscriptions.keys()) == 1
    apply_due(newer)

    assert seen == [2]


def test_an_event_without_a_field_that_is_read_is_retried_and_goes_dead(observer: psycopg.Connection) -> None:
    bare = orjson.loads(message("note:1", 1).body)
    del bare["data"]["text"]
    store(raw(orjson.dumps(bare)))
    apply_all(observer)

    ((status, error),) = rows(observer, "SELECT status, last_error FROM inbox", schema="social")
    assert (status, error) == ("dead", "UnreadablePayload: text is missing")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\xff\x00 not JSON", "application/json"),
        (b"[]", "application/json"),
        (b'{"specversion": "1.0"}', "application/json"),
        (message("note:1", 1).body.replace(b'"1.0"', b'"0.3"'), "application/json"),
        (message("note:1", 0).body, "application/json"),
        (message("note:\x00", 1).body, "application/json"),
        (message("note:1", 1).body, "application/x-python-serialize"),
    ],
)
def test_what_is_no_event_is_parked_as_it_came_and_the_rest_is_stored(
    observer: psycopg.Connection, body: bytes, content_type: str
) -> None:
    store(raw(body, content_type), message("note:2", 1))

    assert rows(observer, "SELECT body FROM parked_messages", schema="social") == [(body,)]
    assert statuses(observer) == [("note:2", 1, "pending")]


def test_a_failure_in_a_batch_takes_back_no_effect_of_the_others_and_repeats_none(
    observer: psycopg.Connection,
) -> None:
    store(*(message(f"note:{number}", 1, text=POISON if number == 7 else "hello") for number in range(12)))
    apply_due()

    assert len(effects(observer)) == 11
    assert ("note:7", 1) not in effects(observer)


def test_a_handler_works_on_the_trace_of_the_event_and_what_it_emits_continues_it(
    observer: psycopg.Connection,
) -> None:
    register = Consumers("social")

    def answer(session: Session, event: Delivery[Empty], now: datetime) -> None:
        trace = current_trace()
        assert trace is not None
        assert trace.trace_id == "0af7651916cd43dd8448eb211c80319c"
        emit(session, NoteWritten(note_id=event.id, text="copied", written_at=now), now=now)

    register.on(NoteWritten.type, Empty)(answer)
    store(message("note:1", 1))
    apply_due(register)

    ((traceparent,),) = rows(observer, "SELECT traceparent FROM outbox", schema="social")
    assert str(traceparent).startswith("00-0af7651916cd43dd8448eb211c80319c-")


def test_two_events_that_lock_the_same_rows_in_opposite_order_are_both_applied_in_the_end(
    subscriber_app: Flask, observer: psycopg.Connection
) -> None:
    observer.execute(
        "INSERT INTO social.effects (event_id, aggregate_key, sequence)"
        " VALUES (gen_random_uuid(), 'a', 0), (gen_random_uuid(), 'b', 0)"
    )
    register = Consumers("social")

    def lock_both(session: Session, event: Delivery[Pair], _now: datetime) -> None:
        for key in (event.data.first, event.data.second):
            update = "UPDATE effects SET sequence = sequence + 1 WHERE aggregate_key = %s"
            session.connection().exec_driver_sql(update, (key,))

    register.on(NoteWritten.type, Pair)(lock_both)
    pairs = [("a", "b") if number % 2 else ("b", "a") for number in range(40)]
    store(*(message(f"note:{n}", 1, first=first, second=second) for n, (first, second) in enumerate(pairs)))

    def work(step: Callable[[], None]) -> None:
        with subscriber_app.app_context():
            step()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, [lambda: apply_due(register)] * 3))
    for _ in range(MAX_ATTEMPTS):
        observer.execute("UPDATE social.inbox SET next_attempt_at = now()")
        apply_due(register)

    assert effects(observer) == [("a", 40), ("b", 40)]


@dataclass(frozen=True)
class Empty:
    """A view that reads nothing."""


@dataclass(frozen=True)
class Pair:
    """A view of two rows to lock."""

    first: str
    second: str


def test_a_batch_gives_way_to_a_request_that_wants_its_locks_in_another_order(
    observer: psycopg.Connection, subscriber_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applier_module, "_GIVE_WAY", "SET LOCAL lock_timeout = '50ms'")
    register, holds_the_first = Consumers("social"), Event()
    lock = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"

    @register.on(NoteWritten.type, Empty)
    def lock_note(session: Session, event: Delivery[Empty], _now: datetime) -> None:
        session.connection().exec_driver_sql(lock, (event.key,))
        holds_the_first.set()

    store(message("note:a", 1), register=register)
    store(message("note:b", 1), register=register)

    def work() -> None:
        with subscriber_app.app_context():
            apply_due(register)

    with ThreadPoolExecutor() as pool, observer.transaction():
        observer.execute(lock, ("note:b",))
        worker = pool.submit(work)
        assert holds_the_first.wait(10)
        # Less than PostgreSQL takes to see that the two wait for each other.
        observer.execute("SET LOCAL lock_timeout = '900ms'")
        observer.execute(lock, ("note:a",))
    worker.result(timeout=30)

    statuses = rows(observer, "SELECT aggregate_key, status FROM inbox ORDER BY 1", schema="social")
    assert statuses == [("note:a", "applied"), ("note:b", "applied")]


def test_a_batch_that_has_held_its_locks_for_long_lets_go_of_them_and_comes_back(
    observer: psycopg.Connection,
) -> None:
    store(*(message(f"note:{number}", 1) for number in range(5)))
    # Read at the start of a batch and after each event: two of them take as long as a batch may.
    reads = count(0.0, 0.2)
    applier = Applier(consumers, now=utc_now, monotonic=lambda: next(reads))

    there_is_more = applier.step()
    after_one_step = len(effects(observer))
    while applier.step():
        pass

    assert (there_is_more, after_one_step) == (True, 2)
    assert effects(observer) == [(f"note:{number}", 1) for number in range(5)]
