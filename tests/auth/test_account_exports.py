"""Copies of everything held about a person: asked for, put together, downloaded and gone again."""

from __future__ import annotations

import io
import json
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from auth.conftest import MakeApp
from auth.deliveries import collected, erased
from auth.export_room import PHOTO, ExportRoom, downloaded
from auth.facebook_server import FacebookServer
from auth.outboxes import published
from auth.phones import Phone
from factories.waiting import wait_for_a_waiter
from igloo_auth.archives.zips import ArchivedFile, archived_files, write_archive
from igloo_auth.jobs.erasure import ErasureLane
from igloo_auth.jobs.export_sweep import sweep_exports
from igloo_auth.jobs.exports import ExportLane
from igloo_auth.models.security_events import SecurityEvent
from igloo_auth.operations.account_exports import collect_part
from igloo_auth.operations.account_pruning import prune_exports
from igloo_auth.operations.export_tasks import LEASE, record_archive, take_export
from igloo_auth.policies.archives import safe_path, unused_path
from igloo_auth.schemas.account_exports import AccountExportSchema
from igloo_auth.settings import Settings
from igloo_common.clock import utc_now
from igloo_common.object_store import ObjectStore, StorageSettings, StoredObject
from igloo_common.wiring import wiring_of


@pytest.fixture
def environ(environ: dict[str, str], s3_environ: dict[str, str]) -> dict[str, str]:
    """Give the service a real S3."""
    return {**environ, **s3_environ}


@pytest.fixture
def room(app: Flask, store: ObjectStore, session: Session) -> ExportRoom:
    """Give a room for exports."""
    return ExportRoom(app=app, store=store, session=session)


@pytest.fixture
def noise(client: FlaskClient, facebook: FacebookServer, room: ExportRoom) -> Phone:
    """Sign in somebody else, who has an export under way as well."""
    phone = Phone.signed_in(client, facebook.token(facebook.person("Puffin")), device_name="Puffin's phone")
    room.put_parts(room.ask(phone))
    return phone


def test_an_export_is_accepted_and_the_services_are_told_where_their_parts_go(
    phone: Phone, room: ExportRoom
) -> None:
    answer = phone.client.post("/v1/account/exports", headers=phone.authorization)

    assert answer.status_code == 202
    export = answer.json or {}
    assert answer.headers["Location"] == f"/v1/account/exports/{export['id']}"
    assert (export["state"], export["failure"], export["download"]) == ("collecting", None, None)
    assert export["services"] == {"auth": "pending", "social": "pending", "media": "pending"}
    [event] = published(room.session, "auth.export.requested.v1")
    assert event.aggregate_key == f"export:{export['id']}"
    assert event.data == {
        "export_id": export["id"],
        "account_id": phone.user_id,
        "parts_prefix": f"exports/{export['id']}/parts/",
        "requested_at": export["requested_at"],
    }
    trail = phone.get("/v1/account/security-events").json or {}
    assert [event["kind"] for event in trail["data"]] == ["export_requested", "signed_in"]
    assert AccountExportSchema().validate(export) == {}


def test_progress_is_shown_service_by_service_until_the_archive_is_there(
    phone: Phone, room: ExportRoom, noise: Phone
) -> None:
    export = room.ask(phone)
    room.put_parts(export)

    room.work()
    own = room.look(phone, export)
    room.deliver_parts(export, "media")
    two = room.look(phone, export)
    early = room.work()
    room.deliver_parts(export, "social")
    room.work()
    ready = room.look(phone, export)

    assert own["services"] == {"auth": "collected", "social": "pending", "media": "pending"}
    assert two["services"] == {"auth": "collected", "social": "pending", "media": "collected"}
    assert early == 0
    assert (own["state"], two["state"], ready["state"]) == ("collecting", "collecting", "ready")
    assert two["download"] is None
    kept_for = datetime.fromisoformat(ready["expires_at"]) - datetime.fromisoformat(ready["ready_at"])
    assert kept_for == timedelta(days=7)
    assert {
        name: wrong for name, wrong in AccountExportSchema().validate(ready).items() if name != "download"
    } == {}


