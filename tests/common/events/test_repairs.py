"""What was given up or could not be read: seen without being touched, and brought back whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import orjson
import psycopg
import pytest
from amqp import Message
from click.testing import Result
from flask import Flask

from factories.event_rooms import rows, running_app
from factories.event_services import consumers
from factories.inbox_messages import apply_due, note_message, store
from factories.waiting import eventually
from igloo_common import republishing
from igloo_common.ids import new_id
from igloo_common.messaging import Outgoing, broker_at
from igloo_common.messaging.rabbit_link import Link
from igloo_common.messaging.topology import DEAD
from igloo_common.retention import INBOX_KEPT_FOR, OUTBOX_KEPT_FOR
from igloo_local.parts.postgres import Postgres

OUTBOX = """
INSERT INTO social.outbox (event_id, type, aggregate_key, sequence, payload, created_at, published_at)
SELECT gen_random_uuid(), 'type' || age %% 2, 'k' || age, 1, '', now() - age * interval '1 day', now()
FROM generate_series(1, 15) AS age
"""


@pytest.fixture
def broker_url(tmp_path: Path) -> str:
    """Name a broker that nobody asks."""
    return f"filesystem://{tmp_path}"


@pytest.fixture
def app(event_database: Postgres, declared_rabbitmq: str) -> Iterator[Flask]:
    """Make the subscribing service over RabbitMQ."""
    yield from running_app(event_database, declared_rabbitmq, service="social")


@pytest.fixture
def letters(app: Flask, declared_rabbitmq: str) -> list[str]:
    """Have the queue give three messages up."""
    ids = [new_id() for _ in range(3)]
    messages = [note_message(f"note:{number}", 1, event_id=each) for number, each in enumerate(ids)]
    publisher = broker_at(declared_rabbitmq).publisher()
    publisher.publish(
        [
            Outgoing(event_id=each, routing_key=message.routing_key, body=message.body)
            for each, message in zip(ids, messages, strict=True)
        ]
    )
    publisher.close()
    _refuse(declared_rabbitmq, len(ids))
    eventually(lambda: waiting(declared_rabbitmq)[DEAD], lambda count: count == 3, what="dead letters")
    return [str(each) for each in ids]


def _refuse(url: str, count: int) -> None:
    """Refuse so many messages as nobody's business, which is one way to the dead letters."""
    refused: list[object] = []
    link = Link(url)

    def refuse(message: Message) -> None:
        link.channel.basic_reject(message.delivery_tag, requeue=False)
        refused.append(message)

    link.channel.basic_consume(consumers.queue, callback=refuse)
    eventually(
        lambda: (link.drain(timeout_seconds=1), refused)[1], lambda seen: len(seen) == count, what="refusals"
    )
    link.close()


def waiting(url: str) -> dict[str, int]:
    link = Link(url)
    counts = dict(link.count_waiting([DEAD, consumers.queue]))
    link.close()
    return counts


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["events", *arguments])


def listed(app: Flask) -> list[str]:
    return [orjson.loads(line)["id"] for line in run(app, "letters").output.splitlines()]


def test_letters_are_listed_as_often_as_one_likes_and_stay(
    app: Flask, letters: list[str], declared_rabbitmq: str
) -> None:
    first = orjson.loads(run(app, "letters").output.splitlines()[0])
    assert (first["id"], first["queue"], first["reason"], first["count"]) == (
        letters[0],
        "social.events",
        "rejected",
        1,
    )
    assert first["size_bytes"] > 100

    for _ in range(12):
        assert sorted(listed(app)) == sorted(letters)
    link = Link(declared_rabbitmq)
    headers = link.channel.basic_get(DEAD).properties["application_headers"]
    link.close()
    assert headers.get("x-delivery-count", 0) < 10, "RabbitMQ 4 throws it away at 20"
    assert headers["x-death"][0]["queue"] == "social.events"


def test_a_letter_goes_back_to_its_queue_or_is_dropped_and_the_others_stay(
    app: Flask, letters: list[str], declared_rabbitmq: str
) -> None:
    assert run(app, "redeliver", letters[1]).output == "1 redelivered\n"
    assert run(app, "drop", letters[0], "--yes").output == "1 dropped\n"
    assert listed(app) == [letters[2]]
    assert run(app, "redeliver", "--all").output == "1 redelivered\n"
    assert waiting(declared_rabbitmq) == {DEAD: 0, "social.events": 2}

    subscriber = broker_at(declared_rabbitmq).subscriber(consumers.queue)
    messages = subscriber.receive(timeout_seconds=5)
    subscriber.close()
    assert [orjson.loads(message.body)["id"] for message in messages] == letters[1:]


def test_a_message_that_kills_every_worker_becomes_a_letter_and_is_taken_after_the_fix(
    app: Flask, declared_rabbitmq: str
) -> None:
    event_id, message = new_id(), note_message("note:1", 1)
    broker = broker_at(declared_rabbitmq)
    publisher = broker.publisher()
    publisher.publish([Outgoing(event_id=event_id, routing_key=message.routing_key, body=message.body)])
    publisher.close()

    def die_over_it() -> int:
        subscriber = broker.subscriber(consumers.queue)
        subscriber.receive(timeout_seconds=0.2)
        subscriber.close()
        return waiting(declared_rabbitmq)[DEAD]

    eventually(die_over_it, lambda count: count == 1, what="the message given up", timeout_seconds=60)
    assert orjson.loads(run(app, "letters").output)["reason"] == "delivery_limit"

    assert run(app, "redeliver", str(event_id)).output == "1 redelivered\n"
    subscriber = broker.subscriber(consumers.queue)
    (again,) = subscriber.receive(timeout_seconds=5)
    subscriber.acknowledge([again])
    subscriber.close()
    assert again.body == message.body


