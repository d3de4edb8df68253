"""Large photos that arrive part by part, through lost connections and killed apps."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from uuid import UUID

import requests
from flask import Flask

from factories import photos
from igloo_media.jobs.abandonments import abort_abandoned
from igloo_media.jobs.processing import PhotoLane
from igloo_media.policies.objects import original_key
from igloo_media.policies.uploads import PART_BYTES
from igloo_media.schemas.parts import PartsSchema
from igloo_media.settings import Settings
from igloo_media.storage import Storage
from media.answers import code_of
from media.conftest import Person, change, item, let_time_pass, run, send
from media.sending_parts import (
    LARGE,
    PARTS_OF_LARGE,
    begin,
    large_upload,
    listed,
    open_in_s3,
    put,
    send_parts,
)


def test_a_large_photo_sent_in_parts_becomes_the_photo_that_it_was(ana: Person, lane: PhotoLane) -> None:
    photo = photos.encoded(photos.corners(1700, 1700), ".png", compression=0)
    asked = {"content_type": "image/png", "size_bytes": len(photo)}
    (upload,) = ana.call("POST", "/v1/uploads", json={"files": [asked]}).get_json()["data"]

    send_parts(ana, upload["id"], photo)
    completed = ana.call("POST", f"/v1/uploads/{upload['id']}/complete")
    run(lane)

    assert (completed.status_code, completed.get_json()["state"]) == (200, "processing")
    shown = ana.media(upload["media_id"])
    assert (shown["state"], shown["width"], shown["height"]) == ("ready", 1700, 1700)


def test_an_upload_tells_how_it_may_be_sent_in_parts(ana: Person) -> None:
    large, small = ana.ask(LARGE, LARGE[:-1])
    begun = large_upload(ana)
    begin(ana, begun)

    hint = {"part_size_bytes": PART_BYTES, "part_count": 2, "begun": False}
    assert (large["parts"], small["parts"]) == (hint, None)
    assert ana.call("GET", f"/v1/uploads/{begun}").get_json()["parts"] == {**hint, "begun": True}
    assert large["target"], "it may be sent whole as well"


def test_the_parts_are_told_with_their_places_and_targets(ana: Person) -> None:
    upload_id = large_upload(ana)

    answer = ana.call("POST", f"/v1/uploads/{upload_id}/parts").get_json()

    assert PartsSchema().validate(answer) == {}
    assert (answer["upload_id"], answer["part_count"]) == (upload_id, 2)
    places = [(part["number"], part["offset_bytes"], part["size_bytes"]) for part in answer["parts"]]
    assert places == PARTS_OF_LARGE
    assert [part["target"]["method"] for part in answer["parts"]] == ["PUT", "PUT"]
    assert not any(part["arrived"] for part in answer["parts"])


def test_a_killed_app_sends_only_what_is_missing(ana: Person) -> None:
    upload_id = large_upload(ana)
    first, _ = begin(ana, upload_id)
    put(first)

    (pending,) = ana.call("GET", "/v1/uploads?state=pending").get_json()["data"]
    assert (pending["id"], pending["parts"]["begun"]) == (upload_id, True)
    arrived, missing = listed(ana, upload_id)

    assert (arrived["arrived"], arrived["target"]) == (True, None)
    assert not missing["arrived"]
    assert put(missing).status_code == 200
    assert ana.call("POST", f"/v1/uploads/{upload_id}/complete").status_code == 200


def test_beginning_again_goes_on_with_the_same_parts(ana: Person, storage: Storage) -> None:
    upload_id = large_upload(ana)
    put(begin(ana, upload_id)[0])

    again = begin(ana, upload_id)

    assert [part["arrived"] for part in again] == [True, False]
    assert len(open_in_s3(storage, ana.id)) == 1


def test_of_many_who_begin_at_once_all_get_the_same_parts(app: Flask, ana: Person, storage: Storage) -> None:
    upload_id = large_upload(ana)
    start = Barrier(6)

    def begin_at_once(_: int) -> str:
        caller = replace(ana, client=app.test_client())
        start.wait(timeout=20)
        url: str = begin(caller, upload_id)[0]["target"]["url"]
        return url.partition("uploadId=")[2].partition("&")[0]

    with ThreadPoolExecutor(6) as pool:
        begun = set(pool.map(begin_at_once, range(6)))
    abort_abandoned(storage)

    assert begun == {item(upload_id).multipart_id}
    assert open_in_s3(storage, ana.id) == list(begun)


def test_s3_takes_a_part_of_its_exact_length_alone(ana: Person) -> None:
    first, second = begin(ana, large_upload(ana))

    for body in (LARGE[:10], LARGE[: PART_BYTES + 1], b""):
        assert requests.put(first["target"]["url"], data=body, timeout=20).status_code == 403
    elsewhere = second["target"]["url"].replace("partNumber=2", "partNumber=3")
    assert requests.put(elsewhere, data=LARGE[: second["size_bytes"]], timeout=20).status_code == 403


def test_of_a_part_that_was_sent_again_the_newest_counts(ana: Person, storage: Storage) -> None:
    wrong = bytes([1]) * len(LARGE)
    upload_id = large_upload(ana)
    parts = begin(ana, upload_id)
    for part in parts:
        put(part, wrong)
    time.sleep(1.1)  # S3 tells the age of a part in whole seconds
    for part in parts:
        put(part)

    assert ana.call("POST", f"/v1/uploads/{upload_id}/complete").status_code == 200

    joined = storage.inside.get_object(Bucket=storage.bucket, Key=original_key(ana.id, UUID(upload_id)))
    assert joined["Body"].read() == LARGE


def test_a_browser_may_put_parts_and_read_their_names(storage: Storage, settings: Settings) -> None:
    preflight = requests.options(
        f"{settings.storage.endpoint}/{storage.bucket}/originals",
        headers={"Origin": "https://demo.example", "Access-Control-Request-Method": "PUT"},
        timeout=10,
    )

    assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]
    assert preflight.headers["Access-Control-Expose-Headers"] == "ETag"


def test_completing_names_the_parts_that_are_missing(ana: Person) -> None:
    upload_id = large_upload(ana)
    _, second = begin(ana, upload_id)
    put(second)

    refused = ana.call("POST", f"/v1/uploads/{upload_id}/complete")

    assert code_of(refused) == (409, "parts_missing")
    assert refused.get_json()["missing"] == [1]
    put(listed(ana, upload_id)[0])
    assert ana.call("POST", f"/v1/uploads/{upload_id}/complete").status_code == 200


def test_completing_again_after_a_lost_answer_is_fine(ana: Person, storage: Storage) -> None:
    upload_id = large_upload(ana)
    send_parts(ana, upload_id)
    # As if the process had died right after S3 had put the parts together.
    key, multipart_id = original_key(ana.id, UUID(upload_id)), item(upload_id).multipart_id
    storage.join_parts(key, multipart_id, storage.arrived_parts(key, multipart_id))

    answers = [ana.call("POST", f"/v1/uploads/{upload_id}/complete") for _ in range(2)]

    assert [(each.status_code, each.get_json()["state"]) for each in answers] == [(200, "processing")] * 2
    assert storage.size_of(key) == len(LARGE)


def test_completing_at_once_puts_the_parts_together_once(app: Flask, ana: Person, storage: Storage) -> None:
    upload_id = large_upload(ana)
    send_parts(ana, upload_id)
    start = Barrier(4)

    def complete(_: int) -> int:
        caller = replace(ana, client=app.test_client())
        start.wait(timeout=20)
        return caller.call("POST", f"/v1/uploads/{upload_id}/complete").status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(complete, range(4))) == [200] * 4
    abort_abandoned(storage)

    assert (item(upload_id).state, item(upload_id).multipart_id) == ("uploaded", None)
    assert storage.size_of(original_key(ana.id, UUID(upload_id))) == len(LARGE)
    assert open_in_s3(storage, ana.id) == []


def test_a_file_sent_whole_after_all_is_taken_and_its_parts_go(ana: Person, storage: Storage) -> None:
    (upload,) = ana.ask(LARGE)
    put(begin(ana, upload["id"])[0])
    assert send(upload["target"], LARGE).status_code == 204

    assert ana.call("POST", f"/v1/uploads/{upload['id']}/complete").status_code == 200

    assert len(open_in_s3(storage, ana.id)) == 1
    abort_abandoned(storage)
    assert open_in_s3(storage, ana.id) == []


def refused(person: Person, upload_id: str) -> list[tuple[int, str]]:
    return [code_of(person.call(method, f"/v1/uploads/{upload_id}/parts")) for method in ("POST", "GET")]


def test_small_files_arrived_ones_and_late_ones_have_no_parts(ana: Person) -> None:
    (small,) = ana.ask(LARGE[:-1])
    arrived, late, unbegun = (large_upload(ana) for _ in range(3))
    change(arrived, state="uploaded")
    change(late, expires_at=item(late).created_at)

    assert refused(ana, small["id"]) == [(409, "too_small_for_parts")] * 2
    assert refused(ana, arrived) == [(409, "upload_arrived")] * 2
    assert refused(ana, late) == [(410, "upload_expired")] * 2
    assert code_of(ana.call("GET", f"/v1/uploads/{unbegun}/parts")) == (409, "not_in_parts")


def test_parts_of_others_are_not_found(ana: Person, ben: Person) -> None:
    upload_id = large_upload(ana)
    begin(ana, upload_id)

    assert refused(ben, upload_id) == [(404, "upload_not_found")] * 2
    assert code_of(ben.call("DELETE", f"/v1/uploads/{upload_id}/parts")) == (404, "upload_not_found")
    assert listed(ana, upload_id)


def test_parts_that_came_in_time_may_be_completed_late(ana: Person) -> None:
    late, missing = large_upload(ana), large_upload(ana)
    send_parts(ana, late)
    put(begin(ana, missing)[0])
    let_time_pass(hours=2)

    assert ana.call("POST", f"/v1/uploads/{late}/complete").status_code == 200
    assert code_of(ana.call("POST", f"/v1/uploads/{missing}/complete")) == (410, "upload_expired")
