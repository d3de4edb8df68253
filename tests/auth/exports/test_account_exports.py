"""Copies of everything held about a person: asked for, put together and downloaded."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import uuid4
from zipfile import ZIP_DEFLATED, ZIP_STORED

import requests
from flask.testing import FlaskClient
from sqlalchemy import select, text

from auth.export_room import PHOTO, ExportRoom, downloaded
from auth.facebook_server import FacebookServer
from auth.outboxes import published
from auth.phones import Phone
from igloo_auth.models.security_events import SecurityEvent
from igloo_auth.operations.account_pruning import prune_exports
from igloo_auth.schemas.account_exports import AccountExportSchema
from igloo_common.clock import utc_now


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


def test_exports_of_a_deleted_account_cannot_be_asked_for(phone: Phone) -> None:
    phone.delete("/v1/account")

    answer = phone.client.post("/v1/account/exports", headers=phone.authorization)

    assert answer.status_code in (401, 404)
