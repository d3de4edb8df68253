"""A publisher that was brought back to an earlier time, alone, is listened to again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from flask import Flask

from factories.event_rooms import rows, running_app
from factories.inbox_messages import apply_due, note_message, store
from igloo_common import event_order
from igloo_common.ids import new_id
from igloo_local.parts.postgres import Postgres

KEYS = [f"note:{number}" for number in range(4)]


@pytest.fixture
def app(event_database: Postgres, tmp_path: Path) -> Iterator[Flask]:
    """Make the subscribing service over a broker that nobody asks."""
    yield from running_app(event_database, f"filesystem://{tmp_path}", service="social")


def forget(app: Flask, publisher: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["events", "rewind", publisher])
    return result.exit_code, result.output


def effects(observer: psycopg.Connection, key: str) -> list[int]:
    found = rows(
        observer,
        "SELECT sequence FROM effects WHERE aggregate_key = %s ORDER BY number",
        key,
        schema="social",
    )
    return [int(str(sequence)) for (sequence,) in found]


def hear(*heard: tuple[str, int]) -> None:
    store([note_message(key, sequence) for key, sequence in heard])
    apply_due()


def test_numbers_that_are_given_again_are_old_news_until_the_order_is_forgotten(
    app: Flask, observer: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_order, "CHUNK", 3)
    hear(*((key, sequence) for key in KEYS for sequence in (1, 2, 3)))
    hear((KEYS[0], 2))
    assert effects(observer, KEYS[0]) == [1, 2, 3], "the second 2 is late"

    assert forget(app, "auth") == (0, "the order of 12 events is forgotten\n")
    hear(*((key, sequence) for key in KEYS for sequence in (2, 3)))

    assert [effects(observer, key) for key in KEYS] == [[1, 2, 3, 2, 3]] * 4
    hear((KEYS[0], 1))
    assert effects(observer, KEYS[0]) == [1, 2, 3, 2, 3], "what is late from now on stays late"


def test_an_event_that_comes_again_is_known_by_its_id_all_the_same(
    app: Flask, observer: psycopg.Connection
) -> None:
    event_id = new_id()
    for _ in range(2):
        store([note_message(KEYS[0], 1, event_id=event_id)])
        apply_due()
        assert forget(app, "auth")[0] == 0

    assert effects(observer, KEYS[0]) == [1]


def test_other_publishers_keep_their_order(app: Flask, observer: psycopg.Connection) -> None:
    hear((KEYS[0], 2))

    assert forget(app, "aut") == (0, "the order of 0 events is forgotten\n")
    hear((KEYS[0], 1))

    assert effects(observer, KEYS[0]) == [2]


def test_the_order_is_kept_while_events_wait_to_be_applied_in_it(
    app: Flask, observer: psycopg.Connection
) -> None:
    hear((KEYS[0], 2))
    store([note_message(KEYS[0], 3)])

    status, said = forget(app, "auth")

    assert (status, said) == (
        1,
        "Error: Some of its events are not applied yet (1): wait until they are.\n",
    )
    hear((KEYS[0], 1))
    assert effects(observer, KEYS[0]) == [2, 3]
