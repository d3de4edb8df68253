"""Whose photo comes next, and what it costs to know."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from factories import photos
from factories.plans import generic_plan, read_through, rows_read, settle
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.ids import new_id
from igloo_local.parts.postgres import Postgres
from igloo_media.images.limits import ChildLimits
from igloo_media.jobs.processing import PhotoLane
from igloo_media.operations.processing import _CLAIM, Claim, claim_next, finish_failed
from igloo_media.operations.turns import _CHARGE
from igloo_media.operations.uploads import _PROMOTE, promote_upload
from igloo_media.policies.objects import original_key
from igloo_media.policies.processing import TURN
from media.conftest import Person, change, item

PHOTO = photos.jpeg(64, 48)
_ARRIVE = text(
    "INSERT INTO media_items (id, owner_id, state, content_type, size_bytes, created_at, expires_at, due_at)"
    " VALUES (:id, :owner_id, 'pending', 'image/jpeg', 1000, :now, :now, :now)"
)
_MANY = text("""
INSERT INTO media_items (id, owner_id, state, content_type, size_bytes, created_at, expires_at, uploaded_at,
    due_at, turn_at, finished_at, width, height, blurhash, dominant_color)
SELECT gen_random_uuid(), gen_random_uuid(), :state, 'image/jpeg', 1000, now(), now(), now(),
    CASE :state WHEN 'uploaded' THEN now() END, now() + n * interval '1 ms',
    CASE :state WHEN 'ready' THEN now() END, 1, 1, 'x', '#ffffff' FROM generate_series(1, :count) AS n