def test_a_letter_whose_queue_is_gone_stays_where_it_is(
    app: Flask, letters: list[str], declared_rabbitmq: str
) -> None:
    link = Link(declared_rabbitmq)
    link.channel.queue_delete(consumers.queue)
    link.close()

    result = run(app, "redeliver", "--all")

    assert (result.exit_code, "does not take the message back" in result.output) == (1, True)
    assert listed(app) == letters


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("redeliver",), "Give the id"),
        (("redeliver", "x"), "There is no dead letter x"),
        (("drop", "x", "--yes"), "There is no dead letter x"),
        (("unpark", "7"), "There is no parked message 7"),
        (("parked", "show", "7"), "There is no parked message 7"),
        (("parked", "drop", "7", "--yes"), "There is no parked message 7"),
        (("parked", "show"), "Give the id"),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(
    subscriber_app: Flask, arguments: tuple[str, ...], said: str
) -> None:
    result = run(subscriber_app, *arguments)
    assert result.exit_code in {1, 2}
    assert said in result.output


def test_a_broker_that_is_away_is_named(event_database: Postgres) -> None:
    for app in running_app(event_database, "amqp://guest:guest@127.0.0.1:9//", service="social"):
        result = run(app, "letters")
        assert (result.exit_code, "The broker does not answer" in result.output) == (1, True)


def parked_id(observer: psycopg.Connection) -> str:
    ((found,),) = rows(observer, "SELECT id FROM parked_messages", schema="social")
    return str(found)


def test_a_parked_message_that_can_be_read_by_now_goes_into_the_inbox(
    subscriber_app: Flask, observer: psycopg.Connection
) -> None:
    message = note_message("note:1", 1)
    observer.execute(
        "INSERT INTO social.parked_messages (body, routing_key, reason, received_at)"
        " VALUES (%s, 'auth.note.written.v1', 'a fault of ours', now())",
        [message.body],
    )
    shown = orjson.loads(run(subscriber_app, "parked", "show", parked_id(observer)).output)
    assert (shown["reason"], orjson.loads(shown["body"])["subject"]) == ("a fault of ours", "note:1")
    assert len(run(subscriber_app, "parked").output.splitlines()) == 1

    assert run(subscriber_app, "unpark", parked_id(observer)).output == "in the inbox\n"

    assert rows(observer, "SELECT aggregate_key FROM inbox", schema="social") == [("note:1",)]
    assert run(subscriber_app, "parked").output == ""


def test_a_parked_message_that_is_still_no_event_stays_parked_once_until_it_is_dropped(
    subscriber_app: Flask, observer: psycopg.Connection
) -> None:
    observer.execute(
        "INSERT INTO social.parked_messages (body, reason, received_at) VALUES ('no', 'no JSON', now())"
    )
    number = parked_id(observer)

    result = run(subscriber_app, "unpark", number)

    assert (result.exit_code, "still cannot be read" in result.output) == (1, True)
    assert parked_id(observer) == number
    assert run(subscriber_app, "parked", "drop", number, "--yes").output == "dropped\n"
    assert run(subscriber_app, "parked").output == ""


def repeated(observer: psycopg.Connection) -> set[object]:
    query = "SELECT aggregate_key FROM outbox WHERE published_at IS NULL"
    return {key for (key,) in rows(observer, query, schema="social")}


def test_republishing_repeats_what_inboxes_still_know_in_chunks(
    subscriber_app: Flask, observer: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(republishing, "CHUNK", 3)
    observer.execute(OUTBOX.replace("%%", "%"))

    assert run(subscriber_app, "republish", "--dry-run").output == "13 would be\n"
    assert repeated(observer) == set()
    assert run(subscriber_app, "republish", "--type", "type0").output == "6 to be published again\n"
    assert repeated(observer) == {f"k{age}" for age in (2, 4, 6, 8, 10, 12)}
    assert run(subscriber_app, "republish").output == "7 to be published again\n"
    assert repeated(observer) == {f"k{age}" for age in range(1, 14)}
    assert run(subscriber_app, "republish", "--since", "2099-01-01").output == "0 to be published again\n"
    assert timedelta(days=1) <= INBOX_KEPT_FOR - OUTBOX_KEPT_FOR


def test_a_history_that_comes_again_to_an_inbox_that_forgot_all_of_it_keeps_its_order(
    subscriber_app: Flask, observer: psycopg.Connection
) -> None:
    history = [note_message("note:1", number, event_id=UUID(int=number)) for number in range(1, 6)]
    for _ in range(2):
        store(history)
        apply_due()
        observer.execute("DELETE FROM social.inbox")

    found = rows(observer, "SELECT sequence FROM effects ORDER BY number", schema="social")
    assert [number for (number,) in found] == [1, 2, 3, 4, 5] * 2