def test_the_archive_holds_everything_under_names_that_a_person_can_read(
    client: FlaskClient, facebook: FacebookServer, room: ExportRoom, noise: Phone
) -> None:
    person = facebook.person("Snow Hare")
    phone = Phone.signed_in(client, facebook.token(person), device_name="Hare's phone")

    archive = downloaded(room.ready(phone))

    assert archive.testzip() is None
    assert sorted(archive.namelist()) == [
        "README.txt",
        "auth/account.json",
        "auth/exports.json",
        "auth/facebook-identity.json",
        "auth/security-events.json",
        "auth/sessions.json",
        "index.html",
        "media/photos.json",
        "media/photos/1.webp",
        "social/posts.json",
        "social/profile.json",
    ]
    assert archive.read("media/photos/1.webp") == PHOTO
    assert json.loads(archive.read("social/posts.json")) == [{"caption": "얼음"}]
    account = json.loads(archive.read("auth/account.json"))
    assert (account["id"], account["display_name"]) == (phone.user_id, "Snow Hare")
    [identity] = json.loads(archive.read("auth/facebook-identity.json"))
    assert identity["facebook_user_id"] == person.id
    [session] = json.loads(archive.read("auth/sessions.json"))
    assert (session["id"], session["device_name"]) == (phone.session_id, "Hare's phone")
    events = json.loads(archive.read("auth/security-events.json"))
    assert [event["kind"] for event in events] == ["signed_in", "export_requested"]
    everything = b"".join(archive.read(name) for name in archive.namelist()).decode(errors="replace")
    assert "Puffin" not in everything
    assert phone.refresh_token not in everything


def test_photos_are_stored_and_texts_are_compressed(phone: Phone, room: ExportRoom) -> None:
    archive = downloaded(room.ready(phone))

    kinds = {entry.filename: entry.compress_type for entry in archive.infolist()}
    assert kinds["media/photos/1.webp"] == ZIP_STORED
    assert {kinds["auth/sessions.json"], kinds["index.html"], kinds["README.txt"]} == {ZIP_DEFLATED}


def test_the_archive_says_in_two_languages_what_it_is_and_links_to_every_file(
    phone: Phone, room: ExportRoom
) -> None:
    archive = downloaded(room.ready(phone))

    read_me, index = archive.read("README.txt").decode(), archive.read("index.html").decode()
    assert "everything held about you" in read_me
    assert "회원님" in read_me
    for name in set(archive.namelist()) - {"README.txt", "index.html"}:
        assert f'href="{name}"' in index
    assert '<img src="media/photos/1.webp"' in index
    assert "<script" not in index


def test_once_it_is_ready_the_archive_alone_is_in_s3(phone: Phone, room: ExportRoom) -> None:
    export = room.ready(phone)

    assert room.objects(export) == ["archive.zip"]


def test_asking_while_one_is_collected_gives_that_one(phone: Phone, room: ExportRoom) -> None:
    first, second = room.ask(phone), room.ask(phone)
    with ThreadPoolExecutor(8) as pool:
        others = list(pool.map(lambda _: room.ask(phone), range(8)))

    assert {export["id"] for export in (first, second, *others)} == {first["id"]}
    assert len(published(room.session, "auth.export.requested.v1")) == 1
    requests_noted = select(SecurityEvent.id).where(SecurityEvent.kind == "export_requested")
    assert len(room.session.scalars(requests_noted).all()) == 1


def test_asking_for_the_first_time_from_many_phones_at_once_makes_one(
    client: FlaskClient, facebook: FacebookServer, room: ExportRoom
) -> None:
    person = facebook.person()
    phones = [Phone.signed_in(client, facebook.token(person)) for _ in range(10)]

    with ThreadPoolExecutor(10) as pool:
        exports = list(pool.map(room.ask, phones))

    assert len({export["id"] for export in exports}) == 1
    assert len(published(room.session, "auth.export.requested.v1")) == 1


