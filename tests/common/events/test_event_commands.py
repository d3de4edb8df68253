"""`flask events …`: what an operator sees of dead events, and does about them."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import orjson
import psycopg
import pytest
from click.testing import Result
from flask import Flask

from factories.event_rooms import rows
from igloo_common.command_lines import current_consumers
from igloo_common.ids import new_id
from igloo_common.messaging import Outgoing, broker_at


@pytest.fixture
def broker_url(tmp_path: Path) -> str:
    """Name a folder in which nothing is declared yet."""
    return f"filesystem://{tmp_path}/broker"


@pytest.fixture
def dead_id(subscriber_app: Flask, observer: psycopg.Connection) -> UUID:
    """Keep a dead event, and a later one of its key that waits behind it."""
    event_id = new_id()
    for number, (each, status) in enumerate([(event_id, "dead"), (new_id(), "pending")], start=1):
        observer.execute(
            "INSERT INTO social.inbox (event_id, type, aggregate_key, sequence, payload, received_at,"
            " next_attempt_at, status, attempts, last_error)"
            " VALUES (%s, 'auth.note.written.v1', 'note:1', %s, '{}', now(), now(), %s, 10, 'OSError: no')",
            [each, number, status],
        )
    return event_id


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["events", *arguments])


def test_declare_makes_what_the_service_subscribes_to_and_may_be_repeated(
    subscriber_app: Flask, broker_url: str
) -> None:
    assert run(subscriber_app, "declare").exit_code == 0
    assert run(subscriber_app, "declare").exit_code == 0

    types = current_consumers().subscriptions.keys()
    messages = [Outgoing(event_id=new_id(), routing_key=event_type, body=b"{}") for event_type in types]
    outcome = broker_at(broker_url).publisher().publish(messages)
    assert len(outcome.confirmed) == len(messages) > 0


def test_dead_lists_dead_events_alone_and_show_tells_all_about_one(
    subscriber_app: Flask, dead_id: UUID
) -> None:
    (line,) = run(subscriber_app, "dead").output.splitlines()
    listed = orjson.loads(line)
    assert (listed["event_id"], listed["attempts"], listed["last_error"]) == (
        str(dead_id),
        10,
        "OSError: no",
    )

    shown = orjson.loads(run(subscriber_app, "show", str(dead_id)).output)
    assert (shown["aggregate_key"], shown["status"], shown["payload"]) == ("note:1", "dead", "{}")
    assert run(subscriber_app, "show", str(new_id())).exit_code == 1


@pytest.mark.parametrize("which", ["one", "all"])
def test_replay_makes_dead_events_pending_with_all_their_attempts(
    subscriber_app: Flask, dead_id: UUID, observer: psycopg.Connection, which: str
) -> None:
    result = run(subscriber_app, "replay", "--all" if which == "all" else str(dead_id))

    assert result.output == "1 pending again\n"
    query = "SELECT status, attempts FROM inbox WHERE event_id = %s"
    assert rows(observer, query, dead_id, schema="social") == [("pending", 0)]


@pytest.mark.parametrize("arguments", [(), ("--all", "01890a5d-ac96-774b-bcce-b302099a8057"), ("not-an-id",)])
def test_replay_wants_one_id_or_all(subscriber_app: Flask, arguments: tuple[str, ...]) -> None:
    assert run(subscriber_app, "replay", *arguments).exit_code == 2


def test_replay_and_discard_say_when_there_is_no_such_dead_event(subscriber_app: Flask) -> None:
    for command in ("replay", "discard"):
        result = run(subscriber_app, command, str(new_id()))
        assert (result.exit_code, "There is no dead event" in result.output) == (1, True)


def test_discard_gives_up_one_event(
    subscriber_app: Flask, dead_id: UUID, observer: psycopg.Connection
) -> None:
    assert run(subscriber_app, "discard", str(dead_id)).exit_code == 0
    assert rows(observer, "SELECT status FROM inbox ORDER BY sequence", schema="social") == [
        ("stale",),
        ("pending",),
    ]


def test_lag_tells_what_waits(subscriber_app: Flask, dead_id: UUID) -> None:
    lag = orjson.loads(run(subscriber_app, "lag").output)
    assert (lag["inbox_pending"], lag["inbox_dead"], lag["outbox_unpublished"]) == (1, 1, 0)
    assert 0 <= lag["inbox_oldest_seconds"] < 60