""")


def arrive(owner_id: UUID, count: int = 1, *, now: datetime) -> list[UUID]:
    """Have photos of a person arrive."""
    media_ids = [new_id() for _ in range(count)]
    with transaction() as session:
        for media_id in media_ids:
            session.execute(_ARRIVE, {"id": media_id, "owner_id": owner_id, "now": now})
            promote_upload(session, media_id, now=now)
    return media_ids


def claimed(now: datetime) -> Claim:
    with transaction() as session:
        claim = claim_next(session, now=now)
    assert claim is not None
    return claim


def worked_off(now: datetime, count: int) -> list[UUID]:
    """Process so many photos, one after the other, and return whose they were."""
    owners = []
    for _ in range(count):
        claim = claimed(now)
        with transaction() as session:
            assert finish_failed(session, claim, code="test", detail="Done.", now=now)
        owners.append(claim.owner_id)
    return owners


def test_one_photo_does_not_wait_for_the_500_of_somebody_else(ana: Person, ben: Person) -> None:
    now = utc_now()
    arrive(ana.id, 500, now=now)
    worked_off(now, 3)
    later = now + timedelta(seconds=2)

    (media_id,) = arrive(ben.id, now=later)

    assert claimed(later).media_id == media_id


def test_several_people_with_several_photos_take_turns(ana: Person, ben: Person) -> None:
    now, fox = utc_now(), new_id()
    for number, owner_id in enumerate((ana.id, ben.id, fox)):
        arrive(owner_id, 10, now=now + timedelta(milliseconds=number))

    order = worked_off(now + timedelta(seconds=1), 30)

    assert order == [ana.id, ben.id, fox] * 10


def test_lanes_that_work_at_once_are_not_all_taken_by_one_person(ana: Person, ben: Person) -> None:
    now = utc_now()
    arrive(ana.id, 10, now=now)
    arrive(ben.id, 1, now=now + timedelta(milliseconds=1))

    held = [claimed(now + timedelta(seconds=1)).owner_id for _ in range(4)]

    assert held == [ana.id, ben.id, ana.id, ana.id]


def test_photos_keep_their_order_and_nobody_is_put_off_for_ever(ana: Person, ben: Person) -> None:
    now = utc_now()
    of_ana = arrive(ana.id, 3, now=now)
    # Somebody comes with something new every second, for a minute: more than one lane can do.
    for second in range(60):
        arrive(new_id(), now=now + timedelta(seconds=second))

    order = []
    for _ in range(63):
        claim = claimed(now + timedelta(minutes=1))
        with transaction() as session:
            finish_failed(session, claim, code="test", detail="Done.", now=now)
        order.append(claim.media_id)

    assert [each for each in order if each in of_ana] == of_ana
    places = [order.index(each) for each in of_ana]
    assert places[0] == 0
    assert 10 <= places[1] <= 12, "one turn of ten seconds later"
    assert 20 <= places[2] <= 23


def test_a_person_whose_photos_all_time_out_keeps_nobody_waiting(
    ana: Person, ben: Person, lane: PhotoLane
) -> None:
    now = utc_now()
    # All of this person's turns have come already.
    slow = arrive(ana.id, 5, now=now - timedelta(minutes=1))
    lane.limits = ChildLimits(wall_seconds=0.0)
    _send_originals(lane, ana.id, slow)
    assert lane.step()
    bens = arrive(ben.id, 2, now=utc_now())

    order = [claimed(utc_now() + timedelta(seconds=5)).media_id for _ in range(3)]

    assert order[:2] == bens, "one death has put off all that the person has waiting"
    assert order[2] in slow
    assert item(slow[0]).turn_at > now + timedelta(seconds=25), "its next attempt as well"


def _send_originals(lane: PhotoLane, owner_id: UUID, media_ids: list[UUID]) -> None:
    for media_id in media_ids:
        lane.storage.put(original_key(owner_id, media_id), PHOTO, content_type="image/jpeg")
        change(media_id, size_bytes=len(PHOTO))


def test_a_row_that_an_older_version_queued_comes_first(ana: Person, ben: Person) -> None:
    now = utc_now()
    arrive(ben.id, now=now - timedelta(hours=1))
    (media_id,) = arrive(ana.id, now=now)
    change(media_id, turn_at=None)

    assert claimed(now).media_id == media_id
    assert item(arrive(ana.id, now=now)[0]).turn_at == now, "nothing before it has a turn"


def test_a_turn_comes_after_those_of_the_same_person(ana: Person) -> None:
    now = utc_now()

    turns = [item(each).turn_at - now for each in arrive(ana.id, 3, now=now)]

    assert turns == [TURN * 0, TURN, TURN * 2]


@pytest.fixture
def crowd(app: Flask, postgres_server: Postgres) -> Iterator[psycopg.Connection[Any]]:
    """Have 10,000 photos waiting, and 20,000 finished at this very moment."""
    with transaction() as session:
        session.execute(_MANY, {"state": "uploaded", "count": 10_000})
        session.execute(_MANY, {"state": "ready", "count": 20_000})
    with postgres_server.connect(database="igloo") as connection:
        connection.execute("SET search_path = media")
        settle(connection, "media_items")
        yield connection


def test_a_claim_reads_one_row_however_many_wait_and_are_done(crowd: psycopg.Connection[Any]) -> None:
    now = utc_now()
    values = {"now": now, "claim_id": new_id(), "leased_until": now}

    plan = generic_plan(crowd, _CLAIM, values)

    assert read_through(plan) == []
    assert rows_read(plan, "media_items") <= 5


def test_a_place_in_the_line_costs_a_look_at_what_is_ones_own(crowd: psycopg.Connection[Any]) -> None:
    owner_id, now = new_id(), utc_now()
    *_, last = arrive(owner_id, 5, now=now)

    plan = generic_plan(crowd, _PROMOTE, {"id": last, "now": now, "turn": TURN})

    assert read_through(plan) == []
    assert rows_read(plan, "media_items") <= 10


def test_what_a_death_costs_is_charged_to_ones_own(crowd: psycopg.Connection[Any]) -> None:
    owner_id, now = new_id(), utc_now()
    arrive(owner_id, 5, now=now)

    plan = generic_plan(crowd, _CHARGE, {"owner_id": owner_id, "now": now, "cost": TURN})

    assert read_through(plan) == []
    assert rows_read(plan, "media_items") <= 20