def test_an_idempotency_key_gives_the_first_reply_again_even_when_that_one_is_over(
    phone: Phone, room: ExportRoom
) -> None:
    headers = {**phone.authorization, "Idempotency-Key": "one-and-the-same"}
    first = phone.client.post("/v1/account/exports", headers=headers)
    export = first.json or {}
    room.put_parts(export)
    room.deliver_parts(export)
    room.work()

    again = phone.client.post("/v1/account/exports", headers=headers)
    new = room.ask(phone)

    assert (again.status_code, again.json, again.headers["Idempotency-Replayed"]) == (202, export, "true")
    assert again.headers["Location"] == first.headers["Location"]
    assert new["id"] != export["id"]


def test_there_may_be_five_exports_a_day(phone: Phone, room: ExportRoom) -> None:
    for _ in range(5):
        export = room.ask(phone)
        room.session.execute(
            text(
                "UPDATE account_exports"
                " SET state = 'failed', failure_code = 'export_timed_out', due_at = NULL"
            )
        )
        room.session.commit()

    refused = phone.client.post("/v1/account/exports", headers=phone.authorization)
    room.let_time_pass(timedelta(days=1))
    allowed = room.ask(phone)

    assert (refused.status_code, (refused.json or {})["code"]) == (429, "too_many_exports")
    assert int(refused.headers["Retry-After"]) > 0
    assert allowed["id"] != export["id"]


def test_somebody_elses_export_and_an_unknown_one_are_the_same_404(
    phone: Phone, noise: Phone, room: ExportRoom
) -> None:
    theirs = room.ask(noise)

    answers = [phone.get(f"/v1/account/exports/{one}") for one in (theirs["id"], uuid4(), phone.user_id)]

    assert {answer.status_code for answer in answers} == {404}
    problems = [{**(answer.json or {}), "request_id": ""} for answer in answers]
    assert problems[0] == problems[1] == problems[2]
    assert problems[0]["code"] == "export_not_found"


def test_the_download_link_is_good_for_a_quarter_of_an_hour_and_for_nothing_else(
    phone: Phone, room: ExportRoom
) -> None:
    before = utc_now()
    download = room.ready(phone)["download"]

    good_for = datetime.fromisoformat(download["expires_at"]) - before
    assert timedelta(minutes=15) <= good_for < timedelta(minutes=16)
    assert "X-Amz-Expires=900" in download["url"]
    tampered = download["url"].replace("X-Amz-Expires=900", "X-Amz-Expires=90000")
    assert requests.get(tampered, timeout=10).status_code == 403
    assert requests.get(download["url"].partition("?")[0], timeout=10).status_code == 403
    assert requests.put(download["url"], data=b"x", timeout=10).status_code == 403


def test_that_a_link_was_given_out_is_in_the_trail_once_while_it_is_good(
    phone: Phone, room: ExportRoom
) -> None:
    export = room.ready(phone)
    for _ in range(3):
        room.look(phone, export)

    issued = select(SecurityEvent.details).where(SecurityEvent.kind == "export_link_issued")
    assert room.session.scalars(issued).all() == [{"export_id": export["id"]}]


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


def test_an_archive_goes_after_seven_days(phone: Phone, room: ExportRoom) -> None:
    export = room.ready(phone)

    room.let_time_pass(timedelta(days=7, minutes=-1))
    kept = room.work(), room.look(phone, export)["state"], len(room.objects(export))
    room.let_time_pass(timedelta(minutes=1))
    seen_at_once = room.look(phone, export)
    room.work()

    assert kept == (0, "ready", 1)
    assert (seen_at_once["state"], seen_at_once["download"]) == ("expired", None)
    assert room.look(phone, export) == seen_at_once
    assert room.objects(export) == []


