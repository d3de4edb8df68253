"""Exports whose workers die, whose parts come late, or whose account is deleted meanwhile."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import requests
from flask import Flask
from sqlalchemy import text

from auth.conftest import MakeApp
from auth.deliveries import collected, erased
from auth.export_room import ExportRoom, downloaded
from auth.outboxes import published
from auth.phones import Phone
from factories.waiting import wait_for_a_waiter
from igloo_auth.jobs.erasure import ErasureLane
from igloo_auth.jobs.export_sweep import sweep_exports
from igloo_auth.jobs.exports import ExportLane
from igloo_auth.operations.account_exports import collect_part
from igloo_auth.operations.export_tasks import LEASE, record_archive, take_export
from igloo_auth.settings import Settings
from igloo_common.clock import utc_now
from igloo_common.object_store import ObjectStore, StorageSettings
from igloo_common.wiring import wiring_of


@pytest.mark.parametrize("dead", ["after the claim", "before the part was noted"])
def test_a_worker_that_dies_over_auths_part_leaves_it_to_the_next(
    phone: Phone, room: ExportRoom, dead: str
) -> None:
    export = room.ask(phone)
    room.put_parts(export)
    room.deliver_parts(export)
    task = take_export(room.session, now=utc_now())
    room.session.commit()
    assert task is not None
    if dead == "before the part was noted":
        key = f"exports/{export['id']}/parts/auth/account.json"
        room.store.put(key, b"half of it", content_type="application/json")

    leased = room.work()
    room.let_time_pass(LEASE)
    room.work()

    assert leased == 0
    archive = downloaded(room.look(phone, export))
    assert json.loads(archive.read("auth/account.json"))["id"] == phone.user_id


def test_a_worker_that_dies_over_the_archive_leaves_it_to_the_next(phone: Phone, room: ExportRoom) -> None:
    export = room.ask(phone)
    room.put_parts(export)
    room.work()
    room.deliver_parts(export)
    take_export(room.session, now=utc_now())
    room.session.commit()
    room.store.put(f"exports/{export['id']}/archive.zip", b"half of it", content_type="application/zip")

    assert room.work() == 0
    room.let_time_pass(LEASE)
    room.work()

    assert downloaded(room.look(phone, export)).testzip() is None
    assert room.objects(export) == ["archive.zip"]


def test_a_worker_that_dies_before_the_parts_are_gone_leaves_that_to_the_next(
    phone: Phone, room: ExportRoom
) -> None:
    export = room.ask(phone)
    room.put_parts(export)
    room.work()
    room.deliver_parts(export)
    room.step()
    take_export(room.session, now=utc_now())
    room.session.commit()
    assert len(room.objects(export)) > 1
    assert room.look(phone, export)["state"] == "ready"

    room.let_time_pass(LEASE)
    room.work()

    assert room.objects(export) == ["archive.zip"]


def test_two_workers_over_one_export_make_one_archive(phone: Phone, room: ExportRoom) -> None:
    export = room.ask(phone)
    room.put_parts(export)
    room.work()
    room.deliver_parts(export)
    room.step()
    late = record_archive(room.session, export_id=UUID(export["id"]), archive_bytes=1, now=utc_now())
    room.session.commit()

    room.work()

    assert late is False
    assert downloaded(room.look(phone, export)).testzip() is None


def test_the_last_two_parts_at_the_same_moment_make_the_archive_due(phone: Phone, room: ExportRoom) -> None:
    export = room.ask(phone)
    room.put_parts(export)
    room.work()
    event = room.requested(export)
    ids = {name: UUID(event[name]) for name in ("export_id", "account_id")}
    collect_part(room.session, **ids, service="social", now=utc_now())

    with ThreadPoolExecutor(1) as pool:
        effort = pool.submit(collected, room.app, "media", event)
        wait_for_a_waiter(room.session, effort)
        room.session.commit()
        effort.result()
    room.work()

    assert room.look(phone, export)["state"] == "ready"


def test_repeated_late_and_foreign_events_change_nothing(
    phone: Phone, noise: Phone, room: ExportRoom
) -> None:
    export = room.ready(phone)
    before = room.row(export)

    room.deliver_parts(export)
    collected(room.app, "social", {**room.requested(export), "export_id": str(uuid4())})
    collected(room.app, "media", {**room.requested(room.ask(noise)), "account_id": phone.user_id})

    assert room.row(export) == before
    assert room.work() == 0
    assert room.look(noise, room.ask(noise))["services"]["media"] == "pending"


def test_an_export_whose_parts_do_not_come_fails_visibly_after_a_day(phone: Phone, room: ExportRoom) -> None:
    export = room.ask(phone)
    room.put_parts(export)
    room.deliver_parts(export, "social")
    room.work()

    room.let_time_pass(timedelta(hours=23))
    waiting = room.work(), room.look(phone, export)["state"]
    room.let_time_pass(timedelta(hours=1))
    seen_at_once = room.look(phone, export)
    room.work()
    failed = room.look(phone, export)

    assert waiting == (0, "collecting")
    assert seen_at_once == failed
    assert (failed["state"], failed["failure"]["code"], failed["download"]) == (
        "failed",
        "export_timed_out",
        None,
    )
    assert failed["services"] == {"auth": "collected", "social": "collected", "media": "pending"}
    assert room.objects(export) == []
    room.deliver_parts(export, "media")
    assert room.work() == 0
    assert room.ask(phone)["id"] != export["id"]


def test_while_s3_is_away_an_export_is_put_off_and_others_have_their_turn(
    phone: Phone, make_app: MakeApp, room: ExportRoom
) -> None:
    export = room.ask(phone)
    away = make_app(IGLOO_S3_ENDPOINT="http://127.0.0.1:9")
    cut_off = ExportRoom(app=away, store=ObjectStore(_storage(away)), session=room.session)

    assert cut_off.step() is True
    put_off = room.row(export)
    assert cut_off.step() is False

    assert put_off.attempts == 1
    assert put_off.due_at > utc_now()
    room.let_time_pass(timedelta(minutes=5))
    room.put_parts(export)
    room.deliver_parts(export)
    room.work()
    assert room.look(phone, export)["state"] == "ready"


def _storage(app: Flask) -> StorageSettings:
    settings = wiring_of(app).adapters[Settings]
    assert isinstance(settings, Settings)
    return settings.storage


def test_a_deletion_ends_the_export_and_takes_its_objects(
    phone: Phone, noise: Phone, room: ExportRoom
) -> None:
    done = room.ready(phone)
    export = room.ask(phone)
    room.put_parts(export)
    room.step()

    assert phone.delete("/v1/account").status_code == 202
    event = published(room.session, "auth.account.deleted.v1")[0].data
    lane = ErasureLane(room.store)
    with room.app.app_context():
        # Social and media may be writing their parts of the export still.
        assert lane.step() is False
    room.deliver_parts(export)
    room.put_parts(export)
    erased(room.app, "social", event)
    erased(room.app, "media", event)
    with room.app.app_context():
        assert lane.step() is True
    receipt_code = room.session.scalars(text("SELECT confirmation_code FROM account_deletions")).one()
    receipt = phone.client.get(f"/v1/auth/data-deletions/{receipt_code}").json or {}

    assert (receipt["state"], receipt["services"]["auth"]["removed"]["exports"]) == ("completed", 2)
    assert room.objects(done) == room.objects(export) == []
    assert len(room.objects()) > 0
    assert requests.get(done["download"]["url"], timeout=10).status_code == 404
    assert {room.requested(room.ask(noise))["export_id"]} == {key.split("/")[1] for key in room.objects()}


def test_auth_does_not_wait_for_ever_for_the_others_when_an_export_was_under_way(
    phone: Phone, room: ExportRoom
) -> None:
    export = room.ask(phone)
    room.put_parts(export)
    phone.delete("/v1/account")
    room.session.execute(text("UPDATE account_deletions SET requested_at = requested_at - interval '1 hour'"))
    room.session.commit()

    with room.app.app_context():
        assert ErasureLane(room.store).step() is True

    assert room.objects() == []


def test_a_deletion_while_the_archive_is_made_leaves_no_archive(phone: Phone, room: ExportRoom) -> None:
    export = room.ask(phone)
    room.put_parts(export)
    room.work()
    room.deliver_parts(export)
    lane = ExportLaneInterrupted(room.store, phone)

    with room.app.app_context():
        assert lane.step() is True

    assert lane.deleted == 202
    assert room.row(export).failure_code == "account_deleted"
    assert room.objects(export) == []


class ExportLaneInterrupted:
    """A lane whose account is deleted while the archive is on its way to S3."""

    def __init__(self, store: ObjectStore, phone: Phone) -> None:
        self.deleted = 0
        outer = self

        class Store(ObjectStore):
            def put_file(self, key: str, path: Path, *, content_type: str) -> None:
                super().put_file(key, path, content_type=content_type)
                outer.deleted = phone.delete("/v1/account").status_code

        interrupted = Store(store._settings)
        self._lane = ExportLane(interrupted)

    def step(self) -> bool:
        """Do one step."""
        return self._lane.step()


def test_objects_that_nobody_wants_any_longer_are_swept_away(
    phone: Phone, noise: Phone, room: ExportRoom
) -> None:
    ready = room.ready(phone)
    room.store.put(f"exports/{uuid4()}/archive.zip", b"of nobody", content_type="application/zip")
    room.store.put("exports/by-hand/readme.txt", b"of an operator", content_type="text/plain")
    room.store.put("renditions/1", b"a photo", content_type="image/webp")
    failed = room.ask(phone)
    room.put_parts(failed)
    room.session.execute(
        text(
            "UPDATE account_exports SET state = 'failed', failure_code = 'export_timed_out', due_at = NULL"
            " WHERE id = :id"
        ),
        {"id": UUID(failed["id"])},
    )
    room.session.commit()
    of_others = room.objects(room.ask(noise))

    with room.app.app_context():
        sweep_exports()

    assert room.objects(ready) == ["archive.zip"]
    assert room.objects(failed) == []
    assert room.objects(room.ask(noise)) == of_others != []
    left = {key.split("/")[1] for key in room.objects() if key.startswith("exports/")}
    assert left == {ready["id"], room.ask(noise)["id"], "by-hand"}
    assert "renditions/1" in room.objects()