def test_an_export_long_over_is_forgotten(phone: Phone, room: ExportRoom) -> None:
    room.ready(phone)
    room.let_time_pass(timedelta(days=7))
    room.work()
    now = utc_now()

    early = prune_exports(room.session, now=now + timedelta(days=29))
    over = prune_exports(room.session, now=now + timedelta(days=30))

    assert (early, over) == (0, 1)


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


def test_an_archive_never_climbs_out_of_the_folder_it_is_unpacked_in() -> None:
    # SeaweedFS refuses most of these keys; S3 of AWS takes them.
    hostile = [
        "social/../../etc/passwd",
        "a\\..\\..\\b.json",
        "/abs.json",
        "C:/x",
        "\\\\server\\share",
        "..",
        "nul",
    ]
    objects = [StoredObject(key=f"parts/{name}", size_bytes=1) for name in hostile]

    paths = [file.path for file in archived_files(objects, prefix="parts/")]

    assert paths == ["social/etc/passwd", "a/b.json", "abs.json", "C_/x", "server/share", "_nul"]


def test_odd_names_are_made_safe_on_their_way_into_the_archive(phone: Phone, room: ExportRoom) -> None:
    export = room.ask(phone)
    room.put_parts(export, {"social": {"a:b|c.json": b"1", "con.json": b"2"}})
    room.deliver_parts(export)
    room.work()

    archive = downloaded(room.look(phone, export))

    assert archive.read("social/a_b_c.json") == b"1"
    assert archive.read("social/_con.json") == b"2"


@pytest.mark.parametrize(
    ("proposed", "path"),
    [
        ("social/posts.json", "social/posts.json"),
        ("media/사진 1.webp", "media/사진 1.webp"),
        ("../x", "x"),
        ("a/../../x", "a/x"),
        ("/etc/passwd", "etc/passwd"),
        ("..\\..\\x", "x"),
        ("C:\\x", "C_/x"),
        ("a//./b", "a/b"),
        ("... /x", "x"),
        ("x\x00y\ny", "x_y_y"),
        ("con", "_con"),
        ("a/NUL.txt", "a/_NUL.txt"),
        ("name. . ", "name"),
        ("x" * 300 + ".webp", "x" * 115 + ".webp"),
        ("..", None),
        ("", None),
        ("///", None),
    ],
)
def test_a_path_is_made_safe_for_every_kind_of_computer(proposed: str, path: str | None) -> None:
    assert safe_path(proposed) == path


def test_files_whose_names_become_the_same_are_numbered() -> None:
    taken: set[str] = set()

    assert [unused_path(path, taken=taken) for path in ("a/x.json", "a/X.json", "a/x.json", "a/y")] == [
        "a/x.json",
        "a/X-2.json",
        "a/x-3.json",
        "a/y",
    ]


def test_no_part_takes_the_place_of_our_own_pages() -> None:
    objects = [StoredObject(key=f"p/{name}", size_bytes=1) for name in ("readme.TXT", "index.html", "..")]

    files = archived_files(objects, prefix="p/")

    assert [file.path for file in files] == ["readme-2.TXT", "index-2.html"]


def test_a_large_photo_is_never_whole_in_memory(room: ExportRoom, tmp_path: Path) -> None:
    size = 24 * 1024 * 1024
    room.store.put("exports/x/big.webp", bytes(size), content_type="image/webp")
    target = tmp_path / "archive.zip"
    calls: list[None] = []

    tracemalloc.start()
    write_archive(
        target,
        store=room.store,
        files=[ArchivedFile(key="exports/x/big.webp", path="media/big.webp", size_bytes=size)],
        made_at=utc_now(),
        after_each=lambda: calls.append(None),
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < size / 4
    assert calls == [None]
    with ZipFile(io.BytesIO(target.read_bytes())) as archive:
        assert archive.getinfo("media/big.webp").file_size == size


def test_exports_of_a_deleted_account_cannot_be_asked_for(phone: Phone) -> None:
    phone.delete("/v1/account")

    answer = phone.client.post("/v1/account/exports", headers=phone.authorization)

    assert answer.status_code in (401, 404)
